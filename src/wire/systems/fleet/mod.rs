//! Fleet snapshots: one machine at one moment, checked against a schema that allows nothing else; and the report that
//! the real agent sends, which is translated to a snapshot.

mod agent; // what the agent sends, as a snapshot
mod schema; // what a snapshot may hold

pub use agent::{is_agent_report, translate};
pub use schema::{Mismatch, check};

use super::moment;
use crate::model::Micros;
use crate::wire::tree::Value;
use crate::wire::tree::series::{Label, Names, Rule};

pub const RULES: &[Rule] = &[
    Rule { at: "interval_seconds", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "cpu", metric_type: "cpu", names: Names::Members, labels: &[] },
    Rule { at: "memory", metric_type: "memory", names: Names::Members, labels: &[] },
    Rule {
        at: "disk.physical[]",
        metric_type: "disk_io",
        names: Names::Members,
        labels: &[Label::Member("instance", "instance")],
    },
    Rule {
        at: "disk.volumes[]",
        metric_type: "disk",
        names: Names::Members,
        labels: &[Label::Member("mount", "mountpoint"), Label::Member("filesystem", "fstype")],
    },
    Rule {
        at: "network.interfaces[]",
        metric_type: "network",
        names: Names::Members,
        labels: &[Label::Member("name", "interface")],
    },
    Rule { at: "users.count", metric_type: "users", names: Names::This("count"), labels: &[] },
];

/// What a snapshot says of where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub hostname: String,
    pub machine_id: String,
    pub time: Micros,
    pub interval_seconds: i32,
}

/// Reads the head of a snapshot that fits the schema. A time without a zone is UTC.
///
/// # Errors
/// When the time is none, in words.
pub fn head(snapshot: Value<'_>) -> Result<Head, String> {
    let text = |value: Option<Value<'_>>| value.and_then(Value::text).unwrap_or_default().into_owned();
    let host = snapshot.get("host");
    let timestamp = snapshot.get("timestamp_utc");
    let time = timestamp.and_then(moment::of);
    let time =
        time.ok_or_else(|| format!("Invalid isoformat string: {}", super::python::repr_text(&text(timestamp))))?;
    Ok(Head {
        hostname: text(host.and_then(|host| host.get("hostname"))),
        machine_id: text(host.and_then(|host| host.get("machine_id"))),
        time,
        interval_seconds: snapshot.get("interval_seconds").and_then(Value::integer).unwrap_or_default() as i32,
    })
}

#[cfg(test)]
mod tests;
