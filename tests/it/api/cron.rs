//! `/api/v1/cron`: jobs of a server, and their runs.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{NOW, STRANGER, assert_refused, body_of, start};

const JOBS: &str = "/api/v1/cron/jobs";
const RESULTS: &str = "/api/v1/cron/results";

#[tokio::test]
async fn jobs_are_added_and_listed_oldest_first_and_none_are_null() {
    let server = start().await;
    let id = server.register("server01").await;
    let listed = format!("{JOBS}?server_id={id}&_t=1");
    assert_eq!(body_of(&server.get(&listed).await, StatusCode::OK), Value::Null);
    let mut added = Vec::new();
    for name in ["backup", "rotate"] {
        let mut job = json!({ "server_id": id, "name": name, "schedule": "0 3 * * *", "command": "/bin/true" });
        let shown = body_of(&server.post(JOBS, &job).await, StatusCode::CREATED);
        assert!(shown["id"].is_string() && shown["created_at"].is_string(), "{shown}");
        job["id"] = shown["id"].clone();
        job["created_at"] = shown["created_at"].clone();
        assert_eq!(shown, job);
        added.push(shown);
    }
    assert_eq!(body_of(&server.get(&listed).await, StatusCode::OK), Value::Array(added));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_job_that_cannot_be_used_is_told_why() {
    let server = start().await;
    let id = server.register("server01").await;
    let required = |field| format!("Key: '{field}' Error:Field validation for '{field}' failed on the 'required' tag");
    for (body, message) in [
        (json!({ "server_id": id, "schedule": "@daily" }), required("Name")),
        (json!({ "server_id": id, "name": "backup" }), required("Schedule")),
        (json!({ "name": "backup", "schedule": "@daily" }), required("server_id")),
        (json!({ "server_id": "a", "name": "backup", "schedule": "@daily" }), "server_id is not a UUID".to_owned()),
    ] {
        assert_refused(&server.post(JOBS, &body).await, StatusCode::BAD_REQUEST, &message);
    }
    assert_refused(&server.post_text(JOBS, "").await, StatusCode::BAD_REQUEST, "EOF");
    let stranger = json!({ "server_id": STRANGER, "name": "backup", "schedule": "@daily" });
    let message = format!("server {STRANGER} is not registered, or has 1000 jobs, as many as it may");
    assert_refused(&server.post(JOBS, &stranger).await, StatusCode::NOT_FOUND, &message);
    assert_refused(&server.get(JOBS).await, StatusCode::BAD_REQUEST, "server_id is required");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn results_of_a_job_are_echoed_with_their_id_and_listed_newest_first() {
    let server = start().await;
    let id = server.register("server01").await;
    let job = json!({ "server_id": id, "name": "backup", "schedule": "@daily", "command": "/bin/true" });
    let job = body_of(&server.post(JOBS, &job).await, StatusCode::CREATED)["id"].clone();
    let listed = format!("{RESULTS}?job_id={}", job.as_str().unwrap());
    assert_eq!(body_of(&server.get(&listed).await, StatusCode::OK), Value::Null);
    let mut whole = json!({
        "job_id": job, "success": true, "duration_ms": 1500, "output": "done\n", "timestamp": "2025-11-20T03:00:00.25Z",
    });
    let first = body_of(&server.post(RESULTS, &whole).await, StatusCode::CREATED);
    whole["id"] = first["id"].clone();
    assert!(whole["id"].is_u64());
    assert_eq!(first, whole);
    let second = body_of(
        &server.post(RESULTS, &json!({ "job_id": job, "success": null, "duration_ms": 0.5 })).await,
        StatusCode::CREATED,
    );
    assert_eq!((&second["success"], &second["duration_ms"]), (&json!(false), &json!(0.5)));
    assert_eq!((&second["output"], &second["timestamp"]), (&json!(""), &json!(NOW)));
    assert_eq!(body_of(&server.get(&listed).await, StatusCode::OK), json!([second, first]));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_result_needs_a_job_that_is_there() {
    let server = start().await;
    let required = "Key: 'job_id' Error:Field validation for 'job_id' failed on the 'required' tag";
    assert_refused(&server.post(RESULTS, &json!({})).await, StatusCode::BAD_REQUEST, required);
    let unknown = json!({ "job_id": STRANGER, "success": true });
    let message = "what this refers to does not exist";
    assert_refused(&server.post(RESULTS, &unknown).await, StatusCode::NOT_FOUND, message);
    assert_refused(&server.get(RESULTS).await, StatusCode::BAD_REQUEST, "job_id is required");
    server.stop().await.unwrap();
}
