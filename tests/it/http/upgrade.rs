//! A socket that leaves HTTP passes bytes both ways and is not cut by the connection's time-outs.

use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::harness::{Client, config, soon, start};

const REQUEST: &str = "GET /upgrade HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";

#[tokio::test]
async fn after_a_101_bytes_go_both_ways_for_longer_than_any_timeout() {
    let mut config = config();
    config.connections.head_timeout = Duration::from_millis(300);
    config.connections.idle_timeout = Duration::from_millis(300);
    let server = start(&config);
    let mut client = Client::connect(server.address).await;
    client.send(REQUEST).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    let mut bytes = [0; 5];
    tokio::time::timeout(Duration::from_millis(600), client.stream.read(&mut bytes)).await.unwrap_err();
    client.send("bytes").await;
    soon(client.stream.read_exact(&mut bytes)).await.unwrap();
    assert_eq!(&bytes, b"bytes");
}

#[tokio::test]
async fn an_upgraded_socket_counts_as_a_connection_until_it_closes() {
    let mut config = config();
    config.connections.connections_max = 1;
    let server = start(&config);
    let mut upgraded = Client::connect(server.address).await;
    upgraded.send(REQUEST).await;
    upgraded.head().await;
    let mut next = Client::connect(server.address).await;
    next.send("GET /hello HTTP/1.1\r\nhost: test\r\n\r\n").await;
    tokio::time::timeout(Duration::from_millis(150), next.head()).await.unwrap_err();
    drop(upgraded);
    assert_eq!(next.answer().await.text(), "hello");
}

#[tokio::test]
async fn a_drain_does_not_wait_for_upgraded_sockets_but_their_owner_does() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client.send(REQUEST).await;
    client.head().await;
    assert_eq!(server.tasks.stop(Duration::from_secs(20)).await, Ok(()));
    assert_eq!(client.until_closed().await, b"");
}
