//! Samples that come to an hour of a series, put together with the rows that are stored of it. Pure.
//!
//! A row that holds none of the times between which new samples lie is left alone, so late samples cost the rows they
//! belong to and no others. Rows that are changed are cut evenly, and short ones beside them join in: of two
//! neighbouring rows at least one is half full, in whatever order samples come.

use std::collections::BTreeMap;

use crate::codec::samples_row::{self, ROW_SAMPLES_MAX, RowError, SamplesRow};
use crate::model::Micros;

/// A row with fewer samples is filled up when samples come beside it.
const SHORT: usize = ROW_SAMPLES_MAX / 2;

/// Samples of one series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    pub times: Vec<Micros>,
    pub values: Vec<f64>,
}

/// What is known of a stored row before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The time of its first sample.
    pub start: Micros,
    pub count: usize,
}

/// What has to be done to the stored rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    /// The starts of the rows that must go.
    pub replaced: Vec<Micros>,
    /// The rows that come in their place.
    pub rows: Vec<SamplesRow>,
}

impl Samples {
    /// Adds the samples of a row.
    ///
    /// # Errors
    /// When the row is damaged.
    pub fn add(&mut self, row: &SamplesRow) -> Result<(), RowError> {
        samples_row::decode(row, &mut self.times, &mut self.values)
    }

    /// Sorts by time; of samples with the same time the one that was added last stays.
    pub fn put_in_order(&mut self) {
        if self.times.is_sorted_by(|left, right| left < right) {
            return;
        }
        let mut places: Vec<usize> = (0..self.times.len()).collect();
        places.sort_by_key(|place| self.times[*place]);
        let of_one_time = places.chunk_by(|left, right| self.times[*left] == self.times[*right]);
        let places: Vec<usize> = of_one_time.filter_map(|equal| equal.last().copied()).collect();
        self.times = places.iter().map(|place| self.times[*place]).collect::<Vec<_>>();
        self.values = places.iter().map(|place| self.values[*place]).collect::<Vec<_>>();
    }

    fn extend(&mut self, samples: &Self, places: std::ops::Range<usize>) {
        self.times.extend_from_slice(&samples.times[places.clone()]);
        self.values.extend_from_slice(&samples.values[places]);
    }
}

/// The places of the rows that [`merge`] has to know whole. `heads` are all rows of an hour, `new` the times of the new
/// samples of that hour, both in order.
pub fn touched(heads: &[Head], new: &[Micros]) -> Vec<usize> {
    let arrivals = Arrivals::new(heads, new);
    let is_touched = |place: &usize| {
        let has_neighbours = heads[*place].count < SHORT && !arrivals.before(*place).is_empty();
        has_neighbours || !arrivals.after(*place).is_empty()
    };
    (0..heads.len()).filter(is_touched).collect()
}

/// Merges `new`, which win over what is stored, into the rows of their hour. `read` has the samples of the rows that
/// [`touched`] names, by place; others in it do no harm.
pub fn merge(heads: &[Head], read: &BTreeMap<usize, Samples>, new: &Samples) -> Merged {
    let arrivals = Arrivals::new(heads, &new.times);
    let mut merged = Merged::default();
    let mut run = Samples::default();
    run.extend(new, 0..arrivals.firsts[0]);
    for (place, head) in heads.iter().enumerate() {
        let (before, after) = (arrivals.before(place), arrivals.after(place));
        let is_replaced = |row: &Samples| {
            let overlaps = !after.is_empty() && row.times.last() >= Some(&new.times[after.start]);
            overlaps || (head.count < SHORT && !(before.is_empty() && after.is_empty()))
        };
        match read.get(&place).filter(|row| is_replaced(row)) {
            Some(row) => {
                merged.replaced.push(head.start);
                run.extend(row, 0..row.times.len());
            }
            None => merged.cut(std::mem::take(&mut run)),
        }
        run.extend(new, after);
    }
    merged.cut(run);
    merged
}

/// Which new samples come after which stored row, by its start, and before the next.
struct Arrivals {
    /// For each row the first new sample that is not before its start, and the number of samples in the end.
    firsts: Vec<usize>,
}

impl Arrivals {
    fn new(heads: &[Head], new: &[Micros]) -> Self {
        let first = |head: &Head| new.partition_point(|time| *time < head.start);
        Self { firsts: heads.iter().map(first).chain([new.len()]).collect() }
    }

    fn before(&self, place: usize) -> std::ops::Range<usize> {
        let from = if place == 0 { 0 } else { self.firsts[place - 1] };
        from..self.firsts[place]
    }

    fn after(&self, place: usize) -> std::ops::Range<usize> {
        self.before(place + 1)
    }
}

impl Merged {
    /// Cuts samples between two rows that stay into as few rows as they need, evenly, so that there is room for more.
    fn cut(&mut self, mut samples: Samples) {
        samples.put_in_order();
        let mut from = 0;
        for rows_left in (1..=samples.times.len().div_ceil(ROW_SAMPLES_MAX)).rev() {
            let to = from + (samples.times.len() - from).div_ceil(rows_left);
            self.rows.push(samples_row::encode(&samples.times[from..to], &samples.values[from..to]));
            from = to;
        }
    }
}

#[cfg(test)]
mod tests;
