//! The judge against a model that keeps every sample and works everything out from all of them each time.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::court::{Court, SERIES, at, seconds};
use crate::alert::judge::Reading;
use crate::alert::rule::{Aggregate, Compare, Condition, Flap, NoData, Rule, Window};
use crate::matching::{Conditions, Filter};
use crate::model::alert::{Happened, Phase, RuleId, Severity, State};
use crate::model::{Reach, SeriesId};

/// Happened, told, sample time in seconds, bits of the value.
type Said = (Happened, bool, Option<i64>, Option<u64>);

#[derive(Clone, Debug)]
enum Event {
    /// Samples that come so many seconds later, at times relative to that.
    Flush(i64, Vec<(i64, f64)>),
    Tick(i64),
    Acknowledge,
    TakeOver,
}

/// Times in seconds; no two of the clock's spans end together, because they are half seconds and samples come at whole ones.
struct Model {
    rule: Arc<Rule>,
    judged: Vec<(i64, f64)>,
    heard: Option<i64>,
    phase: Option<Phase>,
    since: i64,
    value: Option<f64>,
    /// Whether it fires because nothing came.
    is_missing: bool,
    /// Whether it fires beneath the flapping, or without any.
    is_on: bool,
    is_flapping: bool,
    flips: Vec<i64>,
    is_told: bool,
    told_at: Option<f64>,
    said: Vec<Said>,
}

impl Model {
    fn new(rule: Arc<Rule>) -> Self {
        Self {
            rule,
            judged: Vec::new(),
            heard: None,
            phase: None,
            since: 0,
            value: None,
            is_missing: false,
            is_on: false,
            is_flapping: false,
            flips: Vec::new(),
            is_told: false,
            told_at: None,
            said: Vec::new(),
        }
    }

    fn sample(&mut self, time: i64, value: f64, received: i64) {
        self.heard = self.heard.max(Some(received));
        let cause = (received, Some((time, value)));
        if let Condition::Absent { .. } = self.rule.condition {
            if self.is_on {
                self.resolve(cause);
            }
            return;
        }
        if self.judged.last().is_some_and(|(last, _)| *last >= time) {
            return;
        }
        self.judged.push((time, value));
        let value = self.windowed();
        let cause = (received, Some((time, value)));
        let (is_met, is_over) = verdict(&self.rule.condition, value);
        if self.is_on {
            if is_over || (self.is_missing && !is_met) {
                self.resolve(cause);
            } else if is_met && self.is_missing {
                (self.is_missing, self.value) = (false, Some(value));
            }
        } else if self.is_flapping {
            if is_met {
                self.fire(cause);
            }
        } else if !is_met {
            if self.phase == Some(Phase::Pending) {
                self.phase = Some(Phase::Resolved);
            }
        } else {
            if self.phase != Some(Phase::Pending) {
                (self.phase, self.since) = (Some(Phase::Pending), time);
            }
            if time - self.since >= self.rule.pending.as_secs() as i64 {
                self.fire(cause);
            }
        }
    }

    fn tick(&mut self, now: i64) {
        loop {
            let heard = self.heard;
            let silent = |after: Duration| heard.is_some_and(|heard| now as f64 >= heard as f64 + secs(after));
            match (self.rule.condition, self.rule.no_data) {
                (Condition::Absent { after }, _) if !self.is_on && silent(after + self.rule.pending) => {
                    self.fire((now, None));
                }
                (Condition::Absent { .. }, _) if self.say_what_is_due(now) => {}
                (Condition::Absent { .. }, _) => return,
                (_, NoData::Fire { after }) if !self.is_on && silent(after) => self.fire((now, None)),
                (_, NoData::Resolve { after }) if self.is_on && silent(after) => self.resolve((now, None)),
                (_, NoData::Resolve { after }) if self.phase == Some(Phase::Pending) && silent(after) => {
                    self.phase = Some(Phase::Resolved);
                }
                _ if self.say_what_is_due(now) => {}
                _ => return,
            }
        }
    }

    fn say_what_is_due(&mut self, now: i64) -> bool {
        if self.is_flapping {
            let within = secs(self.rule.flap.unwrap().within);
            if (now as f64) < *self.flips.last().unwrap() as f64 + within {
                return false;
            }
            self.is_flapping = false;
            self.flips.clear();
            if !self.is_on {
                self.phase = Some(Phase::Resolved);
                self.say((now, None), Happened::Resolved, self.rule.tells_recovery);
            }
            return true;
        }
        if self.phase != Some(Phase::Firing) {
            return false;
        }
        let Some(told_at) = self.told_at else { return false };
        let cooldown = secs(self.rule.cooldown);
        let wait = match self.rule.repeat {
            _ if !self.is_told => cooldown,
            Some(repeat) => secs(repeat).max(cooldown),
            None => return false,
        };
        let is_due = now as f64 >= told_at + wait;
        if is_due {
            (self.is_told, self.told_at) = (true, Some(now as f64));
            self.said.push((Happened::Reminder, true, None, self.value.map(f64::to_bits)));
        }
        is_due
    }

