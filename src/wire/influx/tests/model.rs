//! Against a reader that goes through the body one character at a time and remembers nothing.

use proptest::prelude::*;

use super::lines::NOW;
use crate::model::Intake;
use crate::wire::influx::{Naming, Options, Precision, Strings, decode};

/// A sample as its line, its host, its names and the bits of its value; the labels are sorted.
type Sample = (u32, String, String, String, Vec<(String, String)>, u64, i64);

/// What a line is made of: its text, and what it must come to.
#[derive(Clone, Debug)]
struct Line {
    measurement: String,
    tags: Vec<(String, String)>,
    fields: Vec<(String, Value)>,
    time: Option<i64>,
    end: &'static str,
}

#[derive(Clone, Debug)]
enum Value {
    Float(f64),
    Integer(i32),
    Boolean(bool),
    Text(String),
}

fn escaped(text: &str, marks: &str) -> String {
    text.chars().flat_map(|mark| marks.contains(mark).then_some('\\').into_iter().chain([mark])).collect()
}

impl Line {
    fn spelt(&self) -> String {
        let tags: String = self
            .tags
            .iter()
            .map(|(tag, value)| format!(",{}={}", escaped(tag, ",= "), escaped(value, ",= ")))
            .collect();
        let field = |(name, value): &(String, Value)| {
            let value = match value {
                Value::Float(value) => format!("{value:?}"),
                Value::Integer(value) => format!("{value}i"),
                Value::Boolean(value) => value.to_string(),
                Value::Text(text) => format!("\"{}\"", escaped(text, "\"\\")),
            };
            format!("{}={value}", escaped(name, ",= "))
        };
        let fields: Vec<String> = self.fields.iter().map(field).collect();
        let time = self.time.map(|time| format!(" {time}")).unwrap_or_default();
        format!("{}{tags} {}{time}{}", escaped(&self.measurement, ", "), fields.join(","), self.end)
    }

    fn samples(&self, line: u32) -> Vec<Sample> {
        let mut labels = self.tags.clone();
        let host = labels.iter().position(|(tag, _)| tag == "host").map(|place| labels.remove(place).1);
        labels.sort();
        let value = |value: &Value| match value {
            Value::Float(value) => Some(*value),
            Value::Integer(value) => Some(f64::from(*value)),
            Value::Boolean(value) => Some(f64::from(u8::from(*value))),
            Value::Text(_) => None,
        };
        let time = self.time.map_or(NOW.0, |time| time.div_euclid(1_000));
        let host = host.unwrap_or_else(|| "influx".to_owned());
        let sample = |(name, held): &(String, Value)| {
            Some((
                line,
                host.clone(),
                self.measurement.clone(),
                name.clone(),
                labels.clone(),
                value(held)?.to_bits(),
                time,
            ))
        };
        self.fields.iter().filter_map(sample).collect()
    }
}

fn decoded(body: &[u8]) -> (Intake, Vec<Sample>) {
    let options = Options { precision: Precision::Nanosecond, now: NOW, strings: Strings::Count };
    let (mut intake, naming) = (Intake::default(), Naming::default());
    decode(body, &options, &mut intake);
    let points = &intake.points;
    let sample = |place: usize| {
        let raw = points.identities[place];
        let identity = naming.identity(body, raw).ok()?;
        let labels = identity.labels().iter().map(|(tag, value)| (tag.to_owned(), value.to_owned())).collect();
        let (kind, name) = (identity.metric_type().to_owned(), identity.metric_name().to_owned());
        let (bits, time) = (points.values[place].to_bits(), points.times[place].0);
        Some((points.items[place], naming.host(body, raw).ok()?, kind, name, labels, bits, time))
    };
    let samples = (0..points.len()).filter_map(sample).collect();
    (intake, samples)
}

/// Names of marks and letters; none ends in a backslash, which the format cannot express.
fn name() -> impl Strategy<Value = String> {
    "[a-zµ\\\\,= \"]{0,10}[a-z]".prop_filter("a backslash before a mark cannot be told from an escape", |name| {
        !["\\,", "\\=", "\\ ", "\\\\"].iter().any(|pair| name.contains(pair))
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        proptest::num::f64::NORMAL.prop_map(Value::Float),
        (-1_000_000..1_000_000i32, 0..6)
            .prop_map(|(digits, shift)| Value::Float(f64::from(digits) / 10f64.powi(shift))),
        any::<i32>().prop_map(Value::Integer),
        any::<bool>().prop_map(Value::Boolean),
        "[a-z,= \"\\\\\n]{0,12}".prop_map(Value::Text),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    let tags = proptest::collection::btree_map(prop_oneof![Just("host".to_owned()), name()], name(), 0..4);
    let fields = proptest::collection::vec((name(), value()), 1..6);
    let time = proptest::option::of(-1_000_000_000_000_000_000..2_000_000_000_000_000_000i64);
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just(" \n")];
    // A measurement that begins with a mark of comments is one.
    ("[a-z]", name(), tags, fields, time, end).prop_map(|(first, rest, tags, fields, time, end)| Line {
        measurement: first + &rest,
        tags: tags.into_iter().collect(),
        fields,
        time,
        end,
    })
}

proptest! {
    #[test]
    fn what_a_client_spells_is_read_as_it_was_meant(lines in proptest::collection::vec(line(), 1..8)) {
        let (mut body, mut expected, mut texts) = (String::new(), Vec::new(), 0);
        for line in &lines {
            let number = body.matches('\n').count() as u32;
            expected.extend(line.samples(number));
            texts += line.fields.iter().filter(|(_, value)| matches!(value, Value::Text(_))).count() as u32;
            body += &line.spelt();
        }
        let (intake, samples) = decoded(body.as_bytes());
        prop_assert_eq!(intake.verdicts.listed(), []);
        prop_assert_eq!(samples, expected, "{}", body);
        prop_assert_eq!((intake.items, intake.left_out.values), (lines.len() as u32, texts));
    }

    #[test]
    fn junk_between_lines_costs_no_line(
        lines in proptest::collection::vec((line(), "[a-z,= \\\\.0-9it]{0,20}"), 1..6)
    ) {
        let (mut body, mut expected) = (String::new(), Vec::new());
        for (line, junk) in &lines {
            let number = body.matches('\n').count() as u32;
            expected.extend(line.samples(number));
            body += &line.spelt();
            body = body + junk + "\n";
        }
        let (_, samples) = decoded(body.as_bytes());
        let mut kept = samples.iter();
        for sample in &expected {
            prop_assert!(kept.any(|found| found == sample), "{sample:?} is missing of {body}");
        }
    }

    #[test]
    fn any_bytes_end_as_points_or_verdicts(body in proptest::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'),
        Just(b'\n'), Just(b'='), Just(b','), Just(b' '), Just(b'\r'), b'0'..b':', any::<u8>()], 0..200)) {
        let (intake, _) = decoded(&body);
        let points = &intake.points;
        prop_assert!([points.items.len(), points.servers.len(), points.times.len(), points.values.len()]
            .iter().all(|length| *length == points.identities.len()));
        prop_assert!(points.values.iter().all(|value| value.is_finite()));
        let lines = body.iter().filter(|byte| **byte == b'\n').count() as u32;
        prop_assert!(points.items.iter().all(|line| *line <= lines));
        prop_assert!(points.len() as u32 + intake.verdicts.total() + intake.left_out.values >= intake.items);
    }
}
