//! Quiet hours against a model that walks through the minutes with offsets written down by hand.

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::alert::definition::Fault;
use crate::model::{Belonging, UserId};

const MINUTE: i64 = 60 * Micros::PER_SECOND;
const DAY_MINUTES: i64 = 24 * 60;
/// Zones with the times (in seconds since 1970) from which an offset (in minutes) holds, around both changes of 2026.
const BERLIN: (&str, &[(i64, i64)]) = ("Europe/Berlin", &[(i64::MIN, 60), (1_774_746_000, 120), (1_792_890_000, 60)]);
const NEW_YORK: (&str, &[(i64, i64)]) =
    ("America/New_York", &[(i64::MIN, -300), (1_772_953_200, -240), (1_793_512_800, -300)]);
const KOLKATA: (&str, &[(i64, i64)]) = ("Asia/Kolkata", &[(i64::MIN, 330)]);
/// 2026-01-01 and a year later, in minutes.
const YEAR: std::ops::Range<i64> = 29_454_240..29_979_840;

fn silence(form: serde_json::Value) -> Result<Silence, Vec<Fault>> {
    let form: SilenceForm = serde_json::from_value(form).unwrap();
    form.silence(Reach::fleet(), Micros(0))
}

fn weekly(zone: &str, days: &[&str], from: &str, to: &str) -> Silence {
    silence(json!({ "weekly": { "timezone": zone, "days": days, "from": from, "to": to } })).unwrap()
}

fn at(text: &str) -> Micros {
    Micros::parse_rfc3339(text.as_bytes()).unwrap()
}

/// Whether a minute is quiet, from a table of the minutes of a week that are.
fn model(offsets: &[(i64, i64)], days: &[usize], (from, to): (i64, i64), minute: i64) -> bool {
    let week_minutes = 7 * DAY_MINUTES;
    let mut quiet = vec![false; week_minutes as usize];
    let length = if from < to { to - from } else { to + DAY_MINUTES - from };
    for day in days {
        for step in 0..length {
            quiet[((*day as i64 * DAY_MINUTES + from + step) % week_minutes) as usize] = true;
        }
    }
    let offset = offsets.iter().rev().find(|(since, _)| *since <= minute * 60).unwrap().1;
    // 1970-01-01 was a Thursday, the fourth day of its week.
    quiet[(minute + offset + 3 * DAY_MINUTES).rem_euclid(week_minutes) as usize]
}

fn hour(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

proptest! {
    #[test]
    fn quiet_hours_are_what_the_clock_on_the_wall_shows(
        zone in prop::sample::select(vec![BERLIN, NEW_YORK, KOLKATA]),
        days in prop::sample::subsequence((0..7_usize).collect::<Vec<_>>(), 1..=7),
        from in 0..DAY_MINUTES,
        to in 0..DAY_MINUTES,
        start in prop_oneof![YEAR, Just(29_579_100), Just(29_881_500), Just(29_549_220), Just(29_891_880)],
    ) {
        let names: Vec<&str> =
            days.iter().map(|day| ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][*day]).collect();
        let silence = weekly(zone.0, &names, &hour(from), &hour(to));
        for minute in (start - 100..start + 2 * DAY_MINUTES).step_by(7) {
            let expected = model(zone.1, &days, (from, to), minute);
            prop_assert_eq!(silence.holds(Micros(minute * MINUTE)), expected, "minute {}", minute);
        }
    }
}

#[test]
fn hours_that_cross_midnight_belong_to_the_day_they_begin_on() {
    let friday = weekly("Europe/Berlin", &["fri"], "22:00", "06:00");
    // Friday, 2026-11-20, an hour ahead of UTC.
    assert!(!friday.holds(at("2026-11-20T20:59:59Z")) && friday.holds(at("2026-11-20T21:00:00Z")));
    assert!(friday.holds(at("2026-11-21T04:59:59Z")) && !friday.holds(at("2026-11-21T05:00:00Z")));
    assert!(!friday.holds(at("2026-11-20T03:00:00Z")), "the morning before is Thursday's");
}

#[test]
fn an_hour_that_comes_twice_is_quiet_twice_and_one_that_is_left_out_never() {
    let night = weekly("Europe/Berlin", &["sun"], "02:00", "03:00");
    let quiet = |day: &str| (0..180).filter(|minute| night.holds(Micros(at(day).0 + minute * MINUTE))).count();
    assert_eq!(quiet("2026-10-25T00:00:00Z"), 120, "set back");
    assert_eq!(quiet("2026-03-29T00:00:00Z"), 0, "set forward");
    assert_eq!(quiet("2026-11-22T00:00:00Z"), 60);
}

#[test]
fn equal_times_are_a_whole_day_and_24_00_ends_one() {
    let whole = weekly("UTC", &["fri"], "09:00", "09:00");
    assert!(whole.holds(at("2026-11-20T09:00:00Z")) && whole.holds(at("2026-11-21T08:59:00Z")));
    assert!(!whole.holds(at("2026-11-20T08:59:00Z")) && !whole.holds(at("2026-11-21T09:00:00Z")));
    let day = weekly("UTC", &["fri"], "00:00", "24:00");
    assert!(day.holds(at("2026-11-20T23:59:59Z")) && !day.holds(at("2026-11-21T00:00:00Z")));
}

#[test]
fn a_silence_holds_from_its_start_to_before_its_end() {
    let (start, end) = ("2026-11-20T10:00:00Z", "2026-11-20T12:00:00Z");
    let silence = silence(json!({ "starts_at": start, "ends_at": end })).unwrap();
    assert!(!silence.holds(at("2026-11-20T09:59:59.999999Z")) && silence.holds(at(start)));
    assert!(silence.holds(at("2026-11-20T11:59:59.999999Z")) && !silence.holds(at(end)));
}

#[test]
fn every_condition_of_a_matcher_must_hold() {
    let (server, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let silence = silence(json!({ "matcher": {
        "rules": [7], "servers": [server], "severities": ["warning"], "server_labels": { "rack": "7" },
    } }))
    .unwrap();
    let labels = crate::model::Labels::new(vec![("rack".into(), "7".into())]).unwrap();
    let of = |owner| Belonging { owner, labels: labels.clone() };
    let silent = |rule: i64, severity, server, belonging: &Belonging| {
        let subject = Subject { rule: Some(RuleId(rule)), severity };
        is_silent([&silence], subject, Micros(1), |reach| reach.covers(server, belonging))
    };
    assert!(silent(7, Severity::Warning, server, &of(None)));
    assert!(!silent(8, Severity::Warning, server, &of(None)));
    assert!(!silent(7, Severity::Critical, server, &of(None)));
    assert!(!silent(7, Severity::Warning, other, &of(None)));
    assert!(!silent(7, Severity::Warning, server, &Belonging::default()), "without the label");
    assert!(!silent(7, Severity::Warning, server, &of(Some(UserId(1)))), "a person's is not the fleet's");
}

#[test]
fn everything_that_is_wrong_is_told_at_once_by_name() {
    let faults = silence(json!({
        "matcher": { "severities": ["bad"], "server_labels": { "a": 1 } }, "starts_at": "soon",
        "ends_at": "1969-01-01T00:00:00Z",
        "weekly": { "timezone": "Mars/Olympus", "days": ["fre"], "from": "9:00", "to": "24:01" },
    }))
    .unwrap_err();
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    let expected = [
        "matcher.severities",
        "matcher.server_labels",
        "starts_at",
        "ends_at",
        "weekly.timezone",
        "weekly.days",
        "weekly.from",
        "weekly.to",
    ];
    assert_eq!(fields, expected);
}
