//! Notices on their way to people: real receivers on this machine, what they get byte by byte, and what happens when they
//! do not take it.

mod receiver; // somebody who takes requests, or does not
mod mail_server; // somebody who takes e-mails
mod retries; // what is tried again, and in which order
mod targets; // where nothing is sent
mod channels; // what each kind of receiver gets
mod mail; // what mail servers get
mod recipients; // who is told, as people change it
mod live; // what happened, as sockets are told of it

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::{Clock, ManualClock, SystemClock};
use millrace::model::Micros;
use millrace::model::alert::RecipientId;
use millrace::store::alerts::{Finding, NoticeRow, record};
use millrace::store::database::PoolConfig;
use millrace::store::{Database, transactions};
use serde_json::{Value, json};

use crate::harness::server::Answer;
use crate::harness::{TestServer, eventually};

const RECIPIENTS: &str = "/api/v1/alerts/recipients";
const NOTICES: &str = "/api/v1/alerts/notices";

/// A server whose alerts may go to this machine, and its clock.
async fn start(more: &[(&str, &str)]) -> (TestServer, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let settings = [&[("alerts.private_targets", "true")], more].concat();
    (TestServer::start_with(&settings, Arc::<ManualClock>::clone(&clock)).await, clock)
}

async fn add(server: &TestServer, name: &str, target: Value) -> i64 {
    let answer = server.post(RECIPIENTS, &json!({ "name": name, "target": target })).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json()["id"].as_i64().unwrap()
}

async fn add_webhook(server: &TestServer, url: &str) -> i64 {
    add(server, "hook", json!({ "kind": "webhook", "url": url })).await
}

/// Has somebody told something, as those who find it would.
async fn tell(server: &TestServer, to: i64, body: Value) {
    tell_all(server, vec![NoticeRow { to: Ok(RecipientId(to)), event: None, body }]).await;
}

async fn tell_all(server: &TestServer, notices: Vec<NoticeRow>) {
    // Due by the clock of the server, which stands still at when it was started.
    let due = Micros(SystemClock.now().0 - 60 * Micros::PER_SECOND);
    record_on(&server.database().config(), &Finding { notices, ..Finding::default() }, due).await;
}

async fn record_on(database: &tokio_postgres::Config, finding: &Finding, now: Micros) {
    let database = Database::new(database.clone(), PoolConfig::default()).unwrap();
    let mut client = database.client().await.unwrap();
    let transaction = transactions::begin(&mut client).await.unwrap();
    record(&transaction, finding, now).await.unwrap();
    transactions::commit(transaction).await.unwrap();
}

fn worded(subject: &str) -> Value {
    json!({ "form": "worded", "subject": subject, "message": "{\n  \"a\": 1\n}" })
}

/// The notices of a server, the newest first.
async fn notices(server: &TestServer) -> Vec<Value> {
    let answer = server.get(NOTICES).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["notices"].as_array().unwrap().clone()
}

/// Waits until the newest notice is in this state after so many attempts, and answers it.
async fn newest_is(server: &TestServer, state: &str, attempts: i64) -> Value {
    let mut newest = Value::Null;
    eventually(&format!("the notice is {state} after {attempts} attempts"), async || {
        newest = notices(server).await.first().cloned().unwrap_or_default();
        let is_ended = newest["state"] != "waiting" || !newest["last_error"].is_null();
        newest["state"] == state && newest["attempts"] == attempts && is_ended
    })
    .await;
    newest
}

async fn put(server: &TestServer, id: i64, body: &Value) -> Answer {
    server.send(Method::PUT, &format!("{RECIPIENTS}/{id}"), &[], body.to_string().as_bytes()).await
}

fn move_on(clock: &ManualClock, seconds: i64) {
    clock.set(Micros(clock.now().0 + seconds * Micros::PER_SECOND));
}
