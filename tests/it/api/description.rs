//! `openapi.json` against the server, both ways: what is described exists, and what exists is described.

mod alerts; // what is watched, and what was found
mod document; // the description, read
mod identity; // agents, endpoints, tokens
mod recipients; // who is told
mod people; // who signs in, and who may

use std::collections::BTreeSet;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOW, STRANGER, metric, start, start_with, systems};
use crate::harness::TestServer;
use crate::harness::server::Answer;
pub(super) use document::{Document, Place};

/// Longer bodies than this are refused by the server of these tests.
const BODY_BYTES_MAX: usize = 4096;
/// What takes a broken server or a lost database to provoke; tests of those have their own places.
const PROVOKED_ELSEWHERE: [u16; 2] = [500, 503];
/// Paths that look at the type of a body before they read it, and the type they want.
pub(super) const TYPED: [&str; 2] = ["/api/v1/write", "/api/v1/push"];
pub(super) const REMOTE_WRITE: [(&str, &str); 2] =
    [("content-type", "application/x-protobuf"), ("content-encoding", "snappy")];

#[tokio::test]
async fn every_route_is_described_and_every_description_has_a_route() {
    let server = start().await;
    let routes: BTreeSet<(String, String)> =
        server.routes.iter().map(|(method, pattern, _)| (method.clone(), (*pattern).to_owned())).collect();
    assert_eq!(describing(&server).await.operations(), routes);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn every_described_answer_occurs_and_looks_as_described() {
    let body_bytes_max = BODY_BYTES_MAX.to_string();
    let settings = [
        ("http.body_bytes_max", body_bytes_max.as_str()),
        ("http.cors_origins", "https://a.example"),
        ("catalog.servers_max", "1"),
        ("query.series_max", "100"),
    ];
    let server = start_with(&settings).await;
    let mut client = Client { document: describing(&server).await, server: &server, seen: BTreeSet::new() };
    let id = servers(&mut client).await;
    samples(&mut client, &id).await;
    history(&mut client).await;
    transfers(&mut client, &id).await;
    lines(&mut client).await;
    reports(&mut client).await;
    telemetry(&mut client).await;
    prometheus(&mut client).await;
    snapshots(&mut client, &id).await;
    for (jobs, results, reference) in [
        ("/api/v1/cron/jobs", "/api/v1/cron/results", "job_id"),
        ("/api/v1/ports/checks", "/api/v1/ports/results", "check_id"),
    ] {
        checks(&mut client, &id, (jobs, results, reference)).await;
    }
    probes(&mut client).await;
    jobs(&mut client).await;
    people::all(&mut client).await;
    bodies(&mut client).await;
    client.delete(&id).await;
    let Client { document, mut seen, .. } = client;
    seen.extend(rate_limited().await);
    seen.extend(identity::asked().await);
    seen.extend(alerts::asked().await);
    seen.extend(recipients::asked().await);
    seen.extend(stalled().await);
    let not_seen: Vec<Place> =
        document.places().into_iter().filter(|place| !seen.contains(place) && !is_elsewhere(place)).collect();
    assert!(not_seen.is_empty(), "described, but nobody has seen it: {not_seen:?}");
    server.stop().await.unwrap();
}

fn is_elsewhere((_, _, status): &Place) -> bool {
    PROVOKED_ELSEWHERE.contains(status)
}

async fn describing(server: &TestServer) -> Document {
    Document::new(server.get("/openapi.json").await.json())
}

/// Sends requests and holds each answer against the description.
struct Client<'a> {
    server: &'a TestServer,
    document: Document,
    seen: BTreeSet<Place>,
}

