//! The schema of a snapshot, version 1.0, and the first thing that does not fit it, told as the validator of the system
//! it comes from tells it.

use std::borrow::Cow;

use super::super::python::{repr, repr_text};
use crate::wire::json::Kind;
use crate::wire::tree::Value;

/// What is expected at one place.
enum Shape {
    Object {
        members: &'static [(&'static str, Shape)],
        required: &'static [&'static str],
    },
    Array(&'static Shape),
    /// At least so many characters.
    Text(usize),
    OneOf(&'static [&'static str]),
    /// Digits, a dot, digits.
    Version,
    Number(Range),
    Integer(Range),
    NumberOrNull(Range),
}

struct Range {
    min: f64,
    max: Option<f64>,
}

const PERCENT: Range = Range { min: 0.0, max: Some(100.0) };
const POSITIVE: Range = Range { min: 0.0, max: None };
const DAY: Range = Range { min: 1.0, max: Some(86_400.0) };

const VERSION_PATTERN: &str = r"'^[0-9]+\\.[0-9]+$'";

const SNAPSHOT: Shape = Shape::Object {
    required: &["schema_version", "timestamp_utc", "interval_seconds", "host"],
    members: &[
        ("schema_version", Shape::Version),
        ("timestamp_utc", Shape::Text(0)),
        ("interval_seconds", Shape::Integer(DAY)),
        ("host", HOST),
        ("cpu", CPU),
        ("memory", MEMORY),
        ("disk", DISK),
        ("network", NETWORK),
        ("users", USERS),
    ],
};
const HOST: Shape = Shape::Object {
    required: &["hostname", "machine_id"],
    members: &[("hostname", Shape::Text(1)), ("machine_id", Shape::Text(1)), ("os", OS)],
};
const OS: Shape = Shape::Object {
    required: &["platform"],
    members: &[("platform", Shape::OneOf(&["windows"])), ("version", Shape::Text(0)), ("build", Shape::Text(0))],
};
const CPU: Shape = Shape::Object {
    required: &["utilization_pct", "idle_pct"],
    members: &[("utilization_pct", Shape::Number(PERCENT)), ("idle_pct", Shape::Number(PERCENT))],
};
const MEMORY: Shape = Shape::Object {
    required: &["total_bytes", "used_bytes", "free_bytes", "used_pct"],
    members: &[
        ("total_bytes", Shape::Integer(POSITIVE)),
        ("used_bytes", Shape::Integer(POSITIVE)),
        ("free_bytes", Shape::Integer(POSITIVE)),
        ("used_pct", Shape::Number(PERCENT)),
    ],
};
const DISK: Shape = Shape::Object {
    required: &["physical", "volumes"],
    members: &[("physical", Shape::Array(&PHYSICAL)), ("volumes", Shape::Array(&VOLUME))],
};
const PHYSICAL: Shape = Shape::Object {
    required: &[
        "instance",
        "reads_per_sec",
        "writes_per_sec",
        "avg_queue_length",
        "read_latency_ms",
        "write_latency_ms",
        "utilization_pct",
    ],
    members: &[
        ("instance", Shape::Text(1)),
        ("reads_per_sec", Shape::Number(POSITIVE)),
        ("writes_per_sec", Shape::Number(POSITIVE)),
        ("avg_queue_length", Shape::Number(POSITIVE)),
        ("read_latency_ms", Shape::Number(POSITIVE)),
        ("write_latency_ms", Shape::Number(POSITIVE)),
        ("utilization_pct", Shape::Number(PERCENT)),
    ],
};
const VOLUME: Shape = Shape::Object {
    required: &["mount", "total_bytes", "free_bytes", "free_pct"],
    members: &[
        ("mount", Shape::Text(2)),
        ("filesystem", Shape::Text(0)),
        ("total_bytes", Shape::Integer(POSITIVE)),
        ("free_bytes", Shape::Integer(POSITIVE)),
        ("free_pct", Shape::Number(PERCENT)),
    ],
};
const NETWORK: Shape =
    Shape::Object { required: &["interfaces"], members: &[("interfaces", Shape::Array(&INTERFACE))] };
const INTERFACE: Shape = Shape::Object {
    required: &[
        "name",
        "bytes_total_per_sec",
        "bits_total_per_sec",
        "utilization_pct",
        "packets_in_errors",
        "packets_out_errors",
    ],
    members: &[
        ("name", Shape::Text(1)),
        ("bytes_total_per_sec", Shape::Number(POSITIVE)),
        ("bits_total_per_sec", Shape::Number(POSITIVE)),
        ("utilization_pct", Shape::NumberOrNull(PERCENT)),
        ("packets_in_errors", Shape::Integer(POSITIVE)),
        ("packets_out_errors", Shape::Integer(POSITIVE)),
    ],
};
const USERS: Shape = Shape::Object {
    required: &["logged_in", "count"],
    members: &[("logged_in", Shape::Array(&USER)), ("count", Shape::Integer(POSITIVE))],
};
const USER: Shape = Shape::Object {
    required: &["username", "session_type"],
    members: &[("username", Shape::Text(1)), ("session_type", Shape::Text(0))],
};

