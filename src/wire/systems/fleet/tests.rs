//! Snapshots as the system documents them, what it says of others, and what its agent sends.

use super::super::report::{tests::shown, write_samples};
use super::*;
use crate::model::Intake;
use crate::wire::tree::{Leniency, Tree};

const SNAPSHOT: &str = r#"{"schema_version":"1.0","timestamp_utc":"2025-12-23T20:15:00Z","interval_seconds":30,
    "host":{"hostname":"PC-07","machine_id":"6f96","os":{"platform":"windows","version":"10.0","build":"22631"}},
    "cpu":{"utilization_pct":12.5,"idle_pct":87.5},
    "memory":{"total_bytes":17179869184,"used_bytes":8589934592,"free_bytes":8589934592,"used_pct":50.0},
    "disk":{"physical":[{"instance":"0 C:","reads_per_sec":1.2,"writes_per_sec":3.4,"avg_queue_length":0.02,
    "read_latency_ms":0.4,"write_latency_ms":0.9,"utilization_pct":2.1}],
    "volumes":[{"mount":"C:\\","filesystem":"NTFS","total_bytes":511101108224,"free_bytes":40888088657,"free_pct":8.0}]},
    "network":{"interfaces":[{"name":"Intel I219","bytes_total_per_sec":1500.0,"bits_total_per_sec":12000.0,
    "utilization_pct":null,"packets_in_errors":0,"packets_out_errors":0}]},
    "users":{"logged_in":[{"username":"CORP\\ann","session_type":"console"}],"count":1}}"#;

fn refused(edit: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut document: serde_json::Value = serde_json::from_str(SNAPSHOT).unwrap();
    edit(&mut document);
    let text = document.to_string();
    check(Tree::read(text.as_bytes(), Leniency::Strict).unwrap().root()).unwrap_err().to_string()
}

#[test]
fn the_documented_snapshot_fits_and_is_samples() {
    let tree = Tree::read(SNAPSHOT.as_bytes(), Leniency::Strict).unwrap();
    check(tree.root()).unwrap();
    let head = head(tree.root()).unwrap();
    assert_eq!((&*head.hostname, &*head.machine_id, head.interval_seconds), ("PC-07", "6f96", 30));
    assert_eq!(head.time, Micros(1_766_520_900_000_000));
    let (mut text, mut intake) = (Vec::new(), Intake::default());
    write_samples((tree.root(), RULES), (&head.hostname, head.time), &mut text, &mut intake);
    let samples = shown(&text, &intake);
    for expected in [
        "PC-07 cpu/utilization_pct{} 12.5",
        "PC-07 memory/total_bytes{} 17179869184",
        "PC-07 disk_io/avg_queue_length{instance=0 C:} 0.02",
        "PC-07 disk/free_pct{fstype=NTFS,mountpoint=C:\\} 8",
        "PC-07 network/bits_total_per_sec{interface=Intel I219} 12000",
        "PC-07 users/count{} 1",
    ] {
        assert!(samples.iter().any(|sample| sample == expected), "{expected} in {samples:#?}");
    }
    assert_eq!(samples.len(), 2 + 4 + 6 + 3 + 4 + 1);
}

#[test]
fn the_first_mismatch_by_place_is_told_as_the_system_tells_it() {
    let at = |path: &str, message: &str| format!("schema validation failed at '{path}': {message}");
    assert_eq!(refused(|it| it["host"]["hostname"] = "".into()), at("host/hostname", "'' should be non-empty"));
    assert_eq!(
        refused(|it| it["extra"] = 1.into()),
        at("", "Additional properties are not allowed ('extra' was unexpected)")
    );
    assert_eq!(refused(|it| drop(it.as_object_mut().unwrap().remove("host"))), at("", "'host' is a required property"));
    assert_eq!(
        refused(|it| it["cpu"]["idle_pct"] = 100.5.into()),
        at("cpu/idle_pct", "100.5 is greater than the maximum of 100")
    );
    assert_eq!(
        refused(|it| it["interval_seconds"] = 0.into()),
        at("interval_seconds", "0 is less than the minimum of 1")
    );
    assert_eq!(
        refused(|it| it["interval_seconds"] = true.into()),
        at("interval_seconds", "True is not of type 'integer'")
    );
    assert_eq!(
        refused(|it| it["host"]["os"]["platform"] = "linux".into()),
        at("host/os/platform", "'linux' is not one of ['windows']")
    );
    assert_eq!(
        refused(|it| it["schema_version"] = "one".into()),
        at("schema_version", r"'one' does not match '^[0-9]+\\.[0-9]+$'")
    );
    assert_eq!(
        refused(|it| it["disk"]["volumes"][0]["mount"] = "C".into()),
        at("disk/volumes/0/mount", "'C' is too short")
    );
    assert_eq!(
        refused(|it| {
            it["users"]["count"] = (-1).into();
            it["cpu"] = serde_json::Value::Null;
        }),
        at("cpu", "None is not of type 'object'"),
        "the first one by place"
    );
}

#[test]
fn whole_numbers_with_a_fraction_of_zero_are_integers() {
    let text = SNAPSHOT.replace("\"interval_seconds\":30", "\"interval_seconds\":30.0");
    let tree = Tree::read(text.as_bytes(), Leniency::Strict).unwrap();
    check(tree.root()).unwrap();
    assert_eq!(head(tree.root()).unwrap().interval_seconds, 30);
}

#[test]
fn the_agents_own_report_is_a_snapshot_once_translated() {
    let report = r#"{"hostname":"PC-07","machine_id":"","timestamp_unix_ms":1766520900123,
        "cpu":{"utilization_pct":nan,"idle_pct":187.5},"memory":{"total_mb":16384,"used_mb":8192,"free_mb":8192},
        "disks":[{"disk":"0 C:","reads_per_sec":1.23457e+06,"writes_per_sec":3.4,"queue_length":0.02,"read_latency_ms":0.4,
        "write_latency_ms":0.9,"utilization_pct":102.1,"reads_total":36.0,"writes_total":102.0}],
        "volumes":[{"root":"C:\\","total_bytes":511101108224,"free_bytes":40888088657,"free_pct":8.0}],
        "network":[{"iface":"Intel I219","bytes_per_sec":1500.0,"bytes_total":45000.0}],"users":["ann","PC-07$","ann"]}"#;
    let tree = Tree::read(report.as_bytes(), Leniency::PrintedNan).unwrap();
    assert!(is_agent_report(tree.root()));
    let snapshot = translate(tree.root()).unwrap();
    let text = snapshot.to_string();
    let tree = Tree::read(text.as_bytes(), Leniency::Strict).unwrap();
    assert_eq!(head(tree.root()).unwrap().time, Micros(1_766_520_900_123_000));
    assert_eq!(snapshot["cpu"]["utilization_pct"], serde_json::Value::Null, "what is no number is none");
    assert_eq!(snapshot["cpu"]["idle_pct"], 187.5, "what is measured stays");
    assert_eq!(snapshot["memory"]["total_bytes"], 17_179_869_184_u64);
    assert_eq!(snapshot["memory"]["used_pct"], 50.0);
    assert_eq!(snapshot["disk"]["physical"][0]["reads_per_sec"], 1_234_570.0);
    assert_eq!(snapshot["network"]["interfaces"][0]["bits_total_per_sec"], 12_000.0);
    assert_eq!(snapshot["users"]["count"], 3);
    assert_eq!(snapshot["host"]["machine_id"], "PC-07", "one that cannot be read is replaced by the name");
}
