//! Agents of the systems that are replaced, each with what its own backend gave it: a token, or a common secret.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::ManualClock;
use millrace::model::Micros;
use serde_json::json;

use super::{CLOSED, closed_at};
use crate::harness::TestServer;
use crate::harness::callers::Callers;
use crate::harness::identity::token;

/// When these agents send, in seconds and as text.
const NOW: i64 = 1_705_754_096;
const NOW_TEXT: &str = "2024-01-20T12:34:56Z";

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Micros(NOW * 1_000_000)))
}

#[tokio::test]
async fn a_persons_agent_reports_with_its_token_and_is_refused_in_its_systems_words() {
    let server = closed_at(clock()).await;
    let callers = Callers::of(server.database()).await;
    let ann = callers.user("ann", None).await;
    let own = callers.server(Some(ann), "laptop", None).await;
    let (_, agent) = callers.agent(own).await;
    let send = async |token: Option<&str>, body: &str| {
        let headers: Vec<(&str, &str)> = token.into_iter().map(|token| ("x-agent-token", token)).collect();
        let answer = server.send(Method::POST, "/ingest", &headers, body.as_bytes()).await;
        (answer.status, answer.json())
    };
    let report = format!(r#"{{"timestamp":{NOW},"cpu":{{"usage_percent":23.4}}}}"#);
    let said = |text: &str| json!({ "detail": text });
    assert_eq!(send(Some(&agent), &report).await, (StatusCode::OK, json!({ "status": "received" })));
    assert_eq!(send(None, &report).await, (StatusCode::UNAUTHORIZED, said("Missing agent token")));
    assert_eq!(send(Some("none"), &report).await, (StatusCode::UNAUTHORIZED, said("Invalid agent token")));
    assert_eq!(send(Some(&agent), "broken").await, (StatusCode::BAD_REQUEST, said("Invalid JSON")));
    assert_eq!(send(Some(&agent), "{}").await, (StatusCode::BAD_REQUEST, said("Missing required fields")));
    let reader = callers.token_of(ann).await;
    let latest = server.ask(Method::GET, "/api/v1/latest", &reader, &json!(null)).await.json();
    assert_eq!((&latest["metrics"][0]["value"], &latest["metrics"][0]["server_id"]), (&json!(23.4), &json!(own)));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_endpoint_of_the_fleet_reports_with_its_bearer_token_on_either_path() {
    let server = closed_at(clock()).await;
    let admin = token(&server.database().connect().await, None, &["administer", "read"]).await;
    let new = json!({ "hostname": "PC-07", "machine_id": "6f96" });
    let added = server.ask(Method::POST, "/api/v1/endpoints", &admin, &new).await.json();
    let endpoint = format!("Bearer {}", added["token"].as_str().unwrap());
    let snapshot = json!({
        "schema_version": "1.0", "timestamp_utc": NOW_TEXT, "interval_seconds": 30,
        "host": { "hostname": "PC-07", "machine_id": "6f96" }, "cpu": { "utilization_pct": 12.5, "idle_pct": 87.5 },
    });
    for path in ["/api/v1/ingest", "/ingest"] {
        let send = async |bearer: &str| {
            let body = snapshot.to_string();
            let answer = server.send(Method::POST, path, &[("authorization", bearer)], body.as_bytes()).await;
            (answer.status, answer.json())
        };
        let (status, answer) = send(&endpoint).await;
        assert_eq!((status, &answer["ok"]), (StatusCode::OK, &json!(true)), "{path}: {answer}");
        assert_eq!(send("Bearer none").await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    let found = server.ask(Method::GET, "/api/v1/latest?metric_name=idle_pct", &admin, &json!(null)).await.json();
    assert_eq!(found["metrics"][0]["server_id"], added["server_id"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_signed_report_needs_no_token_and_a_wrong_signature_is_told() {
    /// Of the secret, the time and this body.
    const SIGNATURE: &str = "sha256=271b49e7a1bcad714c516b0dd8311d18b274f04efb801db9c824997c8a33ec42";
    const BODY: &str = r#"{"host":"a"}"#;
    let settings = [CLOSED, &[("ingest_secret", "test-secret")]].concat();
    let server = TestServer::start_with(&settings, clock()).await;
    let send = async |timestamp: &str, signature: &str| {
        let headers = [("x-agent-timestamp", timestamp), ("x-agent-signature", signature)];
        let answer = server.send(Method::POST, "/ingest", &headers, BODY.as_bytes()).await;
        (answer.status, answer.json()["detail"].clone())
    };
    let (status, detail) = send(&NOW.to_string(), SIGNATURE).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "let in, and then looked at: {detail}");
    assert_eq!(detail[0]["loc"], json!(["body", "timestamp"]));
    let other = (NOW + 1).to_string();
    assert_eq!(send(&other, SIGNATURE).await, (StatusCode::UNAUTHORIZED, json!("Invalid signature")));
    assert_eq!(send("now", SIGNATURE).await, (StatusCode::BAD_REQUEST, json!("Invalid timestamp format")));
    let unsigned = server.send(Method::POST, "/ingest", &[], BODY.as_bytes()).await;
    assert_eq!(unsigned.status, StatusCode::UNAUTHORIZED);
    server.stop().await.unwrap();
}
