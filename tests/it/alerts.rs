//! Alerting: what is watched, what is found, and who is told. Real bytes to a whole server on a real database.

mod rules; // what is watched
mod states; // how it stands
mod history; // what happened
mod silences; // when nobody is told
mod preview; // what a rule would have done
mod reach; // whose it is, and to whom it is not there
mod judging; // rules over samples, by one node at a time

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::ManualClock;
use millrace::model::Micros;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::TestServer;
use crate::harness::callers::Callers;
use crate::harness::server::Answer;

/// What time it is for the servers of these tests.
const NOW: &str = "2026-11-20T12:00:00Z";
const RULES: &str = "/api/v1/alerts/rules";

/// A server at [`NOW`] that is open to nobody and judges nothing by itself, and its callers.
async fn closed() -> (TestServer, Callers) {
    let settings = [("anonymous", "none"), ("alerts.judge_elsewhere", "true")];
    let server = TestServer::start_with(&settings, Arc::new(ManualClock::at(now()))).await;
    let callers = Callers::of(server.database()).await;
    (server, callers)
}

fn now() -> Micros {
    Micros::parse_rfc3339(NOW.as_bytes()).unwrap()
}

/// A rule that is all right.
fn hot(name: &str) -> Value {
    json!({ "name": name, "metric_type": "cpu", "condition": { "op": "gt", "threshold": 90 } })
}

async fn ask(server: &TestServer, token: &str, (method, path): (Method, &str), body: Value) -> Answer {
    server.ask(method, path, token, &body).await
}

async fn get(server: &TestServer, token: &str, path: &str) -> Value {
    body_of(&ask(server, token, (Method::GET, path), Value::Null).await, StatusCode::OK)
}

async fn add_rule(server: &TestServer, token: &str, rule: Value) -> Value {
    body_of(&ask(server, token, (Method::POST, RULES), rule).await, StatusCode::CREATED)
}

/// Asserts a status and answers the body.
#[track_caller]
fn body_of(answer: &Answer, status: StatusCode) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    answer.json()
}

/// Asserts a status and the code of an error.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]["code"]), (status, &json!(code)), "{answer:?}");
}

/// The numbers or texts of one member of what is listed.
fn column(list: &Value, name: &str) -> Vec<Value> {
    list.as_array().unwrap().iter().map(|entry| entry[name].clone()).collect()
}

/// Has a rule stand so with a series of a server, as whoever judges would write it.
async fn stand(callers: &Callers, rule: &Value, server: Uuid, (series, phase): (i32, &str)) {
    let insert = "INSERT INTO alert_states (rule, series, server, phase, since, value, fired_at, updated_at)
        SELECT $1, $2, key, $4, $5::text::timestamptz, 95.5, $5::text::timestamptz, $5::text::timestamptz
        FROM servers WHERE id = $3";
    let rule = rule["id"].as_i64().unwrap();
    assert_eq!(callers.client.execute(insert, &[&rule, &series, &server, &phase, &NOW]).await.unwrap(), 1);
}

/// Something that happened so many seconds ago.
async fn happened(callers: &Callers, owner: Option<i64>, rule: &Value, server: Option<Uuid>, seconds_ago: i32) {
    let insert = "INSERT INTO alert_events (at, owner, rule, server, change, severity, title, value, details)
        SELECT $5::text::timestamptz - make_interval(secs => $4::integer), $1, $2,
            (SELECT key FROM servers WHERE id = $3), 'firing', 'critical', 'hot, \"very\"', 'NaN', '{\"a\": 1}'";
    let rule = rule["id"].as_i64();
    callers.client.execute(insert, &[&owner, &rule, &server, &seconds_ago, &NOW]).await.unwrap();
}

/// What was done in alerting, oldest first.
async fn audited(callers: &Callers) -> Vec<String> {
    let rows = callers.client.query("SELECT action FROM audit WHERE action LIKE 'alert.%' ORDER BY id", &[]).await;
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

/// How often whoever judges was told to look anew.
async fn revision(callers: &Callers) -> i64 {
    callers.client.query_one("SELECT rules_revision FROM alert_progress", &[]).await.unwrap().get(0)
}
