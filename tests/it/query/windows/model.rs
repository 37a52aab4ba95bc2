//! What the answer must be, worked out from every single sample.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::super::stored::{Samples, hour};
use super::{FIRST, HOUR, NOW, SECOND, SERIES};
use crate::harness::agents::rfc3339;

const STEPS: [(&str, i64); 8] =
    [("30s", 30), ("1m", 60), ("90s", 90), ("5m", 300), ("1h", 3_600), ("90m", 5_400), ("6h", 21_600), ("1d", 86_400)];
const FUNCTIONS: [&str; 12] =
    ["avg", "min", "max", "sum", "count", "rate", "increase", "first", "last", "p50", "p95", "p99"];
const GROUPS: [&str; 4] = ["", "server", "label.core", "metric_name"];
const FILLS: [&str; 3] = ["none", "null", "previous"];

/// Every sample, and which hours of which series have expired.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) series: Vec<Samples>,
    pub(super) to_minutes: BTreeSet<(usize, i64)>,
    pub(super) to_hours: BTreeSet<(usize, i64)>,
}

#[derive(Clone, Debug)]
pub(super) struct Question {
    from: i64,
    to: i64,
    step: usize,
    functions: Vec<usize>,
    group: usize,
    fill: usize,
    server: Option<usize>,
}

/// A group's name, then its points.
pub(super) type Groups = BTreeMap<String, Points>;
type Points = Vec<(i64, Vec<Option<f64>>)>;

#[derive(Debug)]
pub(super) enum Answer {
    Refused,
    Incomplete,
    Windows(Groups),
}

pub(super) fn question() -> impl Strategy<Value = Question> {
    let time =
        || prop_oneof![Just(FIRST), Just(NOW), FIRST..NOW, (0..(NOW - FIRST) / HOUR).prop_map(|at| FIRST + at * HOUR)];
    let functions = prop::collection::btree_set(0..FUNCTIONS.len(), 1..5);
    let (group, fill) = (0..GROUPS.len(), 0..FILLS.len());
    (time(), time(), 0..STEPS.len(), functions, group, fill, prop::option::of(0_usize..2)).prop_map(
        |(one, other, step, functions, group, fill, server)| {
            let is_of_one = |function: &usize| ["first", "last"].contains(&FUNCTIONS[*function]);
            let group = if functions.iter().any(is_of_one) { 0 } else { group };
            let functions = functions.into_iter().collect();
            Question { from: one.min(other), to: one.max(other), step, functions, group, fill, server }
        },
    )
}

impl Question {
    pub(super) fn path(&self, ids: &[String; 2]) -> String {
        let functions: Vec<&str> = self.functions.iter().map(|function| FUNCTIONS[*function]).collect();
        format!(
            "/api/v1/metrics?from={}&to={}&step={}&agg={}&group_by={}&fill={}&server_id={}",
            rfc3339(self.from),
            rfc3339(self.to),
            STEPS[self.step].0,
            functions.join(","),
            GROUPS[self.group],
            FILLS[self.fill],
            self.server.map_or("", |server| &ids[server]),
        )
    }

    pub(super) fn answer(&self, stored: &Stored, ids: &[String; 2]) -> Answer {
        let step = STEPS[self.step].1 * SECOND;
        let from = self.from.div_euclid(step) * step;
        let to = if self.from < self.to { (self.to + step - 1).div_euclid(step) * step } else { from };
        let wanted = |series: usize| self.server.is_none_or(|server| SERIES[series].0 == server);
        let hours = hour(from)..=hour(to - 1);
        let is_met = |expired: &BTreeSet<(usize, i64)>| {
            from < to && expired.iter().any(|(series, hour)| wanted(*series) && hours.contains(hour))
        };
        let (to_minutes, to_hours) = (is_met(&stored.to_minutes), is_met(&stored.to_hours));
        if self.functions.iter().any(|function| FUNCTIONS[*function].starts_with('p')) && (to_minutes || to_hours) {
            return Answer::Refused;
        }
        if (to_minutes && step % (60 * SECOND) != 0) || (to_hours && step % HOUR != 0) {
            return Answer::Incomplete;
        }
        let mut groups: BTreeMap<String, BTreeMap<i64, Window>> = BTreeMap::new();
        for (series, samples) in stored.series.iter().enumerate().filter(|(series, _)| wanted(*series)) {
            let (host, core) = SERIES[series];
            let name = match GROUPS[self.group] {
                "" => format!("{} {core}", ids[host]),
                "server" => format!("{} ", ids[host]),
                "label.core" => format!(" {core}"),
                _ => " ".to_owned(),
            };
            let group = groups.entry(name).or_default();
            let mut before = self.value_before(from, step, stored, series);
            for (&time, &value) in samples.range(from..to.max(from)).filter(|(_, value)| !value.is_nan()) {
                let window = group.entry(time.div_euclid(step) * step).or_default();
                window.increase += before.map_or(0.0, |before| if value < before { value } else { value - before });
                window.values.push(value);
                before = Some(value);
            }
        }
        Answer::Windows(groups.into_iter().filter_map(|(name, windows)| self.told(name, &windows, from, to)).collect())
    }

