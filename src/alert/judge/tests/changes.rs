//! What becomes of alerts when rules and servers change, and when another node takes over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use uuid::Uuid;

use super::court::{Court, SERIES, at, on_user, over_90, rule};
use crate::alert::judge::Judge;
use crate::alert::rule::Rule;
use crate::matching::fixtures::{Directory, directory};
use crate::model::alert::{Happened, Phase, RuleId};
use crate::model::{Reach, Series, SeriesDirectory, SeriesId};
use Happened::{Firing, NoData, Resolved};

fn over(threshold: i64, version: i64) -> Arc<Rule> {
    rule(1, version, on_user(json!({"op": "gt", "threshold": threshold}), json!({})))
}

#[test]
fn a_changed_condition_is_judged_with_the_next_sample() {
    let mut court = Court::new(&[over(90, 1)]);
    court.sample(0, 95.0);
    court.put(&over(99, 2));
    assert_eq!(court.tick(1), []);
    assert_eq!(court.phase(), Some(Phase::Firing));
    assert_eq!(court.sample(2, 98.0), [(Resolved, true)]);
    assert_eq!(court.found[0].rule.version, 2);
}

#[test]
fn what_a_rule_no_longer_watches_is_ended_and_nobody_is_told() {
    let mut court = Court::new(&[over(90, 1)]);
    court.flush(0, &[(4, 0, 95.0), (5, 0, 95.0), (8, 0, 95.0)]);
    let server = Uuid::from_u128(2).to_string();
    court.put(&rule(1, 2, json!({"server_id": server, "condition": over_90()})));
    assert_eq!(court.flush(1, &[(4, 1, 5.0)]), [], "it is not judged by it any more");
    assert_eq!(court.tick(2), [(Resolved, false)]);
    assert_eq!(court.found[0].series.id, SeriesId(4));
    assert_eq!(court.flush(3, &[(8, 3, 5.0), (9, 3, 95.0)]), [(Resolved, true), (Firing, true)], "these it watches");
    assert_eq!(court.judge.sizes().instances, 2);
}

#[test]
fn a_rule_that_is_removed_is_forgotten() {
    let mut court = Court::new(&[over(90, 1), rule(2, 1, on_user(over_90(), json!({})))]);
    court.sample(0, 95.0);
    court.judge.remove_rule(RuleId(1));
    assert_eq!(court.sample(1, 5.0), [(Resolved, true)], "the other one");
    assert_eq!(court.tick(2), []);
    assert_eq!((court.judge.sizes().rules, court.judge.sizes().instances), (1, 1));
    court.put(&over(90, 1));
    assert_eq!(court.sample(3, 95.0).len(), 2);
}

/// Series that belong to somebody until they do not.
struct Movable(Directory, AtomicBool);

impl SeriesDirectory for Movable {
    fn series(&self, id: SeriesId) -> Option<Arc<Series>> {
        self.0.series(id)
    }

    fn is_within(&self, server_id: Uuid, _: &Reach) -> bool {
        server_id != Uuid::from_u128(1) || !self.1.load(Ordering::Relaxed)
    }
}

#[test]
fn a_server_that_changes_hands_takes_its_alerts_with_it() {
    let directory = Arc::new(Movable(directory(), AtomicBool::new(false)));
    let judge = Judge::new(Arc::clone(&directory) as Arc<dyn SeriesDirectory>);
    let mut court = Court::of(judge, &[over(90, 1)]);
    court.flush(0, &[(4, 0, 95.0), (8, 0, 95.0)]);
    directory.1.store(true, Ordering::Relaxed);
    court.judge.unlearn(Uuid::from_u128(1));
    assert_eq!(court.flush(1, &[(4, 1, 5.0)]), [], "from this moment on");
    assert_eq!(court.tick(1), [(Resolved, false)]);
    directory.1.store(false, Ordering::Relaxed);
    court.judge.unlearn(Uuid::from_u128(1));
    assert_eq!(court.sample(2, 95.0), [(Firing, true)], "and back");
}

#[test]
fn whoever_takes_over_judges_no_sample_again() {
    let mut court = Court::new(&[over(90, 1)]);
    court.sample(10, 95.0);
    let state = court.state();
    let mut next = Court::new(&[over(90, 1)]);
    next.judge.restore(vec![state]);
    assert_eq!(next.sample(10, 5.0), []);
    assert_eq!(next.phase(), Some(Phase::Firing));
    assert_eq!(next.sample(11, 5.0), [(Resolved, true)]);
}

#[test]
fn what_was_stored_of_a_series_that_is_no_longer_watched_is_ended() {
    let mut court = Court::new(&[over(90, 1)]);
    court.sample(10, 95.0);
    let state = court.state();
    let mut next = Court::new(&[rule(1, 2, json!({"metric_type": "disk", "condition": over_90()}))]);
    next.judge.restore(vec![state]);
    assert_eq!(next.tick(11), [(Resolved, false)]);
    assert_eq!(next.state().phase, Phase::Resolved);
}

#[test]
fn windows_of_whoever_takes_over_are_filled_without_judging() {
    let window = json!({"window": {"agg": "sum", "over": "60s"}});
    let mut court = Court::new(&[rule(1, 1, on_user(over_90(), window))]);
    for second in 0..5 {
        court.judge.remember(SeriesId(SERIES), at(second), 30.0);
    }
    assert_eq!(court.phase(), None);
    assert_eq!(court.sample(5, 1.0), [(Firing, true)]);
    assert_eq!(court.found[0].value, Some(151.0));
}

#[test]
fn a_rule_that_begins_to_ask_for_silence_hears_of_it() {
    let mut court = Court::new(&[over(90, 1)]);
    court.sample(0, 5.0);
    let silent = json!({"no_data": {"then": "fire", "after": "60s"}});
    court.put(&rule(1, 2, on_user(over_90(), silent)));
    assert_eq!((court.tick(59), court.tick(60)), (vec![], vec![(NoData, true)]));
}
