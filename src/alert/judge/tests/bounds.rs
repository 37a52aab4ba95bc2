//! What happens where there is no more room.

use std::sync::Arc;

use serde_json::json;

use super::court::{Court, at, on_user, over_90, rule};
use crate::alert::judge::{Judge, TICK_CHANGES_MAX, WINDOWS_BYTES_MAX};
use crate::matching::fixtures::{Directory, directory, series};
use crate::model::alert::{Happened, RuleId};
use crate::model::{SeriesDirectory, SeriesId};
use Happened::Firing;

fn judge(instances_max: usize, window_bytes_max: usize) -> Judge {
    Judge::with_bounds(Arc::new(directory()) as Arc<dyn SeriesDirectory>, instances_max, window_bytes_max)
}

#[test]
fn a_series_beyond_the_bound_is_not_judged_and_the_rule_says_so() {
    let mut court = Court::of(judge(2, WINDOWS_BYTES_MAX), &[rule(1, 1, on_user(over_90(), json!({})))]);
    let all = [(0, 0, 95.0), (4, 0, 95.0), (8, 0, 95.0)];
    assert_eq!(court.flush(0, &all), [(Firing, true), (Firing, true)]);
    assert_eq!((court.judge.unjudged(RuleId(1)), court.judge.sizes().unjudged), (1, 1));
    let server = "00000000-0000-0000-0000-000000000002";
    court.put(&rule(1, 2, json!({"server_id": server, "metric_name": "user", "condition": over_90()})));
    court.tick(1);
    assert_eq!(court.flush(2, &[(8, 2, 95.0)]), [(Firing, true)], "there is room again");
}

#[test]
fn a_window_for_which_there_is_no_room_is_not_judged_and_the_rule_says_so() {
    let form = on_user(over_90(), json!({"window": {"agg": "max", "over": "60s"}}));
    let mut court = Court::of(judge(100, 8 * 24), &[rule(1, 1, form)]);
    assert_eq!(court.flush(0, &[(0, 0, 95.0), (4, 0, 95.0)]), [(Firing, true)]);
    assert_eq!(court.judge.unjudged(RuleId(1)), 1);
    assert_eq!(court.judge.sizes().window_bytes, 8 * 24);
    court.judge.remove_rule(RuleId(1));
    court.tick(1);
    assert_eq!((court.judge.sizes().window_bytes, court.judge.sizes().instances), (0, 0));
}

#[test]
fn what_one_tick_leaves_the_next_one_finds() {
    let all = TICK_CHANGES_MAX as u32 + 5;
    let directory = Directory((0..all).map(|id| Arc::new(series(id, 1, "cpu", "user", &[]))).collect());
    let absent = rule(1, 1, on_user(json!({"op": "absent", "after": "60s"}), json!({})));
    let mut court = Court::over(directory, &[absent]);
    (0..all).for_each(|id| court.judge.heard(SeriesId(id), at(0)));
    assert_eq!(court.tick(60).len(), TICK_CHANGES_MAX);
    assert_eq!(court.tick(60).len(), 5);
    assert_eq!(court.tick(60).len(), 0);
    court.judge.put_rule(rule(1, 2, json!({"metric_name": "idle", "condition": over_90()}))).unwrap();
    assert_eq!(court.tick(61).len(), TICK_CHANGES_MAX);
    assert_eq!(court.tick(62).len(), 5);
    assert_eq!(court.judge.sizes().instances, 0);
}

#[test]
fn many_rules_at_once_are_matched_with_the_series_that_come_next() {
    let mut court = Court::new(&[]);
    court.flush(0, &(0..40).map(|id| (id, 0, 95.0)).collect::<Vec<_>>());
    for id in 0..200 {
        court.judge.put_rule(rule(id, 1, on_user(over_90(), json!({})))).unwrap();
    }
    while !court.judge.match_some() {}
    assert_eq!(court.flush(1, &[(4, 1, 95.0), (5, 1, 95.0)]).len(), 200);
    for id in 0..100 {
        court.judge.remove_rule(RuleId(id));
    }
    while !court.judge.match_some() {}
    court.tick(2);
    assert_eq!(court.judge.sizes().instances, 100);
    court.put(&rule(500, 1, on_user(over_90(), json!({}))));
    assert_eq!(court.flush(3, &[(4, 3, 5.0), (8, 3, 95.0)]).len(), 100 + 101);
}
