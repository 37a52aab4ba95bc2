//! What one series gathers in a flush interval, in bounded memory.

use std::collections::HashSet;
use std::hash::BuildHasher;

use super::line::Kind;
use crate::model::Code;
use crate::wire::tags::Refused;

/// Values of a timer that its quantiles are taken from. When there are more, every second one goes, then only every
/// second that comes is kept, and so on: an even choice, without chance.
pub(super) const TIMER_VALUES_MAX: usize = 1_024;
/// Members of a set that are told apart; a further one is refused.
pub(super) const SET_MEMBERS_MAX: usize = 10_000;
/// What is said of a timer.
pub(super) const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

#[derive(Debug)]
pub(super) enum Gathered {
    Counter(f64),
    Gauge(f64),
    Timer(Timer),
    /// Hashes of 64 bits: two members with the same one are as good as impossible.
    Set(HashSet<u64, foldhash::fast::RandomState>),
}

#[derive(Debug)]
pub(super) struct Timer {
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    values: Vec<f64>,
    /// One of this many values is kept.
    one_in: u64,
    seen: u64,
}

impl Gathered {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter(0.0),
            Kind::Gauge => Self::Gauge(0.0),
            Kind::Timer => Self::Timer(Timer {
                count: 0.0,
                sum: 0.0,
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
                values: Vec::new(),
                one_in: 1,
                seen: 0,
            }),
            Kind::Set => Self::Set(HashSet::default()),
        }
    }

    /// What it takes beside itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Counter(_) | Self::Gauge(_) => 0,
            Self::Timer(timer) => timer.values.capacity() * size_of::<f64>(),
            Self::Set(members) => members.capacity() * (size_of::<u64>() + 1),
        }
    }

    /// Without room nothing that is kept may grow: a timer goes on counting, a new member of a set is refused.
    pub(super) fn add(&mut self, value: &str, weight: f64, has_room: bool) -> Result<(), Refused> {
        match self {
            Self::Counter(sum) => {
                let added = *sum + number(value)? * weight;
                *sum = finite(added)?;
            }
            Self::Gauge(level) => {
                let is_change = value.starts_with(['+', '-']);
                let number = number(value)?;
                *level = finite(if is_change { *level + number } else { number })?;
            }
            Self::Timer(timer) => timer.add(number(value)?, weight, has_room)?,
            Self::Set(members) => {
                let hash = members.hasher().hash_one(value);
                let is_full = !has_room || members.len() >= SET_MEMBERS_MAX;
                if is_full && !members.contains(&hash) {
                    let reason = "a member more than can be told apart".to_owned();
                    return Err((Code::TooManySeries, reason));
                }
                members.insert(hash);
            }
        }
        Ok(())
    }
}

impl Timer {
    fn add(&mut self, value: f64, weight: f64, has_room: bool) -> Result<(), Refused> {
        // Both or neither: a refused value leaves nothing behind.
        (self.sum, self.count) = (finite(self.sum + value * weight)?, finite(self.count + weight)?);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        let has_room = has_room || self.values.len() < self.values.capacity().max(1);
        if has_room && self.seen.is_multiple_of(self.one_in) {
            if self.values.len() == TIMER_VALUES_MAX {
                let mut place = 0;
                self.values.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.one_in *= 2;
            }
            if self.seen.is_multiple_of(self.one_in) {
                self.values.push(value);
            }
        }
        self.seen += 1;
        Ok(())
    }

    /// The nearest value to each of [`QUANTILES`], by rank.
    pub(super) fn quantiles(&mut self) -> [f64; QUANTILES.len()] {
        self.values.sort_unstable_by(f64::total_cmp);
        let last = self.values.len().saturating_sub(1);
        let rank = |quantile: f64| ((self.values.len() as f64 * quantile).ceil() as usize).saturating_sub(1).min(last);
        QUANTILES.map(|quantile| self.values.get(rank(quantile)).copied().unwrap_or_default())
    }
}

fn number(text: &str) -> Result<f64, Refused> {
    let number = text.parse().map_err(|_| (Code::InvalidType, "a value that is no number".to_owned()))?;
    finite(number)
}

fn finite(number: f64) -> Result<f64, Refused> {
    if number.is_finite() { Ok(number) } else { Err((Code::NotFinite, "a value that is not finite".to_owned())) }
}
