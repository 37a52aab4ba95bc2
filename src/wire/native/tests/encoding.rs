//! Metrics as they are answered.

use super::*;
use crate::model::{Identity, Labels, Micros, Series, SeriesId, ServerKey};

fn written(labels: &[(&str, &str)], time: Micros, value: f64) -> String {
    let labels = Labels::new(labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()).unwrap();
    let series = Series {
        id: SeriesId(9),
        server: ServerKey(1),
        server_id: SERVER.parse().unwrap(),
        identity: Identity::new("cpu", "usage", labels).unwrap(),
    };
    let mut out = Vec::new();
    write_metric(&mut out, 5, &series, time, value);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_metric_is_written_as_its_agents_know_it() {
    let time = Micros(1_763_632_800_000_000);
    let expected = format!(
        r#"{{"id":5,"server_id":"{SERVER}","metric_type":"cpu","metric_name":"usage","value":45.2,"labels":{{"core":"0"}},"timestamp":"2025-11-20T10:00:00Z"}}"#
    );
    assert_eq!(written(&[("core", "0")], time, 45.2), expected);
    let plain = expected.replace("45.2", "100").replace(r#""core":"0""#, "").replace(":00Z", ":00.25Z");
    assert_eq!(written(&[], Micros(time.0 + 250_000), 100.0), plain);
}

#[test]
fn whatever_the_series_and_the_value_it_is_valid_json() {
    for value in [f64::NAN, f64::INFINITY, -0.0, 1e300, 5e-324] {
        let text = written(&[("a\"b", "\\\n\u{1}é😀"), ("b", "")], Micros(-1), value);
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed["labels"]["a\"b"], "\\\n\u{1}é😀");
        assert_eq!(parsed["value"].as_f64(), value.is_finite().then_some(value));
    }
}

#[test]
fn what_is_written_can_be_sent_back() {
    let body = with_items(&written(&[("a", "\u{7f}\t"), ("b", "x")], Micros(1_763_632_800_000_001), -0.0));
    let intake = decoded(&body);
    assert_eq!(intake.points.values[0].to_bits(), (-0.0f64).to_bits());
    assert_eq!(intake.points.times, [Micros(1_763_632_800_000_001)]);
    let identity = identity(body.as_bytes(), intake.points.identities[0]).unwrap();
    assert_eq!(identity.labels().get("a"), Some("\u{7f}\t"));
}
