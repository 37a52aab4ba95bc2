//! What a whole server tells of its jobs, and does when asked.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::{Clock, ManualClock, SystemClock};
use millrace::model::Micros;
use serde_json::{Value, json};

use crate::harness::agents::metric;
use crate::harness::{Agents, TestDatabase, TestServer, eventually};

const RUN: &str = "/api/v1/jobs/fold/run";

async fn job(server: &TestServer) -> Value {
    let jobs = server.get("/api/v1/jobs").await.json();
    let is_fold = |job: &&Value| job["name"] == "fold";
    jobs["jobs"].as_array().unwrap().iter().find(is_fold).unwrap().clone()
}

/// Everything that was folded: as many samples as the rows of recent say.
async fn folded(database: &TestDatabase) -> i64 {
    let query = "SELECT coalesce(sum(count), 0)::bigint FROM recent";
    database.connect().await.query_one(query, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_job_is_run_when_asked_and_every_node_tells_how_it_went() {
    let database = TestDatabase::create().await;
    let clock = || Arc::new(SystemClock);
    let one = TestServer::start_on(&database.config(), &[], clock()).await;
    let two = TestServer::start_on(&database.config(), &[], clock()).await;
    assert_eq!(job(&one).await["last_run"], Value::Null);
    let id = one.register("host").await;
    let now = SystemClock.now().0;
    one.ingest(&id, &json!([metric("a", now, 1.0), metric("a", now + 1, 2.0), metric("b", now, 3.0)])).await;

    let ran = one.post(RUN, &json!({})).await;
    assert_eq!(ran.status, StatusCode::OK, "{ran:?}");
    assert_eq!((ran.json()["name"].as_str(), ran.json()["rows"].as_u64()), (Some("fold"), Some(2)));
    assert_eq!(folded(&database).await, 3);
    let told = job(&two).await;
    assert_eq!((&told["state"], &told["rows"], &told["error"]), (&json!("idle"), &json!(2), &Value::Null));
    assert!(told["node"].is_u64() && told["lag_s"].is_u64() && told["next_run"].is_string(), "{told}");
    let again = two.post(&format!("{RUN}?force=true"), &json!({})).await;
    assert_eq!(again.json()["rows"], 0);
    assert_ne!(job(&one).await["node"], told["node"]);
    assert_eq!(one.gauge("job_rows_total{job=\"fold\"}").await, 2);
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn damaged_rows_that_were_set_aside_are_told_and_counted() {
    let server = TestServer::start().await;
    let id = server.register("host").await;
    server.ingest(&id, &json!([metric("a", SystemClock.now().0, 1.0)])).await;
    let none = server.get("/api/v1/jobs").await.json();
    assert_eq!(none["set_aside"], json!({ "rows": 0, "newest": [] }));
    let client = server.database().connect().await;
    client.batch_execute("UPDATE journal SET block = set_byte(block, 7, 255 - get_byte(block, 7))").await.unwrap();
    assert_eq!(server.post(RUN, &json!({})).await.status, StatusCode::OK);
    let told = server.get("/api/v1/jobs").await.json()["set_aside"].clone();
    assert_eq!((&told["rows"], &told["newest"][0]["level"]), (&json!(1), &json!("journal")), "{told}");
    assert_eq!((&told["newest"][0]["found_by"], &told["newest"][0]["place"]["sequence"]), (&json!("fold"), &json!(1)));
    eventually("it is counted", async || server.gauge("storage_set_aside_rows").await == 1).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_run_that_cannot_be_had_says_why() {
    let server = TestServer::start().await;
    for (path, status, code) in [
        ("/api/v1/jobs/nothing/run", StatusCode::NOT_FOUND, "not_found"),
        ("/api/v1/jobs/fold/run?force=perhaps", StatusCode::BAD_REQUEST, "bad_parameter"),
    ] {
        let answer = server.post(path, &json!({})).await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (status, &json!(code)));
    }
    assert_eq!(server.get(RUN).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let client = server.database().connect().await;
    client.batch_execute("ALTER TABLE fold_marks RENAME TO elsewhere").await.unwrap();
    let answer = server.post(RUN, &json!({})).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (StatusCode::INTERNAL_SERVER_ERROR, &json!("internal"))
    );
    let told = job(&server).await;
    assert_eq!((&told["state"], told["error"].is_string()), (&json!("failed"), true));
    client.batch_execute("ALTER TABLE elsewhere RENAME TO fold_marks").await.unwrap();
    assert_eq!(server.post(RUN, &json!({})).await.status, StatusCode::OK);
    assert_eq!(job(&server).await["state"], "idle");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ingest_goes_on_while_the_journal_is_folded_and_emptied() {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let server = TestServer::start_with(&[], Arc::<ManualClock>::clone(&clock)).await;
    let (left, right) = (server.register("left").await, server.register("right").await);
    let agents = Agents::start(server.address, &[left, right]).await;
    for _ in 0..12 {
        agents.until_acknowledged().await;
        clock.set(Micros(clock.now().0 + 20_000_000));
        let ran = server.send(Method::POST, RUN, &[], b"").await;
        assert_eq!(ran.status, StatusCode::OK, "{ran:?}");
    }
    let told = agents.stop().await;
    told.check_refusals();
    assert!(told.refusals.is_empty(), "nobody was kept waiting for long");
    server.post(RUN, &json!({})).await;
    assert_eq!(folded(server.database()).await, told.acknowledged.len() as i64, "each sample once");
    let client = server.database().connect().await;
    let of_journal = "SELECT coalesce(sum(samples), 0)::bigint FROM journal";
    let left: i64 = client.query_one(of_journal, &[]).await.unwrap().get(0);
    assert!((left as usize) < told.acknowledged.len() / 2, "{left} of {} are left", told.acknowledged.len());
    server.stop().await.unwrap();
}
