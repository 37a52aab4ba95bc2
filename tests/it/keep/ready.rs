//! A server whose months are missing says so before it matters.

use std::sync::Arc;

use hyper::StatusCode;
use millrace::clock::ManualClock;
use millrace::jobs::Context;
use millrace::jobs::keep::run;
use millrace::jobs::retention::Policy;
use millrace::store::Database;
use millrace::store::database::PoolConfig;

use super::micros;
use crate::harness::{TestServer, eventually};

async fn until_without(server: &TestServer, month: &str) {
    let reason = format!("has no table for {month}");
    eventually(&reason, async || {
        let answer = server.get("/-/ready").await;
        answer.status == StatusCode::SERVICE_UNAVAILABLE
            && answer.json()["error"]["code"] == "month_missing"
            && answer.json()["error"]["message"].as_str().is_some_and(|told| told.ends_with(&reason))
    })
    .await;
}

async fn until_ready(server: &TestServer) {
    eventually("ready", async || server.get("/-/ready").await.status == StatusCode::OK).await;
}

/// The server's own runs must not make what is missing meanwhile: a table that is in the way sees to that.
#[tokio::test]
async fn a_server_without_the_coming_month_is_not_ready_and_says_why() {
    let clock = Arc::new(ManualClock::at(micros("2027-11-30T23:59:59Z")));
    let server = TestServer::start_with(&[], Arc::<ManualClock>::clone(&clock)).await;
    assert_eq!(server.get("/-/ready").await.status, StatusCode::OK, "made before it listens");

    let client = server.database().connect().await;
    client.batch_execute("ALTER TABLE rollup_1m DETACH PARTITION rollup_1m_2027_12").await.unwrap();
    until_without(&server, "2027-12").await;
    let told = server.get("/-/ready").await.json()["error"]["message"].clone();
    assert_eq!(told, "rollup_1m has no table for 2027-12");
    client.batch_execute("DROP TABLE rollup_1m_2027_12").await.unwrap();
    let database = Database::new(server.database().config(), PoolConfig::default()).unwrap();
    let context = Context { database, clock: Arc::<ManualClock>::clone(&clock) };
    run(&context, &Policy::default(), false).await.unwrap();
    until_ready(&server).await;

    client.batch_execute("CREATE TABLE samples_2028_02 (in_the_way boolean)").await.unwrap();
    clock.set(micros("2028-01-31T12:00:00Z"));
    until_without(&server, "2028-02").await;
    client.batch_execute("DROP TABLE samples_2028_02").await.unwrap();
    run(&context, &Policy::default(), false).await.unwrap();
    until_ready(&server).await;
    server.stop().await.unwrap();
}
