//! PostgreSQL gone and back again: who needs it answers 503, nobody else notices, and nothing has to be restarted.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::SystemClock;
use millrace::model::Micros;
use prost::Message;
use serde_json::{Value, json};

use super::description::{Document, REMOTE_WRITE, TYPED};
use super::{body_of, metric, systems};
use crate::harness::remote_write::{WriteRequest, series};
use crate::harness::server::{Answer, PATIENCE};
use crate::harness::{TestCluster, TestServer};

const TIME: &str = "2025-11-20T10:00:00Z";

#[tokio::test]
async fn whatever_needs_postgresql_answers_503_until_it_is_back() {
    let mut cluster = TestCluster::own().await;
    let settings = [("journal.commit_wait", "200ms"), ("database.wait_timeout", "1s")];
    let server = TestServer::start_on(&cluster.config("postgres"), &settings, Arc::new(SystemClock)).await;
    let id = server.register("server01").await;
    server.ingest(&id, &json!([metric("cpu", "usage", 1.0, TIME)])).await;
    let description = Document::new(server.get("/openapi.json").await.json());

    cluster.kill();
    cluster.exited().await;
    for path in ["/health", "/-/healthy", "/-/metrics", "/openapi.json"] {
        assert_eq!(server.get(path).await.status, StatusCode::OK, "{path}");
    }
    let mut asked = 0;
    for place in description.places() {
        let (method, pattern, status) = &place;
        // A live session needs no database until it asks for a replay, and there are no databases to create.
        if *status != 503 || ["/api/v1/stream", "/query"].contains(&pattern.as_str()) {
            continue;
        }
        let path = pattern.replace("{id}", &id).replace("{agent_id}", "1").replace("{metric}", "cpu");
        let path = path.replace("{name}", "fold").replace("{*grouping}", "YQ");
        let path = format!("{path}?server_id={id}&job_id={id}&check_id={id}&q=a");
        let is_remote_write = TYPED.contains(&pattern.as_str());
        let body = match pattern.as_str() {
            "/write" | "/api/v2/write" | "/api/v3/write_lp" => b"cpu,host=server03 usage=1".to_vec(),
            _ if is_remote_write => one_sample(),
            _ if pattern == "/api/v1/import/prometheus" || pattern.starts_with("/metrics/job") => b"up 1".to_vec(),
            "/ingest" => systems::report("server03").to_string().into_bytes(),
            _ if method == "PATCH" => b"{}".to_vec(),
            _ => everything(&id).to_string().into_bytes(),
        };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let headers = if is_remote_write { &REMOTE_WRITE[..] } else { &[("content-type", "application/json")][..] };
        let answer = server.send(method, &path, headers, &body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{place:?}: {}", answer.text());
        description.assert_describes(&place, &answer);
        asked += 1;
    }
    assert!(asked > 20, "only {asked} operations are described to need PostgreSQL");

    cluster.restart().await.unwrap();
    let last = json!({ "server_id": id, "metrics": [metric("cpu", "usage", 3.0, TIME)] });
    eventually_ok(async || server.get("/-/ready").await).await;
    // A writer that was about to try again may take its time, and says so: 503 means "send it again".
    eventually_ok(async || server.post("/api/v1/ingest", &last).await).await;
    let found = body_of(&server.get("/api/v1/metrics?metric_name=usage").await, StatusCode::OK);
    assert_eq!((&found["count"], &found["metrics"][0]["value"]), (&json!(1), &json!(3)), "the last one sent wins");
    server.stop().await.unwrap();
    cluster.stop(PATIENCE).await.unwrap();
}

/// A series of a server that is not known yet, as Prometheus would send it.
fn one_sample() -> Vec<u8> {
    let time = Micros::parse_rfc3339(TIME.as_bytes()).unwrap();
    let timeseries = vec![series("up", &[("instance", "server04")], &[(1.0, time.0 / 1_000)])];
    let message = WriteRequest { timeseries, ..WriteRequest::default() }.encode_to_vec();
    snap::raw::Encoder::new().compress_vec(&message).unwrap()
}

/// A body that any path can use.
fn everything(id: &str) -> Value {
    let time = (Micros::parse_rfc3339(TIME.as_bytes()).unwrap().0 * 1_000).to_string();
    let gauge = json!({ "name": "usage", "gauge": { "dataPoints": [{ "asInt": 1, "timeUnixNano": time }] } });
    json!({
        "metric_type": "cpu", "metric_name": "usage", "value": 1, "timestamp": TIME,
        "hostname": "server02", "ip_address": "10.0.0.2", "server_id": id, "name": "a", "schedule": "@daily",
        "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [gauge] }] }],
        "resourceLogs": [{ "scopeLogs": [{ "logRecords": [{ "timeUnixNano": time }] }] }],
        "host": "a", "port": 1, "job_id": id, "check_id": id, "metrics": [metric("cpu", "usage", 2.0, TIME)],
    })
}

async fn eventually_ok(ask: impl AsyncFn() -> Answer) {
    let asking = async {
        loop {
            match ask().await.status {
                StatusCode::OK => return,
                status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("a server recovers when PostgreSQL is back");
}