impl Client<'_> {
    async fn get(&mut self, pattern: &str, query: &str, status: u16) -> Answer {
        let answer = self.server.get(&format!("{pattern}?{query}")).await;
        self.check(&Method::GET, pattern, status, answer)
    }

    async fn post(&mut self, pattern: &str, body: Value, status: u16) -> Value {
        let answer = self.server.post(pattern, &body).await;
        self.check(&Method::POST, pattern, status, answer).json()
    }

    async fn of_server(&mut self, method: Method, id: &str, body: &str, status: u16) {
        let path = format!("/api/v1/servers/{id}");
        let answer = self.server.send(method.clone(), &path, &[], body.as_bytes()).await;
        self.check(&method, "/api/v1/servers/{id}", status, answer);
    }

    async fn delete(&mut self, id: &str) {
        for (id, status) in [("a", 400), (STRANGER, 404), (id, 204)] {
            self.of_server(Method::DELETE, id, "", status).await;
        }
    }

    #[track_caller]
    fn check(&mut self, method: &Method, pattern: &str, status: u16, answer: Answer) -> Answer {
        assert_eq!(answer.status, status, "{method} {pattern}: {}", answer.text());
        let place = (method.to_string(), pattern.to_owned(), status);
        self.document.assert_describes(&place, &answer);
        self.seen.insert(place);
        answer
    }
}

async fn servers(client: &mut Client<'_>) -> String {
    const SERVERS: &str = "/api/v1/servers";
    client.post(SERVERS, json!({}), 400).await;
    let new = json!({ "hostname": "a", "ip_address": "10.0.0.1", "labels": { "env": "prod" } });
    let id = client.post(SERVERS, new, 201).await["id"].as_str().unwrap().to_owned();
    client.post(SERVERS, json!({ "hostname": "b", "ip_address": "10.0.0.1" }), 403).await;
    client.get(SERVERS, "", 200).await;
    for method in [Method::GET, Method::PATCH] {
        for (id, status) in [(id.as_str(), 200), ("a", 400), (STRANGER, 404)] {
            client.of_server(method.clone(), id, "{}", status).await;
        }
    }
    id
}

async fn samples(client: &mut Client<'_>, id: &str) {
    const INGEST: &str = "/api/v1/ingest";
    let bad = metric("cpu", "usage", 1.0, "yesterday");
    client.post(INGEST, json!({}), 400).await;
    client.post(INGEST, json!({ "server_id": id, "metrics": [bad] }), 400).await;
    client.post(INGEST, json!({ "server_id": id, "metrics": [bad, metric("cpu", "usage", 1.5, NOW)] }), 200).await;
    for path in ["/api/v1/metrics", "/api/v1/series"] {
        client.get(path, "limit=0", 400).await;
        client.get(path, "limit=1", 200).await;
    }
    for format in ["json", "ndjson", "csv"] {
        client.get("/api/v1/metrics", &format!("format={format}"), 200).await;
        client.get("/api/v1/metrics", &format!("format={format}&from=-1h&step=1h&agg=avg,p95&fill=null"), 200).await;
    }
    client.get("/api/v1/metrics", "from=-1h&max_points=10", 200).await;
    for tens in 0..11 {
        let names: Vec<Value> = (0..10).map(|ones| metric("cpu", &format!("{tens}{ones}"), 1.0, NOW)).collect();
        client.post(INGEST, json!({ "server_id": id, "metrics": names }), 200).await;
    }
    client.get("/api/v1/metrics", "limit=2", 200).await;
    client.get("/api/v1/series", "limit=2", 200).await;
    client.get("/api/v1/metrics", "metric_type=cpu", 422).await;
    client.get("/api/v1/latest", "metric_name=00,01", 200).await;
    client.get("/api/v1/latest", "server_id=a", 400).await;
    client.get("/api/v1/latest", "", 422).await;
}

async fn history(client: &mut Client<'_>) {
    for pattern in ["/history/{agent_id}/{metric}", "/api/history/{agent_id}/{metric}"] {
        for (agent, metric, query, status) in [
            ("1", "cpu", "", 200),
            ("1", "disk", "mountpoint=/", 200),
            ("1", "network", "start=-30d", 200),
            ("1", "summary", "", 200),
            ("1", "cpu", "start=soon", 400),
            ("1", "gpu", "", 404),
            ("one", "cpu", "", 422),
        ] {
            let path = pattern.replace("{agent_id}", agent).replace("{metric}", metric);
            let answer = client.server.get(&format!("{path}?{query}")).await;
            client.check(&Method::GET, pattern, status, answer);
        }
    }
}

