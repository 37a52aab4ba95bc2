//! What the server's clock does: absence, reminders, flapping.

use serde_json::{Value, json};

use super::court::{Court, SERIES, Word, at, on_user, over_90, rule};
use crate::alert::judge::Reading;
use crate::model::SeriesId;
use crate::model::alert::{Happened, Phase};
use Happened::{Acknowledged, Firing, NoData, Reminder, Resolved, Suppressed};

fn court(more: Value) -> Court {
    Court::new(&[rule(1, 1, on_user(over_90(), more))])
}

fn absent() -> Court {
    Court::new(&[rule(1, 1, on_user(json!({"op": "absent", "after": "60s"}), json!({})))])
}

#[test]
fn people_are_reminded_while_it_fires_until_somebody_says_that_they_know() {
    let mut court = court(json!({"repeat": "60s"}));
    court.sample(0, 95.0);
    assert_eq!(court.tick(59), []);
    assert_eq!(court.tick(60), [(Reminder, true)]);
    assert_eq!((court.found[0].value, court.found[0].sample_time), (Some(95.0), None));
    assert_eq!(court.tick(119), []);
    assert_eq!(court.tick(121), [(Reminder, true)]);
    assert!(court.acknowledge(130, "ann"));
    assert_eq!(court.words(), [(Acknowledged, false)]);
    assert_eq!((court.state().phase, court.state().since), (Phase::Acknowledged, at(0)));
    assert_eq!(court.tick(1000), []);
    assert!(court.acknowledge(1001, "ann") && court.found.is_empty(), "once is enough");
    assert_eq!(court.sample(1002, 5.0), [(Resolved, true)]);
    assert!(!court.acknowledge(1003, "ann"));
    court.sample(1004, 95.0);
    assert_eq!(court.state().acknowledged_by, None, "that was another time");
}

#[test]
fn reminders_come_no_more_often_than_the_cooldown_lets_them() {
    let mut court = court(json!({"repeat": "60s", "cooldown": "90s"}));
    court.sample(0, 95.0);
    assert_eq!((court.tick(89), court.tick(90)), (vec![], vec![(Reminder, true)]));
}

#[test]
fn a_series_that_flaps_is_told_of_once_and_goes_on_firing_until_it_is_quiet() {
    let mut court = court(json!({"flap": {"changes": 3, "within": "60s"}, "repeat": "60s"}));
    let each: Vec<Vec<Word>> = (0..7).map(|turn| court.sample(turn * 10, [95.0, 5.0][turn as usize % 2])).collect();
    let expected: [&[Word]; 7] =
        [&[(Firing, true)], &[(Resolved, true)], &[(Firing, true)], &[(Suppressed, true)], &[], &[], &[]];
    assert_eq!(each, expected);
    assert_eq!(court.phase(), Some(Phase::Firing));
    assert_eq!(court.sample(70, 5.0), []);
    assert_eq!(court.tick(129), [], "nobody is reminded of it either");
    assert_eq!(court.tick(131), [(Resolved, true)]);
    assert_eq!(court.sample(140, 95.0), [(Firing, true)], "all is forgotten");
}

#[test]
fn a_series_that_fires_when_it_is_quiet_at_last_goes_on_firing() {
    let mut court = court(json!({"flap": {"changes": 2, "within": "60s"}}));
    for turn in 0..5 {
        court.sample(turn, [95.0, 5.0][turn as usize % 2]);
    }
    assert_eq!(court.tick(64), [(Reminder, true)], "it is told that this is no flapping any more");
    assert_eq!(court.phase(), Some(Phase::Firing));
    assert_eq!(court.sample(70, 5.0), [(Resolved, true)]);
}

#[test]
fn changes_that_are_far_apart_are_no_flapping() {
    let mut court = court(json!({"flap": {"changes": 2, "within": "60s"}}));
    for turn in 0..20 {
        let expected = [(Firing, true), (Resolved, true)][turn as usize % 2];
        assert_eq!(court.sample(turn * 30, [95.0, 5.0][turn as usize % 2]), [expected]);
    }
}

