//! A database that was set back while a server was running, as by a restore or a fail-over to a copy that lagged: what
//! another process has written since then may carry this one's numbers.

use hyper::StatusCode;
use serde_json::json;

use crate::harness::TestServer;

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