    /// The value that growth into the first window counts from: of the hour before when windows are made of hours,
    /// otherwise of five minutes, as far as what is left of it is fine enough.
    fn value_before(&self, from: i64, step: i64, stored: &Stored, series: usize) -> Option<f64> {
        let needs_samples = self.functions.iter().any(|function| FUNCTIONS[*function].starts_with('p'));
        let (of_minutes, of_hours) = (!needs_samples && step % (60 * SECOND) == 0, !needs_samples && step % HOUR == 0);
        let length = if of_hours { HOUR } else { 300 * SECOND };
        let is_left = |time: i64| {
            let place = (series, hour(time));
            (of_minutes || !stored.to_minutes.contains(&place)) && (of_hours || !stored.to_hours.contains(&place))
        };
        let mut samples = stored.series[series].range(from - length..from).rev();
        samples.find(|(time, value)| !value.is_nan() && is_left(**time)).map(|(_, value)| *value)
    }

    fn told(&self, name: String, windows: &BTreeMap<i64, Window>, from: i64, to: i64) -> Option<(String, Points)> {
        let step = STEPS[self.step].1 * SECOND;
        let (mut points, mut last) = (Vec::new(), vec![None; self.functions.len()]);
        let mut time = from;
        while time < to {
            let values = windows.get(&time).map(|window| {
                self.functions.iter().map(|function| Some(window.told(FUNCTIONS[*function], step))).collect::<Vec<_>>()
            });
            match (values, FILLS[self.fill]) {
                (Some(values), _) => {
                    last.clone_from(&values);
                    points.push((time, values));
                }
                (None, "null") => points.push((time, vec![None; self.functions.len()])),
                (None, "previous") => points.push((time, last.clone())),
                _ => {}
            }
            time += step;
        }
        (FILLS[self.fill] != "none" || !points.is_empty()).then_some((name, points))
    }
}

#[derive(Debug, Default)]
struct Window {
    /// In order of time, as far as one series goes.
    values: Vec<f64>,
    increase: f64,
}

impl Window {
    fn told(&self, function: &str, step: i64) -> f64 {
        let sum: f64 = self.values.iter().sum();
        let count = self.values.len() as f64;
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        match function {
            "avg" => sum / count,
            "min" => sorted[0],
            "max" => *sorted.last().unwrap(),
            "sum" => sum,
            "count" => count,
            "first" => self.values[0],
            "last" => *self.values.last().unwrap(),
            "increase" => self.increase,
            "rate" => self.increase / (step / SECOND) as f64,
            percentile => {
                let place = (count - 1.0) * percentile[1..].parse::<f64>().unwrap() / 100.0;
                let (low, high) = (sorted[place as usize], sorted[place.ceil() as usize]);
                low + (high - low) * place.fract()
            }
        }
    }
}

/// An answer as the model tells it.
pub(super) fn read(answer: &Value) -> Groups {
    let group = |group: &Value| {
        let server = group["server_id"].as_str().unwrap_or_default();
        let core = group["labels"]["core"].as_str().unwrap_or_default();
        let point = |point: &Value| {
            let time = point[0].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_microsecond();
            (time, point.as_array().unwrap()[1..].iter().map(Value::as_f64).collect())
        };
        (format!("{server} {core}"), group["points"].as_array().unwrap().iter().map(point).collect())
    };
    answer["series"].as_array().unwrap().iter().map(group).collect()
}

/// Sums are compared up to their last digits, which depend on the order of adding.
#[track_caller]
pub(super) fn assert_same(found: &Groups, expected: &Groups, question: &str) {
    let is_near = |found: &Option<f64>, expected: &Option<f64>| match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-9 * expected.abs().max(1e3),
        _ => found == expected,
    };
    let names = |groups: &Groups| groups.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{question}");
    for (name, points) in expected {
        let found = &found[name];
        let same = |(left, right): (&(i64, Vec<_>), &(i64, Vec<_>))| {
            left.0 == right.0 && left.1.iter().zip(&right.1).all(|(left, right)| is_near(left, right))
        };
        let first = found.iter().zip(points).position(|pair| !same(pair));
        let shown = first.map(|place| (&found[place], &points[place]));
        assert!(found.len() == points.len() && shown.is_none(), "{question}\n{name}: {shown:?} of {}", points.len());
    }
}
