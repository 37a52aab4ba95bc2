//! The end: what was accepted is answered, what is idle is closed, what takes too long is counted.

use std::time::{Duration, Instant};

use super::harness::{Client, config, soon, start};

#[tokio::test]
async fn a_drain_answers_what_is_in_flight_and_closes_its_connection() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client.send("GET /held HTTP/1.1\r\nhost: test\r\n\r\n").await;
    server.gate.until_entered().await;
    server.tasks.ask_to_stop();
    server.gate.release();
    let answer = client.answer().await;
    assert_eq!((answer.text(), answer.header("connection")), ("held", Some("close")));
    assert_eq!(client.until_closed().await, b"");
    assert_eq!(soon(server.serving).await.unwrap().connections_dropped, 0);
}

#[tokio::test]
async fn a_drain_closes_idle_and_silent_connections_and_takes_no_new_ones() {
    let server = start(&config());
    let mut silent = Client::connect(server.address).await;
    let mut idle = Client::connect(server.address).await;
    assert_eq!(idle.get("/hello").await.text(), "hello");
    server.tasks.ask_to_stop();
    assert_eq!(idle.until_closed().await, b"");
    assert_eq!(silent.until_closed().await, b"");
    assert_eq!(soon(server.serving).await.unwrap().connections_dropped, 0);
    assert_eq!(server.tasks.stop(Duration::from_secs(20)).await, Ok(()));
    tokio::net::TcpStream::connect(server.address).await.unwrap_err();
}

#[tokio::test]
async fn what_is_not_done_at_the_deadline_is_dropped_and_counted() {
    let mut config = config();
    config.connections.drain_deadline = Duration::from_millis(150);
    let server = start(&config);
    let mut client = Client::connect(server.address).await;
    client.send("GET /held HTTP/1.1\r\nhost: test\r\n\r\n").await;
    server.gate.until_entered().await;
    server.tasks.ask_to_stop();
    assert_eq!(soon(server.serving).await.unwrap().connections_dropped, 1);
    assert_eq!(client.until_closed().await, b"");
}

#[tokio::test]
async fn an_http2_client_that_was_idle_for_long_still_has_time_to_hear_of_the_drain() {
    const PREFACE_AND_EMPTY_SETTINGS: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    /// Less than every connection is given.
    const GRACE: Duration = Duration::from_millis(200);
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client.send(PREFACE_AND_EMPTY_SETTINGS).await;
    // Reads what the server says of itself, then nothing comes for long enough.
    tokio::time::timeout(GRACE * 2, client.until_closed()).await.unwrap_err();
    let begun = Instant::now();
    server.tasks.ask_to_stop();
    client.until_closed().await;
    assert!(begun.elapsed() >= GRACE, "closed after {:?}", begun.elapsed());
    assert_eq!(soon(server.serving).await.unwrap().connections_dropped, 0);
}
