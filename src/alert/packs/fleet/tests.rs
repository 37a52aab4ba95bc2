//! Grace, thresholds, words.

use super::*;
use crate::settings::alerts::{Discord, Email, Webhook};
use crate::wire::tree::{Leniency, Tree};

const SECOND: i64 = 1_000_000;
/// 2025-12-23T20:15:00Z.
const REPORTED: i64 = 1_766_520_900 * SECOND;

const SNAPSHOT: &str = r#"{"schema_version":"1.0","interval_seconds":30,"host":{"hostname":"PC-07","machine_id":"6f96"},
    "disk":{"volumes":[{"mount":"C:\\","total_bytes":511101108224,"free_bytes":40888088657,"free_pct":8.0},
    {"mount":"D:\\","total_bytes":100,"free_bytes":10,"free_pct":10}]}}"#;

fn endpoint() -> Endpoint {
    let tree = Tree::read(SNAPSHOT.as_bytes(), Leniency::Strict).unwrap();
    Endpoint { id: 3, server: (ServerKey(5), Uuid::nil()), kept: Kept::of(tree.root(), Micros(REPORTED)) }
}

fn worded(alarm: &Alarm) -> (&str, &str) {
    match &alarm.body {
        Body::Worded { subject, message } => (subject, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_endpoint_is_missed_after_its_grace_and_not_at_its_end() {
    let after = |settings: &Alerts, interval_seconds: i32, micros: i64| {
        let mut endpoint = endpoint();
        endpoint.kept.interval_seconds = interval_seconds;
        endpoint.silent(settings, Micros(REPORTED + micros)).is_some()
    };
    let settings = Alerts::default();
    for (interval_seconds, grace_seconds) in [(30, 120), (40, 120), (41, 123), (86_400, 259_200)] {
        assert!(!after(&settings, interval_seconds, grace_seconds * SECOND), "{interval_seconds}");
        assert!(after(&settings, interval_seconds, grace_seconds * SECOND + 1), "{interval_seconds}");
    }
    assert!(!after(&settings, 0, 1_000_000 * SECOND), "an endpoint that does not say how often it reports");
    let patient = Alerts { heartbeat_grace_multiplier: 10, heartbeat_min_grace_seconds: 1, ..settings };
    assert!(!after(&patient, 30, 300 * SECOND) && after(&patient, 30, 300 * SECOND + 1));
}

#[test]
fn a_missing_heartbeat_is_told_in_the_systems_words() {
    let mut endpoint = endpoint();
    endpoint.kept.reported_at += 120_000;
    let alarm = endpoint.silent(&Alerts::default(), Micros(REPORTED + 200 * SECOND)).unwrap();
    assert_eq!(alarm.key, "heartbeat:3");
    let message = "{\n  \"endpoint_id\": 3,\n  \"hostname\": \"PC-07\",\n  \"machine_id\": \"6f96\",\n  \
        \"last_seen\": \"2025-12-23T20:15:00.120000+00:00\",\n  \"grace_seconds\": 120\n}";
    assert_eq!(worded(&alarm), ("Heartbeat missing: PC-07", message));
    assert_eq!(alarm.event.server, Some(endpoint.server));
    assert_eq!(alarm.event.details["grace_seconds"], 120);
}

#[test]
fn disks_below_the_threshold_are_told_of_together() {
    let (settings, now) = (Alerts::default(), Micros(REPORTED));
    let volumes: Vec<LowVolume> = endpoint().low_volumes(&settings).collect();
    let alarm = low_disk(volumes, &settings, now).unwrap();
    assert_eq!(alarm.key, "lowdisk:global:100");
    let message = "{\n  \"threshold_free_pct\": 10.0,\n  \"volumes\": [\n    {\n      \"endpoint_id\": 3,\n      \
        \"hostname\": \"PC-07\",\n      \"machine_id\": \"6f96\",\n      \"mount\": \"C:\\\\\",\n      \
        \"free_pct\": 8.0,\n      \"free_bytes\": 40888088657,\n      \"total_bytes\": 511101108224\n    }\n  ]\n}";
    assert_eq!(worded(&alarm), ("Low disk space detected", message));
    assert_eq!(alarm.event.server, None);
    let strict = Alerts { low_disk_free_pct_threshold: 7.99, ..settings };
    assert_eq!(endpoint().low_volumes(&strict).count(), 0);
    assert_eq!(low_disk(Vec::new(), &strict, now), None);
}

#[test]
fn channels_are_those_that_are_enabled_and_go_somewhere() {
    let url = || Some("https://a".to_owned());
    let mut notify = Notify {
        email: Email { enabled: true, to: vec!["a@b".to_owned()] },
        webhook: Webhook { enabled: true, url: url() },
        discord: Discord { enabled: true, webhook_url: url() },
    };
    let kinds = |notify: &Notify| channels(notify).iter().map(Channel::kind).collect::<Vec<_>>();
    assert_eq!(kinds(&notify), ["email", "webhook", "discord"]);
    (notify.email.enabled, notify.webhook.url, notify.discord.enabled) = (false, Some(String::new()), false);
    assert_eq!(kinds(&notify), Vec::<&str>::new());
}

#[test]
fn what_is_kept_of_a_snapshot_comes_back() {
    let kept = endpoint().kept;
    let stored = serde_json::to_value(&kept).unwrap();
    assert_eq!(serde_json::from_value::<Kept>(stored).unwrap(), kept);
    assert_eq!((kept.volumes.len(), kept.interval_seconds), (2, 30));
}
