//! What an acknowledgement means: the samples are in PostgreSQL, whatever happens to the server.

use millrace::clock::{Clock, SystemClock};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::super::{NOW, metric, start};
use super::{INGEST, assert_taken, start_with_one, until_held};
use crate::harness::TestServer;
use crate::harness::server::Answer;

#[tokio::test]
async fn what_is_acknowledged_is_in_postgresql() {
    let (server, id) = start_with_one().await;
    let client = server.database().connect().await;
    let mut sent = 0;
    for count in [1, 1_000, 10] {
        let metrics: Vec<_> = (0..count).map(|name| metric(&sent.to_string(), &name.to_string(), 1.0, NOW)).collect();
        assert_taken(&server.post(INGEST, &json!({ "server_id": id, "metrics": metrics })).await, count);
        sent += count;
        let row = client.query_one("SELECT sum(samples) AS samples FROM journal", &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>("samples"), sent as i64);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_request_that_was_accepted_is_answered_though_the_server_is_asked_to_stop() {
    let server = start().await;
    let id = server.register("server01").await;
    let body = json!({ "server_id": id, "metrics": [metric("cpu", "usage", 1.0, NOW)] }).to_string();
    let mut socket = server.connect().await;
    let head = format!("POST {INGEST} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all(format!("{head}{}", &body[..20]).as_bytes()).await.unwrap();
    until_held(&server, 20).await;
    server.ask_to_stop();
    socket.write_all(&body.as_bytes()[20..]).await.unwrap();
    assert_taken(&Answer::read(&mut socket).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn with_the_default_settings_a_sample_of_this_moment_is_taken() {
    let server = TestServer::start().await;
    let id = server.register("server01").await;
    let mut now = Vec::new();
    SystemClock.now().write_rfc3339(&mut now);
    let sent = json!([metric("cpu", "usage", 45.2, std::str::from_utf8(&now).unwrap())]);
    assert_eq!(server.ingest(&id, &sent).await["inserted"], 1);
    server.stop().await.unwrap();
}
