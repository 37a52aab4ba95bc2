//! Every 64-bit float and every microsecond comes back as it was sent, bit for bit, whatever stands beside it.

use std::collections::BTreeMap;

use hyper::StatusCode;
use jiff::Timestamp;
use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{NOW, start};
use crate::harness::TestServer;

/// More than a page, and enough for every class of floats to meet every other in a block.
const SAMPLES: usize = 12_000;
const EDGES: [f64; 12] = [
    0.0,
    -0.0,
    f64::MIN,
    f64::MAX,
    f64::MIN_POSITIVE,
    -f64::MIN_POSITIVE,
    5e-324,
    -5e-324,
    f64::EPSILON,
    9_007_199_254_740_993.0,
    0.1,
    1.797_693_134_862_315_5e308,
];

/// What is stored, by microsecond: the bits of the value.
type Samples = BTreeMap<i64, u64>;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    metrics: Vec<Row<'a>>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Row<'a> {
    /// As it was written: the usual readers of JSON round.
    #[serde(borrow)]
    value: &'a RawValue,
    timestamp: &'a str,
}

#[tokio::test]
async fn every_float_and_every_microsecond_comes_back_bit_for_bit() {
    let server = start().await;
    let id = server.register("server01").await;
    let mut runner = TestRunner::default();
    let mut edges: Samples =
        EDGES.iter().zip(0..).map(|(value, micros)| (first_micros() + micros, value.to_bits())).collect();
    edges.insert(now_micros(), 1.0_f64.to_bits());
    let any_floats = samples(&mut runner, (NORMAL | SUBNORMAL | ZERO | POSITIVE | NEGATIVE).boxed());
    let decimals = (any::<i32>(), 0..6_i32).prop_map(|(digits, places)| f64::from(digits) / 10_f64.powi(places));
    let decimals = samples(&mut runner, decimals.boxed());
    for (name, sent) in [("edges", edges), ("any", any_floats), ("decimals", decimals)] {
        post(&server, &id, name, &sent).await;
        let came_back = get(&server, name).await;
        assert_eq!(came_back.len(), sent.len(), "{name}");
        for ((sent_at, sent), (micros, bits)) in sent.iter().zip(&came_back) {
            assert_eq!((sent_at, sent), (micros, bits), "{} became {}", f64::from_bits(*sent), f64::from_bits(*bits));
        }
    }
    server.stop().await.unwrap();
}

/// Values at times all over the window, some of them next to each other.
fn samples(runner: &mut TestRunner, value: BoxedStrategy<f64>) -> Samples {
    let regular = (0..SAMPLES as i64).prop_map(|second| now_micros() - second * 1_000_000);
    let neighbour = (0..SAMPLES as i64).prop_map(|micros| now_micros() - micros);
    let time = prop_oneof![first_micros()..=now_micros(), regular, neighbour];
    let value = value.prop_map(f64::to_bits);
    let samples = prop::collection::vec((time, value), SAMPLES);
    samples.new_tree(runner).unwrap().current().into_iter().collect()
}

async fn post(server: &TestServer, id: &str, name: &str, samples: &Samples) {
    let item = |(place, (micros, bits)): (usize, (&i64, &u64))| {
        let (time, value) = (Timestamp::from_microsecond(*micros).unwrap(), f64::from_bits(*bits));
        // Both spellings of a float that Rust knows; either reads back as the same float.
        let value = if place % 2 == 0 { format!("{value:?}") } else { format!("{value:e}") };
        format!(r#"{{"metric_type":"bits","metric_name":"{name}","value":{value},"timestamp":"{time}"}}"#)
    };
    let items: Vec<String> = samples.iter().enumerate().map(item).collect();
    let body = format!(r#"{{"server_id":"{id}","metrics":[{}]}}"#, items.join(","));
    let answer = server.post_text("/api/v1/ingest", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json()["inserted"], samples.len(), "{name}");
}

async fn get(server: &TestServer, name: &str) -> Samples {
    let mut samples = Samples::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/metrics?metric_name={name}&order=asc&limit=5000&cursor={cursor}");
        let answer = server.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let page: Page<'_> = serde_json::from_slice(&answer.body).unwrap();
        for row in &page.metrics {
            let time: Timestamp = row.timestamp.parse().unwrap();
            let value: f64 = row.value.get().parse().unwrap();
            assert!(samples.insert(time.as_microsecond(), value.to_bits()).is_none(), "{} twice", row.timestamp);
        }
        let Some(next) = page.next_cursor else { return samples };
        cursor = next;
    }
}

fn now_micros() -> i64 {
    NOW.parse::<Timestamp>().unwrap().as_microsecond()
}

/// The oldest time that is accepted.
fn first_micros() -> i64 {
    now_micros() - 1_826 * 86_400 * 1_000_000
}
