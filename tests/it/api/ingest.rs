//! `POST /api/v1/ingest`: what is taken, and how the answer counts it.

mod bodies; // encodings, framing, size
mod documents; // bodies that are refused as a whole
mod items; // items that are refused alone
mod limits; // rate and memory
mod promises; // what an acknowledgement means

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{NOW, STRANGER, body_of, metric, start};
use crate::harness::TestServer;
use crate::harness::server::{Answer, PATIENCE};

const INGEST: &str = "/api/v1/ingest";

#[tokio::test]
async fn the_server_on_top_is_for_the_items_that_name_none() {
    let server = start().await;
    let (first, second) = (server.register("first").await, server.register("second").await);
    let mut of_second = metric("ram", "usage_percent", 78.5, "2025-11-20T10:00:01Z");
    of_second["server_id"] = second.as_str().into();
    let of_first = json!({
        "metric_type": "cpu", "metric_name": "usage", "value": 45.2, "labels": { "core": "0" },
        "timestamp": "2025-11-20T10:00:00Z",
    });
    assert_taken(&server.post(INGEST, &json!({ "server_id": first, "metrics": [of_first, of_second] })).await, 2);
    let stored = body_of(&server.get("/api/v1/metrics").await, StatusCode::OK);
    let servers: Vec<&Value> = stored["metrics"].as_array().unwrap().iter().map(|row| &row["server_id"]).collect();
    assert_eq!(servers, [second.as_str(), first.as_str()]);
    assert_eq!(stored["metrics"][1]["labels"], json!({ "core": "0" }));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn items_that_each_name_a_server_need_none_on_top() {
    let server = start().await;
    let ids = [server.register("a").await, server.register("b").await];
    let items: Vec<Value> = ids.iter().map(|id| with(metric("cpu", "usage", 1.0, NOW), "server_id", id)).collect();
    for document in [json!({ "metrics": items }), json!({ "server_id": "", "metrics": items })] {
        assert_taken(&server.post(INGEST, &document).await, 2);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn sending_again_changes_nothing_and_a_new_value_replaces_the_old() {
    let server = start().await;
    let id = server.register("a").await;
    for value in [1.0, 1.0, 2.0] {
        server.ingest(&id, &json!([metric("cpu", "usage", value, NOW)])).await;
    }
    let stored = body_of(&server.get("/api/v1/metrics").await, StatusCode::OK);
    assert_eq!((&stored["count"], &stored["metrics"][0]["value"]), (&json!(1), &json!(2)));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_to_store_is_a_success_whoever_sends_it() {
    let server = start().await;
    for metrics in [json!([]), Value::Null] {
        assert_taken(&server.post(INGEST, &json!({ "server_id": STRANGER, "metrics": metrics })).await, 0);
    }
    assert_taken(&server.post(INGEST, &json!({ "server_id": STRANGER })).await, 0);
    assert_taken(&server.post(INGEST, &json!({ "metrics": [] })).await, 0);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_refused_leaves_its_neighbours_alone_and_is_named_by_its_place() {
    let server = start().await;
    let id = server.register("a").await;
    let metrics = json!([
        metric("cpu", "usage", 1.0, NOW),
        with(metric("cpu", "usage", 2.0, NOW), "server_id", STRANGER),
        metric("cpu", "idle", 3.0, NOW),
        metric("cpu", "usage", 4.0, "yesterday"),
    ]);
    let answer = server.post(INGEST, &json!({ "server_id": id, "metrics": metrics })).await;
    let mut answer = body_of(&answer, StatusCode::OK);
    assert!(answer.as_object_mut().unwrap().remove("duration_ms").unwrap().is_u64());
    let errors = json!([
        { "index": 1, "code": "unknown_server", "message": format!("server {STRANGER} is not registered") },
        { "index": 3, "code": "invalid_timestamp", "message": "timestamp must be RFC 3339, got \"yesterday\"" },
    ]);
    assert_eq!(answer, json!({ "success": false, "inserted": 2, "failed": 2, "errors": errors, "errors_total": 2 }));
    assert_eq!(body_of(&server.get("/api/v1/metrics").await, StatusCode::OK)["count"], 2);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn every_refusal_is_counted_and_the_first_hundred_are_spelt_out() {
    let server = start().await;
    let id = server.register("a").await;
    let bad = metric("cpu", "usage", 1.0, "yesterday");
    let mut metrics = vec![bad; 250];
    metrics.push(metric("cpu", "usage", 1.0, NOW));
    let answer = server.ingest(&id, &metrics.into()).await;
    assert_eq!(
        (&answer["inserted"], &answer["failed"], &answer["errors_total"]),
        (&json!(1), &json!(250), &json!(250))
    );
    let indexes = answer["errors"].as_array().unwrap().iter().map(|error| error["index"].as_u64().unwrap());
    assert!(indexes.eq(0..100));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_request_of_which_nothing_was_stored_is_a_400_that_says_why() {
    let server = start().await;
    let sent = json!({ "server_id": STRANGER, "metrics": [metric("cpu", "usage", 1.0, NOW)] });
    let answer = body_of(&server.post(INGEST, &sent).await, StatusCode::BAD_REQUEST);
    let message = format!("server {STRANGER} is not registered");
    assert_eq!(answer["error"], message.as_str(), "clients of the source system look here");
    assert_eq!(answer["errors"], json!([{ "index": 0, "code": "unknown_server", "message": message }]));
    assert_eq!((&answer["success"], &answer["inserted"], &answer["failed"]), (&json!(false), &json!(0), &json!(1)));
    server.stop().await.unwrap();
}

/// Asserts that all of `count` items were stored, in exactly the words of the source system.
#[track_caller]
fn assert_taken(answer: &Answer, count: usize) {
    let mut body = body_of(answer, StatusCode::OK);
    assert!(body.as_object_mut().unwrap().remove("duration_ms").unwrap().is_u64());
    assert_eq!(body, json!({ "success": true, "inserted": count, "failed": 0 }));
}

/// `item` with one field set.
fn with(mut item: Value, field: &str, value: &str) -> Value {
    item[field] = value.into();
    item
}

/// A server and the id of one that is registered with it.
async fn start_with_one() -> (TestServer, String) {
    let server = start().await;
    let id = server.register("server01").await;
    (server, id)
}

/// Waits until the bodies in memory are those `bytes`.
async fn until_held(server: &TestServer, bytes: usize) {
    let line = format!("millrace_http_in_flight_bytes {bytes}");
    let looking = async {
        while !server.get("/-/metrics").await.text().lines().any(|found| found == line) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("the server takes the bytes that were announced");
}
