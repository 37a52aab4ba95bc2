//! A judge over forty series, and words for what it finds.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::alert::definition::{Definition, Head};
use crate::alert::judge::{Change, Judge, Reading};
use crate::alert::rule::Rule;
use crate::matching::fixtures::{Directory, directory};
use crate::model::alert::{Happened, Phase, RuleId, State};
use crate::model::{Batch, Committed, Micros, Origin, Reach, SeriesId};

/// `cpu/user` of the server 1.
pub(super) const SERIES: u32 = 4;
const BEGIN: i64 = 1_763_632_800;

/// A moment, in seconds since the test began.
pub(super) fn at(seconds: i64) -> Micros {
    Micros((BEGIN + seconds) * Micros::PER_SECOND)
}

pub(super) fn seconds(time: Micros) -> i64 {
    time.0 / Micros::PER_SECOND - BEGIN
}

pub(super) fn rule(id: i64, version: i64, form: Value) -> Arc<Rule> {
    let definition: Definition = serde_json::from_value(form).unwrap();
    let head = Head { id: RuleId(id), version, name: "rule".to_owned(), reach: Reach::everything() };
    Arc::new(definition.rule(head).unwrap())
}

/// A rule on `cpu/user` of all servers, with these members besides.
pub(super) fn on_user(condition: Value, more: Value) -> Value {
    let mut form = json!({"metric_type": "cpu", "metric_name": "user", "condition": condition});
    if let (Some(form), Value::Object(more)) = (form.as_object_mut(), more) {
        form.extend(more);
    }
    form
}

pub(super) fn over_90() -> Value {
    json!({"op": "gt", "threshold": 90})
}

/// What happened, and whether people are told.
pub(super) type Word = (Happened, bool);

pub(super) struct Court {
    pub(super) judge: Judge,
    /// Of the last step that was taken.
    pub(super) found: Vec<Change>,
}

impl Court {
    pub(super) fn new(rules: &[Arc<Rule>]) -> Self {
        Self::of(Judge::new(Arc::new(directory())), rules)
    }

    pub(super) fn over(directory: Directory, rules: &[Arc<Rule>]) -> Self {
        Self::of(Judge::new(Arc::new(directory)), rules)
    }

    pub(super) fn of(judge: Judge, rules: &[Arc<Rule>]) -> Self {
        let mut court = Self { judge, found: Vec::new() };
        rules.iter().for_each(|rule| court.put(rule));
        court
    }

    pub(super) fn put(&mut self, rule: &Arc<Rule>) {
        self.judge.put_rule(Arc::clone(rule)).unwrap();
        while !self.judge.match_some() {}
    }

    /// A sample of [`SERIES`] that comes when it is taken.
    pub(super) fn sample(&mut self, second: i64, value: f64) -> Vec<Word> {
        self.flush(second, &[(SERIES, second, value)])
    }

    /// Samples of series, seconds and values that come together.
    pub(super) fn flush(&mut self, received: i64, samples: &[(u32, i64, f64)]) -> Vec<Word> {
        let mut batch = Batch::default();
        for (series, second, value) in samples {
            batch.push(SeriesId(*series), at(*second), *value);
        }
        let flush = Committed { origin: Origin::default(), sequence: 1, committed_at: at(received), batch };
        self.found.clear();
        self.judge.judge(&flush, at(received), &mut self.found);
        self.words()
    }

    pub(super) fn stored(&mut self, series: u32, reading: Reading) -> Vec<Word> {
        self.found.clear();
        self.judge.judge_stored(SeriesId(series), reading, &mut self.found);
        self.words()
    }

    pub(super) fn tick(&mut self, now: i64) -> Vec<Word> {
        self.found.clear();
        self.judge.tick(at(now), &mut self.found);
        self.words()
    }

    pub(super) fn acknowledge(&mut self, now: i64, by: &str) -> bool {
        self.found.clear();
        self.judge.acknowledge((RuleId(1), SeriesId(SERIES)), by, at(now), &mut self.found)
    }

    /// How rule 1 stands with [`SERIES`].
    pub(super) fn phase(&mut self) -> Option<Phase> {
        let (place, number) = (self.judge.watched.place(SeriesId(SERIES))?, self.judge.book.number(RuleId(1))?);
        self.judge.watched.at(place).entry(number)?.instance.phase()
    }

    pub(super) fn state(&self) -> State {
        self.found.last().unwrap().state.clone()
    }

    pub(super) fn words(&self) -> Vec<Word> {
        self.found.iter().filter_map(|change| Some((change.happened?, change.tells))).collect()
    }
}
