//! `WS /ws`: the reports of a person's agents, as the dashboards of their system expect them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Method;
use millrace::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::harness::server::Answer;
use crate::harness::{LiveClient, TestDatabase, TestServer, eventually};
use crate::people;

const SETTINGS: &[(&str, &str)] = &[("anonymous", "none"), ("registration", "open")];

async fn start_on(database: &TestDatabase) -> TestServer {
    TestServer::start_on(&database.config(), SETTINGS, Arc::new(SystemClock)).await
}

/// An agent of a person who has signed in: its number and its token.
async fn agent(server: &TestServer, access: &str, name: &str) -> (i64, String) {
    let answer = server.ask(Method::POST, "/agents", access, &json!({ "name": name })).await.json();
    (answer["id"].as_i64().unwrap(), answer["token"].as_str().unwrap().to_owned())
}

async fn person(server: &TestServer, name: &str) -> (i64, String) {
    let id = people::register(server, name).await["id"].as_i64().unwrap();
    (id, people::tokens(server, name).await.0)
}

fn now() -> f64 {
    (SystemClock.now().0 / 1_000_000) as f64
}

async fn report(server: &TestServer, token: &str, body: &str) {
    let answer = server.send(Method::POST, "/ingest", &[("x-agent-token", token)], body.as_bytes()).await;
    assert_eq!((u16::from(answer.status), answer.json()), (200, json!({ "status": "received" })));
}

/// Reports again and again until the client has one: it may be subscribed only a little later.
async fn first(server: &TestServer, token: &str, client: &mut LiveClient) -> Value {
    let body = json!({ "timestamp": now(), "n": 0 }).to_string();
    let begun = Instant::now();
    loop {
        report(server, token, &body).await;
        if let Some(frame) = client.frame_within(Duration::from_millis(300)).await {
            return frame;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no report comes");
    }
}

/// The next report that is not one of those that [`first`] sends.
async fn next(client: &mut LiveClient) -> Value {
    loop {
        let frame = client.frame().await;
        if frame.get("n").is_none() {
            return frame;
        }
    }
}

async fn handshake(server: &TestServer, path: &str) -> Answer {
    let head = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n");
    let head = format!("{head}sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    server.send_bytes(head.as_bytes()).await
}

#[tokio::test]
async fn a_socket_brings_the_reports_of_the_persons_agents_as_they_came_with_whose_they_are() {
    let database = TestDatabase::create().await;
    let server = start_on(&database).await;
    let ((ann, ann_access), (_, bob_access)) = (person(&server, "ann").await, person(&server, "bob").await);
    let (laptop, laptop_token) = agent(&server, &ann_access, "my \"laptop\"").await;
    let (phone, phone_token) = agent(&server, &ann_access, "phone").await;
    let (_, bobs_token) = agent(&server, &bob_access, "desktop").await;
    let mut all = LiveClient::open_at(&server, &format!("/ws?token={ann_access}")).await;
    let mut one = LiveClient::open_at(&server, &format!("/ws/{phone}?token={ann_access}")).await;
    let mut same = LiveClient::open_at(&server, &format!("/ws?token={ann_access}&agent_id={phone}")).await;
    let mut bobs = LiveClient::open_at(&server, &format!("/ws/{phone}?token={bob_access}")).await;
    for client in [&mut all, &mut one, &mut same] {
        assert_eq!(first(&server, &phone_token, client).await["agent_id"], phone);
    }
    let at = now();
    let sent = format!(r#"{{"timestamp":{at}.50,"user_id":"root","cpu":{{"usage_percent":23.40}},"agent_id":"x"}}"#);
    report(&server, &laptop_token, &sent).await;
    report(&server, &bobs_token, &sent).await;
    report(&server, &phone_token, &json!({ "timestamp": at }).to_string()).await;
    let told = next(&mut all).await;
    let expected = json!({ "timestamp": at + 0.5, "user_id": ann, "cpu": { "usage_percent": 23.4 }, "agent_id": laptop,
        "agent_name": "my \"laptop\"" });
    assert_eq!(told, expected);
    for client in [&mut all, &mut one, &mut same] {
        assert_eq!(next(client).await["agent_name"], "phone", "in order, and no other agent's");
    }
    assert!(bobs.frame_within(Duration::from_millis(10)).await.is_none(), "an agent of somebody else");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_handshake_without_a_good_token_is_refused_with_403() {
    let database = TestDatabase::create().await;
    let server = start_on(&database).await;
    let (_, access) = person(&server, "ann").await;
    let (_, agent_token) = agent(&server, &access, "laptop").await;
    for path in [
        "/ws".to_owned(),
        "/ws/1".to_owned(),
        "/ws?token=".to_owned(),
        "/ws?token=broken".to_owned(),
        format!("/ws/1?token={access}x"),
        format!("/ws?token={agent_token}"),
        format!("/ws/laptop?token={access}"),
    ] {
        assert_eq!(handshake(&server, &path).await.status, 403, "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_report_that_another_node_took_in_comes_once_and_within_about_a_second() {
    let database = TestDatabase::create().await;
    let (one, two) = (start_on(&database).await, start_on(&database).await);
    let (_, access) = person(&one, "ann").await;
    let (id, token) = agent(&one, &access, "laptop").await;
    let at = now();
    report(&one, &token, &json!({ "timestamp": at, "before": true }).to_string()).await;
    let mut client = LiveClient::open_at(&two, &format!("/ws?token={access}")).await;
    // From either node in turn, so that one that is told twice would stand between the others.
    assert_eq!(first(&one, &token, &mut client).await["agent_id"], id);
    let sent = Instant::now();
    report(&one, &token, &json!({ "timestamp": at, "number": 1 }).to_string()).await;
    assert_eq!(next(&mut client).await["number"], 1);
    assert!(sent.elapsed() < Duration::from_secs(10), "{:?}", sent.elapsed());
    report(&two, &token, &json!({ "timestamp": at, "number": 2 }).to_string()).await;
    assert_eq!(next(&mut client).await["number"], 2);
    report(&one, &token, &json!({ "timestamp": at, "number": 3 }).to_string()).await;
    assert_eq!(next(&mut client).await["number"], 3);
    drop(client);
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn a_socket_ends_when_its_person_is_let_in_no_more() {
    let database = TestDatabase::create().await;
    let server = start_on(&database).await;
    let (ann, access) = person(&server, "ann").await;
    let (_, token) = agent(&server, &access, "laptop").await;
    let mut client = LiveClient::open_at(&server, &format!("/ws?token={access}")).await;
    first(&server, &token, &mut client).await;
    let connection = database.connect().await;
    connection.execute("UPDATE users SET is_active = false WHERE id = $1", &[&ann]).await.unwrap();
    assert_eq!(client.close_code().await, Some(1008));
    eventually("nobody listens", async || handshake(&server, &format!("/ws?token={access}")).await.status == 403).await;
    server.stop().await.unwrap();
}
