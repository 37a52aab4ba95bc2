//! PostgreSQL goes away in the midst of a streamed answer.

use std::sync::Arc;

use hyper::StatusCode;
use millrace::clock::SystemClock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::harness::agents::metric;
use crate::harness::server::PATIENCE;
use crate::harness::{TestCluster, TestServer, eventually};

const TIME_US: i64 = 1_763_632_800_000_000;
/// Far more than fits into what lies between the server and a client that does not read.
const REQUESTS: i64 = 8;
const SAMPLES: i64 = 10_000;
/// The end of a chunked body that was sent whole.
const END: &[u8] = b"0\r\n\r\n";

#[tokio::test]
async fn an_export_that_cannot_be_finished_is_broken_off_and_does_not_end_well() {
    let mut cluster = TestCluster::own().await;
    let server = TestServer::start_on(&cluster.config("postgres"), &[], Arc::new(SystemClock)).await;
    let id = server.register("host").await;
    for request in 0..REQUESTS {
        let times = (request * SAMPLES)..((request + 1) * SAMPLES);
        let metrics: Vec<Value> = times.map(|time| metric("a-rather-long-name", TIME_US + time, 1.5)).collect();
        server.ingest(&id, &json!(metrics)).await;
    }
    let whole = export(&server, async || {}).await;
    assert!(whole.ends_with(END));
    assert_eq!(rows(&whole), (REQUESTS * SAMPLES) as usize);
    let part = export(&server, async || {
        cluster.kill();
        cluster.exited().await;
        let gone = async || server.get("/api/v1/metrics").await.status == StatusCode::SERVICE_UNAVAILABLE;
        eventually("nobody answers queries", gone).await;
    })
    .await;
    assert!(!part.ends_with(END), "a part looks like the whole");
    assert!(rows(&part) < rows(&whole));
    cluster.restart().await.unwrap();
    eventually("queries are answered again", async || server.get("/api/v1/metrics").await.status == StatusCode::OK)
        .await;
    assert_eq!(rows(&export(&server, async || {}).await), rows(&whole));
    server.stop().await.unwrap();
    cluster.stop(PATIENCE).await.unwrap();
}

fn rows(answer: &[u8]) -> usize {
    answer.windows(6).filter(|window| *window == b"{\"id\":").count()
}

/// The bytes of an export whose client reads the beginning, then does something else, and then reads on.
async fn export(server: &TestServer, meanwhile: impl AsyncFnOnce()) -> Vec<u8> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut socket = socket.connect(server.address).await.unwrap();
    let request = "GET /api/v1/metrics?format=ndjson&order=asc HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    socket.read_exact(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    meanwhile().await;
    // A transfer that is broken off may end with a reset as well as with an early end.
    let reading = socket.read_to_end(&mut answer);
    drop(tokio::time::timeout(PATIENCE, reading).await.expect("the transfer ends"));
    answer
}
