//! Random samples on all levels, some of them expired to minutes or hours, and random questions for windows of them,
//! compared with a naive model that knows every sample.

mod model; // what the answer must be

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::StatusCode;
use millrace::clock::ManualClock;
use millrace::model::{Micros, Resolution};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::stored::{Levels, Samples, hour, set_days_to};
use crate::harness::agents::rfc3339;
use crate::harness::{TestDatabase, TestServer};
use model::{Answer, Question, Stored};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
/// 2025-11-20T12:00:00Z.
const NOW: i64 = 1_763_640_000 * SECOND;
/// The days before this are done: the day before yesterday ended then.
const DAYS_TO: i64 = NOW - 36 * HOUR;
/// All samples are later than this.
const FIRST: i64 = DAYS_TO - 2 * DAY;
/// Each series is (server, core).
const SERIES: [(usize, &str); 4] = [(0, "0"), (0, "1"), (1, "0"), (1, "1")];

/// What an hour was stored as, and what came for it later.
#[derive(Clone, Debug)]
struct StoredHour {
    series: usize,
    start: i64,
    samples: Vec<(i64, f64)>,
    /// What is left of it, in days that are done: samples, minutes, hours.
    left: usize,
    /// To the parts of two folds and the journal. For expired hours nothing comes.
    late: [Vec<(i64, f64)>; 3],
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (0_i32..100_000).prop_map(|cents| f64::from(cents) / 100.0),
        2 => 0.0..1e6,
        1 => Just(f64::NAN),
    ]
}

/// Samples within an hour, few enough times that later ones often take the place of earlier ones.
fn samples(count_max: usize) -> impl Strategy<Value = Vec<(i64, f64)>> {
    let second = prop_oneof![(0_i64..3_600), (0_i64..60).prop_map(|minute| minute * 60), Just(3_599)];
    prop::collection::vec((second.prop_map(|second| second * SECOND), value()), 0..count_max)
}

fn stored_hour() -> impl Strategy<Value = StoredHour> {
    let hours = (NOW - FIRST) / HOUR;
    let late = [samples(6), samples(6), samples(6)];
    (0..SERIES.len(), 0..hours, samples(40), 0_usize..3, late).prop_map(|(series, place, samples, left, late)| {
        let start = FIRST + place * HOUR;
        let left = if start < DAYS_TO { left } else { 0 };
        let late = if left == 0 { late } else { Default::default() };
        StoredHour { series, start, samples, left, late }
    })
}

