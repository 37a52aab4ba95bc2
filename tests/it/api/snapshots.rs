//! Process and container lists: stored and given back as they were sent.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{NOW, STRANGER, assert_refused, body_of, start};

/// The paths to send to and to read from, and the name of the list.
const KINDS: [(&str, &str, &str); 2] = [
    ("/api/v1/ingest/processes", "/api/v1/processes", "processes"),
    ("/api/v1/ingest/containers", "/api/v1/containers", "containers"),
];

#[tokio::test]
async fn a_snapshot_is_echoed_with_its_id_and_then_is_the_latest() {
    let server = start().await;
    let id = server.register("server01").await;
    let process = json!({
        "pid": 1, "name": "init", "cpu_percent": 0.5, "memory_percent": 1.25, "username": "root", "status": "S",
        "threads": 1, "io_read_bytes": 1, "io_write_bytes": 18_446_744_073_709_551_615_u64,
    });
    let container = json!({
        "id": "0123456789ab", "name": "web", "image": "nginx", "state": "running", "status": "Up 2 hours",
        "created": 1_763_632_800, "ports": "80->80/tcp", "net_rx_bytes": 1, "net_tx_bytes": 2, "disk_read_bytes": 3,
        "disk_write_bytes": 4, "cpu_percent": 0.1, "memory_usage": 5,
    });
    for ((post, get, list), item) in KINDS.into_iter().zip([process, container]) {
        let mut sent = json!({ "server_id": id, list: [item, item], "timestamp": "2025-11-20T10:00:00.5Z" });
        let echo = body_of(&server.post(post, &sent).await, StatusCode::CREATED);
        sent["id"] = echo["id"].clone();
        assert!(sent["id"].is_u64());
        assert_eq!(echo, sent);
        assert_eq!(body_of(&server.get(&format!("{get}?server_id={id}")).await, StatusCode::OK), echo);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_latest_is_what_arrived_last() {
    let server = start().await;
    let id = server.register("server01").await;
    for (post, get, list) in KINDS {
        let mut last = Value::Null;
        for (pid, time) in [(1, "2025-11-20T11:00:00Z"), (2, "2025-11-20T10:00:00Z")] {
            let sent = json!({ "server_id": id, list: [{ "pid": pid }], "timestamp": time });
            last = body_of(&server.post(post, &sent).await, StatusCode::CREATED);
        }
        let latest = body_of(&server.get(&format!("{get}?server_id={id}")).await, StatusCode::OK);
        assert_eq!((&latest, &latest[list][0]["pid"]), (&last, &json!(2)));
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn of_each_kind_only_the_latest_hundred_and_twenty_are_kept() {
    let server = start().await;
    let id = server.register("server01").await;
    let client = server.database().connect().await;
    let (processes, containers) = (KINDS[0].0, KINDS[1].0);
    body_of(&server.post(containers, &json!({ "server_id": id })).await, StatusCode::CREATED);
    for pid in 0..122 {
        let sent = json!({ "server_id": id, "processes": [{ "pid": pid }] });
        body_of(&server.post(processes, &sent).await, StatusCode::CREATED);
    }
    let rows = client.query("SELECT count(*) FROM snapshots GROUP BY kind ORDER BY kind", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>(), [1, 120]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn no_list_at_all_is_null_and_no_time_is_now() {
    let server = start().await;
    let id = server.register("server01").await;
    for (post, get, list) in KINDS {
        for sent in [json!({ "server_id": id, list: null }), json!({ "server_id": id })] {
            let echo = body_of(&server.post(post, &sent).await, StatusCode::CREATED);
            assert_eq!((echo.get(list), &echo["timestamp"]), (Some(&Value::Null), &json!(NOW)));
            assert_eq!(body_of(&server.get(&format!("{get}?server_id={id}")).await, StatusCode::OK), echo);
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn items_are_kept_as_they_were_spelt() {
    let server = start().await;
    let id = server.register("server01").await;
    for (post, get, list) in KINDS {
        let items = r#"[ {"b":1.50, "a":1e2,"later":[null]}, 12345678901234567890123 ,"\u00e9é\u0000"]"#;
        let sent = format!(r#"{{"{list}":{items},"server_id":"{id}"}}"#);
        let echo = server.post_text(post, &sent).await;
        assert_eq!(echo.status, StatusCode::CREATED, "{}", echo.text());
        let latest = server.get(&format!("{get}?server_id={id}")).await;
        for answer in [echo, latest] {
            assert!(answer.text().contains(&format!("\"{list}\":{items}")), "{}", answer.text());
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_used_is_told_why() {
    let server = start().await;
    let id = server.register("server01").await;
    let required = "Key: 'server_id' Error:Field validation for 'server_id' failed on the 'required' tag";
    for (post, _, list) in KINDS {
        for (body, message) in [
            (String::new(), "EOF".to_owned()),
            ("\r\n".to_owned(), "EOF".to_owned()),
            (json!({ list: [] }).to_string(), required.to_owned()),
            (json!({ "server_id": "server01", list: [] }).to_string(), "server_id is not a UUID".to_owned()),
            (json!({ "server_id": id, list: {} }).to_string(), format!("{list} must be an array")),
            (
                json!({ "server_id": id, list: [], "timestamp": "now" }).to_string(),
                "timestamp is not an RFC 3339 time".to_owned(),
            ),
        ] {
            assert_refused(&server.post_text(post, &body).await, StatusCode::BAD_REQUEST, &message);
        }
        let deep = format!(r#"{{"server_id":"{id}","{list}":{}"#, "[".repeat(100_000));
        let cut = format!(r#"{{"server_id":"{id}","{list}":[{{"#);
        let surrogate = format!(r#"{{"server_id":"{id}","{list}":["\ud800"]}}"#);
        for body in [deep, cut] {
            let refused = body_of(&server.post_text(post, &body).await, StatusCode::BAD_REQUEST);
            assert!(refused["error"].is_string());
        }
        let answer = server.post_text(post, &surrogate).await;
        assert!(!answer.status.is_server_error(), "{answer:?}");
        let unknown = json!({ "server_id": STRANGER, list: [] });
        let message = format!("server {STRANGER} is not registered");
        assert_refused(&server.post(post, &unknown).await, StatusCode::NOT_FOUND, &message);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn reading_needs_a_server_that_has_sent_one() {
    let server = start().await;
    let id = server.register("server01").await;
    for (_, get, _) in KINDS {
        for path in [get.to_owned(), format!("{get}?server_id=")] {
            assert_refused(&server.get(&path).await, StatusCode::BAD_REQUEST, "server_id is required");
        }
        let path = format!("{get}?server_id=server01");
        assert_refused(&server.get(&path).await, StatusCode::BAD_REQUEST, "server_id is not a UUID");
        for id in [id.as_str(), STRANGER] {
            let path = format!("{get}?server_id={id}");
            assert_refused(&server.get(&path).await, StatusCode::NOT_FOUND, "no rows in result set");
        }
    }
    server.stop().await.unwrap();
}
