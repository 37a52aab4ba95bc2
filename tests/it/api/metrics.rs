//! `GET /api/v1/metrics`: which samples are answered, in which order, in which form.

mod pages; // limit, order, cursor
mod streams; // NDJSON and CSV
mod refusals; // what cannot be asked
mod windows; // samples put together

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{NOW, body_of, metric, start};
use crate::harness::TestServer;

const METRICS: &str = "/api/v1/metrics";

/// Asks with `query` and answers the page.
async fn page(server: &TestServer, query: &str) -> Value {
    body_of(&server.get(&format!("{METRICS}?{query}")).await, StatusCode::OK)
}

/// The values that `query` finds, in the order of the answer.
async fn values(server: &TestServer, query: &str) -> Vec<u64> {
    let page = page(server, query).await;
    let rows = page["metrics"].as_array().unwrap();
    assert_eq!(page["count"], rows.len());
    rows.iter().map(|row| row["value"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_metric_is_answered_with_every_field_of_the_source_system() {
    let server = start().await;
    let id = server.register("server01").await;
    let mut plain = metric("cpu", "usage", 45.25, "2025-11-20T11:30:00.123456+01:00");
    server.ingest(&id, &json!([plain])).await;
    let mut found = page(&server, "").await;
    let row_id = found["metrics"][0]["id"].take();
    assert!(row_id.as_u64().is_some_and(|id| id < 1 << 53), "{row_id}");
    plain["id"] = Value::Null;
    plain["server_id"] = id.as_str().into();
    plain["labels"] = json!({});
    plain["timestamp"] = "2025-11-20T10:30:00.123456Z".into();
    assert_eq!(found, json!({ "metrics": [plain], "count": 1 }));
    assert_eq!(page(&server, "").await["metrics"][0]["id"], row_id, "the same sample has the same id each time");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn without_parameters_it_is_the_newest_hundred() {
    let server = start().await;
    let id = server.register("server01").await;
    assert_eq!(page(&server, "").await, json!({ "metrics": [], "count": 0 }));
    let at = |second: u64| format!("2025-11-20T11:{:02}:{:02}Z", second / 60, second % 60);
    let metrics: Vec<Value> = (0..150).map(|second| metric("cpu", "usage", second as f64, &at(second))).collect();
    server.ingest(&id, &metrics.into()).await;
    assert!(values(&server, "_t=1&limit=&from=").await.into_iter().eq((50..150).rev()), "empty ones do not count");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn filters_narrow_and_one_parameter_may_list_several() {
    let server = start().await;
    let (first, second) = (server.register("first").await, server.register("second").await);
    let labelled = |mut item: Value, labels: Value| {
        item["labels"] = labels;
        item
    };
    let of_first = json!([
        labelled(metric("cpu", "usage", 1.0, NOW), json!({ "core": "0", "node": "a" })),
        labelled(metric("cpu", "usage", 2.0, NOW), json!({ "core": "1", "node": "a" })),
        metric("cpu", "idle", 3.0, NOW),
        metric("ram", "used", 4.0, NOW),
        labelled(metric("disk", "a,b & \"c\" 😀", 5.0, NOW), json!({ "mount point": "/var=1" })),
    ]);
    server.ingest(&first, &of_first).await;
    server.ingest(&second, &json!([metric("cpu", "usage", 6.0, NOW)])).await;
    for (query, expected) in [
        (format!("server_id={first}"), vec![1, 2, 3, 4, 5]),
        (format!("server_id={second}"), vec![6]),
        (format!("server_id={first},{second}&metric_name=usage"), vec![1, 2, 6]),
        (format!("server_id={first}&server_id={second}&metric_type=ram,cpu"), vec![1, 2, 3, 4, 6]),
        ("metric_type=cpu&metric_name=usage,used".into(), vec![1, 2, 6]),
        ("metric_name=idle,used".into(), vec![3, 4]),
        ("label.core=0".into(), vec![1]),
        ("label.node=a".into(), vec![1, 2]),
        ("label.node=a&label.core=1".into(), vec![2]),
        ("label.mount+point=%2Fvar%3D1".into(), vec![5]),
        ("metric_type=CPU".into(), vec![]),
        ("metric_name=nothing".into(), vec![]),
        (format!("server_id={}", super::STRANGER), vec![]),
    ] {
        let mut found = values(&server, &query).await;
        found.sort_unstable();
        assert_eq!(found, expected, "{query}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn both_ends_of_a_range_belong_to_it_whatever_their_offset() {
    let server = start().await;
    let id = server.register("server01").await;
    let metrics: Vec<Value> = (0..5)
        .map(|hour| metric("cpu", "usage", f64::from(hour), &format!("2025-11-20T0{hour}:00:00Z")))
        .chain([metric("cpu", "usage", 9.0, "2025-11-20T02:00:00.000001Z")])
        .collect();
    server.ingest(&id, &metrics.into()).await;
    for (query, expected) in [
        ("from=2025-11-20T02:00:00Z", vec![4, 3, 9, 2]),
        ("to=2025-11-20T02:00:00Z", vec![2, 1, 0]),
        ("from=2025-11-20T02:00:00Z&to=2025-11-20T02:00:00Z", vec![2]),
        ("from=2025-11-20T03:00:00%2B01:00&to=2025-11-19T22:00:00-05:00", vec![3, 9, 2]),
        ("from=2025-11-20T03:00:00+01:00&to=2025-11-20T03:30:00+00:30", vec![3, 9, 2]),
        ("from=2025-11-20T02:00:00.000001Z&to=2025-11-20T03:59:59.999999Z", vec![3, 9]),
        ("from=2025-11-20T03:00:00Z&to=2025-11-20T02:00:00Z", vec![]),
        ("from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z&limit=1", vec![4]),
    ] {
        assert_eq!(values(&server, query).await, expected, "{query}");
    }
    server.stop().await.unwrap();
}
