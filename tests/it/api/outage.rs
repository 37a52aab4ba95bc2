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
        // Agents belong to persons, and nobody has signed in here.
        let is_of_persons =
            pattern.contains("/agents") && !pattern.ends_with("validate-token") || is_about_agents_of_persons(pattern);
        let is_passed_over = ["/api/v1/stream", "/query", "/ws", "/ws/{agent_id}"].contains(&pattern.as_str())
            || is_about_people(pattern);
        if *status != 503 || is_of_persons || is_passed_over {
            continue;
        }
        let (path, headers, body) = request_of(method, pattern, &id);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = server.send(method, &path, headers, &body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{place:?}: {}", answer.text());
        description.assert_describes(&place, &answer);
        asked += 1;
    }
    assert!(asked > 20, "only {asked} operations are described to need PostgreSQL");

    for (method, pattern, path, body) in PEOPLE {
        let (place, method) =
            ((method.to_string(), pattern.to_owned(), 503), Method::from_bytes(method.as_bytes()).unwrap());
        let answer = server.send(method, path, &[], body.as_bytes()).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{place:?}: {}", answer.text());
        description.assert_describes(&place, &answer);
    }

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

/// A request for this place that needs PostgreSQL and nothing else: path, headers, body.
fn request_of(method: &str, pattern: &str, id: &str) -> (String, &'static [(&'static str, &'static str)], Vec<u8>) {
    let has_number = ["endpoints", "tokens", "alerts"].iter().any(|part| pattern.contains(part));
    let path = pattern
        .replace("{id}", if has_number { "1" } else { id })
        .replace("{agent_id}", "1")
        .replace("{metric}", "cpu")
        .replace("{rule}/{series}", "1/1");
    let path = path.replace("{name}", "fold").replace("{*grouping}", "YQ");
    let before = if method == "DELETE" { "&before=2025-01-01T00:00:00Z" } else { "" };
    let path =
        format!("{path}?server_id={id}&job_id={id}&check_id={id}&q=a&period=1h{before}&token={}", "a".repeat(64));
    let is_remote_write = TYPED.contains(&pattern);
    let body = match pattern {
        "/write" | "/api/v2/write" | "/api/v3/write_lp" => b"cpu,host=server03 usage=1".to_vec(),
        _ if is_remote_write => one_sample(),
        _ if pattern == "/api/v1/import/prometheus" || pattern.starts_with("/metrics/job") => b"up 1".to_vec(),
        "/ingest" => systems::report("server03").to_string().into_bytes(),
        "/admin/endpoints" | "/admin/endpoints/new" => b"hostname=a&machine_id=b".to_vec(),
        "/api/v1/endpoints" => json!({ "hostname": "a", "machine_id": "b" }).to_string().into_bytes(),
        "/api/v1/tokens" => json!({ "name": "a", "rights": ["read"] }).to_string().into_bytes(),
        _ if method == "PATCH" || pattern.ends_with("acknowledge") || pattern.contains("silences") => b"{}".to_vec(),
        _ if pattern.contains("alerts/recipients") => RECIPIENT.to_vec(),
        "/api/v1/alerts/preview" => br#"{"definition":{"condition":{"op":"gt","threshold":1}}}"#.to_vec(),
        _ if pattern.contains("/api/v1/alerts") => RULE.to_vec(),
        _ => everything(id).to_string().into_bytes(),
    };
    let headers = if is_remote_write { &REMOTE_WRITE[..] } else { &[("content-type", "application/json")][..] };
    (path, headers, body)
}

/// A series of a server that is not known yet, as Prometheus would send it.
fn one_sample() -> Vec<u8> {
    let time = Micros::parse_rfc3339(TIME.as_bytes()).unwrap();
    let timeseries = vec![series("up", &[("instance", "server04")], &[(1.0, time.0 / 1_000)])];
    let message = WriteRequest { timeseries, ..WriteRequest::default() }.encode_to_vec();
    snap::raw::Encoder::new().compress_vec(&message).unwrap()
}

/// What is asked about people, each in its own words: method, pattern, path, body.
const PEOPLE: [(&str, &str, &str, &str); 11] = [
    ("POST", "/register", "/register", r#"{"username":"bob","password":"p","invite":"x"}"#),
    ("POST", "/token", "/token", "username=bob&password=p"),
    ("POST", "/login", "/login", "email=bob&password=p"),
    ("POST", "/api/v1/session", "/api/v1/session", r#"{"login":"bob","password":"p"}"#),
    ("GET", "/api/v1/users", "/api/v1/users", ""),
    ("POST", "/api/v1/users", "/api/v1/users", r#"{"username":"bob","password":"long enough"}"#),
    ("DELETE", "/api/v1/users/{id}", "/api/v1/users/1", ""),
    ("POST", "/api/v1/invites", "/api/v1/invites", "{}"),
    ("GET", "/api/v1/settings/{key}", "/api/v1/settings/alerts", ""),
    ("GET", "/api/v1/audit", "/api/v1/audit", ""),
    ("POST", "/admin/settings", "/admin/settings", "cfg_json=%7B%22alerts%22%3A%7B%7D%7D"),
];

/// Whether a path is for people rather than servers.
/// Alerts of agents that belong to persons.
fn is_about_agents_of_persons(pattern: &str) -> bool {
    let pattern = pattern.strip_prefix("/api/alerts").unwrap_or(pattern);
    ["/rules", "/rules/{rule_id}", "/history", "/recipient"].contains(&pattern)
}

fn is_about_people(pattern: &str) -> bool {
    let places = ["users", "invites", "settings", "session", "audit"].map(|one| format!("/api/v1/{one}"));
    let others = ["/admin/users", "/admin/settings", "/register", "/token", "/refresh", "/logout", "/login", "/users/"];
    let pattern = pattern.strip_prefix("/api/auth").unwrap_or(pattern);
    places.iter().any(|place| pattern.starts_with(place)) || others.iter().any(|place| pattern.starts_with(place))
}

const RULE: &[u8] = br#"{"name":"a","version":1,"condition":{"op":"gt","threshold":1}}"#;
const RECIPIENT: &[u8] = br#"{"name":"a","target":{"kind":"email","to":["a@example.org"]}}"#;

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
