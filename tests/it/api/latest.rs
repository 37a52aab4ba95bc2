//! `GET /api/v1/latest`: the last value of each series, whoever took it in.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::SystemClock;
use serde_json::{Value, json};

use super::{body_of, metric, start};
use crate::harness::{Moves, TestDatabase, TestServer, eventually};

const LATEST: &str = "/api/v1/latest";

/// Type, name and value of each row, in the order of the answer.
async fn rows(server: &TestServer, query: &str) -> Vec<(String, String, f64)> {
    let answer = body_of(&server.get(&format!("{LATEST}?{query}")).await, StatusCode::OK);
    let rows = answer["metrics"].as_array().unwrap();
    assert_eq!(answer["count"], rows.len());
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let row = |row: &Value| (text(row, "metric_type"), text(row, "metric_name"), row["value"].as_f64().unwrap());
    rows.iter().map(row).collect()
}

fn row(metric_type: &str, name: &str, value: f64) -> (String, String, f64) {
    (metric_type.to_owned(), name.to_owned(), value)
}

#[tokio::test]
async fn the_newest_time_counts_whatever_comes_later_and_rows_stand_by_type_name_and_labels() {
    let server = start().await;
    let id = server.register("server01").await;
    let query = format!("server_id={id}");
    assert_eq!(rows(&server, &query).await, []);
    let sent = [
        metric("ram", "used", 1.0, "2025-11-20T10:00:00Z"),
        metric("cpu", "usage", 2.0, "2025-11-20T10:00:02Z"),
        metric("cpu", "usage", 3.0, "2025-11-20T10:00:01Z"),
        metric("cpu", "idle", 4.0, "2025-11-20T10:00:00Z"),
    ];
    server.ingest(&id, &json!(sent)).await;
    let expected = [row("cpu", "idle", 4.0), row("cpu", "usage", 2.0), row("ram", "used", 1.0)];
    assert_eq!(rows(&server, &query).await, expected);
    let later =
        [metric("cpu", "usage", 5.0, "2025-11-20T10:00:02Z"), metric("ram", "used", 6.0, "2025-11-20T09:00:00Z")];
    server.ingest(&id, &json!(later)).await;
    let expected = [row("cpu", "idle", 4.0), row("cpu", "usage", 5.0), row("ram", "used", 1.0)];
    assert_eq!(rows(&server, &query).await, expected, "written again, and late");
    assert_eq!(rows(&server, "metric_type=cpu&metric_name=idle").await, expected[..1]);
    assert_eq!(rows(&server, "").await, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_stored_before_the_server_began_is_found_on_every_level() {
    let database = TestDatabase::create().await;
    let moves = Moves::of(database.config());
    for life in 0..4 {
        let server = TestServer::start_on(&database.config(), &[], Arc::new(SystemClock)).await;
        let id = server.register("server01").await;
        let name = ["sealed", "folded", "written"].get(life).copied();
        let expected: Vec<_> = ["folded", "sealed", "written"].iter().map(|name| row("cpu", name, 7.0)).collect();
        if let Some(name) = name {
            let sent =
                [metric("cpu", name, 1.0, "2025-11-20T10:00:00Z"), metric("cpu", name, 7.0, "2025-11-20T11:30:00Z")];
            server.ingest(&id, &json!(sent)).await;
        } else {
            assert_eq!(rows(&server, "").await, expected);
            assert_eq!(rows(&server, "").await, expected, "from memory");
        }
        server.stop().await.unwrap();
        if life < 2 {
            moves.fold(4).await;
            moves.empty_journal().await;
        }
        if life < 1 {
            moves.seal(|_, _| true).await;
        }
    }
}

#[tokio::test]
async fn what_another_node_takes_in_or_deletes_is_known_soon() {
    let database = TestDatabase::create().await;
    let one = TestServer::start_on(&database.config(), &[], Arc::new(SystemClock)).await;
    let other = TestServer::start_on(&database.config(), &[], Arc::new(SystemClock)).await;
    let id = one.register("server01").await;
    for value in [1.0, 2.0] {
        let time = format!("2025-11-20T10:00:0{value}Z");
        one.ingest(&id, &json!([metric("cpu", "usage", value, &time)])).await;
        let expected = [row("cpu", "usage", value)];
        eventually("the other node knows", async || rows(&other, "").await == expected).await;
    }
    let path = format!("/api/v1/servers/{id}");
    assert_eq!(other.send(Method::DELETE, &path, &[], b"").await.status, StatusCode::NO_CONTENT);
    for server in [&one, &other] {
        eventually("nobody knows it any more", async || rows(server, "").await.is_empty()).await;
    }
    one.stop().await.unwrap();
    other.stop().await.unwrap();
}
