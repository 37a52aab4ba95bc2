//! The samples of one pass: gathered block after block, then handed out as rows. Holds a bounded number of them,
//! whatever the blocks hold. Pure.

use crate::codec::samples_row::{self, ROW_SAMPLES_MAX};
use crate::model::{Batch, Micros, SeriesId};
use crate::store::levels::samples::{StoredSamples, WINDOW_MICROS};

/// Where a sample belongs: by series, then by time.
pub(super) type Place = (SeriesId, Micros);

pub(super) const FIRST: Place = (SeriesId(0), Micros(i64::MIN));

/// The last place a series has.
pub(super) const fn last_of(series: SeriesId) -> Place {
    (series, Micros(i64::MAX))
}

/// The place right after `place`; `None` when that is the last one of all.
pub(super) fn after(place: Place) -> Option<Place> {
    match place {
        (series, Micros(i64::MAX)) => Some((SeriesId(series.0.checked_add(1)?), Micros(i64::MIN))),
        (series, Micros(time)) => Some((series, Micros(time + 1))),
    }
}

/// Samples between two places, those that were added later at higher positions.
#[derive(Debug)]
pub(super) struct Gathered {
    from: Place,
    to: Place,
    samples_max: usize,
    /// The series of each sample in the upper half, its position below in the lower: integers sort several times faster
    /// than triples.
    keys: Vec<u64>,
    times: Vec<Micros>,
    values: Vec<f64>,
}

impl Gathered {
    /// Takes samples from `from` up to and with `to`. When there are more than `samples_max`, `to` is lowered.
    pub(super) fn new(from: Place, to: Place, samples_max: usize) -> Self {
        // A half must be something.
        let samples_max = samples_max.max(2);
        Self { from, to, samples_max, keys: Vec::new(), times: Vec::new(), values: Vec::new() }
    }

    /// The last place that everything was taken up to.
    pub(super) fn to(&self) -> Place {
        self.to
    }

    /// Whether samples of these series may be wanted.
    pub(super) fn wants(&self, series_min: SeriesId, series_max: SeriesId) -> bool {
        series_max >= self.from.0 && series_min <= self.to.0
    }

    /// Takes what is wanted of `batch`. Of samples with the same series and time the one that was added last counts.
    pub(super) fn add(&mut self, batch: &Batch) {
        for (index, series) in batch.series.iter().enumerate() {
            let place = (*series, batch.times[index]);
            if place < self.from || place > self.to {
                continue;
            }
            if self.keys.len() == self.samples_max {
                self.shrink();
                if place > self.to {
                    continue;
                }
            }
            self.push(place, batch.values[index]);
        }
    }

    fn push(&mut self, (series, time): Place, value: f64) {
        self.keys.push(u64::from(series.0) << 32 | self.times.len() as u64);
        self.times.push(time);
        self.values.push(value);
    }

    /// Leaves each place once, and when these are still many gives up the upper ones: they are for the next pass.
    fn shrink(&mut self) {
        let mut merged = Self {
            keys: Vec::with_capacity(self.samples_max),
            times: Vec::with_capacity(self.samples_max),
            values: Vec::with_capacity(self.samples_max),
            ..*self
        };
        let mut rows = std::mem::replace(self, Self::new(self.from, self.to, self.samples_max)).into_rows();
        while let Some((series, times, values)) = rows.next_series() {
            for (time, value) in times.iter().zip(values) {
                merged.push((series, *time), *value);
            }
        }
        let half = self.samples_max / 2;
        if merged.keys.len() > half {
            merged.keys.truncate(half);
            merged.times.truncate(half);
            merged.values.truncate(half);
            if let (Some(key), Some(time)) = (merged.keys.last(), merged.times.last()) {
                merged.to = (series_of(*key), *time);
            }
        }
        *self = merged;
    }

    /// Ends the gathering.
    pub(super) fn into_rows(mut self) -> Rows {
        self.keys.sort_unstable();
        Rows { gathered: self, next_key: 0, series: SeriesId(0), times: Vec::new(), values: Vec::new(), taken: 0 }
    }
}

fn series_of(key: u64) -> SeriesId {
    SeriesId((key >> 32) as u32)
}

fn position_of(key: u64) -> usize {
    (key & 0xffff_ffff) as usize
}

/// Gathered samples as rows, by series and time.
#[derive(Debug)]
pub(super) struct Rows {
    gathered: Gathered,
    next_key: usize,
    /// The series that rows are made of now; the first `taken` of its samples are in rows already.
    series: SeriesId,
    times: Vec<Micros>,
    values: Vec<f64>,
    taken: usize,
}

impl Rows {
    /// The next rows: about as many as that, and with about so many samples. None when there are no more.
    pub(super) fn next(&mut self, rows_max: usize, samples_max: usize) -> Vec<StoredSamples> {
        let (mut rows, mut samples) = (Vec::new(), 0);
        while rows.len() < rows_max && samples < samples_max {
            if self.taken == self.times.len() && self.next_series().is_none() {
                break;
            }
            let end = row_end(&self.times, self.taken);
            let row = samples_row::encode(&self.times[self.taken..end], &self.values[self.taken..end]);
            rows.push(StoredSamples { series: self.series, row });
            samples += end - self.taken;
            self.taken = end;
        }
        rows
    }

    /// Goes on to the next series: its samples in order of time, each time once.
    fn next_series(&mut self) -> Option<(SeriesId, &[Micros], &[f64])> {
        let rest = &mut self.gathered.keys[self.next_key..];
        let series = series_of(*rest.first()?);
        let length = rest.partition_point(|key| series_of(*key) == series);
        let of_series = &mut rest[..length];
        let times = &self.gathered.times;
        let time = |key: &u64| times[position_of(*key)];
        if !of_series.is_sorted_by_key(time) {
            // Stable, so that of samples with the same time the one that was added last stays the last one.
            of_series.sort_by_key(time);
        }
        self.times.clear();
        self.values.clear();
        for key in of_series {
            let (time, value) = (time(key), self.gathered.values[position_of(*key)]);
            if self.times.last() == Some(&time) {
                self.values.pop();
            } else {
                self.times.push(time);
            }
            self.values.push(value);
        }
        (self.series, self.taken) = (series, 0);
        self.next_key += length;
        Some((series, &self.times, &self.values))
    }
}

/// Where the row that begins at `start` ends: with its hour, or when it is full.
fn row_end(times: &[Micros], start: usize) -> usize {
    let window = |time: Micros| time.0.div_euclid(WINDOW_MICROS);
    let of_row = &times[start..times.len().min(start + ROW_SAMPLES_MAX)];
    let first = of_row.first().map_or(0, |time| window(*time));
    start + of_row.partition_point(|time| window(*time) == first)
}

#[cfg(test)]
mod tests;
