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
            let row =
                |row: &Value| (row["timestamp"].as_str().unwrap().to_owned(), row["value"].as_f64().unwrap() as i64);
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

#[tokio::test]
async fn a_character_that_postgresql_cannot_hold_is_no_failure_of_the_server() {
    let server = TestServer::start_with(&[], Arc::new(SystemClock)).await;
    let id = server.register("one").await;
    for path in [
        "/api/v1/metrics?metric_type=%00",
        "/api/v1/metrics?label.a=%00",
        "/api/v1/metrics?label.%00=a",
        "/api/v1/metrics?step=1m&from=-1h&group_by=label.%00",
        "/api/v1/metrics?step=1m&from=-1h&metric_name=%00",
        "/api/v1/latest?metric_name=%00",
        "/api/v1/export?metric_name=a%00",
        "/api/v1/series?metric_type=%00",
        "/api/v1/events?kind=%00",
        "/api/v1/events?severity=a%00b",
        "/api/v1/events?text=%00",
        "/api/v1/logs?source=%00",
        "/api/v1/logs?level=%00",
        "/api/v1/logs?text=a%00",
        "/api/v1/documents?kind=%00&server_id=ID",
        "/api/v1/documents?kind=%00&history=true&server_id=ID",
        "/history/1/disk?mountpoint=%00",
        "/history/1/cpu?start=%00",
    ] {
        let answer = server.get(&path.replace("ID", &id)).await;
        assert!(answer.status.as_u16() < 500, "{path}: {answer:?}");
    }
    server.stop().await.unwrap();
}

/// The points of the first series.
async fn points(server: &TestServer, query: &str) -> Vec<Value> {
    let answer = server.get(&format!("/api/v1/metrics?{query}")).await;
    assert_eq!(answer.status.as_u16(), 200, "{query}: {answer:?}");
    answer.json()["series"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["points"].as_array().unwrap().clone())
        .collect()
}

#[tokio::test]
async fn a_range_that_holds_nothing_has_no_window() {
    let server = TestServer::start_with(&[("retention.hours", "3650d")], Arc::new(SystemClock)).await;
    let id = server.register("one").await;
    server.ingest(&id, &json!([metric("m", HOUR_US + 20 * SECOND, 1.0)])).await;
    let at = |seconds: i64| rfc3339(HOUR_US + seconds * SECOND);
    for (from, to, windows) in [(30, 30, 0), (60, 30, 0), (30, 31, 1), (0, 0, 0), (0, 60, 1), (3_000, 20, 0)] {
        for fill in ["none", "null"] {
            let query = format!("from={}&to={}&step=1m&fill={fill}", at(from), at(to));
            assert_eq!(points(&server, &query).await.len(), windows, "{query}");
        }
    }
    // Of samples both ends are part.
    for (from, to, samples) in [(20, 20, 1), (21, 20, 0), (19, 21, 1), (21, 30, 0)] {
        let query = format!("from={}&to={}&max_points=10", at(from), at(to));
        assert_eq!(points(&server, &query).await.len(), samples, "{query}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_increase_does_not_depend_on_where_the_range_begins() {
    let server = TestServer::start_with(&[("retention.hours", "3650d")], Arc::new(SystemClock)).await;
    let id = server.register("one").await;
    // A counter scraped once a minute: all of its growth lies between windows.
    let counter: Vec<Value> =
        (0..10).map(|minute| metric("m", HOUR_US + minute * 60 * SECOND, minute as f64)).collect();
    server.ingest(&id, &json!(counter)).await;
    let increases = async |from: i64| {
        let (from, to) = (rfc3339(HOUR_US + from * SECOND), rfc3339(HOUR_US + 600 * SECOND));
        let query = format!("from={from}&to={to}&step=1m&agg=increase");
        points(&server, &query).await.iter().map(|point| point[1].as_f64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(increases(0).await, [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], "nothing was before the first");
    assert_eq!(increases(330).await, [1.0; 5]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn rows_of_one_moment_stand_by_their_series_wherever_a_page_ends_among_them() {
    let server = TestServer::start_with(&[("retention.hours", "3650d")], Arc::new(SystemClock)).await;
    let moves = Moves::of(server.database().config());
    let id = server.register("one").await;
    let times = [HOUR_US, HOUR_US + SECOND];
    // Many blocks and parts that end at the same moment, in no order of their series.
    for request in 0..24 {
        let series = (0..4).map(|place| (request * 7) % 24 + place * 24);
        let metrics: Vec<Value> = series.flat_map(|series| times.map(|time| of_type("t", series, time))).collect();
        server.ingest(&id, &json!(metrics)).await;
        if request == 9 {
            moves.fold(4).await;
        }
    }
    let all = server.get("/api/v1/series?limit=1000").await.json();
    let number = |series: &Value| {
        let name = series["metric_name"].as_str().unwrap();
        (series["id"].as_u64().unwrap(), name[1..].parse::<i64>().unwrap())
    };
    let numbers: BTreeSet<(u64, i64)> = all["series"].as_array().unwrap().iter().map(number).collect();
    assert_eq!(numbers.len(), 96);
    for order in ["asc", "desc"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = server.get(&format!("/api/v1/metrics?order={order}&limit=7&cursor={cursor}")).await.json();
            let row =
                |row: &Value| (row["timestamp"].as_str().unwrap().to_owned(), row["value"].as_f64().unwrap() as i64);
            seen.extend(page["metrics"].as_array().unwrap().iter().map(row));
            let Some(next) = page["next_cursor"].as_str() else { break };
            next.clone_into(&mut cursor);
        }
        let of_time = |time: i64| numbers.iter().map(move |(_, series)| (rfc3339(time), *series));
        let mut expected: Vec<_> = times.into_iter().flat_map(of_time).collect();
        if order == "desc" {
            expected.reverse();
        }
        assert!(seen == expected, "{order}: {seen:?}");
    }
    server.stop().await.unwrap();
}
