//! `/api/v1/stream`: who gets a session, and what it is sent at its ends.

use futures_util::StreamExt;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::{metric, start, start_with};
use crate::harness::TestServer;
use crate::harness::server::{Answer, PATIENCE};

const UPGRADE: [(&str, &str); 4] = [
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Asks for a session and expects not to get one.
async fn refused(server: &TestServer, method: Method, more: &[(&str, &str)]) -> Answer {
    server.send(method, "/api/v1/stream", &[&UPGRADE, more].concat(), b"").await
}

async fn open(server: &TestServer, query: &str) -> WebSocketStream<TcpStream> {
    let socket = TcpStream::connect(server.address).await.unwrap();
    let url = format!("ws://{}/api/v1/stream?{query}", server.address);
    tokio_tungstenite::client_async(url, socket).await.unwrap().0
}

/// Opens the only session of a server and waits until it is subscribed.
async fn subscribe(server: &TestServer) -> WebSocketStream<TcpStream> {
    let socket = open(server, "").await;
    let subscribed = async {
        while !server.get("/-/metrics").await.text().contains("millrace_live_sessions 1\n") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, subscribed).await.expect("a session is subscribed in time");
    socket
}

async fn value(socket: &mut WebSocketStream<TcpStream>) -> f64 {
    match socket.next().await.unwrap().unwrap() {
        Message::Text(text) => serde_json::from_str::<Value>(&text).unwrap()["data"]["value"].as_f64().unwrap(),
        other => panic!("no text: {other:?}"),
    }
}

async fn ingest(server: &TestServer, server_id: &str, value: f64) {
    let metric = metric("cpu", "user", value, &format!("2025-11-20T11:00:{value:02}Z"));
    server.ingest(server_id, &json!([metric])).await;
}

#[tokio::test]
async fn pages_of_origins_that_are_not_listed_get_no_session() {
    let server = start_with(&[("http.cors_origins", "https://a.example")]).await;
    let answer = refused(&server, Method::GET, &[("origin", "https://b.example")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    drop(open(&server, "").await);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_question_for_the_head_opens_no_session() {
    let server = start().await;
    let answer = refused(&server, Method::HEAD, &[]).await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, Some("GET, OPTIONS")));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn beyond_the_sessions_there_may_be_a_client_is_told_to_come_again() {
    let server = start_with(&[("live.sessions_max", "1")]).await;
    let first = subscribe(&server).await;
    let answer = refused(&server, Method::GET, &[]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.header("retry-after").is_some());
    drop(first);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_stored_is_replayed_before_what_comes() {
    let server = start().await;
    let id = server.register("web-1").await;
    ingest(&server, &id, 1.0).await;
    let mut socket = open(&server, "since=1970-01-01T00:00:00Z").await;
    for number in 2..=3 {
        assert_eq!(value(&mut socket).await, f64::from(number - 1));
        ingest(&server, &id, f64::from(number)).await;
    }
    assert_eq!(value(&mut socket).await, 3.0);
    drop(socket);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_acknowledged_before_a_stop_is_pushed_before_the_goodbye() {
    let server = start().await;
    let id = server.register("web-1").await;
    let mut socket = subscribe(&server).await;
    for number in 1..=20 {
        ingest(&server, &id, f64::from(number)).await;
    }
    server.ask_to_stop();
    for number in 1..=20 {
        assert_eq!(value(&mut socket).await, f64::from(number));
    }
    let Message::Close(Some(frame)) = socket.next().await.unwrap().unwrap() else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 1001);
    drop(socket);
    server.stop().await.unwrap();
}