    fn fire(&mut self, cause: (i64, Option<(i64, f64)>)) {
        self.is_on = true;
        (self.is_missing, self.value) = (cause.1.is_none(), cause.1.map(|(_, value)| value));
        self.is_told = false;
        if self.flip(cause.0) {
            return;
        }
        self.phase = Some(Phase::Firing);
        if self.is_flapping {
            self.is_told = true;
            return self.say(cause, Happened::Suppressed, true);
        }
        let cooled = |told: f64| cause.0 as f64 >= told + secs(self.rule.cooldown);
        self.is_told = self.told_at.is_none_or(cooled);
        let happened = if cause.1.is_some() { Happened::Firing } else { Happened::NoData };
        self.say(cause, happened, self.is_told);
    }

    fn resolve(&mut self, cause: (i64, Option<(i64, f64)>)) {
        self.is_on = false;
        if self.flip(cause.0) {
            return;
        }
        if self.is_flapping {
            return self.say(cause, Happened::Suppressed, true);
        }
        self.phase = Some(Phase::Resolved);
        self.say(cause, Happened::Resolved, self.is_told && self.rule.tells_recovery);
    }

    /// Returns whether it flapped before.
    fn flip(&mut self, now: i64) -> bool {
        let Some(flap) = self.rule.flap else { return false };
        let was_flapping = self.is_flapping;
        self.flips.push(now);
        let recent = self.flips.iter().filter(|flip| **flip as f64 + secs(flap.within) > now as f64).count();
        self.is_flapping = was_flapping || recent > usize::from(flap.changes);
        was_flapping
    }

    fn say(&mut self, (now, sample): (i64, Option<(i64, f64)>), happened: Happened, tells: bool) {
        if tells {
            self.told_at = Some(now as f64);
        }
        self.said.push((happened, tells, sample.map(|(time, _)| time), sample.map(|(_, value)| value.to_bits())));
    }

    fn windowed(&self) -> f64 {
        let (newest, value) = *self.judged.last().unwrap();
        let Some(Window { aggregate, over }) = self.rule.window else { return value };
        let begin = newest - over.as_secs() as i64;
        let counts = |value: f64| if aggregate == Aggregate::Increase { value.is_finite() } else { !value.is_nan() };
        let within: Vec<(i64, f64)> =
            self.judged.iter().copied().filter(|(time, value)| *time > begin && counts(*value)).collect();
        let values: Vec<f64> = within.iter().map(|(_, value)| *value).collect();
        let count = values.len() as f64;
        if values.is_empty() {
            return if aggregate == Aggregate::Count { 0.0 } else { f64::NAN };
        }
        let (first, last) = (within[0], within[within.len() - 1]);
        match aggregate {
            Aggregate::Average => values.iter().sum::<f64>() / count,
            Aggregate::Sum => values.iter().sum(),
            Aggregate::Count => count,
            Aggregate::Minimum => values.iter().copied().reduce(f64::min).unwrap(),
            Aggregate::Maximum => values.iter().copied().reduce(f64::max).unwrap(),
            Aggregate::Change => last.1 - first.1,
            Aggregate::Rate => (last.1 - first.1) / (last.0 - first.0) as f64,
            Aggregate::Increase => {
                let steps = values.windows(2).map(|pair| if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] });
                steps.fold(0.0, |sum, step| sum + step)
            }
        }
    }
}

fn secs(of: Duration) -> f64 {
    of.as_secs_f64()
}

/// Whether the condition holds, and whether it is over.
fn verdict(condition: &Condition, value: f64) -> (bool, bool) {
    match *condition {
        Condition::Compare { compare: Compare::Greater, threshold, recovery } => {
            (value > threshold, value.is_nan() || value <= recovery)
        }
        Condition::Compare { compare: Compare::Less, threshold, recovery } => {
            (value < threshold, value.is_nan() || value >= recovery)
        }
        Condition::Compare { threshold, .. } => (value != threshold, value == threshold),
        Condition::Outside { low, high, recovery_low, recovery_high } => {
            (value < low || value > high, (recovery_low..=recovery_high).contains(&value))
        }
        Condition::Absent { .. } => (false, true),
    }
}

fn half(seconds: u64) -> Duration {
    Duration::from_millis(seconds * 1000 + 500)
}

fn conditions() -> impl Strategy<Value = Condition> {
    let compare = |compare, threshold, recovery| Condition::Compare { compare, threshold, recovery };
    prop::sample::select(vec![
        compare(Compare::Greater, 5.0, 3.0),
        compare(Compare::Greater, 5.0, 5.0),
        compare(Compare::Less, 3.0, 5.0),
        compare(Compare::NotEqual, 2.0, 2.0),
        Condition::Outside { low: 2.0, high: 7.0, recovery_low: 3.0, recovery_high: 6.0 },
        Condition::Absent { after: half(10) },
    ])
}