#[test]
fn a_series_that_sends_nothing_stays_as_it_was_unless_the_rule_says_otherwise() {
    let mut keep = court(json!({}));
    keep.sample(0, 95.0);
    assert_eq!(keep.tick(1_000_000), []);

    let mut resolve = court(json!({"no_data": {"then": "resolve", "after": "60s"}}));
    resolve.sample(0, 95.0);
    assert_eq!((resolve.tick(59), resolve.tick(60)), (vec![], vec![(Resolved, true)]));
    assert_eq!((resolve.state().since, resolve.state().value), (at(60), None));
    assert_eq!(resolve.sample(70, 95.0), [(Firing, true)]);
}

#[test]
fn a_series_that_sends_nothing_fires_as_missing_and_is_over_as_soon_as_something_comes_that_is_fine() {
    let condition = json!({"op": "gt", "threshold": 90, "recovery": 50});
    let form = on_user(condition, json!({"no_data": {"then": "fire", "after": "60s"}}));
    let mut court = Court::new(&[rule(1, 1, form)]);
    court.sample(0, 5.0);
    assert_eq!((court.tick(59), court.tick(60)), (vec![], vec![(NoData, true)]));
    assert_eq!((court.state().phase, court.state().since, court.state().value), (Phase::Firing, at(60), None));
    assert_eq!(court.sample(70, 60.0), [(Resolved, true)], "it never was above the threshold");
    court.tick(130);
    assert_eq!(court.sample(140, 95.0), [], "it goes on firing");
    assert_eq!(court.state().value, Some(95.0));
    assert_eq!(court.sample(150, 60.0), [], "by its value now");
    assert_eq!(court.sample(160, 50.0), [(Resolved, true)]);
}

#[test]
fn absence_is_judged_by_when_samples_came_and_ended_by_any() {
    let mut court = absent();
    assert_eq!(court.tick(1000), [], "it was never there");
    assert_eq!(court.flush(1000, &[(SERIES, 0, 5.0)]), []);
    assert_eq!((court.tick(1059), court.tick(1060)), (vec![], vec![(NoData, true)]));
    assert_eq!(court.tick(2000), []);
    assert_eq!(court.flush(2001, &[(SERIES, -5, 5.0)]), [(Resolved, true)], "a late one tells as much");
    assert_eq!(court.tick(2061), [(NoData, true)]);
    let old = Reading { time: at(100), value: 1.0, received: at(100) };
    assert_eq!(court.stored(SERIES, old), [], "it came before");
}

#[test]
fn absence_that_has_to_hold_fires_so_much_later() {
    let form = on_user(json!({"op": "absent", "after": "60s"}), json!({"for": "30s"}));
    let mut court = Court::new(&[rule(1, 1, form)]);
    court.sample(0, 1.0);
    assert_eq!((court.tick(89), court.tick(90)), (vec![], vec![(NoData, true)]));
}

#[test]
fn whoever_takes_over_goes_on_counting_from_when_series_were_last_heard_of() {
    let mut court = absent();
    court.judge.heard(SeriesId(SERIES), at(0));
    court.judge.heard(SeriesId(SERIES), at(-30));
    assert_eq!((court.tick(59), court.tick(60)), (vec![], vec![(NoData, true)]));
    let state = court.state();

    let mut next = absent();
    next.judge.restore(vec![state]);
    next.judge.heard(SeriesId(SERIES), at(0));
    assert_eq!(next.tick(100), [], "it was told before");
    assert_eq!(next.sample(101, 1.0), [(Resolved, true)]);
}

#[test]
fn series_nobody_was_heard_to_speak_of_are_not_missed() {
    let mut court = absent();
    assert_eq!(court.flush(0, &[(SERIES, 0, 1.0)]), []);
    assert_eq!(court.judge.sizes().instances, 1);
    assert_eq!(court.tick(60), [(NoData, true)]);
    assert_eq!(court.found.len(), 1);
}