proptest! {
    #![proptest_config(Config { max_shrink_iters: 40, ..Config::with_cases(6) })]

    #[test]
    fn windows_of_any_question_are_those_of_every_single_sample(
        hours in prop::collection::vec(stored_hour(), 1..60),
        questions in prop::collection::vec(model::question(), 40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(compare(&hours, &questions));
    }
}

/// Stores the hours, each once, and asks.
async fn compare(hours: &[StoredHour], questions: &[Question]) {
    let database = TestDatabase::create().await;
    let clock = Arc::new(ManualClock::at(Micros(NOW)));
    let server = TestServer::start_on(&database.config(), &[], clock).await;
    let ids = [server.register("a").await, server.register("b").await];
    let mut stored = Stored { series: vec![Samples::new(); SERIES.len()], ..Stored::default() };
    // A sample of each makes the series. None of the others is between two seconds.
    let present: Vec<(i64, f64)> = vec![(NOW - SECOND / 2, 1.5)];
    for series in 0..SERIES.len() {
        ingest(&server, &ids, series, &present).await;
        stored.series[series].extend(present.iter().copied());
    }
    let numbers = series_numbers(&server, &ids).await;
    let mut levels = Levels::of(&database);
    for time in [FIRST, NOW] {
        levels.make_month(time).await;
    }
    let mut once: BTreeMap<(usize, i64), &StoredHour> = BTreeMap::new();
    for hour in hours {
        once.entry((hour.series, hour.start)).or_insert(hour);
    }
    for hour in once.values() {
        store(&mut levels, &numbers, hour, &mut stored).await;
        let journal = at(hour, &hour.late[2]).into_iter().filter(|(_, value)| !value.is_nan()).collect::<Vec<_>>();
        ingest(&server, &ids, hour.series, &journal).await;
        stored.series[hour.series].extend(journal);
    }
    roll_days_up(&mut levels, &numbers, &once).await;
    set_days_to(&database, DAYS_TO).await;
    for question in questions {
        let answer = server.get(&question.path(&ids)).await;
        match question.answer(&stored, &ids) {
            Answer::Refused => assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{question:?} {answer:?}"),
            Answer::Incomplete => {
                let spans = answer.json()["spans"].clone();
                let is_gap = |span: &Value| span["complete"] == false && span["reason"].is_string();
                assert!(spans.as_array().unwrap().iter().any(is_gap), "{question:?} {answer:?}");
            }
            Answer::Windows(expected) => {
                let found = answer.json();
                let is_whole = |span: &Value| span["complete"] == true;
                assert!(found["spans"].as_array().unwrap().iter().all(is_whole), "{question:?} {found}");
                model::assert_same(&model::read(&found), &expected, &format!("{question:?}"));
            }
        }
    }
    server.stop().await.unwrap();
}

/// The samples of an hour of a series, in the order they were written in.
fn at(hour: &StoredHour, samples: &[(i64, f64)]) -> Samples {
    samples.iter().map(|(offset, value)| (hour.start + offset, *value)).collect()
}

async fn store(levels: &mut Levels, numbers: &[u32], stored_hour: &StoredHour, stored: &mut Stored) {
    let (series, number) = (stored_hour.series, numbers[stored_hour.series]);
    let all = at(stored_hour, &stored_hour.samples);
    stored.series[series].extend(&all);
    if all.values().any(|value| !value.is_nan()) {
        let expired = (series, hour(stored_hour.start));
        match stored_hour.left {
            0 => levels.add_samples(number, &all).await,
            1 => {
                levels.add_rollups(number, &all, Resolution::Minute).await;
                stored.to_minutes.insert(expired);
            }
            _ => drop(stored.to_hours.insert(expired)),
        }
    }
    for (fold, late) in stored_hour.late[..2].iter().enumerate() {
        let late = at(stored_hour, late);
        if !late.is_empty() {
            levels.add_recent(fold as u64 + 1, number, &late).await;
            stored.series[series].extend(&late);
        }
    }
}

/// What `rollup_1h` holds: the days that are done, without what came late.
async fn roll_days_up(levels: &mut Levels, numbers: &[u32], hours: &BTreeMap<(usize, i64), &StoredHour>) {
    for (series, number) in numbers.iter().enumerate() {
        let done = hours.values().filter(|hour| hour.series == series && hour.start < DAYS_TO);
        let all: Samples = done.flat_map(|hour| at(hour, &hour.samples)).collect();
        if !all.is_empty() {
            levels.add_rollups(*number, &all, Resolution::Hour).await;
        }
    }
}

async fn ingest(server: &TestServer, ids: &[String; 2], series: usize, samples: impl IntoIterator<Item = &(i64, f64)>) {
    let (host, core) = SERIES[series];
    let metric = |(time, value): &(i64, f64)| {
        json!({ "metric_type": "cpu", "metric_name": "usage", "labels": { "core": core }, "value": value,
            "timestamp": rfc3339(*time) })
    };
    let metrics: Vec<Value> = samples.into_iter().map(metric).collect();
    if !metrics.is_empty() {
        server.ingest(&ids[host], &metrics.into()).await;
    }
}

async fn series_numbers(server: &TestServer, ids: &[String; 2]) -> Vec<u32> {
    let answer = server.get("/api/v1/series").await.json();
    let number = |(host, core): &(usize, &str)| {
        let is_it = |series: &&Value| series["server_id"] == ids[*host].as_str() && series["labels"]["core"] == *core;
        answer["series"].as_array().unwrap().iter().find(is_it).unwrap()["id"].as_u64().unwrap() as u32
    };
    SERIES.iter().map(number).collect()
}
