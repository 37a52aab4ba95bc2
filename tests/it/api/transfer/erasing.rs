//! Samples that are to go: from every level, to the microsecond, and nothing else.

use std::collections::BTreeMap;

use hyper::{Method, StatusCode};
use millrace::codec::{rollup_row, samples_row};
use millrace::model::{Bucket, Micros, Resolution, SeriesId};
use millrace::rollup;
use millrace::store::levels::rollups::{self, StoredRollup};
use millrace::store::levels::samples::{self, StoredSamples};
use millrace::store::partitions::{self, Monthly};
use millrace::store::{Database, database::PoolConfig};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::exports::in_levels;
use super::{TIMES_US, export, import_all, line, start};
use crate::harness::TestServer;
use crate::harness::agents::rfc3339;

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;
const MINUTE_US: i64 = 60_000_000;
const BEGIN_US: i64 = TIMES_US.start / DAY_US * DAY_US;
const SERIES: &str = "/api/v1/series";

/// A server with the series `a` and `b`, numbered from one, and nothing in them.
async fn start_with_series() -> (TestServer, String) {
    let server = start().await;
    let id = server.register("server01").await;
    for name in ["a", "b"] {
        import_all(&server, "", line(&id, name, BEGIN_US, "0").as_bytes()).await;
    }
    as_if_folded(&server).await;
    (server, id)
}

/// What is in the journal is a copy now, of nothing.
async fn as_if_folded(server: &TestServer) {
    let marks = "INSERT INTO fold_marks SELECT node, lane, max(sequence) FROM journal GROUP BY node, lane
        ON CONFLICT (node, lane) DO UPDATE SET sequence = excluded.sequence";
    server.database().connect().await.batch_execute(marks).await.unwrap();
}