async fn transfers(client: &mut Client<'_>, id: &str) {
    for (query, status) in
        [("limit=1", 200), ("format=csv&hostname=true", 200), ("hostname=true", 200), ("from=x", 400)]
    {
        client.get("/api/v1/export", query, status).await;
    }
    for path in ["/api/v1/events", "/api/v1/logs", "/api/v1/documents"] {
        client.get(path, &format!("server_id={id}"), 200).await;
        client.get(path, "server_id=x", 400).await;
    }
    const SERIES: &str = "/api/v1/series";
    for (query, status) in [("", 400), ("metric_name=nothing", 200)] {
        let answer = client.server.send(Method::DELETE, &format!("{SERIES}?{query}"), &[], b"").await;
        client.check(&Method::DELETE, SERIES, status, answer);
    }
    const IMPORT: &str = "/api/v1/import";
    let mut sample = metric("cpu", "usage", 1.5, NOW);
    sample["server_id"] = json!(id);
    client.post(IMPORT, json!({}), 400).await;
    client.post(IMPORT, sample.clone(), 200).await;
    for (query, status) in [("format=xml", 400), ("progress=true", 200)] {
        let path = format!("{IMPORT}?{query}");
        let answer = client.server.send(Method::POST, &path, &[], sample.to_string().as_bytes()).await;
        client.check(&Method::POST, IMPORT, status, answer);
    }
}

async fn lines(client: &mut Client<'_>) {
    for pattern in ["/write", "/api/v2/write", "/api/v3/write_lp"] {
        for (line, status) in [("cpu,host=a v=1", 204), ("cpu,host=a v=", 400), ("cpu,host=b v=1", 400)] {
            let answer = client.server.send(Method::POST, pattern, &[], line.as_bytes()).await;
            client.check(&Method::POST, pattern, status, answer);
        }
    }
    for (statement, status) in [("q=CREATE%20DATABASE%20a", 200), ("q=DROP%20DATABASE%20a", 400)] {
        let answer = client.server.send(Method::POST, "/query", &[], statement.as_bytes()).await;
        client.check(&Method::POST, "/query", status, answer);
    }
    client.get("/ping", "", 204).await;
}

async fn reports(client: &mut Client<'_>) {
    let old = json!({ "hostname": "a", "timestamp_unix_ms": 0, "cpu": { "idle_pct": 1 } });
    let bodies = [
        (systems::report("a"), 200),
        (old, 400),
        (json!({}), 401),
        (systems::report("b"), 403),
        (json!({ "host": "a" }), 422),
    ];
    for (body, status) in bodies {
        client.post("/ingest", body, status).await;
    }
    let old = json!({ "device": "a", "x": 1, "timestamp": 0 });
    let bodies = [(json!({ "device": "a" }), 200), (old, 400), (json!({ "device": "b" }), 403), (json!([]), 422)];
    for (body, status) in bodies {
        client.post("/metrics", body, status).await;
    }
    for path in ["/healthz", "/containers", "/metrics", "/gpu", "/api/metrics", "/api/gpu"] {
        client.get(path, "", 200).await;
    }
    for path in ["/metrics/recent", "/events/recent", "/logs/recent", "/logs/search"] {
        client.get(path, "limit=1&q=a", 200).await;
        client.get(path, "limit=0&q=a", 422).await;
    }
    for pattern in ["/metrics/{agent_id}", "/api/metrics/{agent_id}", "/history/{agent_id}", "/api/history/{agent_id}"]
    {
        let path = pattern.replace("{agent_id}", "a");
        let answer = client.server.get(&path).await;
        client.check(&Method::GET, pattern, 200, answer);
        if pattern.contains("history") {
            let answer = client.server.get(&format!("{path}?samples=0")).await;
            client.check(&Method::GET, pattern, 422, answer);
        }
    }
}

