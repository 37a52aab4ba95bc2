//! Events, log lines and documents: what is stored is read back, newest first, and goes in time.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use millrace::clock::ManualClock;
use millrace::jobs::Context;
use millrace::jobs::entries::{Retention, expire};
use millrace::model::{Document, Event, LogLine, Micros, ServerKey};
use millrace::store::database::PoolConfig;
use millrace::store::{Database, documents, entries};
use serde_json::{Value, json};

use super::{NOW, STRANGER, body_of, start};
use crate::harness::TestServer;
use crate::harness::agents::rfc3339;

const DAY_US: i64 = 86_400_000_000;
/// The first server that was registered.
const FIRST: ServerKey = ServerKey(1);

fn now() -> Micros {
    Micros::parse_rfc3339(NOW.as_bytes()).unwrap()
}

fn event(days_ago: i64, kind: &str, title: &str) -> Event {
    let attributes = json!({ "nul": "\0" }).as_object().unwrap().clone();
    let (kind, severity, title) = (kind.to_owned(), "info".to_owned(), title.to_owned());
    Event { server: FIRST, time: Micros(now().0 - days_ago * DAY_US), kind, severity, title, attributes }
}

fn log_line(days_ago: i64, level: &str, message: &str) -> LogLine {
    let (source, level, message) = ("kernel".to_owned(), level.to_owned(), message.to_owned());
    LogLine { server: FIRST, time: Micros(now().0 - days_ago * DAY_US), source, level, message }
}

fn database(server: &TestServer) -> Database {
    Database::new(server.database().config(), PoolConfig::default()).unwrap()
}

async fn get(server: &TestServer, path: &str) -> Value {
    body_of(&server.get(path).await, StatusCode::OK)
}

