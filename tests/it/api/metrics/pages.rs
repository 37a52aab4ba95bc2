//! Limit, order and the cursor from one page to the next.

use serde_json::{Value, json};

use super::super::{metric, start};
use super::{page, values};
use crate::harness::TestServer;

/// Many samples at few times, in several flushes that overlap: 7 series at each of 30 seconds.
async fn start_with_ties() -> (TestServer, Vec<u64>) {
    let server = start().await;
    let id = server.register("server01").await;
    let mut all = Vec::new();
    for flush in 0..3 {
        let mut metrics = Vec::new();
        for number in (flush..210).step_by(3) {
            let time = format!("2025-11-20T10:00:{:02}Z", number / 7);
            metrics.push(metric("cpu", &(number % 7).to_string(), f64::from(number), &time));
            all.push(number as u64);
        }
        server.ingest(&id, &metrics.into()).await;
    }
    all.sort_unstable();
    (server, all)
}

/// Follows the cursors to the end and answers the pages.
async fn walk(server: &TestServer, query: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut found = page(server, &format!("{query}&cursor={cursor}")).await;
        let Value::Array(rows) = found["metrics"].take() else { panic!("{found}") };
        assert_eq!(found["count"], rows.len());
        pages.push(rows);
        match found.get("next_cursor") {
            Some(next) => cursor = next.as_str().unwrap().to_owned(),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn pages_over_equal_times_have_no_gap_and_no_double() {
    let (server, all) = start_with_ties().await;
    let mut orders = Vec::new();
    for order in ["asc", "desc"] {
        let whole = walk(&server, &format!("order={order}&limit=10000")).await.concat();
        let times: Vec<&str> = whole.iter().map(|row| row["timestamp"].as_str().unwrap()).collect();
        assert!(if order == "asc" { times.is_sorted() } else { times.iter().rev().is_sorted() }, "{order}");
        let mut values: Vec<u64> = whole.iter().map(|row| row["value"].as_u64().unwrap()).collect();
        values.sort_unstable();
        assert_eq!(values, all, "{order}");
        for limit in [1, 5, 7, 64, 209, 210, 211] {
            let pages = walk(&server, &format!("order={order}&limit={limit}")).await;
            let full = pages.len() - 1;
            assert!(pages[..full].iter().all(|rows| rows.len() == limit), "{order} {limit}");
            assert!(!pages[full].is_empty(), "{order} {limit}: the last cursor leads to something");
            assert_eq!(pages.concat(), whole, "{order} {limit}");
        }
        orders.push(whole);
    }
    orders[1].reverse();
    assert_eq!(orders[0], orders[1], "one order is the other one backwards");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_cursor_keeps_its_place_under_a_filter_and_within_a_range() {
    let (server, _) = start_with_ties().await;
    let query = "metric_name=2,5&from=2025-11-20T10:00:10Z&to=2025-11-20T10:00:19Z&order=asc";
    let pages = walk(&server, &format!("{query}&limit=3")).await;
    assert_eq!(pages.len(), 7, "20 rows, three a page");
    assert_eq!(pages.concat(), walk(&server, &format!("{query}&limit=100")).await.concat());
    let mut found: Vec<u64> = pages.concat().iter().map(|row| row["value"].as_u64().unwrap()).collect();
    found.sort_unstable();
    let expected: Vec<u64> = (10..20).flat_map(|second| [second * 7 + 2, second * 7 + 5]).collect();
    assert_eq!(found, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn newer_samples_do_not_disturb_a_walk_to_the_older_ones() {
    let (server, all) = start_with_ties().await;
    let first = page(&server, "limit=100").await;
    let id = first["metrics"][0]["server_id"].as_str().unwrap();
    server.ingest(id, &json!([metric("cpu", "new", 999.0, "2025-11-20T11:00:00Z")])).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let mut found: Vec<u64> =
        first["metrics"].as_array().unwrap().iter().map(|row| row["value"].as_u64().unwrap()).collect();
    found.extend(values(&server, &format!("limit=10000&cursor={cursor}")).await);
    found.sort_unstable();
    assert_eq!(found, all);
    server.stop().await.unwrap();
}