async fn telemetry(client: &mut Client<'_>) {
    let body = |field: &str| format!(r#"{{"{field}":[]}}"#);
    for (pattern, field) in [
        ("/v1/metrics", "resourceMetrics"),
        ("/api/v1/otlp/v1/metrics", "resourceMetrics"),
        ("/otlp/v1/metrics", "resourceMetrics"),
        ("/opentelemetry/v1/metrics", "resourceMetrics"),
        ("/v1/logs", "resourceLogs"),
    ] {
        for (body, status) in [(body(field), 200), (format!("{}x", body(field)), 400)] {
            let answer = client.server.post_text(pattern, &body).await;
            client.check(&Method::POST, pattern, status, answer);
        }
    }
    let answer = client.server.post_text("/v1/traces", "{}").await;
    client.check(&Method::POST, "/v1/traces", 404, answer);
}

async fn prometheus(client: &mut Client<'_>) {
    const SNAPPY: [&[u8]; 2] = [b"\x00", b"\x02\x04\x0a\x7f"];
    for pattern in TYPED {
        for (body, status) in SNAPPY.into_iter().zip([204, 400]) {
            let answer = client.server.send(Method::POST, pattern, &REMOTE_WRITE, body).await;
            client.check(&Method::POST, pattern, status, answer);
        }
    }
    const IMPORT: &str = "/api/v1/import/prometheus";
    for (text, status) in [("up 1", 204), ("up", 400)] {
        let path = format!("{IMPORT}?extra_label=instance=a");
        let answer = client.server.send(Method::POST, &path, &[], text.as_bytes()).await;
        client.check(&Method::POST, IMPORT, status, answer);
    }
    let binary = [("content-type", "application/vnd.google.protobuf")];
    let answer = client.server.send(Method::POST, IMPORT, &binary, b"").await;
    client.check(&Method::POST, IMPORT, 415, answer);
    for (pattern, job) in [("/metrics/job/{*grouping}", "a"), ("/metrics/job@base64/{*grouping}", "YQ")] {
        let path = pattern.replace("{*grouping}", &format!("{job}/instance/a"));
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let status = if method == Method::DELETE { 202 } else { 200 };
            let answer = client.server.send(method.clone(), &path, &[], b"up 1").await;
            client.check(&method, pattern, status, answer);
            let answer = client.server.send(method.clone(), &format!("{path}/b"), &[], b"up 1").await;
            client.check(&method, pattern, 400, answer);
        }
    }
}

async fn snapshots(client: &mut Client<'_>, id: &str) {
    for list in ["processes", "containers"] {
        let (post, get) = (format!("/api/v1/ingest/{list}"), format!("/api/v1/{list}"));
        client.get(&get, "", 400).await;
        client.get(&get, &format!("server_id={id}"), 404).await;
        client.post(&post, json!({}), 400).await;
        client.post(&post, json!({ "server_id": STRANGER }), 404).await;
        client.post(&post, json!({ "server_id": id }), 201).await;
        client.post(&post, json!({ "server_id": id, list: [{ "name": "a" }] }), 201).await;
        client.get(&get, &format!("server_id={id}"), 200).await;
    }
}

async fn checks(client: &mut Client<'_>, server_id: &str, (jobs, results, reference): (&str, &str, &str)) {
    let new = |server_id: &str| json!({ "server_id": server_id, "name": "a", "schedule": "@daily", "command": "a", "host": "a", "port": 1 });
    client.post(jobs, json!({}), 400).await;
    client.post(jobs, new(STRANGER), 404).await;
    let id = client.post(jobs, new(server_id), 201).await["id"].as_str().unwrap().to_owned();
    client.get(jobs, "", 400).await;
    client.get(jobs, &format!("server_id={server_id}"), 200).await;
    client.get(jobs, &format!("server_id={STRANGER}"), 200).await;
    client.post(results, json!({}), 400).await;
    client.post(results, json!({ reference: STRANGER }), 404).await;
    client.post(results, json!({ reference: id, "success": true }), 201).await;
    client.get(results, "", 400).await;
    client.get(results, &format!("{reference}={id}"), 200).await;
    client.get(results, &format!("{reference}={STRANGER}"), 200).await;
}