/// The first thing that does not fit, by its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("schema validation failed at '{path}': {message}")]
pub struct Mismatch {
    pub path: String,
    pub message: String,
}

/// # Errors
/// When `snapshot` does not fit the schema.
pub fn check(snapshot: Value<'_>) -> Result<(), Mismatch> {
    let mut search = Search { path: Vec::new(), first: None };
    search.visit(&SNAPSHOT, snapshot);
    let Some((path, message)) = search.first else { return Ok(()) };
    let path: Vec<String> = path.iter().map(Step::text).collect();
    Err(Mismatch { path: path.join("/"), message })
}

/// Ordered as the system orders them: indexes by number, names by text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Index(usize),
    Name(String),
}

impl Step {
    fn text(&self) -> String {
        match self {
            Self::Index(index) => index.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

struct Search {
    path: Vec<Step>,
    first: Option<(Vec<Step>, String)>,
}

impl Search {
    fn visit(&mut self, shape: &'static Shape, value: Value<'_>) {
        if let Some(expected) = wrong_type(shape, value) {
            return self.tell(format!("{} is not of type {expected}", repr(value)));
        }
        match shape {
            Shape::Object { members, required } => self.object(members, required, value),
            Shape::Array(element) => {
                for (index, value) in value.elements().enumerate() {
                    self.path.push(Step::Index(index));
                    self.visit(element, value);
                    self.path.pop();
                }
            }
            Shape::Text(min) => {
                let characters = value.text().unwrap_or_default().chars().count();
                match (characters < *min, *min) {
                    (true, 1) => self.tell(format!("{} should be non-empty", repr(value))),
                    (true, _) => self.tell(format!("{} is too short", repr(value))),
                    (false, _) => {}
                }
            }
            Shape::OneOf(texts) => {
                if !value.text().is_some_and(|text| texts.contains(&&*text)) {
                    let texts: Vec<String> = texts.iter().map(|text| repr_text(text)).collect();
                    self.tell(format!("{} is not one of [{}]", repr(value), texts.join(", ")));
                }
            }
            Shape::Version => {
                if !value.text().is_some_and(|text| is_version(&text)) {
                    self.tell(format!("{} does not match {VERSION_PATTERN}", repr(value)));
                }
            }
            Shape::Number(range) | Shape::Integer(range) | Shape::NumberOrNull(range) => self.range(range, value),
        }
    }

    fn object(&mut self, members: &'static [(&'static str, Shape)], required: &[&str], value: Value<'_>) {
        let present: Vec<(Cow<'_, str>, Value<'_>)> = value.members().collect();
        let unexpected: Vec<String> = present
            .iter()
            .filter(|(name, _)| !members.iter().any(|(known, _)| known == name))
            .map(|(name, _)| repr_text(name))
            .collect();
        for name in required.iter().filter(|name| !present.iter().any(|(known, _)| known == **name)) {
            self.tell(format!("{} is a required property", repr_text(name)));
        }
        if !unexpected.is_empty() {
            let verb = if unexpected.len() == 1 { "was" } else { "were" };
            let names = unexpected.join(", ");
            self.tell(format!("Additional properties are not allowed ({names} {verb} unexpected)"));
        }
        for (name, shape) in members {
            let Some((_, value)) = present.iter().rev().find(|(known, _)| known == name) else { continue };
            self.path.push(Step::Name((*name).to_owned()));
            self.visit(shape, *value);
            self.path.pop();
        }
    }

    fn range(&mut self, range: &Range, value: Value<'_>) {
        let Some(number) = value.number() else { return };
        if number < range.min {
            self.tell(format!("{} is less than the minimum of {}", repr(value), range.min));
        }
        if let Some(max) = range.max.filter(|max| number > *max) {
            self.tell(format!("{} is greater than the maximum of {max}", repr(value)));
        }
    }

    /// Keeps what is told when its place comes before that of what was told earlier.
    fn tell(&mut self, message: String) {
        if self.first.as_ref().is_none_or(|(path, _)| self.path < *path) {
            self.first = Some((self.path.clone(), message));
        }
    }
}

/// The type that is expected where another one is found.
fn wrong_type(shape: &Shape, value: Value<'_>) -> Option<&'static str> {
    let kind = value.kind();
    let (fits, name) = match shape {
        Shape::Object { .. } => (kind == Kind::Object, "'object'"),
        Shape::Array(_) => (kind == Kind::Array, "'array'"),
        Shape::Text(_) | Shape::OneOf(_) | Shape::Version => (kind == Kind::String, "'string'"),
        Shape::Number(_) => (kind == Kind::Number, "'number'"),
        Shape::Integer(_) => (value.number().is_some_and(|number| number.fract() == 0.0), "'integer'"),
        Shape::NumberOrNull(_) => (matches!(kind, Kind::Number | Kind::Null), "'number', 'null'"),
    };
    (!fits).then_some(name)
}

fn is_version(text: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(major, minor)| is_digits(major) && is_digits(minor))
}
