//! `SyncPulse`: an agent sends whatever it knows as one object, which is handed out again as it came.

use std::borrow::Cow;

use super::{moment, python};
use crate::model::Micros;
use crate::wire::tree::Value;
use crate::wire::tree::series::{Label, Names, Rule};

pub const RULES: &[Rule] = &[
    Rule { at: "timestamp", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "", metric_type: "host", names: Names::Members, labels: &[] },
    Rule { at: "agent_id", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "device", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "cpu", metric_type: "cpu", names: Names::Members, labels: &[] },
    Rule {
        at: "cpu.per_core_percent[]",
        metric_type: "cpu",
        names: Names::This("core_percent"),
        labels: &[Label::Index("core")],
    },
    Rule {
        at: "cpu.load_avg[]",
        metric_type: "cpu",
        names: Names::ByPlace(&["load1", "load5", "load15"]),
        labels: &[],
    },
    Rule { at: "memory", metric_type: "memory", names: Names::Members, labels: &[] },
    Rule {
        at: "disks[]",
        metric_type: "disk",
        names: Names::Members,
        labels: &[
            Label::Member("device", "device"),
            Label::Member("mountpoint", "mountpoint"),
            Label::Member("fstype", "fstype"),
        ],
    },
    Rule {
        at: "network[]",
        metric_type: "network",
        names: Names::Members,
        labels: &[Label::Member("interface", "interface")],
    },
    Rule {
        at: "gpus[]",
        metric_type: "gpu",
        names: Names::Members,
        labels: &[Label::Index("gpu"), Label::Member("vendor", "vendor"), Label::Member("name", "name")],
    },
    Rule {
        at: "sensors_temperature.*[]",
        metric_type: "temperature",
        names: Names::Members,
        labels: &[Label::Star("group", 0), Label::Member("label", "sensor")],
    },
    Rule { at: "time_drift", metric_type: "host", names: Names::Prefixed("time_drift_"), labels: &[] },
    Rule { at: "processes", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "hardware", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "inode_alerts", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "preemptive_alerts", metric_type: "", names: Names::Nothing, labels: &[] },
];

/// What stands for a device that says nothing of itself.
const UNKNOWN: &str = "unknown";

/// What a device is told from others by: its `agent_id` when it has one, else its `device`.
pub fn device<'t>(report: Value<'t>) -> Cow<'t, str> {
    let named = |member: &str| report.get(member).and_then(key);
    named("agent_id").or_else(|| named("device")).unwrap_or(Cow::Borrowed(UNKNOWN))
}

/// When a report was made; `None` when it does not say so, and it was now.
///
/// # Errors
/// When it says so in no way that can be read.
pub fn time(report: Value<'_>) -> Result<Option<Micros>, Unreadable> {
    match report.get("timestamp") {
        None => Ok(None),
        Some(timestamp) => moment::of(timestamp).map(Some).ok_or(Unreadable),
    }
}

/// The timestamp of a report says no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("timestamp is no time")]
pub struct Unreadable;

/// The text of a value that Python takes for true.
fn key(value: Value<'_>) -> Option<Cow<'_, str>> {
    if let Some(text) = value.text() {
        return Some(text).filter(|text| !text.is_empty());
    }
    let number = value.number()?;
    (number != 0.0).then(|| Cow::Owned(python::number(value)))
}

#[cfg(test)]
mod tests {
    use super::super::report::{tests::shown, write_samples};
    use super::*;
    use crate::model::Intake;
    use crate::wire::tree::{Leniency, Tree};

    fn samples(document: &str) -> Vec<String> {
        let tree = Tree::read(document.as_bytes(), Leniency::Strict).unwrap();
        let (mut text, mut intake) = (Vec::new(), Intake::default());
        write_samples((tree.root(), RULES), (&device(tree.root()), Micros(0)), &mut text, &mut intake);
        shown(&text, &intake)
    }

    #[test]
    fn every_number_of_a_report_is_a_series() {
        let document = r#"{"agent_id":"a1","device":"pc","cpu":{"total_percent":1.5,"per_core_percent":[1,2]},
            "disks":[{"mountpoint":"/","percent":5,"inode_percent":null}],"network":[{"interface":"eth0","errin":0}],
            "uptime_sec":9,"zombie_processes":1,"processes":[{"pid":1}],"timestamp":1755289024.23,
            "sensors_temperature":{"board":[{"label":"x","current":40.5}]},"gpus":[{"vendor":"v","name":"n","load":3}],
            "custom_alert":false,"extra":{"depth":7}}"#;
        let expected = [
            "a1 cpu/total_percent{} 1.5",
            "a1 cpu/core_percent{core=0} 1",
            "a1 cpu/core_percent{core=1} 2",
            "a1 disk/percent{mountpoint=/} 5",
            "a1 network/errin{interface=eth0} 0",
            "a1 host/uptime_sec{} 9",
            "a1 host/zombie_processes{} 1",
            "a1 temperature/current{group=board,sensor=x} 40.5",
            "a1 gpu/load{gpu=0,name=n,vendor=v} 3",
            "a1 extra/depth{} 7",
        ];
        assert_eq!(samples(document), expected);
    }

    #[test]
    fn a_device_is_known_by_its_agent_or_its_name() {
        let device = |text: &str| device(Tree::read(text.as_bytes(), Leniency::Strict).unwrap().root()).into_owned();
        assert_eq!(device(r#"{"agent_id":"a","device":"d"}"#), "a");
        assert_eq!(device(r#"{"agent_id":"","device":"d"}"#), "d");
        assert_eq!(device(r#"{"agent_id":7}"#), "7");
        assert_eq!(device(r#"{"agent_id":null,"device":0}"#), "unknown");
    }
}
