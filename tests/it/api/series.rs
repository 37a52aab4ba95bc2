//! `GET /api/v1/series`: which series there are.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{NOW, assert_refused, body_of, metric, start};
use crate::harness::TestServer;

const SERIES: &str = "/api/v1/series";

async fn list(server: &TestServer, query: &str) -> Value {
    body_of(&server.get(&format!("{SERIES}?{query}")).await, StatusCode::OK)
}

#[tokio::test]
async fn a_series_is_listed_once_with_its_labels_sorted() {
    let server = start().await;
    let id = server.register("server01").await;
    assert_eq!(list(&server, "").await, json!({ "series": [], "count": 0 }));
    let mut labelled = metric("cpu", "usage", 1.0, NOW);
    for labels in [json!({ "core": "0", "node": "a" }), json!({ "node": "a", "core": "0" })] {
        labelled["labels"] = labels;
        server.ingest(&id, &json!([labelled, metric("cpu", "usage", 1.0, NOW)])).await;
    }
    assert_eq!(list(&server, "").await["count"], 2);
    let mut found = list(&server, "label.core=0").await;
    assert!(found["series"][0]["id"].take().is_u64());
    let labels = json!({ "core": "0", "node": "a" });
    let expected =
        json!({ "id": null, "server_id": id, "metric_type": "cpu", "metric_name": "usage", "labels": labels });
    assert_eq!(found, json!({ "series": [expected], "count": 1 }));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn series_are_filtered_as_samples_are_and_come_page_by_page() {
    let server = start().await;
    let (first, second) = (server.register("first").await, server.register("second").await);
    for id in [&first, &second] {
        let metrics: Vec<Value> = (0..7).map(|name| metric("cpu", &name.to_string(), 1.0, NOW)).collect();
        server.ingest(id, &metrics.into()).await;
    }
    assert_eq!(list(&server, &format!("server_id={first}")).await["count"], 7);
    assert_eq!(list(&server, "metric_name=1,2&metric_type=cpu").await["count"], 4);
    assert_eq!(list(&server, &format!("server_id={second}&metric_name=3&label.a=b")).await["count"], 0);
    let whole = list(&server, "").await;
    let mut pages = Vec::new();
    let mut cursor = String::new();
    while let Some(next) = Some(list(&server, &format!("limit=4&cursor={cursor}")).await) {
        pages.extend(next["series"].as_array().unwrap().clone());
        let Some(after) = next.get("next_cursor") else { break };
        assert_eq!(next["count"], 4);
        cursor = after.as_str().unwrap().to_owned();
    }
    assert_eq!(json!(pages), whole["series"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_parameter_that_cannot_be_understood_is_named() {
    let server = start().await;
    for (query, message) in [
        ("server_id=server01", "server_id \"server01\" is not a UUID"),
        ("limit=0", "limit is not a number from 1 to 10000"),
        ("limit=10001", "limit is not a number from 1 to 10000"),
        ("cursor=last", "cursor is not a number from 0 to 4294967295"),
        ("metric_type=%00", "metric_type holds a NUL character"),
    ] {
        let answer = server.get(&format!("{SERIES}?{query}")).await;
        assert_refused(&answer, StatusCode::BAD_REQUEST, message);
    }
    server.stop().await.unwrap();
}
