//! Exports and imports: what goes out comes in again, bit for bit, whatever the size and the format.

mod exports; // order, filters, compression
mod imports; // verdicts, servers, progress, failures
mod erasing; // what is to go

use std::collections::{BTreeMap, BTreeSet};

use hyper::{Method, StatusCode};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;

use super::{NOW, STRANGER, start, start_with};
use crate::harness::TestServer;
use crate::harness::agents::rfc3339;
use crate::harness::server::Answer;

const EXPORT: &str = "/api/v1/export";
const IMPORT: &str = "/api/v1/import";
/// Five years before now and an hour after are accepted.
const TIMES_US: std::ops::Range<i64> = 1_606_100_000_000_000..1_763_643_000_000_000;

async fn export(server: &TestServer, query: &str) -> String {
    let answer = server.get(&format!("{EXPORT}?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.text().to_owned()
}

async fn import(server: &TestServer, query: &str, body: &[u8]) -> Answer {
    server.send(Method::POST, &format!("{IMPORT}?{query}"), &[], body).await
}

/// Imports lines that are all good.
async fn import_all(server: &TestServer, query: &str, body: &[u8]) -> Value {
    let answer = import(server, query, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let report = answer.json();
    assert_eq!(report["refused"], 0, "{report}");
    report
}

fn line(server_id: &str, name: &str, time_us: i64, value: &str) -> String {
    let time = rfc3339(time_us);
    format!(
        "{{\"server_id\":\"{server_id}\",\"metric_type\":\"cpu\",\"metric_name\":\"{name}\",\"labels\":{{}},\
         \"timestamp\":\"{time}\",\"value\":{value}}}\n"
    )
}

/// A float as a line of NDJSON has it.
fn spelt(value: f64) -> String {
    if value.is_finite() { format!("{value:e}") } else { format!("\"0x{:016x}\"", value.to_bits()) }
}

/// Text of every kind, of which some are awkward in JSON or CSV.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just("cpu".to_owned()), "[a-z]{1,5}", "[ -~]{1,8}", "[\",\\\\\n\r\té]{1,4}"]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (-10_000..10_000_i32).prop_map(|hundredths| f64::from(hundredths) / 100.0),
        prop::sample::select(vec![0.0, -0.0, f64::MIN_POSITIVE, f64::MAX, f64::MIN, 5e-324, f64::INFINITY, f64::NAN]),
    ]
}

type Sample = (String, String, BTreeMap<String, String>, i64, f64);

fn sample() -> impl Strategy<Value = Sample> {
    let labels = prop::collection::btree_map(text(), text(), 0..3);
    (text(), text(), labels, TIMES_US, float())
}

proptest! {
    #![proptest_config(Config { max_shrink_iters: 40, ..Config::with_cases(6) })]

    #[test]
    fn what_is_exported_imports_to_the_same_export_bit_for_bit(samples in prop::collection::vec(sample(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(round_trip(&samples));
    }
}

async fn round_trip(samples: &[Sample]) {
    let first = start().await;
    let id = first.register("server01").await;
    let lines: String = samples
        .iter()
        .map(|(metric_type, metric_name, labels, time, value)| {
            let [metric_type, metric_name] = [metric_type, metric_name].map(|text| Value::from(text.as_str()));
            let labels = serde_json::to_string(labels).unwrap();
            let (time, value) = (rfc3339(*time), spelt(*value));
            format!(
                "{{\"value\":{value},\"labels\":{labels},\"metric_type\":{metric_type},\
                 \"metric_name\":{metric_name},\"timestamp\":\"{time}\",\"server_id\":\"{id}\"}}\n"
            )
        })
        .collect();
    import_all(&first, "", lines.as_bytes()).await;
    let model: BTreeMap<(String, String, String, i64), u64> = samples
        .iter()
        .map(|(metric_type, metric_name, labels, time, value)| {
            let labels = serde_json::to_string(labels).unwrap();
            ((metric_type.clone(), metric_name.clone(), labels, *time), value.to_bits())
        })
        .collect();
    let exported = export(&first, "hostname=true").await;
    assert_eq!(read_back(&exported), model);
    for format in ["ndjson", "csv"] {
        let second = start().await;
        let text = export(&first, &format!("hostname=true&format={format}")).await;
        let report = import_all(&second, &format!("create_servers=true&format={format}"), text.as_bytes()).await;
        assert_eq!(report["imported"], model.len(), "{report}");
        // Which of two new series has the smaller number is for PostgreSQL to say.
        let again = export(&second, "hostname=true").await;
        assert_eq!(again.lines().collect::<BTreeSet<_>>(), exported.lines().collect(), "{format}");
        assert_eq!(again.len(), exported.len(), "{format}");
        second.stop().await.unwrap();
    }
    first.stop().await.unwrap();
}

/// What lines say, floats as their bits; read without the code that wrote them.
fn read_back(lines: &str) -> BTreeMap<(String, String, String, i64), u64> {
    lines
        .lines()
        .map(|line| {
            let (_, value) = line.rsplit_once("\"value\":").unwrap();
            let bits = match value.trim_end_matches('}').trim_matches('"') {
                "NaN" => f64::NAN.to_bits(),
                "+Inf" => f64::INFINITY.to_bits(),
                "-Inf" => f64::NEG_INFINITY.to_bits(),
                hex if hex.starts_with("0x") => u64::from_str_radix(&hex[2..], 16).unwrap(),
                number => number.parse::<f64>().unwrap().to_bits(),
            };
            let fields: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| fields[name].as_str().unwrap().to_owned();
            let time: jiff::Timestamp = text("timestamp").parse().unwrap();
            let labels: BTreeMap<String, String> = serde_json::from_value(fields["labels"].clone()).unwrap();
            let labels = serde_json::to_string(&labels).unwrap();
            ((text("metric_type"), text("metric_name"), labels, time.as_microsecond()), bits)
        })
        .collect()
}
