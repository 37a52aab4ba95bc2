//! Who is let in, as whom, and when not any more: real bytes to a whole server that is open to nobody.

mod agents; // agents of persons and their first five minutes
mod doors; // where credentials may stand, and how they are refused
mod endpoints; // agents of the fleet
mod revoked; // what is refused is refused by every node, soon
mod tokens; // tokens that people make for programs

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::{Clock, SystemClock};
use serde_json::Value;

use crate::harness::TestServer;

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