async fn probes(client: &mut Client<'_>) {
    for path in ["/-/healthy", "/-/ready", "/-/metrics", "/health", "/openapi.json"] {
        client.get(path, "", 200).await;
    }
    const STREAM: &str = "/api/v1/stream";
    client.get(STREAM, "", 400).await;
    let answer = client.server.send(Method::GET, STREAM, &[("origin", "https://other.example")], b"").await;
    client.check(&Method::GET, STREAM, 403, answer);
    let mut handshake = format!("GET {STREAM} HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\n").into_bytes();
    handshake.extend_from_slice(b"upgrade: websocket\r\nsec-websocket-version: 13\r\n");
    handshake.extend_from_slice(b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    // A close frame right behind it, so that the connection ends.
    handshake.extend_from_slice(&[0x88, 0x80, 0, 0, 0, 0]);
    let answer = client.server.send_bytes(&handshake).await;
    client.check(&Method::GET, STREAM, StatusCode::SWITCHING_PROTOCOLS.as_u16(), answer);
}

async fn jobs(client: &mut Client<'_>) {
    const RUN: &str = "/api/v1/jobs/{name}/run";
    client.get("/api/v1/jobs", "", 200).await;
    let elsewhere = client.server.database().connect().await;
    for (name, status) in [("fold", 200), ("nothing", 404), ("fold?force=perhaps", 400), ("fold", 409)] {
        if status == 409 {
            // As another node would that folds for long.
            elsewhere.batch_execute("SELECT pg_advisory_lock(x'6d696c6c'::int, 1)").await.unwrap();
        }
        let (name, query) = name.split_once('?').unwrap_or((name, ""));
        let answer = client.server.post(&format!("/api/v1/jobs/{name}/run?{query}"), &json!({})).await;
        client.check(&Method::POST, RUN, status, answer);
    }
}

/// A path of that pattern.
fn path_of(pattern: &str) -> String {
    pattern.replace("{id}", STRANGER).replace("{*grouping}", "YQ")
}

/// Bodies too large and in unknown encodings, wherever there are bodies.
async fn bodies(client: &mut Client<'_>) {
    for (method, pattern, status) in client.document.places() {
        let path = path_of(&pattern);
        let (length, encoding) = match status {
            413 if TYPED.contains(&pattern.as_str()) => (BODY_BYTES_MAX + 1, "snappy"),
            413 => (BODY_BYTES_MAX + 1, "identity"),
            415 => (0, "br"),
            _ => continue,
        };
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-encoding: {encoding}");
        if TYPED.contains(&pattern.as_str()) {
            head.push_str("\r\ncontent-type: application/x-protobuf");
        }
        let answer = client.server.send_bytes(format!("{head}\r\ncontent-length: {length}\r\n\r\n").as_bytes()).await;
        client.check(&Method::from_bytes(method.as_bytes()).unwrap(), &pattern, status, answer);
    }
}

async fn rate_limited() -> BTreeSet<Place> {
    let server = start_with(&[("admit.samples_per_second", "1"), ("admit.burst", "1s")]).await;
    let id = server.register("a").await;
    let many: Vec<Value> = (0..3600).map(|name| metric("cpu", &name.to_string(), 1.0, NOW)).collect();
    server.ingest(&id, &many.into()).await;
    let mut client = Client { document: describing(&server).await, server: &server, seen: BTreeSet::new() };
    client.post("/api/v1/ingest", json!({ "server_id": id, "metrics": [] }), 429).await;
    let mut sample = metric("cpu", "usage", 1.5, NOW);
    sample["server_id"] = json!(id);
    client.post("/api/v1/import", sample, 429).await;
    for (method, pattern, _) in client.document.places().into_iter().filter(|(_, _, status)| *status == 429) {
        let headers = if TYPED.contains(&pattern.as_str()) { &REMOTE_WRITE[..] } else { &[] };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = server.send(method.clone(), &path_of(&pattern), headers, b"{}").await;
        client.check(&method, &pattern, 429, answer);
    }
    let seen = client.seen;
    server.stop().await.unwrap();
    seen
}

/// Bodies that stand still, wherever there are bodies.
async fn stalled() -> BTreeSet<Place> {
    let server = start_with(&[("http.body_timeout", "100ms")]).await;
    let mut client = Client { document: describing(&server).await, server: &server, seen: BTreeSet::new() };
    for (method, pattern, status) in client.document.places().into_iter().filter(|(_, _, status)| *status == 408) {
        let path = path_of(&pattern);
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 9\r\n");
        if TYPED.contains(&pattern.as_str()) {
            REMOTE_WRITE.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        }
        head.push_str("\r\n");
        let answer = server.send_bytes(head.as_bytes()).await;
        client.check(&Method::from_bytes(method.as_bytes()).unwrap(), &pattern, status, answer);
    }
    let seen = client.seen;
    server.stop().await.unwrap();
    seen
}
