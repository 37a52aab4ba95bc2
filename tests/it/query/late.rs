//! What comes for hours that were rolled up: it counts at once, and once.

use std::sync::Arc;

use millrace::clock::ManualClock;
use millrace::model::{Micros, Resolution};
use serde_json::{Value, json};

use super::stored::{Levels, Samples, set_days_to};
use crate::harness::agents::rfc3339;
use crate::harness::{TestDatabase, TestServer};

const HOUR: i64 = 3_600_000_000;
/// 2025-11-20T12:00:00Z.
const NOW: i64 = 1_763_640_000_000_000;
/// The beginning of a day a week ago.
const DAY: i64 = NOW - 180 * HOUR;

/// A server with one series, number one, whose days up to yesterday are done.
async fn start() -> (TestServer, TestDatabase, Levels, String) {
    let database = TestDatabase::create().await;
    let clock = Arc::new(ManualClock::at(Micros(NOW)));
    let server = TestServer::start_on(&database.config(), &[], clock).await;
    let id = server.register("a").await;
    ingest(&server, &id, NOW - 1, 0.0).await;
    let levels = Levels::of(&database);
    for month in [NOW, DAY, NOW - 40 * 24 * HOUR] {
        levels.make_month(month).await;
    }
    set_days_to(&database, NOW - 12 * HOUR).await;
    (server, database, levels, id)
}

async fn ingest(server: &TestServer, id: &str, time: i64, value: f64) {
    let metric = json!({ "metric_type": "cpu", "metric_name": "usage", "value": value, "timestamp": rfc3339(time) });
    server.ingest(id, &json!([metric])).await;
}

/// The values of each window from `from` on, by the hour, until the days that are not done.
async fn ask(server: &TestServer, from: i64, query: &str) -> Value {
    let to = rfc3339(NOW - 12 * HOUR);
    let path = format!("/api/v1/metrics?from={}&to={to}&step=1h&agg=count,sum,max&{query}", rfc3339(from));
    let answer = server.get(&path).await.json();
    let points = answer["series"].as_array().unwrap().iter().flat_map(|series| series["points"].as_array().unwrap());
    points.map(|point| Value::from(point.as_array().unwrap()[1..].to_vec())).collect()
}

fn samples(values: &[f64]) -> Samples {
    values.iter().enumerate().map(|(place, value)| (DAY + place as i64 * 60_000_000, *value)).collect()
}

#[tokio::test]
async fn a_month_by_the_hour_is_read_from_stored_hours_alone() {
    let (server, _database, levels, _) = start().await;
    levels.add_rollups(1, &samples(&[1.0, 2.0]), Resolution::Hour).await;
    // No job leaves this behind; it shows what was read.
    levels.add_samples(1, &samples(&[5.0])).await;
    assert_eq!(ask(&server, NOW - 30 * 24 * HOUR, "").await, json!([[2, 3, 2]]));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_hour_with_late_samples_is_made_anew_from_all_its_samples() {
    let (server, _database, levels, id) = start().await;
    let all = samples(&[1.0, 2.0, 3.0]);
    levels.add_samples(1, &all).await;
    levels.add_rollups(1, &all, Resolution::Hour).await;
    for from in [NOW - 30 * 24 * HOUR, DAY] {
        assert_eq!(ask(&server, from, "").await, json!([[3, 6, 3]]));
    }
    levels.add_recent(1, 1, &Samples::from([(DAY, 7.0), (DAY + HOUR, 4.0)])).await;
    ingest(&server, &id, DAY + 30 * 60_000_000, 8.0).await;
    for from in [NOW - 30 * 24 * HOUR, DAY] {
        let expected = json!([[4, 20, 8], [1, 4, 4]]);
        assert_eq!(
            ask(&server, from, "").await,
            expected,
            "one took another's place, one is new, one has its own hour"
        );
        assert_eq!(ask(&server, from, "resolution=raw").await, expected);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn late_samples_of_an_expired_hour_count_in_addition() {
    for left in [Some(Resolution::Minute), None] {
        let (server, _database, levels, id) = start().await;
        let all = samples(&[1.0, 2.0, 3.0]);
        levels.add_rollups(1, &all, Resolution::Hour).await;
        if let Some(left) = left {
            levels.add_rollups(1, &all, left).await;
        }
        levels.add_recent(1, 1, &Samples::from([(DAY, 7.0)])).await;
        ingest(&server, &id, DAY + 30 * 60_000_000, 8.0).await;
        for query in ["", "resolution=1m"] {
            assert_eq!(ask(&server, NOW - 30 * 24 * HOUR, query).await, json!([[5, 21, 8]]), "{left:?} {query}");
        }
        server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn as_many_late_samples_as_have_expired_do_not_hide_those() {
    let (server, _database, levels, id) = start().await;
    levels.add_rollups(1, &samples(&[5.0]), Resolution::Hour).await;
    ingest(&server, &id, DAY + 30 * 60_000_000, 8.0).await;
    for query in ["", "resolution=1m"] {
        assert_eq!(ask(&server, NOW - 30 * 24 * HOUR, query).await, json!([[2, 13, 8]]), "{query}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn samples_that_must_be_there_and_have_expired_are_a_refusal() {
    let (server, _database, levels, _) = start().await;
    levels.add_rollups(1, &samples(&[1.0]), Resolution::Minute).await;
    let path = format!("/api/v1/metrics?from={}&step=1h", rfc3339(DAY));
    for query in ["resolution=raw", "agg=p95"] {
        let answer = server.get(&format!("{path}&{query}")).await;
        let message = format!("samples before {} have expired, and the question needs them", rfc3339(DAY + HOUR));
        assert_eq!((answer.status.as_u16(), answer.json()), (422, json!({ "error": message })), "{query}");
    }
    let answer = server.get(&format!("{path}&step=1h&to={}", rfc3339(DAY + 2 * HOUR))).await.json();
    let tiers: Vec<&str> =
        answer["spans"].as_array().unwrap().iter().map(|span| span["tier"].as_str().unwrap()).collect();
    assert_eq!(tiers, ["1m", "raw"], "what is read says from where");
    server.stop().await.unwrap();
}
