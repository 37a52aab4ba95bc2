//! What one client and all of them together may send: the answer at each bound says when to come back.

use hyper::StatusCode;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::super::{NOW, assert_refused, metric, start_with};
use super::{INGEST, assert_taken, until_held};
use crate::harness::server::Answer;

#[tokio::test]
async fn an_address_that_has_used_up_its_rate_is_told_when_to_come_back() {
    // One request may go into debt; this one needs an hour to pay it off, which is longer than the test runs.
    let server = start_with(&[("admit.samples_per_second", "1"), ("admit.burst", "1s")]).await;
    let id = server.register("server01").await;
    let metrics: Vec<_> = (0..3600).map(|second| metric("cpu", &second.to_string(), 1.0, NOW)).collect();
    let document = json!({ "server_id": id, "metrics": metrics });
    assert_taken(&server.post(INGEST, &document).await, 3600);
    let refused = server.post(INGEST, &document).await;
    assert_refused(&refused, StatusCode::TOO_MANY_REQUESTS, "too many samples from this address");
    let retry_after: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((3000..=3600).contains(&retry_after), "{retry_after}");
    assert_eq!(server.get("/api/v1/metrics").await.status, StatusCode::OK, "reading is not limited");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_for_which_there_is_no_memory_is_told_to_come_back() {
    let bounds = ["http.body_bytes_max", "http.inflated_bytes_max", "http.in_flight_bytes_max"];
    let server = start_with(&bounds.map(|bound| (bound, "1MiB"))).await;
    let id = server.register("server01").await;
    let mut body = json!({ "server_id": id, "metrics": [metric("cpu", "usage", 1.0, NOW)] }).to_string();
    body.push_str(&" ".repeat((900 << 10) - body.len()));
    let mut held = server.connect().await;
    let head =
        format!("POST {INGEST} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let (most, rest) = body.as_bytes().split_at(body.len() - 1);
    held.write_all(head.as_bytes()).await.unwrap();
    held.write_all(most).await.unwrap();
    until_held(&server, most.len()).await;

    for (path, bytes) in [(INGEST, body.len()), ("/api/v1/servers", 200 << 10)] {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {bytes}\r\n\r\n");
        let refused = server.send_bytes(head.as_bytes()).await;
        assert_refused(&refused, StatusCode::SERVICE_UNAVAILABLE, "too many bytes of request bodies are in memory");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }

    held.write_all(rest).await.unwrap();
    assert_taken(&Answer::read(&mut held).await, 1);
    assert_taken(&server.post_text(INGEST, &body).await, 1);
    server.stop().await.unwrap();
}
