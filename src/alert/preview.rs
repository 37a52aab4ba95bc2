//! What a rule would have done to one series: the state machine that judges, over what is stored. Pure.
//!
//! Of a bucket the value counts that is the worst for the rule, so what would have fired fires here too; what would have
//! been over in between may not be, and times are as coarse as the buckets.

use std::sync::Arc;

use super::judge::{Step, Trial};
use super::rule::{Aggregate, Compare, Condition, Rule};
use crate::model::alert::Happened;
use crate::model::{Bucket, Micros};

/// Firings of one series that are told one by one; all are counted.
const FIRINGS_MAX: usize = 20;

#[derive(Debug)]
pub struct Preview {
    rule: Arc<Rule>,
    /// What happened before is not told.
    from: Micros,
    trial: Trial,
    said: Vec<Step>,
    open: Option<Firing>,
    outcome: Outcome,
}

/// What it would have done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The first of them, in order.
    pub firings: Vec<Firing>,
    pub fired: u64,
    /// How often people would have been told, had nothing been silenced.
    pub told: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Firing {
    pub at: Micros,
    /// Missing where nothing came.
    pub value: Option<f64>,
    /// `None`: it would still fire.
    pub over_at: Option<Micros>,
}

impl Preview {
    /// What is handed in from before `from` fills windows, and may fire already.
    pub fn new(rule: Arc<Rule>, from: Micros) -> Self {
        let trial = Trial::new(Arc::clone(&rule));
        Self { rule, from, trial, said: Vec::new(), open: None, outcome: Outcome::default() }
    }

    /// Samples, in the order of their times.
    pub fn samples(&mut self, times: &[Micros], values: &[f64]) {
        for (time, value) in times.iter().zip(values) {
            self.trial.sample(*time, *value, &mut self.said);
            self.hear();
        }
    }

    /// What is left of samples.
    pub fn buckets(&mut self, buckets: &[Bucket]) {
        for bucket in buckets {
            self.trial.sample(bucket.start, worst(&self.rule, bucket), &mut self.said);
            self.hear();
        }
    }

    /// Nothing more comes until `to`.
    pub fn finish(mut self, to: Micros) -> Outcome {
        self.trial.wait_until(to, &mut self.said);
        self.hear();
        self.close(None);
        self.outcome
    }

    fn hear(&mut self) {
        for step in std::mem::take(&mut self.said) {
            let at = step.sample_time.unwrap_or(step.at);
            self.outcome.told += u64::from(step.tells && at >= self.from);
            match step.happened {
                Some(Happened::Firing | Happened::NoData) => {
                    // What fires once more without having been over goes on.
                    let firing = Firing { at, value: step.value, over_at: None };
                    self.open.get_or_insert(firing);
                }
                Some(Happened::Resolved) => self.close(Some(at)),
                _ => {}
            }
        }
    }

    fn close(&mut self, over_at: Option<Micros>) {
        let Some(firing) = self.open.take() else { return };
        if over_at.is_some_and(|over_at| over_at < self.from) {
            return;
        }
        self.outcome.fired += 1;
        if self.outcome.firings.len() < FIRINGS_MAX {
            self.outcome.firings.push(Firing { over_at, ..firing });
        }
    }
}

