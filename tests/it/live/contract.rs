//! Filters, shapes and the end of a stream.

use std::sync::Arc;

use hyper::StatusCode;
use millrace::clock::SystemClock;
use serde_json::{Value, json};

use super::socket::Socket;
use crate::harness::agents::metric;
use crate::harness::{TestServer, eventually};

const TIME_US: i64 = 1_763_632_800_000_000;

async fn start() -> TestServer {
    TestServer::start_with(&[], Arc::new(SystemClock)).await
}

fn typed(metric_type: &str, name: &str) -> Value {
    let mut metric = metric(name, TIME_US, 1.0);
    metric["metric_type"] = json!(metric_type);
    metric["labels"] = json!({ "letter": name, "zone": "eu-1" });
    metric
}

/// Sends metrics named a to e and answers which of them a stream with this query gets.
async fn names_seen(server: &TestServer, ids: &[String; 2], query: &str) -> String {
    eventually("the stream before is gone", async || server.gauge("live_sessions").await == 0).await;
    let mut socket = Socket::subscribe(server, query).await;
    server.ingest(&ids[0], &json!([typed("cpu_usage", "a"), typed("disk_usage", "b"), typed("disk_io", "c")])).await;
    server.ingest(&ids[1], &json!([typed("cpu_usage", "d"), typed("memory", "e")])).await;
    // Another kind of frame, which every stream of the second server gets, marks the end.
    let end = json!({ "server_id": ids[1], "processes": [], "timestamp": "2025-11-20T10:00:00Z" });
    assert_eq!(server.post("/api/v1/ingest/processes", &end).await.status, StatusCode::CREATED);
    let mut names = String::new();
    loop {
        let frame = socket.json().await;
        match frame["type"].as_str().unwrap() {
            "metric" => names.push_str(frame["data"]["metric_name"].as_str().unwrap()),
            "process_snapshot" => break,
            other => panic!("{other}"),
        }
    }
    let mut sorted: Vec<char> = names.chars().collect();
    sorted.sort_unstable();
    sorted.into_iter().collect()
}

#[tokio::test]
async fn a_stream_gets_what_its_filter_names_and_nothing_else() {
    let server = start().await;
    let ids = [server.register("one").await, server.register("two").await];
    let [one, two] = &ids;
    for (query, expected) in [
        (String::new(), "abcde"),
        ("_t=17".to_owned(), "abcde"),
        (format!("server_id={two}"), "de"),
        (format!("server_id={one},{two}&metric_type=cpu_usage"), "ad"),
        (format!("server_id={two}&metric_type=cpu_usage"), "d"),
        ("metric_type=disk*".to_owned(), "bc"),
        ("metric_type=*usage,memory".to_owned(), "abde"),
        ("metric_name=a&metric_name=e".to_owned(), "ae"),
        ("label.letter=b,d&label.zone=eu-*".to_owned(), "bd"),
        ("label.letter=*&label.absent=*".to_owned(), ""),
        ("server_id=nonsense".to_owned(), "abcde"),
        ("server_id=nonsense&metric_type=memory".to_owned(), "e"),
    ] {
        assert_eq!(names_seen(&server, &ids, &query).await, expected, "{query}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn frames_have_exactly_the_shape_that_clients_of_system_002_read() {
    let server = start().await;
    let id = server.register("host").await;
    let mut socket = Socket::subscribe(&server, &format!("server_id={id}")).await;
    let mut sent = metric("usage", TIME_US + 1, 45.2);
    sent["labels"] = json!({ "core": "0" });
    server.ingest(&id, &json!([sent])).await;
    let data = json!({ "id": 0, "server_id": id, "metric_type": "t", "metric_name": "usage", "value": 45.2,
        "labels": { "core": "0" }, "timestamp": "2025-11-20T10:00:00.000001Z" });
    assert_eq!(socket.json().await, json!({ "type": "metric", "data": data }));
    for (path, list, kind) in [
        ("/api/v1/ingest/processes", "processes", "process_snapshot"),
        ("/api/v1/ingest/containers", "containers", "container_snapshot"),
    ] {
        let body = json!({ "server_id": id, list: [{ "name": "init" }], "timestamp": "2025-11-20T10:00:00Z" });
        let stored = server.post(path, &body).await;
        assert_eq!(stored.status, StatusCode::CREATED);
        assert_eq!(socket.json().await, json!({ "type": kind, "data": stored.json() }));
        assert_eq!(stored.json()[list], body[list]);
    }
    drop(socket);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn with_batch_the_metrics_of_a_commit_come_as_one_array() {
    let server = start().await;
    let id = server.register("host").await;
    let mut socket = Socket::subscribe(&server, "batch=true").await;
    server.ingest(&id, &json!([metric("a", TIME_US, 1.0), metric("b", TIME_US, 2.0)])).await;
    let frames = socket.json().await;
    let names: Vec<&Value> = frames.as_array().unwrap().iter().map(|frame| &frame["data"]["metric_name"]).collect();
    assert_eq!(names, ["a", "b"]);
    drop(socket);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_not_committed_is_not_pushed() {
    let server = start().await;
    let id = server.register("host").await;
    let mut socket = Socket::subscribe(&server, "").await;
    server.ingest(&id, &json!([metric("before", TIME_US, 1.0)])).await;
    assert_eq!(socket.name().await, "before");
    let client = server.database().connect().await;
    client.batch_execute("BEGIN; LOCK TABLE journal").await.unwrap();
    let blocked = json!([metric("before", TIME_US + 1, 2.0)]);
    let watching = async {
        // Whoever only reads the journal may wait too.
        let waits_for_lock = "SELECT count(*) FROM pg_locks
            WHERE NOT granted AND relation = 'journal'::regclass AND mode = 'RowExclusiveLock'";
        let is_blocked = async || client.query_one(waits_for_lock, &[]).await.unwrap().get::<_, i64>(0) == 1;
        eventually("the commit waits for the lock", is_blocked).await;
        // Comes later and overtakes it, because it is stored elsewhere.
        let snapshot = json!({ "server_id": id, "processes": [], "timestamp": "2025-11-20T10:00:00Z" });
        assert_eq!(server.post("/api/v1/ingest/processes", &snapshot).await.status, StatusCode::CREATED);
        assert_eq!(socket.json().await["type"], "process_snapshot");
        client.batch_execute("COMMIT").await.unwrap();
        assert_eq!(socket.json().await["data"]["value"], 2.0);
    };
    tokio::join!(server.ingest(&id, &blocked), watching);
    drop(socket);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_request_that_does_not_upgrade_is_refused() {
    let server = start().await;
    assert_eq!(server.get("/api/v1/stream").await.status, StatusCode::BAD_REQUEST);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stopping_server_says_goodbye_to_its_streams_and_does_not_wait_for_them() {
    let server = start().await;
    let id = server.register("host").await;
    let sockets = [Socket::subscribe(&server, "").await, Socket::subscribe(&server, "batch=true").await];
    server.ingest(&id, &json!([metric("last", TIME_US, 1.0)])).await;
    let begun = std::time::Instant::now();
    server.ask_to_stop();
    for mut socket in sockets {
        assert!(socket.text().await.unwrap().contains("last"));
        assert_eq!(socket.close_code().await, Some(1001));
    }
    server.stop().await.unwrap();
    assert!(begun.elapsed() < std::time::Duration::from_secs(15), "not held up until a deadline");
}
