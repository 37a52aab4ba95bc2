//! Edges: pages that begin in the midst of packed rows, ranges that hold nothing, parameters nobody means well.

use std::sync::Arc;

use millrace::clock::SystemClock;
use serde_json::{Value, json};

use crate::harness::agents::{metric, rfc3339};
use crate::harness::{Moves, TestServer};

/// 2025-11-20T10:00:00Z.
const HOUR_US: i64 = 1_763_632_800_000_000;
const SECOND: i64 = 1_000_000;

#[tokio::test]
async fn a_page_of_everything_may_begin_in_the_midst_of_every_part() {
    let server = TestServer::start_with(&[("retention.hours", "3650d")], Arc::new(SystemClock)).await;
    let moves = Moves::of(server.database().config());
    let id = server.register("one").await;
    let times: Vec<i64> = (0..6).map(|place| HOUR_US + place * 10 * SECOND).collect();
    let metrics: Vec<Value> = times.iter().map(|time| metric("m", *time, 1.0)).collect();
    server.ingest(&id, &json!(metrics)).await;
    moves.fold(4).await;
    moves.empty_journal().await;
    for (order, to) in [("desc", i64::MAX), ("asc", i64::MAX), ("desc", times[4]), ("asc", times[4])] {
        let to_text = if to == i64::MAX { String::new() } else { rfc3339(to) };
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/metrics?order={order}&limit=2&to={to_text}&cursor={cursor}");
            let page = server.get(&path).await.json();
            let rows = page["metrics"].as_array().unwrap();
            seen.extend(rows.iter().map(|row| row["timestamp"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            next.clone_into(&mut cursor);
        }
        let mut expected: Vec<String> = times.iter().filter(|time| **time <= to).copied().map(rfc3339).collect();
        if order == "desc" {
            expected.reverse();
        }
        assert_eq!(seen, expected, "{order} to {to_text}");
    }
    server.stop().await.unwrap();
}
