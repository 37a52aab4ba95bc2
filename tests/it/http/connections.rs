//! How long a connection may take over what, and how many there may be.

use std::time::{Duration, Instant};

use super::harness::{BULK_BYTES, Client, config, start};

/// Long enough for a busy machine to get a request through before it.
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_client_that_sends_nothing_is_closed() {
    let mut config = config();
    config.connections.head_timeout = SHORT;
    let server = start(&config);
    assert_eq!(Client::connect(server.address).await.until_closed().await, b"");
}

#[tokio::test]
async fn a_head_that_drips_is_closed_however_steadily_it_drips() {
    let mut config = config();
    config.connections.head_timeout = SHORT;
    let server = start(&config);
    let mut client = Client::connect(server.address).await;
    client.send("GET /hello HTTP/1.1\r\n").await;
    let (mut reading, mut writing) = client.stream.split();
    let dripping = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            if tokio::io::AsyncWriteExt::write_all(&mut writing, b"x-drip: 1\r\n").await.is_err() {
                return;
            }
        }
    };
    let mut byte = [0];
    let closed = tokio::io::AsyncReadExt::read(&mut reading, &mut byte);
    let closed = super::harness::soon(async {
        tokio::select! { result = closed => result.unwrap_or_default(), () = dripping => 0 }
    });
    assert_eq!(closed.await, 0);
}

#[tokio::test]
async fn a_second_head_that_stops_half_way_is_closed_too() {
    let mut config = config();
    config.connections.head_timeout = SHORT;
    let server = start(&config);
    let mut client = Client::connect(server.address).await;
    assert_eq!(client.get("/hello").await.text(), "hello");
    client.send("GET /hel").await;
    assert_eq!(client.until_closed().await, b"");
}

#[tokio::test]
async fn an_idle_connection_outlives_the_head_timeout_and_ends_at_its_own() {
    let mut config = config();
    config.connections.head_timeout = SHORT;
    config.connections.idle_timeout = SHORT * 3;
    let server = start(&config);
    let mut client = Client::connect(server.address).await;
    assert_eq!(client.get("/hello").await.text(), "hello");
    let since = Instant::now();
    assert_eq!(client.until_closed().await, b"");
    assert!(since.elapsed() >= SHORT * 2, "closed after {:?}", since.elapsed());
}

#[tokio::test]
async fn a_request_that_takes_longer_than_the_timeouts_is_answered() {
    let mut config = config();
    config.connections.head_timeout = SHORT;
    config.connections.idle_timeout = SHORT;
    let server = start(&config);
    let mut client = Client::connect(server.address).await;
    client.send("GET /held HTTP/1.1\r\nhost: test\r\n\r\n").await;
    server.gate.until_entered().await;
    tokio::time::timeout(SHORT * 2, client.head()).await.unwrap_err();
    server.gate.release();
    assert_eq!(client.answer().await.text(), "held");
}

#[tokio::test]
async fn a_client_that_stops_reading_is_dropped_and_the_producer_learns_it() {
    let mut config = config();
    config.connections.write_stall_timeout = SHORT;
    let server = start(&config);
    let mut client = Client::connect(server.address).await;
    client.send("GET /endless HTTP/1.1\r\nhost: test\r\n\r\n").await;
    server.gate.until_gone().await;
}

#[tokio::test]
async fn an_answer_that_is_taken_slowly_is_whole_even_if_it_takes_longer_than_connections_may_idle() {
    let mut config = config();
    config.connections.idle_timeout = SHORT;
    let server = start(&config);
    let mut client = Client::connect(server.address).await;
    client.send("GET /bulk HTTP/1.1\r\nhost: test\r\n\r\n").await;
    client.head().await;
    let slow = std::future::pending::<()>();
    tokio::time::timeout(SHORT * 2, slow).await.unwrap_err();
    assert_eq!(client.until_closed().await.len(), BULK_BYTES);
}

#[tokio::test]
async fn at_the_cap_the_next_client_waits_until_one_leaves() {
    let mut config = config();
    config.connections.connections_max = 1;
    let server = start(&config);
    let mut first = Client::connect(server.address).await;
    assert_eq!(first.get("/hello").await.text(), "hello");
    let mut second = Client::connect(server.address).await;
    second.send("GET /hello HTTP/1.1\r\nhost: test\r\n\r\n").await;
    tokio::time::timeout(SHORT, second.head()).await.unwrap_err();
    drop(first);
    assert_eq!(second.answer().await.text(), "hello");
}

#[tokio::test]
async fn an_old_connection_is_closed_and_not_in_the_middle_of_a_request() {
    let mut config = config();
    config.connections.age_max = Some(SHORT);
    let server = start(&config);
    let mut client = Client::connect(server.address).await;
    client.send("GET /held HTTP/1.1\r\nhost: test\r\n\r\n").await;
    server.gate.until_entered().await;
    tokio::time::timeout(SHORT * 2, client.head()).await.unwrap_err();
    server.gate.release();
    let answer = client.answer().await;
    assert_eq!((answer.text(), answer.header("connection")), ("held", Some("close")));
    assert_eq!(client.until_closed().await, b"");
}

#[tokio::test]
async fn a_head_over_its_cap_is_431() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client.send(format!("GET /hello HTTP/1.1\r\nx-large: {}\r\n\r\n", "x".repeat(40_000))).await;
    assert_eq!(client.answer().await.status, 431);
}