fn windows() -> impl Strategy<Value = Option<Window>> {
    use Aggregate::{Average, Change, Count, Increase, Maximum, Minimum, Rate, Sum};
    let all = vec![Average, Minimum, Maximum, Sum, Count, Change, Rate, Increase];
    let window = (prop::sample::select(all), prop::sample::select(vec![1, 10, 60]));
    prop::option::of(window.prop_map(|(aggregate, over)| Window { aggregate, over: Duration::from_secs(over) }))
}

fn rules() -> impl Strategy<Value = Arc<Rule>> {
    let flap = (2..5_u8).prop_map(|changes| Flap { changes, within: half(20) });
    let no_data = vec![NoData::Keep, NoData::Resolve { after: half(12) }, NoData::Fire { after: half(12) }];
    let spans = (
        prop::sample::select(vec![0_u64, 0, 5, 20]),
        prop::sample::select(vec![Duration::ZERO, half(30)]),
        prop::option::of(Just(half(20))),
    );
    let rest = (prop::option::of(flap), prop::sample::select(no_data), any::<bool>());
    (conditions(), windows(), spans, rest).prop_map(|(condition, window, spans, rest)| {
        let (pending, cooldown, repeat) = spans;
        let (flap, no_data, tells_recovery) = rest;
        let named = Conditions { metric_name: vec!["user".to_owned()], ..Conditions::default() };
        Arc::new(Rule {
            id: RuleId(1),
            version: 1,
            name: "rule".to_owned(),
            reach: Reach::everything(),
            filter: Filter::new(&named, Reach::everything()).unwrap(),
            condition,
            window: window.filter(|_| !matches!(condition, Condition::Absent { .. })),
            pending: Duration::from_secs(pending),
            severity: Severity::Info,
            cooldown,
            repeat,
            tells_recovery,
            flap,
            no_data,
            notes: String::new(),
            recipients: Vec::new(),
        })
    })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let values = prop::sample::select(vec![0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 8.0, f64::NAN, f64::INFINITY, -1.0]);
    let samples = prop::collection::vec((-6..4_i64, values), 1..4);
    let event = prop_oneof![
        8 => (0..8_i64, samples).prop_map(|(later, samples)| Event::Flush(later, samples)),
        4 => (0..25_i64).prop_map(Event::Tick),
        1 => Just(Event::Acknowledge),
        1 => Just(Event::TakeOver),
    ];
    prop::collection::vec(event, 1..60)
}

/// A court that goes on from what another one stored.
fn taken_over(rule: &Arc<Rule>, state: Option<&State>, past: &[Reading]) -> Court {
    let mut court = Court::new(&[Arc::clone(rule)]);
    court.judge.restore(state.cloned().into_iter().collect());
    for reading in past {
        assert_eq!(court.stored(SERIES, *reading), [], "what was found before is not found again");
    }
    if let Some(last) = past.last() {
        court.judge.heard(SeriesId(SERIES), last.received);
    }
    court
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn the_judge_finds_what_all_samples_together_say_whoever_takes_over_in_between(
        rule in rules(),
        events in events(),
    ) {
        let (mut court, mut model) = (Court::new(&[Arc::clone(&rule)]), Model::new(Arc::clone(&rule)));
        let (mut now, mut past, mut stored) = (1_000, Vec::new(), None);
        for event in events {
            match event {
                Event::Flush(later, samples) => {
                    now += later;
                    let mut samples: Vec<_> = samples.iter().map(|(time, value)| (SERIES, now + time, *value)).collect();
                    samples.sort_by_key(|(_, time, _)| *time);
                    court.flush(now, &samples);
                    for (_, time, value) in samples {
                        past.push(Reading { time: at(time), value, received: at(now) });
                        model.sample(time, value, now);
                    }
                }
                Event::Tick(later) => {
                    now += later;
                    court.tick(now);
                    model.tick(now);
                }
                Event::Acknowledge => {
                    court.acknowledge(now, "ann");
                    if model.phase == Some(Phase::Firing) {
                        model.phase = Some(Phase::Acknowledged);
                        model.said.push((Happened::Acknowledged, false, None, model.value.map(f64::to_bits)));
                    }
                }
                Event::TakeOver => {
                    court = taken_over(&rule, stored.as_ref(), &past);
                    prop_assert!(court.found.is_empty(), "{:?}", court.found);
                }
            }
            let found: Vec<Said> = court.found.iter().filter_map(|change| {
                let value = change.value.map(f64::to_bits);
                Some((change.happened?, change.tells, change.sample_time.map(seconds), value))
            }).collect();
            prop_assert_eq!(found, std::mem::take(&mut model.said), "at {}", now);
            stored = court.found.last().map(|change| change.state.clone()).or(stored);
            prop_assert_eq!(court.phase(), model.phase, "at {}", now);
        }
    }
}
