//! `StatusMonitor`: an agent with a token sends one object; everything but its time is optional.

use super::moment;
use crate::model::Micros;
use crate::wire::json::write::write_json_string;
use crate::wire::tree::Value;
use crate::wire::tree::series::{Label, Names, Rule};

pub const RULES: &[Rule] = &[
    Rule { at: "timestamp", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "cpu", metric_type: "cpu", names: Names::Members, labels: &[] },
    Rule {
        at: "cpu.per_core_usage[]",
        metric_type: "cpu",
        names: Names::This("core_usage_percent"),
        labels: &[Label::Index("core")],
    },
    Rule { at: "cpu.freq", metric_type: "cpu", names: Names::Prefixed("frequency_"), labels: &[] },
    Rule {
        at: "cpu.load_avg[]",
        metric_type: "cpu",
        names: Names::ByPlace(&["load1", "load5", "load15"]),
        labels: &[],
    },
    Rule { at: "memory", metric_type: "memory", names: Names::Members, labels: &[] },
    Rule {
        at: "disk.partitions[]",
        metric_type: "disk",
        names: Names::Members,
        labels: &[
            Label::Member("device", "device"),
            Label::Member("mountpoint", "mountpoint"),
            Label::Member("fstype", "fstype"),
        ],
    },
    Rule { at: "disk.io", metric_type: "disk_io", names: Names::Members, labels: &[] },
    Rule { at: "network", metric_type: "network", names: Names::Members, labels: &[] },
    Rule { at: "agent_id", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "user_id", metric_type: "", names: Names::Nothing, labels: &[] },
];

/// Why a report is refused, in the system's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("Missing required fields")]
    NoTimestamp,
    #[error("Invalid timestamp")]
    BadTimestamp,
}

/// When a report was made.
///
/// # Errors
/// When it does not say, or in no way that can be read.
pub fn time(report: Value<'_>) -> Result<Micros, Refused> {
    let timestamp = report.get("timestamp").ok_or(Refused::NoTimestamp)?;
    moment::of(timestamp).ok_or(Refused::BadTimestamp)
}

/// Who sent a report, as dashboards are told.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    pub agent_id: i32,
    pub agent_name: &'a str,
    pub user_id: i64,
}

/// A report as it came, with who sent it: whatever it says of that itself is written over where it stands.
pub fn addressed(report: Value<'_>, sender: Sender<'_>) -> Vec<u8> {
    let mut name = Vec::new();
    write_json_string(&mut name, sender.agent_name);
    let said = [
        ("agent_id", sender.agent_id.to_string().into_bytes()),
        ("agent_name", name),
        ("user_id", sender.user_id.to_string().into_bytes()),
    ];
    let mut was_said = [false; 3];
    let mut out = vec![b'{'];
    let mut member = |name: &str, value: &[u8]| {
        if out.len() > 1 {
            out.push(b',');
        }
        write_json_string(&mut out, name);
        out.push(b':');
        out.extend_from_slice(value);
    };
    for (name, value) in report.members() {
        match said.iter().position(|(known, _)| *known == name) {
            Some(place) if was_said[place] => {}
            Some(place) => {
                was_said[place] = true;
                member(&name, &said[place].1);
            }
            None => member(&name, value.raw()),
        }
    }
    for ((name, value), _) in said.iter().zip(was_said).filter(|(_, was_said)| !was_said) {
        member(name, value);
    }
    out.push(b'}');
    out
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
        let time = time(tree.root()).unwrap();
        write_samples((tree.root(), RULES), ("laptop", time), &mut text, &mut intake);
        assert_eq!(intake.verdicts.total(), 0);
        shown(&text, &intake)
    }

    #[test]
    fn the_report_of_either_agent_is_understood() {
        let headless = r#"{"timestamp":1764558249.12,"cpu":{"usage_percent":23.4,"per_core_usage":[20.0,26.8],
            "freq":{"current":3400.0},"load_avg":[0.5,0.4,0.3]},"memory":{"total":17179869184,"used_percent":53.4},
            "disk":{"partitions":[{"device":"/dev/sda1","mountpoint":"/","fstype":"ext4","percent":71.2}],
            "io":{"read_bytes":1}},"network":{"bytes_sent":1}}"#;
        let expected = [
            "laptop cpu/usage_percent{} 23.4",
            "laptop cpu/core_usage_percent{core=0} 20",
            "laptop cpu/core_usage_percent{core=1} 26.8",
            "laptop cpu/frequency_current{} 3400",
            "laptop cpu/load1{} 0.5",
            "laptop cpu/load5{} 0.4",
            "laptop cpu/load15{} 0.3",
            "laptop memory/total{} 17179869184",
            "laptop memory/used_percent{} 53.4",
            "laptop disk/percent{device=/dev/sda1,fstype=ext4,mountpoint=/} 71.2",
            "laptop disk_io/read_bytes{} 1",
            "laptop network/bytes_sent{} 1",
        ];
        assert_eq!(samples(headless), expected);
        let gui = r#"{"timestamp":1,"cpu":{"frequency_mhz":3400.0,"count":8},"disk":{"partitions":[]},"agent_id":3}"#;
        assert_eq!(samples(gui), ["laptop cpu/frequency_mhz{} 3400", "laptop cpu/count{} 8"]);
    }

    #[test]
    fn a_report_is_passed_on_as_it_came_but_for_who_sent_it() {
        let addressed = |text: &str| {
            let tree = Tree::read(text.as_bytes(), Leniency::Strict).unwrap();
            let sender = Sender { agent_id: 3, agent_name: "my \"lap\"", user_id: 8 };
            String::from_utf8(addressed(tree.root(), sender)).unwrap()
        };
        assert_eq!(addressed("{}"), r#"{"agent_id":3,"agent_name":"my \"lap\"","user_id":8}"#);
        let sent = r#"{"z":1.50, "user_id":"root","a":[1e3,{"agent_id":9}],"agent_id":1,"agent_id":2,"é":"\u0041"}"#;
        let told =
            r#"{"z":1.50,"user_id":8,"a":[1e3,{"agent_id":9}],"agent_id":3,"é":"\u0041","agent_name":"my \"lap\""}"#;
        assert_eq!(addressed(sent), told);
    }

    #[test]
    fn a_report_without_a_time_is_refused_in_the_systems_words() {
        let refused = |text: &str| time(Tree::read(text.as_bytes(), Leniency::Strict).unwrap().root()).unwrap_err();
        assert_eq!(refused("{}").to_string(), "Missing required fields");
        assert_eq!(refused("[]").to_string(), "Missing required fields");
        assert_eq!(refused(r#"{"timestamp":"soon"}"#), Refused::BadTimestamp);
    }
}