fn column(list: &Value, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|entry| entry[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn events_are_found_by_what_they_say_newest_first() {
    let server = start().await;
    let id = server.register("server01").await;
    let mut client = database(&server).client().await.unwrap();
    // Of three months, and two of one moment.
    let events =
        [event(80, "boot", "up"), event(40, "boot", "up 100%"), event(1, "disk", "full\0"), event(1, "boot", "b")];
    entries::append_events(&mut client, &events).await.unwrap();
    let found = get(&server, "/api/v1/events").await;
    assert_eq!(column(&found["events"], "title"), ["b", "full\u{fffd}", "up 100%", "up"]);
    let expected = json!({ "id": found["events"][0]["id"], "server_id": id, "timestamp": rfc3339(events[3].time.0),
        "kind": "boot", "severity": "info", "title": "b", "attributes": { "nul": "\u{fffd}" } });
    assert_eq!(found["events"][0], expected);
    for (query, titles) in [
        ("kind=disk", vec!["full\u{fffd}"]),
        ("kind=disk,boot&limit=1", vec!["b"]),
        ("text=00%25", vec!["up 100%"]),
        ("text=UP", vec!["up 100%", "up"]),
        ("severity=bad", vec![]),
        (&format!("server_id={STRANGER}"), vec![]),
        (&format!("from={}&to={}", rfc3339(events[1].time.0), rfc3339(events[1].time.0)), vec!["up 100%"]),
    ] {
        assert_eq!(
            column(&get(&server, &format!("/api/v1/events?{query}")).await["events"], "title"),
            titles,
            "{query}"
        );
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn pages_of_log_lines_are_all_lines_once() {
    let server = start().await;
    server.register("server01").await;
    let mut client = database(&server).client().await.unwrap();
    let lines: Vec<LogLine> = (0..25).map(|number| log_line(number / 10, "warn", &format!("line {number}"))).collect();
    entries::append_logs(&mut client, &lines).await.unwrap();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&server, &format!("/api/v1/logs?source=kernel&level=warn&limit=7&cursor={cursor}")).await;
        seen.extend(column(&page["logs"], "message"));
        let Some(next) = page.get("next_cursor") else { break };
        cursor = next.as_str().unwrap().to_owned();
    }
    assert_eq!(seen.len(), 25);
    assert_eq!((seen[0].as_str(), seen[24].as_str()), ("line 9", "line 20"), "of one moment the last to come is first");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn entries_go_when_they_are_older_than_they_are_kept() {
    let server = start().await;
    server.register("server01").await;
    let database = database(&server);
    let mut client = database.client().await.unwrap();
    entries::append_events(&mut client, &[event(31, "a", "old"), event(29, "a", "young")]).await.unwrap();
    entries::append_logs(&mut client, &[log_line(2, "a", "old"), log_line(0, "a", "young")]).await.unwrap();
    let context = Context { database: database.clone(), clock: Arc::new(ManualClock::at(now())) };
    let retention = Retention { logs: Duration::from_secs(86_400), ..Retention::default() };
    assert_eq!(expire(&context, retention).await.unwrap(), 2);
    assert_eq!(column(&get(&server, "/api/v1/events").await["events"], "title"), ["young"]);
    assert_eq!(column(&get(&server, "/api/v1/logs").await["logs"], "message"), ["young"]);
    assert_eq!(expire(&context, retention).await.unwrap(), 0);
    let months = "SELECT count(*) FROM months WHERE name IN ('events_2025_10', 'logs_2025_10')";
    let count = async || client.query_one(months, &[]).await.unwrap().get::<_, i64>(0);
    let before = count().await;
    let later = Micros(now().0 + 60 * 86_400 * Micros::PER_SECOND);
    let context = Context { clock: Arc::new(ManualClock::at(later)), ..context };
    assert_eq!(expire(&context, retention).await.unwrap(), 2);
    assert!(before > 0 && count().await == 0, "a month of which all is gone goes too");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_latest_document_of_each_kind_is_shown_with_a_bounded_past() {
    let server = start().await;
    let id = server.register("server01").await;
    let mut client = database(&server).client().await.unwrap();
    let document = |kind: &str, number: i64| Document {
        server: FIRST,
        time: Micros(now().0 + number),
        kind: kind.to_owned(),
        body: format!(r#"{{"z": 1.0, "number": {number}, "\u0000": "\u0000"}}"#),
    };
    for number in 0..documents::HISTORY_MAX + 3 {
        documents::add(&mut client, &document("packages", number)).await.unwrap();
    }
    documents::add(&mut client, &document("mounts", 7)).await.unwrap();
    assert!(documents::add(&mut client, &Document { server: ServerKey(9), ..document("mounts", 7) }).await.is_err());
    let latest = get(&server, &format!("/api/v1/documents?server_id={id}")).await;
    assert_eq!(column(&latest["documents"], "kind"), ["mounts", "packages"]);
    let newest = documents::HISTORY_MAX + 2;
    assert_eq!(latest["documents"][1]["body"], json!({ "z": 1.0, "number": newest, "\0": "\0" }));
    let answer = server.get(&format!("/api/v1/documents?server_id={id}&kind=packages")).await;
    let as_it_came = format!(r#""body":{{"z": 1.0, "number": {newest}, "\u0000": "\u0000"}}"#);
    assert!(answer.text().contains(&as_it_came), "{}", answer.text());
    let past = get(&server, &format!("/api/v1/documents?server_id={id}&kind=packages&history=true")).await;
    assert_eq!((&past["count"], &past["documents"][99]["body"]["number"]), (&json!(documents::HISTORY_MAX), &json!(3)));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_parameter_that_means_nothing_is_refused_by_its_name() {
    let server = start().await;
    for (query, name) in [
        ("events?server_id=x", "server_id"),
        ("events?from=x", "from"),
        ("logs?limit=0", "limit"),
        ("logs?limit=1001", "limit"),
        ("logs?cursor=1", "cursor"),
        ("documents", "server_id"),
        (&format!("documents?server_id={STRANGER}&history=true"), "history"),
    ] {
        let error = body_of(&server.get(&format!("/api/v1/{query}")).await, StatusCode::BAD_REQUEST);
        assert!(error["error"]["message"].as_str().unwrap().starts_with(name), "{query}: {error}");
    }
    server.stop().await.unwrap();
}
