//! A database that was set back while a server was running, as by a restore or a fail-over to a copy that lagged: what
//! another process has written since then may carry this one's numbers.

use std::sync::Arc;

use hyper::StatusCode;
use millrace::clock::SystemClock;
use millrace::store::Database;
use millrace::store::database::PoolConfig;
use serde_json::json;

use crate::harness::server::PATIENCE;
use crate::harness::{TestCluster, TestServer, eventually};

#[tokio::test]
async fn a_flush_is_not_taken_for_committed_because_someone_elses_has_its_number() {
    let server = TestServer::start().await;
    let server_id = server.register("web-1").await;
    let foreign =
        "INSERT INTO journal SELECT (SELECT max(id) FROM nodes), lane, slot, 1, 0, 1, 1, now(), now(), 1, now(), ''
        FROM generate_series(0, 1) AS lane, generate_series(0, 3) AS slot";
    server.database().connect().await.batch_execute(foreign).await.unwrap();
    let metric =
        json!({ "metric_type": "cpu", "metric_name": "usage", "value": 1, "timestamp": "2025-11-20T10:00:00Z" });
    let answer = server.post("/api/v1/ingest", &json!({ "server_id": server_id, "metrics": [metric] })).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{answer:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_process_whose_number_is_not_its_own_any_more_stores_nothing_and_says_so() {
    let server = TestServer::start().await;
    let server_id = server.register("web-1").await;
    let body = |minute: u32| {
        let timestamp = format!("2025-11-20T10:{minute:02}:00Z");
        let metric = json!({ "metric_type": "cpu", "metric_name": "usage", "value": 1, "timestamp": timestamp });
        json!({ "server_id": server_id, "metrics": [metric] })
    };
    assert_eq!(server.post("/api/v1/ingest", &body(0)).await.status, StatusCode::OK);
    let set_back = "UPDATE nodes SET token = gen_random_uuid();
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    server.database().connect().await.batch_execute(set_back).await.unwrap();
    let answer = server.post("/api/v1/ingest", &body(1)).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{answer:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn series_that_are_not_there_any_more_are_made_anew_instead_of_written_to_by_number() {
    let mut cluster = TestCluster::own().await;
    let server = TestServer::start_on(&cluster.config("postgres"), &[], Arc::new(SystemClock)).await;
    let server_id = server.register("web-1").await;
    let metric =
        json!({ "metric_type": "cpu", "metric_name": "usage", "value": 1, "timestamp": "2025-11-20T10:00:00Z" });
    let body = json!({ "server_id": server_id, "metrics": [metric] });
    assert_eq!(server.post("/api/v1/ingest", &body).await.status, StatusCode::OK);
    let database = Database::new(cluster.config("postgres"), PoolConfig::default()).unwrap();
    // As of a moment before that series.
    let earlier = "DELETE FROM series; TRUNCATE journal";
    database.client().await.unwrap().batch_execute(earlier).await.unwrap();
    cluster.kill();
    cluster.exited().await;
    cluster.restart().await.unwrap();

    let database = Database::new(cluster.config("postgres"), PoolConfig::default()).unwrap();
    let is_known = async || {
        let status = server.post("/api/v1/ingest", &body).await.status;
        let client = database.client().await.unwrap();
        let series: i64 = client.query_one("SELECT count(*) FROM series", &[]).await.unwrap().get(0);
        status == StatusCode::OK && series == 1
    };
    eventually("the series is there again", is_known).await;
    server.stop().await.unwrap();
    cluster.stop(PATIENCE).await.unwrap();
}
