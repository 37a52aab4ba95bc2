//! The twelve rules, row by row, and what follows from one report to the next.

use proptest::prelude::*;

use super::*;
use crate::wire::tree::{Leniency, Tree};

fn texts(report: &str) -> Vec<String> {
    let tree = Tree::read(report.as_bytes(), Leniency::Strict).unwrap();
    let text = |found: Found| format!("{} {}", found.severity.name(), found.text);
    found(tree.root(), &Syncpulse::default()).into_iter().map(text).collect()
}

#[test]
fn each_rule_fires_above_its_threshold_and_not_at_it() {
    let cases: &[(&str, &str, &[&str])] = &[
        (r#"{"cpu":{"total_percent":90}}"#, r#"{"cpu":{"total_percent":90.1}}"#, &["critical High CPU usage"]),
        (r#"{"memory":{"percent":90.0}}"#, r#"{"memory":{"percent":91}}"#, &["critical High Memory usage"]),
        (r#"{"memory":{"swap_percent":50}}"#, r#"{"memory":{"swap_percent":51}}"#, &["warning High swap usage"]),
        (
            r#"{"disks":[{"mountpoint":"/","percent":90},{}]}"#,
            r#"{"disks":[{"mountpoint":"/","percent":91},{"device":"sda","percent":99.5},{"percent":91}]}"#,
            &["critical Low Disk Space on /", "critical Low Disk Space on sda", "critical Low Disk Space on unknown"],
        ),
        (
            r#"{"disks":[{"mountpoint":"/","inode_percent":null},{"inode_percent":90}]}"#,
            r#"{"disks":[{"mountpoint":"/","device":"sda","inode_percent":95}]}"#,
            &["warning High inode usage on /"],
        ),
        (r#"{"custom_alert":0}"#, r#"{"custom_alert":"yes"}"#, &["critical Custom Alert triggered"]),
        (r#"{"zombie_processes":0}"#, r#"{"zombie_processes":2}"#, &["warning Zombie processes detected: 2"]),
        (r#"{"zombie_processes":null}"#, r#"{"zombie_processes":2.0}"#, &["warning Zombie processes detected: 2.0"]),
        (
            r#"{"critical_processes":{"sshd":true,"cron":1}}"#,
            r#"{"critical_processes":{"sshd":true,"nginx":false,"db":null,"x":""}}"#,
            &[
                "critical Critical process nginx is not running",
                "critical Critical process db is not running",
                "critical Critical process x is not running",
            ],
        ),
        (
            r#"{"sensors_temperature":{"coretemp":[{"current":85,"high":85},{"current":80,"high":null},{"high":1}]}}"#,
            r#"{"sensors_temperature":{"coretemp":[{"current":90,"high":85}],"acpi":[{"current":80.5,"high":0}]}}"#,
            &["critical Overheat detected on coretemp (90°C)", "critical Overheat detected on acpi (80.5°C)"],
        ),
        (
            r#"{"time_drift":{"drift_seconds":-60}}"#,
            r#"{"time_drift":{"drift_seconds":120.5}}"#,
            &["warning High time drift: 120s"],
        ),
        (r#"{"time_drift":{}}"#, r#"{"time_drift":{"drift_seconds":-61.5}}"#, &["warning High time drift: -62s"]),
        (
            r#"{"network":[{"bytes_recv":0,"bytes_sent":1},{}]}"#,
            r#"{"network":[{"bytes_recv":0,"bytes_sent":null},{}]}"#,
            &["warning All network interfaces inactive"],
        ),
        (
            r#"{"network":[{"bytes_recv":1,"errin":100,"errout":100}]}"#,
            r#"{"network":[{"bytes_recv":1},{"errout":101}]}"#,
            &["warning Network interface errors detected"],
        ),
        (
            r#"{"network":[]}"#,
            r#"{"network":[{"errin":150}]}"#,
            &["warning All network interfaces inactive", "warning Network interface errors detected"],
        ),
    ];
    for (quiet, loud, expected) in cases {
        assert_eq!(texts(quiet), Vec::<String>::new(), "{quiet}");
        assert_eq!(texts(loud), *expected, "{loud}");
    }
}

#[test]
fn what_is_found_comes_in_the_order_of_the_rules() {
    let report = r#"{"critical_processes":{"nginx":false},"network":[{"errin":150}],"zombie_processes":2,
        "custom_alert":true,"time_drift":{"drift_seconds":120},"cpu":{"total_percent":95},
        "sensors_temperature":{"coretemp":[{"current":90,"high":85}]},
        "disks":[{"mountpoint":"/","percent":95,"inode_percent":95}],"memory":{"percent":92,"swap_percent":55}}"#;
    let expected = [
        "critical High CPU usage",
        "critical High Memory usage",
        "warning High swap usage",
        "critical Low Disk Space on /",
        "warning High inode usage on /",
        "critical Custom Alert triggered",
        "warning Zombie processes detected: 2",
        "critical Critical process nginx is not running",
        "critical Overheat detected on coretemp (90°C)",
        "warning High time drift: 120s",
        "warning All network interfaces inactive",
        "warning Network interface errors detected",
    ];
    assert_eq!(texts(report), expected);
}

#[test]
fn values_of_other_kinds_count_as_nothing() {
    for report in [
        r#"{"cpu":"95","memory":[99],"disks":{"percent":99},"network":7,"sensors_temperature":[],"time_drift":null}"#,
        r#"{"cpu":{"total_percent":"95"},"disks":[null,99],"zombie_processes":"many","critical_processes":["nginx"]}"#,
        "{}",
        r#"{"cpu":{"total_percent":1e999},"custom_alert":[],"sensors_temperature":{"a":{"current":99}}}"#,
    ] {
        assert_eq!(texts(report), Vec::<String>::new(), "{report}");
    }
}

#[test]
fn of_a_report_with_too_much_to_tell_the_first_is_told() {
    let report = format!(r#"{{"disks":[{}{{"percent":99}}]}}"#, r#"{"percent":99},"#.repeat(FOUND_MAX));
    assert_eq!(texts(&report).len(), FOUND_MAX);
}

#[test]
fn thresholds_are_those_of_the_settings() {
    let tree = Tree::read(br#"{"cpu":{"total_percent":95}}"#, Leniency::Strict).unwrap();
    let above = Syncpulse { cpu_percent: 95.0, ..Syncpulse::default() };
    assert_eq!(found(tree.root(), &above), []);
}

fn made(texts: &[&str]) -> Vec<Found> {
    texts
        .iter()
        .map(|text| Found { text: (*text).to_owned(), severity: Severity::Critical, has_recovered: false })
        .collect()
}

fn told(changes: &Changes) -> Vec<&str> {
    changes.told.iter().map(|found| found.text.as_str()).collect()
}

#[test]
fn a_text_is_told_when_it_comes_and_when_it_goes_and_equal_ones_of_one_report_each_time() {
    let first = compare(&[], made(&["a", "b", "a"]));
    assert_eq!(told(&first), ["a", "b", "a"]);
    assert_eq!(first.active, ["a", "b"]);
    let second = compare(&first.active, made(&["b", "c"]));
    assert_eq!(told(&second), ["c", "a - recovered"]);
    assert_eq!(second.told[1].severity, Severity::Warning);
    let third = compare(&second.active, made(&["b", "c", "b"]));
    assert_eq!(third, Changes { told: Vec::new(), active: second.active });
    assert_eq!(told(&compare(&third.active, Vec::new())), ["b - recovered", "c - recovered"]);
}

proptest! {
    #[test]
    fn whatever_comes_every_text_that_was_told_recovers_once(
        reports in prop::collection::vec(prop::collection::vec("[a-e]", 0..6), 1..12)
    ) {
        let mut active = Vec::new();
        let mut open = HashSet::new();
        for report in reports.iter().chain([&Vec::new()]) {
            let found = made(&report.iter().map(String::as_str).collect::<Vec<_>>());
            let changes = compare(&active, found);
            for found in &changes.told {
                match found.text.strip_suffix(" - recovered") {
                    Some(text) => prop_assert!(open.remove(text), "{text} had not been told"),
                    None => drop(open.insert(found.text.clone())),
                }
            }
            let now: HashSet<String> = report.iter().cloned().collect();
            prop_assert_eq!(&open, &now);
            active = changes.active;
        }
        prop_assert!(open.is_empty());
    }
}
