//! Edges: pages that begin in the midst of packed rows, ranges that hold nothing, parameters nobody means well.

use std::collections::BTreeSet;
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

/// Series of a type that is asked for, too many to be looked up one by one, and of others beside them.
const WANTED: i64 = 300;
const OTHERS: i64 = 950;

#[tokio::test]
async fn the_newest_rows_of_many_series_are_found_wherever_they_are_and_whatever_lies_above_them() {
    // How many seconds the others are ahead: none, and so many that none of theirs can be on the page.
    for ahead in [0, 600] {
        let server = TestServer::start_with(&[("retention.hours", "3650d")], Arc::new(SystemClock)).await;
        let moves = Moves::of(server.database().config());
        let id = server.register("one").await;
        let mut model = BTreeSet::new();
        for round in 0..4 {
            let mut metrics = Vec::new();
            for series in 0..WANTED {
                let time = HOUR_US + (round * 10 + series % 7) * SECOND;
                model.insert((time, series));
                metrics.push(of_type("wanted", series, time));
            }
            for series in 0..OTHERS {
                metrics.push(of_type("other", series, HOUR_US + (ahead + round * 10 + series % 7) * SECOND));
            }
            server.ingest(&id, &json!(metrics)).await;
            match round {
                // Sealed, two parts, and what is in the journal.
                0 => {
                    moves.fold(4).await;
                    moves.seal(|_, _| true).await;
                }
                1 | 2 => moves.fold(4).await,
                _ => {}
            }
        }
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/metrics?metric_type=wanted&limit=170&cursor={cursor}");
            let page = server.get(&path).await.json();
            let row = |row: &Value| (row["timestamp"].as_str().unwrap().to_owned(), row["value"].as_f64().unwrap() as i64);
            seen.extend(page["metrics"].as_array().unwrap().iter().map(row));
            let Some(next) = page["next_cursor"].as_str() else { break };
            next.clone_into(&mut cursor);
        }
        assert!(seen.is_sorted_by(|left, right| left.0 >= right.0), "newest first");
        // Which of two series comes first at one time depends on their numbers.
        seen.sort();
        let expected: Vec<_> = model.iter().map(|(time, series)| (rfc3339(*time), *series)).collect();
        assert!(seen == expected, "{} of {} rows, the others are {ahead} s ahead", seen.len(), expected.len());
        server.stop().await.unwrap();
    }
}

/// A sample whose value says which series it is of.
fn of_type(metric_type: &str, series: i64, time: i64) -> Value {
    json!({ "metric_type": metric_type, "metric_name": format!("m{series:04}"), "value": series,
        "timestamp": rfc3339(time) })
}
