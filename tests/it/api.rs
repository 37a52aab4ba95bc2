//! The API as its clients see it: real bytes to a whole server on a real database.

mod agent; // a round of the source system's agent
mod servers; // registration
mod ingest; // samples in: what is taken and what is refused
mod influx; // lines of InfluxDB
mod otlp; // OpenTelemetry
mod prometheus; // remote write, text of exporters, pushes
mod values; // samples out again, bit for bit
mod metrics; // samples asked for
mod latest; // the last value of each series
mod history; // windows of an agent's metrics
mod series; // which series there are
mod snapshots; // process and container lists
mod cron; // scheduled commands
mod ports; // port probes
mod probes; // health, readiness, self-metrics
mod front; // what is the same on every path
mod description; // openapi.json against the server
mod stream; // live push
mod rejects; // what was refused, and who is told of it
mod entries; // events, log lines, documents
mod systems; // agents of the systems that are replaced
mod dashboards; // what their dashboards ask besides
mod examples; // bodies as their documents show them
mod transfer; // all samples out and in again
mod hostile; // requests made to hurt, on every route
mod outage; // PostgreSQL gone and back again

use std::sync::Arc;

use hyper::StatusCode;
use millrace::clock::ManualClock;
use millrace::model::Micros;
use serde_json::{Value, json};

use crate::harness::TestServer;
use crate::harness::server::Answer;

/// What time it is for the servers of these tests.
const NOW: &str = "2025-11-20T12:00:00Z";
/// A server that nobody registered.
const STRANGER: &str = "7f0c6f0e-4d3c-4c55-9a52-0c5d2f4a9b11";

/// A server at [`NOW`].
async fn start() -> TestServer {
    start_with(&[]).await
}

/// The same with other settings, by their dotted keys.
async fn start_with(settings: &[(&str, &str)]) -> TestServer {
    let now = Micros::parse_rfc3339(NOW.as_bytes()).unwrap();
    TestServer::start_with(settings, Arc::new(ManualClock::at(now))).await
}

/// A metric without labels.
fn metric(metric_type: &str, metric_name: &str, value: f64, timestamp: &str) -> Value {
    json!({ "metric_type": metric_type, "metric_name": metric_name, "value": value, "timestamp": timestamp })
}

/// Asserts the status and the whole body of an error in the shape of the source system.
#[track_caller]
fn assert_refused(answer: &Answer, status: StatusCode, message: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!(body["error"], message);
    // A path that two systems share has the message under both names.
    assert!(body.as_object().unwrap().values().all(|value| value == message), "{body}");
}

/// Asserts a status and answers the body.
#[track_caller]
fn body_of(answer: &Answer, status: StatusCode) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    answer.json()
}
