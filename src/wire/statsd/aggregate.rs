//! All series of a flush interval. Bounded in bytes: at the bound what would be a new series, or a new member of a set,
//! is refused until the next flush; what is known goes on.

use std::collections::HashMap;

use super::line::{Kind, Line};
use super::series::{Gathered, QUANTILES};
use crate::model::series::{LABELS_BYTES_MAX, NAME_BYTES_MAX};
use crate::model::{Code, Intake, Micros, RawIdentity};
use crate::wire::composed;
use crate::wire::tags::{shown, single};

/// All series together, with their keys, and what a flush of them writes.
pub const BYTES_MAX: usize = 64 << 20;
/// What an entry takes beside its key and what it gathers.
const ENTRY_BYTES: usize = 256;
/// Samples of a timer, its quantiles included.
const TIMER_SAMPLES: usize = 4 + QUANTILES.len();
/// Longest name and host, and tags with what their lengths take.
const KEY_BYTES_MAX: [usize; 3] = [NAME_BYTES_MAX, composed::HOST_BYTES_MAX, 2 * LABELS_BYTES_MAX];
/// A gauge nobody has set for this many flushes is forgotten; until then `+1` and `-1` find its value.
const IDLE_FLUSHES_MAX: u32 = 360;

/// What has come since the last flush.
#[derive(Debug)]
pub struct Aggregate {
    series: HashMap<Key, Entry, foldhash::fast::RandomState>,
    bytes: usize,
    default_host: String,
    labels: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    kind: Kind,
    host: Box<str>,
    name: Box<str>,
    labels: Box<[u8]>,
}

#[derive(Debug)]
struct Entry {
    gathered: Gathered,
    is_touched: bool,
    idle_flushes: u32,
}

impl Key {
    /// What it takes here and, a sample each time, in the text of a flush.
    fn cost(&self) -> usize {
        let samples = if self.kind == Kind::Timer { TIMER_SAMPLES } else { 1 };
        ENTRY_BYTES + (1 + samples) * (self.host.len() + self.name.len() + self.labels.len())
    }
}

impl Aggregate {
    pub fn new(default_host: String) -> Self {
        Self { series: HashMap::default(), bytes: 0, default_host, labels: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        !self.series.values().any(|entry| entry.is_touched)
    }

    /// What all of it takes in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes in whole lines; those that cannot be used are refused in `intake`, by their place among those that came
    /// since it was cleared.
    pub fn add(&mut self, lines: &[u8], intake: &mut Intake) {
        for line in lines.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
            let item = intake.items;
            intake.items += 1;
            let refused = match Line::read(line) {
                Ok(line) => self.add_line(line),
                Err(refused) => Some(refused),
            };
            if let Some((code, reason)) = refused {
                intake.verdicts.refuse(item, code, || format!("{reason} in '{}'", shown(line)));
            }
        }
    }

    /// Answers the first reason for which one of its values is refused; the others are taken.
    fn add_line(&mut self, mut line: Line<'_>) -> Option<(Code, String)> {
        self.labels.clear();
        let host = line.tags.host().unwrap_or(&self.default_host);
        line.tags.write_labels(&mut self.labels);
        // What could not be stored in the end need not be gathered.
        let bytes = [line.name.len(), host.len(), self.labels.len()];
        if bytes[0] == 0 || bytes.iter().zip(KEY_BYTES_MAX).any(|(bytes, bytes_max)| *bytes > bytes_max) {
            return Some((Code::InvalidText, "a name, a host or tags that are empty or too long".to_owned()));
        }
        let key =
            Key { kind: line.kind, host: host.into(), name: line.name.into(), labels: self.labels.as_slice().into() };
        let is_full = self.bytes >= BYTES_MAX;
        let entry = match self.series.get_mut(&key) {
            Some(entry) => entry,
            None if is_full => {
                let reason = format!("a series more than the {BYTES_MAX} bytes of an interval hold,");
                return Some((Code::TooManySeries, reason));
            }
            None => {
                self.bytes += key.cost();
                let new = Entry { gathered: Gathered::new(line.kind), is_touched: false, idle_flushes: 0 };
                self.series.entry(key).or_insert(new)
            }
        };
        let (before, mut refused) = (entry.gathered.bytes(), None);
        for value in line.values() {
            match entry.gathered.add(value, line.weight, !is_full) {
                Ok(()) => entry.is_touched = true,
                Err(reason) => refused = refused.or(Some(reason)),
            }
        }
        self.bytes += entry.gathered.bytes() - before;
        refused
    }

    /// Writes what has come since the last flush as points of this time, each an item of its own, and begins anew.
    pub fn flush(&mut self, now: Micros, text: &mut Vec<u8>, intake: &mut Intake) {
        for (key, entry) in &mut self.series {
            if entry.is_touched {
                let mut writer = Writer { key, now, text, intake };
                writer.write(&mut entry.gathered);
                entry.idle_flushes = 0;
            } else {
                entry.idle_flushes += 1;
            }
            entry.is_touched = false;
        }
        let is_kept =
            |entry: &Entry| matches!(entry.gathered, Gathered::Gauge(_)) && entry.idle_flushes < IDLE_FLUSHES_MAX;
        self.series.retain(|_, entry| is_kept(entry));
        self.bytes = self.series.keys().map(Key::cost).sum();
    }
}

struct Writer<'a> {
    key: &'a Key,
    now: Micros,
    text: &'a mut Vec<u8>,
    intake: &'a mut Intake,
}

impl Writer<'_> {
    fn write(&mut self, gathered: &mut Gathered) {
        match gathered {
            Gathered::Counter(sum) => self.push("delta", "", *sum),
            Gathered::Gauge(level) => self.push("gauge", "", *level),
            Gathered::Set(members) => self.push("set", "", members.len() as f64),
            Gathered::Timer(timer) => {
                let numbers = [("_count", timer.count), ("_sum", timer.sum), ("_min", timer.min), ("_max", timer.max)];
                numbers.into_iter().for_each(|(suffix, value)| self.push("timer", suffix, value));
                for (quantile, value) in QUANTILES.into_iter().zip(timer.quantiles()) {
                    let mut label = Vec::new();
                    composed::label(&mut label, "quantile", &quantile.to_string());
                    let raw = self.identity("timer", "", &label);
                    self.push_as(raw, value);
                }
            }
        }
    }

    fn push(&mut self, metric_type: &str, suffix: &str, value: f64) {
        let raw = self.identity(metric_type, suffix, &[]);
        self.push_as(raw, value);
    }

    fn identity(&mut self, metric_type: &str, suffix: &str, label: &[u8]) -> RawIdentity {
        let Key { host, name, labels, .. } = self.key;
        single(self.text, host, (metric_type, [name, suffix]), &[labels, label])
    }

    fn push_as(&mut self, raw: RawIdentity, value: f64) {
        let item = self.intake.items;
        self.intake.items += 1;
        self.intake.points.push(item, 0, raw, self.now, value);
    }
}
