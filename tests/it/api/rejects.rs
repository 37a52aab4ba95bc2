//! What was refused: kept with its reason and its bytes, whatever it came in, and shown to those who may see it.

use std::collections::BTreeSet;
use std::sync::Arc;

use hyper::Method;
use millrace::clock::SystemClock;
use millrace::listen::Dialect;
use prost::Message;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{NOW, metric, start, start_with};
use crate::harness::callers::{Callers, RIGHTS, Scope};
use crate::harness::remote_write::{WriteRequest, series};
use crate::harness::{TestServer, eventually};
use crate::people;

async fn listed(server: &TestServer, query: &str) -> Vec<Value> {
    let answer = server.get(&format!("/api/v1/rejects?{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["rejects"].as_array().unwrap().clone()
}

/// What is kept of a dialect: position, reason and bytes, oldest first.
async fn kept(server: &TestServer, dialect: &str) -> Vec<(Value, String, String)> {
    let field = |reject: &Value, name: &str| reject[name].as_str().unwrap_or_default().to_owned();
    let mut rejects = listed(server, &format!("dialect={dialect}")).await;
    rejects.reverse();
    let raw = |reject: &Value| field(reject, if reject["raw"].is_null() { "raw_base64" } else { "raw" });
    rejects.iter().map(|reject| (reject["item"].clone(), field(reject, "code"), raw(reject))).collect()
}

fn expected<const N: usize>(rejects: [(Value, &str, &str); N]) -> Vec<(Value, String, String)> {
    rejects.map(|(item, code, raw)| (item, code.to_owned(), raw.to_owned())).to_vec()
}

#[tokio::test]
async fn what_every_dialect_refuses_is_kept_with_its_reason_and_its_bytes() {
    let server = start_with(&[("graphite.listen", "127.0.0.1:0"), ("statsd.listen", "127.0.0.1:0")]).await;
    let host = server.post("/api/v1/servers", &json!({ "hostname": "a", "ip_address": "10.0.0.1" })).await;
    let id = host.json()["id"].as_str().unwrap().to_owned();

    let good = metric("cpu", "usage", 1.0, NOW);
    let items = format!("{good} , {{\"metric_type\":\"cpu\",\"value\":NaN}},[7]");
    server.post_text("/api/v1/ingest", &format!("{{\"server_id\":\"{id}\",\"metrics\":[{items}]}}")).await;
    server.post_text("/api/v1/ingest", "{\"metrics\":[}").await;
    let json = kept(&server, "json").await;
    assert_eq!(json[0], (json!(1), "not_finite".into(), "{\"metric_type\":\"cpu\",\"value\":NaN}".into()));
    assert_eq!(json[1], (json!(2), "invalid_type".into(), "[7]".into()));
    assert_eq!((&json[2].0, &*json[2].2), (&Value::Null, "{\"metrics\":[}"));

    server.send(Method::POST, "/write", &[], b"cpu,host=a v=1\n\ncpu,host=a v=x\ncpu,host=a").await;
    let lines = [(json!(2), "invalid_type", "cpu,host=a v=x"), (json!(3), "missing_field", "cpu,host=a")];
    assert_eq!(kept(&server, "influx").await, expected(lines));

    server.send(Method::POST, "/api/v1/import/prometheus", &[("content-type", "text/plain")], b"# x\nup 1\nup x").await;
    let bad = WriteRequest { timeseries: vec![series("", &[], &[(1.0, 0)])], ..WriteRequest::default() };
    let body = snap::raw::Encoder::new().compress_vec(&bad.encode_to_vec()).unwrap();
    let headers = [("content-type", "application/x-protobuf"), ("content-encoding", "snappy")];
    server.send(Method::POST, "/api/v1/write", &headers, &body).await;
    let prometheus = kept(&server, "prometheus").await;
    assert_eq!((prometheus[0].0.clone(), &*prometheus[0].2), (json!(2), "up x"));
    assert_eq!(prometheus[1].0, json!(0));
    assert!(!prometheus[1].2.is_empty(), "the series as it came");

    let gauge = json!({ "name": "g", "gauge": { "dataPoints": [{ "asDouble": "NaN", "timeUnixNano": "1" }] } });
    let body = json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [gauge] }] }] });
    server.post("/v1/metrics", &body).await;
    assert_eq!(kept(&server, "otlp").await.len(), 1);

    server.post_text("/api/v1/import", "{}\n\nnothing\n").await;
    let import = kept(&server, "import").await;
    assert_eq!((import.len(), import[1].0.clone(), &*import[1].2), (2, json!(2), "nothing"));

    server.post_text("/metrics", "[1]").await;
    assert_eq!(kept(&server, "report").await, expected([(Value::Null, "not_an_object", "[1]")]));

    for (dialect, name, line) in [(Dialect::Graphite, "graphite", "a.b x"), (Dialect::Statsd, "statsd", "a:x|c")] {
        let address = server.line_addresses.iter().find(|(known, _)| *known == dialect).unwrap().1;
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(format!("\n{line}\n").as_bytes()).await.unwrap();
        eventually("the line is refused", async || kept(&server, name).await.len() == 1).await;
        let (item, _, raw) = kept(&server, name).await.remove(0);
        assert_eq!((item, &*raw), (json!(0), line));
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn rejects_are_filtered_and_turned_page_by_page() {
    let server = start().await;
    let body: Vec<String> = (0..5).map(|line| format!("cpu,host=a v={line}x")).collect();
    server.send(Method::POST, "/write", &[], body.join("\n").as_bytes()).await;
    server.send(Method::POST, "/write", &[], b"cpu,host=a").await;
    assert_eq!(listed(&server, "code=invalid_type").await.len(), 5);
    assert_eq!(listed(&server, "code=invalid_type,missing_field&dialect=json").await.len(), 0);
    assert_eq!(listed(&server, &format!("from={NOW}&to={NOW}")).await.len(), 6);
    assert_eq!(listed(&server, "to=2020-01-01T00:00:00Z").await.len(), 0);
    let (mut pages, mut path) = (Vec::new(), "/api/v1/rejects?limit=4".to_owned());
    loop {
        let page = server.get(&path).await.json();
        pages.extend(page["rejects"].as_array().unwrap().iter().map(|reject| reject["id"].as_i64().unwrap()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/rejects?limit=4&cursor={next}");
    }
    assert!(pages.len() == 6 && pages.is_sorted_by(|left, right| left > right), "{pages:?}");
    for bad in ["limit=1001", "from=yesterday", "server_id=x", "cursor=x"] {
        assert_eq!(server.get(&format!("/api/v1/rejects?{bad}")).await.status, 400, "{bad}");
    }
    let reject = &listed(&server, "code=missing_field").await[0];
    assert_eq!((&reject["sender"], &reject["address"]), (&json!("anyone"), &json!("127.0.0.1")));
    server.stop().await.unwrap();
}

/// The senders of what a token is told of.
async fn senders(server: &TestServer, token: &str) -> BTreeSet<String> {
    let answer = server.ask(Method::GET, "/api/v1/rejects", token, &Value::Null).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let rejects = answer.json();
    let raw = |reject: &Value| reject["raw"].as_str().unwrap().replace("cpu,host=", "");
    rejects["rejects"].as_array().unwrap().iter().map(raw).collect()
}

#[tokio::test]
async fn a_reject_is_shown_to_those_who_reach_its_sender_and_to_nobody_else() {
    let settings = [("anonymous", "none"), ("registration", "open")];
    let server = TestServer::start_with(&settings, Arc::new(SystemClock)).await;
    let callers = Callers::of(server.database()).await;
    let ann = people::register(&server, "ann").await["id"].as_i64().unwrap();
    people::register(&server, "bob").await;
    let (viewer, admin) = (callers.user("vera", Some("viewer")).await, callers.user("adam", Some("admin")).await);
    let editor = callers.user("edna", Some("editor")).await;
    let of_ann = callers.server(Some(ann), "laptop", None).await;
    let of_fleet = callers.server(None, "rack", None).await;
    let (_, anns) = callers.agent(of_ann).await;
    let (_, fleets) = callers.agent(of_fleet).await;
    let (admins, editors) = (callers.token_of(admin).await, callers.token_of(editor).await);
    let fleet = callers.token(None, &["ingest"], &Scope::default()).await;
    for (token, name) in
        [(&anns, "ann"), (&fleets, "rack"), (&admins, "admin"), (&editors, "editor"), (&fleet, "fleet")]
    {
        let authorization = format!("Token {token}");
        let line = format!("cpu,host={name}");
        let answer = server.send(Method::POST, "/write", &[("authorization", &authorization)], line.as_bytes()).await;
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
    }
    let all = ["admin", "ann", "editor", "fleet", "rack"];
    let scope = Scope { servers: Some(vec![of_ann]), labels: None };
    let scoped = callers.token(Some(admin), &RIGHTS, &scope).await;
    for (who, token, expected) in [
        ("admin", admins, &all[..]),
        ("viewer", callers.token_of(viewer).await, &["fleet", "rack"]),
        ("editor", editors, &["editor", "fleet", "rack"]),
        ("ann, signed in", people::tokens(&server, "ann").await.0, &["ann"]),
        ("bob, signed in", people::tokens(&server, "bob").await.0, &[]),
        ("a program of the admin for one server", scoped, &["ann"]),
    ] {
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(senders(&server, &token).await, expected, "{who}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn neither_tokens_nor_the_address_of_a_request_are_kept() {
    let server = start().await;
    let headers = [("authorization", "Token hunter2-in-a-header")];
    server
        .send(Method::POST, "/write?u=me&p=hunter2-in-the-address", &headers, b"cpu,host=a,url=x?token=hunter2")
        .await;
    assert_eq!(listed(&server, "").await.len(), 1);
    let database = server.database().connect().await;
    let dump: String = database
        .query_one("SELECT string_agg(rejects::text || convert_from(raw, 'UTF8'), '') FROM rejects", &[])
        .await
        .unwrap()
        .get(0);
    assert!(!dump.contains("hunter2"), "{dump}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn there_are_so_many_rejects_and_no_more_and_old_ones_go() {
    let server = start().await;
    let database = server.database().connect().await;
    let fill = "INSERT INTO rejects (at, sender, of_fleet, dialect, code, message, raw, raw_bytes)
        SELECT '2025-11-01Z', '', false, 'json', 'a', '', '', 0 FROM generate_series(1, 100500)";
    database.execute(fill, &[]).await.unwrap();
    server.send(Method::POST, "/write", &[], b"cpu,host=a").await;
    assert_eq!(listed(&server, "limit=1").await[0]["dialect"], "influx");
    let count = async || -> i64 { database.query_one("SELECT count(*) FROM rejects", &[]).await.unwrap().get(0) };
    assert_eq!(count().await, 100_000);
    let run = server.send(Method::POST, "/api/v1/jobs/keep/run?force=true", &[], b"").await;
    assert_eq!(run.status, 200, "{run:?}");
    assert_eq!(count().await, 1, "those of two weeks ago are gone");
    server.stop().await.unwrap();
}
