//! `/api/v1/ports`: ports that are probed, and what came of it.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{NOW, STRANGER, assert_refused, body_of, start};

const CHECKS: &str = "/api/v1/ports/checks";
const RESULTS: &str = "/api/v1/ports/results";

#[tokio::test]
async fn checks_are_added_and_listed_oldest_first_and_none_are_null() {
    let server = start().await;
    let id = server.register("server01").await;
    let listed = format!("{CHECKS}?server_id={id}&_t=1");
    assert_eq!(body_of(&server.get(&listed).await, StatusCode::OK), Value::Null);
    let mut added = Vec::new();
    for protocol in ["tcp", "udp"] {
        let mut check =
            json!({ "server_id": id, "name": "dns", "host": "localhost", "port": 53, "protocol": protocol });
        let shown = body_of(&server.post(CHECKS, &check).await, StatusCode::CREATED);
        assert!(shown["id"].is_string() && shown["created_at"].is_string(), "{shown}");
        check["id"] = shown["id"].clone();
        check["created_at"] = shown["created_at"].clone();
        assert_eq!(shown, check);
        added.push(shown);
    }
    assert_eq!(body_of(&server.get(&listed).await, StatusCode::OK), Value::Array(added));
    let plain = json!({ "server_id": id, "name": "web", "host": "localhost", "port": 443 });
    assert_eq!(body_of(&server.post(CHECKS, &plain).await, StatusCode::CREATED)["protocol"], "tcp");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_check_that_cannot_be_used_is_told_why() {
    let server = start().await;
    let id = server.register("server01").await;
    let required = |field| format!("Key: '{field}' Error:Field validation for '{field}' failed on the 'required' tag");
    let no_port = "port must be a number from 1 to 65535".to_owned();
    for (body, message) in [
        (json!({ "server_id": id, "host": "a", "port": 1 }), required("Name")),
        (json!({ "server_id": id, "name": "web", "port": 1 }), required("Host")),
        (json!({ "server_id": id, "name": "web", "host": "a" }), no_port.clone()),
        (json!({ "server_id": id, "name": "web", "host": "a", "port": 0 }), no_port.clone()),
        (json!({ "server_id": id, "name": "web", "host": "a", "port": 65536 }), no_port),
        (json!({ "name": "web", "host": "a", "port": 1 }), required("server_id")),
    ] {
        assert_refused(&server.post(CHECKS, &body).await, StatusCode::BAD_REQUEST, &message);
    }
    let stranger = json!({ "server_id": STRANGER, "name": "web", "host": "a", "port": 1 });
    let message = format!("server {STRANGER} is not registered, or has 1000 checks, as many as it may");
    assert_refused(&server.post(CHECKS, &stranger).await, StatusCode::NOT_FOUND, &message);
    assert_refused(&server.get(CHECKS).await, StatusCode::BAD_REQUEST, "server_id is required");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn results_of_a_check_are_echoed_with_their_id_and_listed_newest_first() {
    let server = start().await;
    let id = server.register("server01").await;
    let check = json!({ "server_id": id, "name": "web", "host": "localhost", "port": 443, "protocol": "tcp" });
    let check = body_of(&server.post(CHECKS, &check).await, StatusCode::CREATED)["id"].clone();
    let listed = format!("{RESULTS}?check_id={}", check.as_str().unwrap());
    assert_eq!(body_of(&server.get(&listed).await, StatusCode::OK), Value::Null);
    let mut whole = json!({
        "check_id": check, "success": false, "latency_ms": 12.5, "error": "refused", "timestamp": "2025-11-20T03:00:00Z",
    });
    let first = body_of(&server.post(RESULTS, &whole).await, StatusCode::CREATED);
    whole["id"] = first["id"].clone();
    assert!(whole["id"].is_u64());
    assert_eq!(first, whole);
    let second = json!({ "check_id": check, "success": true, "latency_ms": null });
    let second = body_of(&server.post(RESULTS, &second).await, StatusCode::CREATED);
    assert_eq!((&second["latency_ms"], &second["error"], &second["timestamp"]), (&json!(0), &json!(""), &json!(NOW)));
    assert_eq!(body_of(&server.get(&listed).await, StatusCode::OK), json!([second, first]));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_result_needs_a_check_that_is_there() {
    let server = start().await;
    let required = "Key: 'check_id' Error:Field validation for 'check_id' failed on the 'required' tag";
    assert_refused(&server.post(RESULTS, &json!({})).await, StatusCode::BAD_REQUEST, required);
    let unknown = json!({ "check_id": STRANGER, "success": true });
    let message = "what this refers to does not exist";
    assert_refused(&server.post(RESULTS, &unknown).await, StatusCode::NOT_FOUND, message);
    assert_refused(&server.get(RESULTS).await, StatusCode::BAD_REQUEST, "check_id is required");
    server.stop().await.unwrap();
}
