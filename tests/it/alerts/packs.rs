//! What the source systems alert of by themselves: to the byte, once, and after a restart as before.

mod devices; // reports that are judged as a whole
mod agents; // rules of persons about reports of their agents
mod fleet; // endpoints that are silent, and full disks
mod whole; // a report is kept with all that follows from it, or not at all

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::ManualClock;
use millrace::model::Micros;
use serde_json::{Value, json};

use crate::harness::{TestDatabase, TestServer};

/// When everything begins, in seconds and as text.
const NOW_SECONDS: i64 = 1_795_176_000;
const NOW: &str = "2026-11-20T12:00:00Z";

/// One database, and the time that all servers on it have.
struct Scene {
    database: TestDatabase,
    clock: Arc<ManualClock>,
}

impl Scene {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Micros(NOW_SECONDS * 1_000_000)));
        Self { database: TestDatabase::create().await, clock }
    }

    /// A server that is open to everybody.
    async fn server(&self) -> TestServer {
        TestServer::start_on(&self.database.config(), &[], Arc::<ManualClock>::clone(&self.clock)).await
    }

    fn after_seconds(&self, seconds: i64) {
        self.clock.set(Micros((NOW_SECONDS + seconds) * 1_000_000));
    }

    /// The single column of text that a statement answers.
    async fn texts(&self, statement: &str) -> Vec<String> {
        let rows = self.database.connect().await.query(statement, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn count(&self, table: &str) -> i64 {
        let statement = format!("SELECT count(*) FROM {table}");
        self.database.connect().await.query_one(&statement, &[]).await.unwrap().get(0)
    }
}

/// Sends a report and expects that it is kept.
async fn report(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &Value) {
    let answer = server.send(Method::POST, path, headers, body.to_string().as_bytes()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

async fn get(server: &TestServer, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

/// The settings of a group, put over the defaults.
async fn set(server: &TestServer, group: &str, value: &Value) {
    let path = format!("/api/v1/settings/{group}");
    let version = get(server, &path).await["version"].clone();
    let body = json!({ "value": value, "version": version }).to_string();
    let answer = server.send(Method::PUT, &path, &[], body.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}
