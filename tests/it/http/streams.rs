//! Streamed responses on the wire: whole, or visibly broken.

use super::harness::{Client, config, start};

#[tokio::test]
async fn a_finished_stream_ends_with_its_last_chunk() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client.send("GET /whole HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await;
    let bytes = client.until_closed().await;
    assert_eq!(bytes.iter().filter(|byte| **byte == b'#').count(), 99_700);
    assert!(bytes.ends_with(b"0\r\n\r\n"));
}

#[tokio::test]
async fn a_stream_that_fails_is_cut_off_without_an_end() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client.send("GET /broken HTTP/1.1\r\nhost: test\r\n\r\n").await;
    let bytes = client.until_closed().await;
    assert!(!bytes.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&bytes));
}

#[tokio::test]
async fn a_producer_learns_that_its_client_went_away() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client.send("GET /endless HTTP/1.1\r\nhost: test\r\n\r\n").await;
    client.head().await;
    drop(client);
    server.gate.until_gone().await;
}
