//! What samples do: thresholds, waiting, windows, late samples, and who is told.

use serde_json::json;

use super::court::{Court, SERIES, at, on_user, over_90, rule};
use crate::alert::judge::Trial;
use crate::model::alert::{Happened, Phase};
use Happened::{Firing, Reminder, Resolved};

fn court(more: serde_json::Value) -> Court {
    Court::new(&[rule(1, 1, on_user(over_90(), more))])
}

#[test]
fn a_rule_fires_above_its_threshold_and_is_over_at_its_recovery() {
    let condition = json!({"op": "gt", "threshold": 90, "recovery": 80});
    let mut court = Court::new(&[rule(1, 1, on_user(condition, json!({})))]);
    assert_eq!(court.sample(0, 90.0), []);
    assert_eq!(court.sample(1, 90.5), [(Firing, true)]);
    let state = court.state();
    assert_eq!((state.since, state.value, state.judged_until), (at(1), Some(90.5), Some(at(1))));
    assert_eq!((state.fired_at, state.told_at, state.series.unwrap().0), (Some(at(1)), Some(at(1)), SERIES));
    assert_eq!(court.sample(2, 85.0), [], "between the two it stays as it is");
    assert_eq!(court.sample(3, 80.0), [(Resolved, true)]);
    assert_eq!((court.state().phase, court.state().since), (Phase::Resolved, at(3)));
    assert_eq!(court.sample(4, 85.0), [], "between the two it stays as it is");
}

#[test]
fn a_rule_that_waits_fires_with_the_first_sample_at_which_the_condition_has_held_for_long_enough() {
    let mut court = court(json!({"for": "10s"}));
    assert_eq!(court.sample(0, 95.0), []);
    assert_eq!((court.state().phase, court.state().since), (Phase::Pending, at(0)));
    assert_eq!(court.sample(9, 95.0), []);
    assert_eq!(court.flush(9, &[(SERIES, 11, 95.0)]), [(Firing, true)], "the times of the samples count");
    assert_eq!((court.state().since, court.state().fired_at), (at(11), Some(at(9))));
}

#[test]
fn a_sample_that_is_fine_ends_the_waiting_and_nobody_hears_of_it() {
    let condition = json!({"op": "gt", "threshold": 90, "recovery": 50});
    let mut court = Court::new(&[rule(1, 1, on_user(condition, json!({"for": "10s"})))]);
    court.sample(0, 95.0);
    assert_eq!(court.sample(5, 60.0), [], "it need not have recovered, as it did not fire");
    assert_eq!(court.state().phase, Phase::Resolved);
    assert_eq!(court.sample(6, 95.0), []);
    assert_eq!(court.sample(12, 95.0), []);
    assert_eq!(court.sample(16, 95.0), [(Firing, true)]);
}

#[test]
fn a_sample_that_is_not_later_than_the_last_one_changes_nothing() {
    let mut court = court(json!({}));
    court.sample(10, 95.0);
    assert_eq!(court.flush(11, &[(SERIES, 10, 1.0)]), []);
    assert_eq!(court.flush(11, &[(SERIES, 9, 1.0)]), []);
    assert!(court.found.is_empty());
    assert_eq!(court.flush(11, &[(SERIES, 11, 1.0), (SERIES, 12, 99.0)]), [(Resolved, true), (Firing, true)]);
}

#[test]
fn each_series_is_judged_by_itself_and_others_not_at_all() {
    let mut court = court(json!({}));
    assert_eq!(court.flush(0, &[(4, 0, 95.0), (5, 0, 95.0), (6, 0, 95.0), (8, 0, 5.0), (12, 0, 95.0)]).len(), 2);
    let series: Vec<u32> = court.found.iter().map(|change| change.series.id.0).collect();
    assert_eq!(series, [4, 12]);
    assert_eq!(court.judge.sizes().instances, 3);
    assert_eq!(court.flush(1, &[(4000, 0, 95.0)]), [], "nobody knows it");
}

#[test]
fn a_window_is_judged_with_every_sample() {
    let mut court = court(json!({"window": {"agg": "avg", "over": "10s"}}));
    assert_eq!(court.sample(0, 70.0), []);
    assert_eq!(court.sample(5, 100.0), []);
    assert_eq!(court.sample(9, 110.0), [(Firing, true)]);
    assert_eq!(court.found[0].value, Some(280.0 / 3.0));
    assert_eq!(court.sample(10, 60.0), [(Resolved, true)], "the first has left");
}

#[test]
fn within_the_cooldown_nobody_is_told_and_after_it_they_are_if_it_still_fires() {
    let mut court = court(json!({"cooldown": "60s"}));
    assert_eq!(court.sample(0, 95.0), [(Firing, true)]);
    assert_eq!(court.sample(10, 5.0), [(Resolved, true)], "the end of what they were told of is told");
    assert_eq!(court.sample(20, 95.0), [(Firing, false)]);
    assert_eq!(court.sample(30, 5.0), [(Resolved, false)], "they did not hear that it began");
    assert_eq!(court.sample(40, 95.0), [(Firing, false)]);
    assert_eq!(court.tick(69), []);
    assert_eq!(court.tick(70), [(Reminder, true)]);
    assert_eq!(court.tick(700), []);
    assert_eq!(court.sample(701, 5.0), [(Resolved, true)]);
}

#[test]
fn people_are_told_that_it_is_over_only_if_the_rule_says_so() {
    let mut court = court(json!({"notify_recovery": false}));
    court.sample(0, 95.0);
    assert_eq!(court.sample(1, 5.0), [(Resolved, false)]);
}

#[test]
fn nan_ends_what_a_comparison_found_and_is_never_above() {
    let mut court = court(json!({}));
    assert_eq!(court.sample(0, f64::NAN), []);
    assert_eq!(court.sample(1, f64::INFINITY), [(Firing, true)]);
    assert_eq!(court.sample(2, f64::NAN), [(Resolved, true)]);
    assert_eq!(court.found[0].value.map(f64::to_bits), Some(f64::NAN.to_bits()));
}

#[test]
fn a_trial_says_what_the_rule_would_have_done() {
    let form = on_user(over_90(), json!({"repeat": "1m", "no_data": {"then": "resolve", "after": "100s"}}));
    let mut trial = Trial::new(rule(1, 1, form));
    let mut said = Vec::new();
    for (second, value) in [(0, 5.0), (10, 95.0), (60, 96.0), (300, 97.0)] {
        trial.sample(at(second), value, &mut said);
    }
    trial.wait_until(at(310), &mut said);
    let said: Vec<_> = said.iter().map(|step| (step.at, step.happened.unwrap())).collect();
    let expected = [(10, Firing), (70, Reminder), (130, Reminder), (160, Resolved), (300, Firing)];
    assert_eq!(said, expected.map(|(second, happened)| (at(second), happened)));
    assert_eq!(trial.phase(), Some(Phase::Firing));
}
