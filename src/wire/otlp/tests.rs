//! OTLP, decoded: the mapping by example, both forms against each other, and anything at all.

mod mapping; // what each kind becomes
mod forms; // protobuf against JSON, against a model
mod hostile; // what nobody means well
mod spelling; // messages put together by hand

use super::*;
use crate::model::{Code, Intake};

/// A time, in nanoseconds and printed.
const TIME: u64 = 1_763_640_000_123_456_789;
const TIME_MICROS: i64 = 1_763_640_000_123_456;
const UNBOUNDED: usize = 1 << 30;

/// What a request came to.
#[derive(Debug, Default)]
struct Decoded {
    text: Vec<u8>,
    intake: Intake,
}

impl Decoded {
    /// Each sample as `host type name{labels} value @time`.
    fn samples(&self) -> Vec<String> {
        let points = &self.intake.points;
        let sample = |place: usize| {
            let raw = points.identities[place];
            let (host, identity) = (host(&self.text, raw).unwrap(), identity(&self.text, raw).unwrap());
            let labels: Vec<String> = identity.labels().iter().map(|(name, value)| format!("{name}={value}")).collect();
            let (kind, name) = (identity.metric_type(), identity.metric_name());
            assert_eq!(points.times[place].0, TIME_MICROS);
            format!("{host} {kind} {name}{{{}}} {:?}", labels.join(","), points.values[place])
        };
        (0..points.len()).map(sample).collect()
    }

    /// Each refusal as `item code message`.
    fn refusals(&self) -> Vec<String> {
        let told = self.intake.verdicts.listed().iter();
        told.map(|verdict| format!("{} {} {}", verdict.index, verdict.code.as_str(), verdict.message)).collect()
    }
}

fn decode_within(body: &[u8], bytes_max: usize) -> Result<Decoded, Unread> {
    let mut decoded = Decoded::default();
    let Decoded { text, intake } = &mut decoded;
    decode(body, &Reading::default(), (text, intake), &mut Room::new(bytes_max, &mut |_| true))?;
    Ok(decoded)
}

fn of_protobuf(body: &[u8]) -> Decoded {
    decode_within(body, UNBOUNDED).unwrap()
}

fn json_to_protobuf(body: &str, bytes_max: usize) -> Result<Vec<u8>, Unread> {
    let mut out = Vec::new();
    transcode(body.as_bytes(), &METRICS, &mut out, &mut Room::new(bytes_max, &mut |_| true))?;
    Ok(out)
}

fn of_json(body: &str) -> Decoded {
    of_protobuf(&json_to_protobuf(body, UNBOUNDED).unwrap())
}

/// A metric of this resource, in a request of its own.
fn of_metric(metric: &str) -> Decoded {
    of_json(&request(&format!(r#"{{"metrics":[{metric}]}}"#)))
}

fn request(scope: &str) -> String {
    let resource = r#"{"attributes":[{"key":"host.name","value":{"stringValue":"web-1"}}]}"#;
    format!(r#"{{"resourceMetrics":[{{"resource":{resource},"scopeMetrics":[{scope}]}}]}}"#)
}

#[track_caller]
fn check(metric: &str, expected: &[&str]) {
    let decoded = of_metric(metric);
    assert_eq!(decoded.refusals(), [""; 0]);
    assert_eq!(decoded.samples(), expected);
}

#[track_caller]
fn check_refused(metric: &str, code: Code, message: &str) {
    let decoded = of_metric(metric);
    assert_eq!(decoded.samples(), [""; 0]);
    assert_eq!(decoded.refusals(), [format!("0 {} m: {message}", code.as_str())]);
}
