//! The same samples again change nothing; other values for the same series and time replace the old ones.

use std::sync::Arc;

use millrace::clock::{ManualClock, SystemClock};
use millrace::model::Micros;
use serde_json::{Value, json};

use crate::harness::agents::metric;
use crate::harness::{TestDatabase, TestServer, export};

const TIME_US: i64 = 1_763_632_800_000_000;

async fn values(server: &TestServer, name: &str) -> Vec<f64> {
    let answer = server.get(&format!("/api/v1/metrics?metric_name={name}")).await.json();
    let metrics = answer["metrics"].as_array().unwrap();
    assert_eq!(answer["count"], metrics.len());
    metrics.iter().map(|metric| metric["value"].as_f64().unwrap()).collect()
}

#[tokio::test]
async fn the_same_body_again_changes_nothing_not_even_after_a_restart() {
    let database = TestDatabase::create().await;
    let mut known = None;
    for _ in 0..2 {
        let server = TestServer::start_on(&database.config(), &[], Arc::new(SystemClock)).await;
        let id = server.register("host").await;
        let metrics: Vec<Value> = (0..50).map(|place| metric("m", TIME_US + place % 40, (place % 40) as f64)).collect();
        for _ in 0..3 {
            assert_eq!(server.ingest(&id, &json!(metrics)).await["inserted"], 50);
        }
        let found = export(server.address).await;
        assert_eq!(found.len(), 40);
        assert_eq!(*known.get_or_insert_with(|| found.clone()), found);
        server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn the_last_value_for_a_series_and_time_wins_within_a_body_over_requests_and_over_restarts() {
    let database = TestDatabase::create().await;
    for restart in 0..3 {
        let server = TestServer::start_on(&database.config(), &[], Arc::new(SystemClock)).await;
        let id = server.register("host").await;
        for request in 0..5 {
            let last = f64::from(restart * 100 + request * 10 + 2);
            let metrics: Vec<Value> = [last - 2.0, last - 1.0, last].map(|value| metric("m", TIME_US, value)).into();
            server.ingest(&id, &json!(metrics)).await;
            assert_eq!(values(&server, "m").await, [last]);
        }
        server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn the_last_value_wins_even_when_the_clock_was_set_back() {
    let clock = Arc::new(ManualClock::at(Micros(TIME_US)));
    let server = TestServer::start_with(&[], Arc::<ManualClock>::clone(&clock)).await;
    let id = server.register("host").await;
    server.ingest(&id, &json!([metric("m", TIME_US, 1.0)])).await;
    clock.set(Micros(TIME_US - 60_000_000));
    server.ingest(&id, &json!([metric("m", TIME_US, 2.0)])).await;
    assert_eq!(values(&server, "m").await, [2.0]);
    server.stop().await.unwrap();
}
