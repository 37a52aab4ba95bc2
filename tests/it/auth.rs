//! Who is let in, as whom, and when not any more; who may do what, and to whose servers: real bytes to a whole server
//! that is open to nobody.

mod agents; // agents of persons and their first five minutes
mod doors; // where credentials may stand, and how they are refused
mod endpoints; // agents of the fleet
mod revoked; // what is refused is refused by every node, soon
mod tokens; // tokens that people make for programs
mod matrix; // every route and every kind of caller
mod writing; // what may be sent for which server
mod reading; // every question against a naive model of who may see what
mod reports; // agents of the systems that are replaced
mod live; // what reaches a socket, and whose sockets end

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::harness::TestServer;
use crate::harness::callers::Callers;
use crate::harness::server::Answer;

/// A server that nobody registered.
const STRANGER: &str = "7f0c6f0e-4d3c-4c55-9a52-0c5d2f4a9b11";
/// Within the window of times that is taken, whatever the day.
const THEN: &str = "2026-01-01T00:00:00Z";
const CLOSED: &[(&str, &str)] = &[("anonymous", "none")];

/// A server that is open to nobody.
async fn closed() -> TestServer {
    closed_at(Arc::new(SystemClock)).await
}

async fn closed_at(clock: Arc<dyn Clock>) -> TestServer {
    TestServer::start_with(CLOSED, clock).await
}

/// What a route that asks for the right to send, and no more, answers to this token.
async fn knock(server: &TestServer, token: &str) -> StatusCode {
    server.send(Method::POST, "/query", &[("x-agent-token", token)], b"q=CREATE%20DATABASE%20a").await.status
}

/// What was done by whoever has a token, to what, by whom, oldest first.
async fn audited(server: &TestServer) -> Vec<(String, String, String)> {
    let database = server.database().connect().await;
    let rows =
        database.query("SELECT action, subject, actor FROM audit WHERE actor <> 'operator' ORDER BY id", &[]).await;
    rows.unwrap().iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn start() -> (TestServer, Callers) {
    let server = closed().await;
    let callers = Callers::of(server.database()).await;
    (server, callers)
}

async fn ask(server: &TestServer, token: &str, method: Method, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    server.send(method, path, &[("authorization", &bearer)], body.as_bytes()).await
}

async fn get(server: &TestServer, token: &str, path: &str) -> Answer {
    ask(server, token, Method::GET, path, "").await
}

/// A bulk body of one sample.
fn sample(server_id: &str, metric_name: &str, value: f64) -> Value {
    let metric = json!({ "metric_type": "cpu", "metric_name": metric_name, "value": value, "timestamp": THEN });
    json!({ "server_id": server_id, "metrics": [metric] })
}

/// Whether a sample of a server is taken.
async fn is_taken(server: &TestServer, token: &str, server_id: &str, value: f64) -> bool {
    let body = sample(server_id, "user", value).to_string();
    let answer = ask(server, token, Method::POST, "/api/v1/ingest", &body).await;
    assert!([200, 400].contains(&answer.status.as_u16()), "{answer:?}");
    if answer.status == 400 {
        let refused = answer.json();
        assert_eq!(refused["errors"][0]["code"], "unknown_server", "{refused}");
        assert_eq!(refused["error"], format!("server {server_id} is not registered"));
    }
    answer.status == 200
}