/// The value within a bucket that is the worst for the rule, or the one that its window is best made of.
fn worst(rule: &Rule, bucket: &Bucket) -> f64 {
    let &Bucket { min, max, last, .. } = bucket;
    if let Some(window) = rule.window {
        return match window.aggregate {
            Aggregate::Average => bucket.sum / bucket.count.max(1) as f64,
            Aggregate::Minimum => min,
            Aggregate::Maximum => max,
            Aggregate::Sum => bucket.sum,
            // How many there were is not told by values: the window counts buckets.
            Aggregate::Count | Aggregate::Change | Aggregate::Rate | Aggregate::Increase => last,
        };
    }
    match rule.condition {
        Condition::Compare { compare: Compare::Greater | Compare::GreaterOrEqual, .. } => max,
        Condition::Compare { compare: Compare::Less | Compare::LessOrEqual, .. } => min,
        Condition::Compare { compare: Compare::Equal, threshold, .. } => {
            if (min..=max).contains(&threshold) {
                threshold
            } else {
                last
            }
        }
        Condition::Compare { compare: Compare::NotEqual, threshold, .. } => {
            [min, max].into_iter().find(|value| Compare::NotEqual.holds(*value, threshold)).unwrap_or(last)
        }
        Condition::Outside { low, high, .. } => match (min < low, max > high) {
            (true, _) => min,
            (_, true) => max,
            _ => last,
        },
        Condition::Absent { .. } => last,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::alert::definition::{Definition, Head};
    use crate::model::Reach;
    use crate::model::alert::RuleId;

    fn rule(form: Value) -> Arc<Rule> {
        let definition: Definition = serde_json::from_value(form).unwrap();
        let head = Head { id: RuleId(0), version: 0, name: "a".to_owned(), reach: Reach::fleet() };
        Arc::new(definition.rule(head).unwrap())
    }

    fn seconds(second: i64) -> Micros {
        Micros(second * Micros::PER_SECOND)
    }

    fn outcome(rule: Value, values: &[f64], from: i64) -> Outcome {
        let mut preview = Preview::new(self::rule(rule), seconds(from));
        let times: Vec<Micros> = (0..values.len() as i64).map(|place| seconds(10 * place)).collect();
        preview.samples(&times, values);
        preview.finish(seconds(1_000))
    }

    fn over_90() -> Value {
        json!({ "condition": { "op": "gt", "threshold": 90 } })
    }

    #[test]
    fn each_firing_is_told_with_its_end_and_how_often_people_would_have_been() {
        let found = outcome(over_90(), &[1.0, 95.0, 96.0, 2.0, 97.0], 0);
        let first = Firing { at: seconds(10), value: Some(95.0), over_at: Some(seconds(30)) };
        let second = Firing { at: seconds(40), value: Some(97.0), over_at: None };
        assert_eq!(found, Outcome { firings: vec![first, second], fired: 2, told: 3 });
    }

    #[test]
    fn what_was_over_before_is_not_told_and_what_still_fired_is() {
        let found = outcome(over_90(), &[95.0, 1.0, 95.0, 96.0, 1.0], 30);
        let firing = Firing { at: seconds(20), value: Some(95.0), over_at: Some(seconds(40)) };
        assert_eq!(found, Outcome { firings: vec![firing], fired: 1, told: 1 });
    }

    #[test]
    fn silence_after_the_last_sample_counts_up_to_the_end() {
        let found = outcome(json!({ "condition": { "op": "absent", "after": "5m" } }), &[1.0, 1.0], 0);
        assert_eq!(found.firings, [Firing { at: seconds(310), value: None, over_at: None }]);
    }

    #[test]
    fn all_firings_are_counted_and_the_first_are_told() {
        let values: Vec<f64> = (0..60).map(|place| f64::from(place % 2) * 99.0).collect();
        let found = outcome(over_90(), &values, 0);
        assert_eq!((found.fired, found.firings.len()), (30, FIRINGS_MAX));
    }

    #[test]
    fn of_a_bucket_the_worst_value_counts() {
        let bucket = Bucket { count: 4, sum: 40.0, min: 5.0, max: 20.0, first: 6.0, last: 9.0, ..Bucket::default() };
        let compare = |op: &str, threshold: f64| json!({ "condition": { "op": op, "threshold": threshold } });
        let window = |agg: &str| {
            let condition = json!({ "op": "gt", "threshold": 1 });
            json!({ "condition": condition, "window": { "agg": agg, "over": "5m" } })
        };
        for (form, value) in [
            (compare("gt", 1.0), 20.0),
            (compare("ge", 1.0), 20.0),
            (compare("lt", 1.0), 5.0),
            (compare("le", 1.0), 5.0),
            (compare("eq", 7.0), 7.0),
            (compare("eq", 70.0), 9.0),
            (compare("ne", 5.0), 20.0),
            (json!({ "condition": { "op": "outside", "low": 6, "high": 30 } }), 5.0),
            (json!({ "condition": { "op": "outside", "low": 1, "high": 10 } }), 20.0),
            (json!({ "condition": { "op": "outside", "low": 1, "high": 30 } }), 9.0),
            (window("avg"), 10.0),
            (window("min"), 5.0),
            (window("sum"), 40.0),
            (window("increase"), 9.0),
        ] {
            assert_eq!(worst(&rule(form.clone()), &bucket), value, "{form}");
        }
    }
}