async fn delete(server: &TestServer, query: &str) -> Value {
    let answer = server.send(Method::DELETE, &format!("{SERIES}?{query}"), &[], b"").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

/// Rows of one series by their hours.
fn rows(series: u32, samples: &BTreeMap<i64, f64>) -> Vec<StoredSamples> {
    let mut hours: BTreeMap<i64, (Vec<Micros>, Vec<f64>)> = BTreeMap::new();
    for (time, value) in samples {
        let (times, values) = hours.entry(time.div_euclid(HOUR_US)).or_default();
        times.push(Micros(*time));
        values.push(*value);
    }
    let row = |(times, values): &(Vec<Micros>, Vec<f64>)| samples_row::encode(times, values);
    hours.values().map(|hour| StoredSamples { series: SeriesId(series), row: row(hour) }).collect()
}

/// Within four hours, often at the ends of one.
fn offset() -> impl Strategy<Value = i64> {
    prop_oneof![0..4 * HOUR_US, (0..5_i64, -1..2_i64).prop_map(|(hour, near)| (hour * HOUR_US + near).max(0))]
}

fn level() -> impl Strategy<Value = BTreeMap<i64, f64>> {
    prop::collection::btree_map(offset().prop_map(|offset| BEGIN_US + offset), (0..100_i32).prop_map(f64::from), 0..40)
}

proptest! {
    #![proptest_config(Config { max_shrink_iters: 60, ..Config::with_cases(8) })]

    #[test]
    fn what_is_left_after_a_deletion_is_what_a_map_would_have_left(
        sealed in level(), recent in level(), deletions in prop::collection::vec((offset(), offset(), 0..3_usize), 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(compare(&sealed, &recent, &deletions));
    }
}

async fn compare(sealed: &BTreeMap<i64, f64>, recent: &BTreeMap<i64, f64>, deletions: &[(i64, i64, usize)]) {
    let (server, id) = start_with_series().await;
    in_levels(&server, BEGIN_US, async |transaction| {
        for series in [1, 2] {
            samples::append(transaction, &rows(series, sealed)).await.unwrap();
            samples::append_recent(transaction, 1, 7, &rows(series, recent)).await.unwrap();
        }
    })
    .await;
    let mut model: BTreeMap<(&str, i64), f64> = BTreeMap::new();
    for name in ["a", "b"] {
        model.extend(sealed.iter().chain(recent).map(|(time, value)| ((name, *time), *value)));
    }
    for (one, other, matcher) in deletions {
        let (from, to) = (BEGIN_US + one.min(other), BEGIN_US + one.max(other));
        let (matcher, names) = [("metric_name=a", "a"), ("metric_name=b", "b"), ("all=true", "ab")][*matcher];
        delete(&server, &format!("{matcher}&from={}&to={}", rfc3339(from), rfc3339(to))).await;
        model.retain(|(name, time), _| !names.contains(name) || !(from..=to).contains(time));
        let expected: String =
            model.iter().map(|((name, time), value)| line(&id, name, *time, &value.to_string())).collect();
        assert_eq!(export(&server, "").await, expected, "{matcher} {from} {to}");
    }
    server.stop().await.unwrap();
}

fn bucket(start: i64, count: u64) -> Bucket {
    Bucket { start: Micros(start), count, sum: 1.0, ..Bucket::default() }
}

async fn buckets(server: &TestServer, resolution: Resolution) -> Vec<Bucket> {
    let database = Database::new(server.database().config(), PoolConfig::default()).unwrap();
    let client = database.client().await.unwrap();
    let (from, to) = (Micros(BEGIN_US), Micros(BEGIN_US + 2 * DAY_US - 1));
    let mut buckets = Vec::new();
    for stored in rollups::read(&client, resolution, &[SeriesId(1)], from, to).await.unwrap() {
        rollup_row::decode(&stored.row, resolution, &mut buckets).unwrap();
    }
    buckets
}

#[tokio::test]
async fn buckets_follow_their_samples_and_stay_where_those_are_gone() {
    let (server, _) = start_with_series().await;
    // Hours 0 to 2 have samples, hour 3 has minutes only, hour 4 nothing but its bucket. The next day has a bucket too.
    let raw: BTreeMap<i64, f64> = (0..180).map(|minute| (BEGIN_US + minute * MINUTE_US, minute as f64)).collect();
    let minutes: Vec<Bucket> = (0..60).map(|minute| bucket(BEGIN_US + 3 * HOUR_US + minute * MINUTE_US, 1)).collect();
    let hours: Vec<Bucket> = (0..5).map(|hour| bucket(BEGIN_US + hour * HOUR_US, 99)).collect();
    let next_day = bucket(BEGIN_US + DAY_US, 7);
    in_levels(&server, BEGIN_US, async |transaction| {
        for table in [Monthly::Minutes, Monthly::Hours] {
            partitions::make(transaction, table, Micros(BEGIN_US)).await.unwrap();
        }
        samples::append(transaction, &rows(1, &raw)).await.unwrap();
        for (resolution, buckets) in
            [(Resolution::Minute, &minutes[..]), (Resolution::Hour, &hours), (Resolution::Hour, &[next_day])]
        {
            let row = StoredRollup { series: SeriesId(1), row: rollup_row::encode(buckets, resolution) };
            rollups::append(transaction, resolution, &[row]).await.unwrap();
        }
    })
    .await;
    // From the middle of hour 0 to the middle of a minute of hour 3.
    let (from, to) = (BEGIN_US + 30 * MINUTE_US, BEGIN_US + 3 * HOUR_US + 10 * MINUTE_US + 5);
    let answer = delete(&server, &format!("metric_name=a&from={}&to={}", rfc3339(from), rfc3339(to))).await;
    assert_eq!((&answer["series"], &answer["buckets_kept"]), (&json!(1), &json!(2)), "a minute and an hour: {answer}");
    let kept: BTreeMap<i64, f64> = raw.into_iter().filter(|(time, _)| *time < from).collect();
    let (times, values): (Vec<Micros>, Vec<f64>) = kept.iter().map(|(time, value)| (Micros(*time), *value)).unzip();
    let mut expected = Vec::new();
    rollup::roll_up(&times, &values, Resolution::Hour, &mut expected);
    expected.extend([hours[3], hours[4], next_day]);
    assert_eq!(buckets(&server, Resolution::Hour).await, expected);
    assert_eq!(buckets(&server, Resolution::Minute).await, minutes[10..]);

    delete(&server, &format!("metric_name=a&to={}", rfc3339(BEGIN_US + DAY_US - 1))).await;
    assert_eq!(buckets(&server, Resolution::Hour).await, [next_day]);
    assert_eq!(buckets(&server, Resolution::Minute).await, []);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn without_a_stretch_of_time_the_series_go_too_and_may_come_again() {
    let (server, id) = start_with_series().await;
    let samples = BTreeMap::from([(BEGIN_US, 1.0)]);
    in_levels(&server, BEGIN_US, async |transaction| {
        samples::append(transaction, &rows(1, &samples)).await.unwrap();
        samples::append_recent(transaction, 0, 1, &rows(2, &samples)).await.unwrap();
    })
    .await;
    let answer = delete(&server, &format!("server_id={id}&metric_type=cpu")).await;
    assert_eq!(answer, json!({ "series": 2, "rows": 2, "buckets_kept": 0 }));
    assert_eq!(server.get(SERIES).await.json()["count"], 0);
    assert_eq!(export(&server, "").await, "");
    let again = line(&id, "a", BEGIN_US, "2");
    import_all(&server, "", again.as_bytes()).await;
    assert_eq!(export(&server, "").await, again);
    assert_eq!(delete(&server, "metric_name=nothing").await["series"], 0);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_last_value_of_a_series_is_the_one_that_is_left_at_once() {
    let (server, id) = start_with_series().await;
    let latest = async |server: &TestServer| {
        let answer = server.get("/api/v1/latest?metric_name=a").await.json();
        answer["metrics"].as_array().unwrap().iter().map(|row| row["value"].clone()).collect::<Vec<_>>()
    };
    for (minute, value) in [(1, "1"), (2, "2")] {
        import_all(&server, "", line(&id, "a", BEGIN_US + minute * MINUTE_US, value).as_bytes()).await;
    }
    assert_eq!(latest(&server).await, [json!(2)]);
    crate::harness::Moves::of(server.database().config()).fold(4).await;
    delete(&server, &format!("metric_name=a&from={}", rfc3339(BEGIN_US + 2 * MINUTE_US))).await;
    assert_eq!(latest(&server).await, [json!(1)]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_deletion_waits_until_the_journal_is_folded() {
    let (server, id) = start_with_series().await;
    let kept = line(&id, "b", BEGIN_US + 1, "1");
    import_all(&server, "", kept.as_bytes()).await;
    let (answer, ()) = tokio::join!(delete(&server, "metric_name=a"), as_if_folded(&server));
    assert_eq!(answer["series"], 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_deletes_everything_by_leaving_something_out() {
    let server = start().await;
    for query in [
        "",
        "from=2025-01-01T00:00:00Z",
        "all=false",
        "metric_name=a&from=x",
        "metric_name=a&from=2025-01-02T00:00:00Z&to=2025-01-01T00:00:00Z",
    ] {
        let answer = server.send(Method::DELETE, &format!("{SERIES}?{query}"), &[], b"").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {answer:?}");
    }
    server.stop().await.unwrap();
}
