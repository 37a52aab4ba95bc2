//! The samples of one pass: gathered block after block, then handed out as rows. Holds a bounded number of them,
//! whatever the blocks hold. Pure.

use crate::codec::samples_row::{self, ROW_SAMPLES_MAX};
use crate::model::{Batch, Micros, SeriesId};
use crate::store::levels::samples::{StoredSamples, WINDOW_MICROS};

/// Where a sample belongs: by series, then by time.
pub(super) type Place = (SeriesId, Micros);
type Sample = (Micros, f64);
/// A series, and where its samples end.
type Run = (SeriesId, usize);

/// Numbers of series between the first and the last one, for each sample, that are worth a counter of eight bytes each.
const SPREAD_MAX: usize = 2;

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
    series: Vec<SeriesId>,
    times: Vec<Micros>,
    values: Vec<f64>,
}

impl Gathered {
    /// Takes samples from `from` up to and with `to`. When there are more than `samples_max`, `to` is lowered.
    pub(super) fn new(from: Place, to: Place, samples_max: usize) -> Self {
        // A half must be something.
        let samples_max = samples_max.max(2);
        Self { from, to, samples_max, series: Vec::new(), times: Vec::new(), values: Vec::new() }
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
        if self.series.len() + batch.len() <= self.samples_max && self.wants_all(&batch.series) {
            self.series.extend_from_slice(&batch.series);
            self.times.extend_from_slice(&batch.times);
            self.values.extend_from_slice(&batch.values);
            return;
        }
        for (index, series) in batch.series.iter().enumerate() {
            let place = (*series, batch.times[index]);
            if place < self.from || place > self.to {
                continue;
            }
            if self.series.len() == self.samples_max {
                self.shrink();
                if place > self.to {
                    continue;
                }
            }
            self.push(place, batch.values[index]);
        }
    }

    /// Whether all samples of these series are wanted, at whatever time.
    fn wants_all(&self, series: &[SeriesId]) -> bool {
        let (first, last) = (self.from.0, self.to.0);
        let is_whole = |one: SeriesId| {
            (one > first || one == first && self.from.1 == Micros(i64::MIN))
                && (one < last || one == last && self.to.1 == Micros(i64::MAX))
        };
        // Without a branch for each: nearly always all are.
        series.iter().fold(true, |all, one| all & is_whole(*one))
    }

    fn push(&mut self, (series, time): Place, value: f64) {
        self.series.push(series);
        self.times.push(time);
        self.values.push(value);
    }

    /// Leaves each place once, and when these are still many gives up the upper ones: they are for the next pass.
    fn shrink(&mut self) {
        let mut merged = Self {
            series: Vec::with_capacity(self.samples_max),
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
        if merged.series.len() > half {
            merged.series.truncate(half);
            merged.times.truncate(half);
            merged.values.truncate(half);
            if let (Some(series), Some(time)) = (merged.series.last(), merged.times.last()) {
                merged.to = (*series, *time);
            }
        }
        *self = merged;
    }

    /// Ends the gathering.
    pub(super) fn into_rows(self) -> Rows {
        let Self { series, times, values, .. } = self;
        let (samples, runs) = by_series(&series, &times, &values);
        Rows { samples, runs, next_run: 0, next_sample: 0, ..Rows::default() }
    }
}

/// The samples series by series, those of one in the order in which they were added, and where those of each end.
///
/// They are counted and put in their places, which takes two looks at each: to sort them took half of the whole fold's
/// work here. Only where series are few and far between their numbers are sorted.
fn by_series(series: &[SeriesId], times: &[Micros], values: &[f64]) -> (Vec<Sample>, Vec<Run>) {
    let (Some(first), Some(last)) = (series.iter().min(), series.iter().max()) else { return Default::default() };
    let numbers = (last.0 - first.0) as usize + 1;
    if numbers > series.len().saturating_mul(SPREAD_MAX) {
        return by_series_sorted(series, times, values);
    }
    let mut ends = vec![0_usize; numbers];
    series.iter().for_each(|one| ends[(one.0 - first.0) as usize] += 1);
    let mut runs = Vec::new();
    let mut begin = 0;
    for (number, slot) in ends.iter_mut().enumerate() {
        let count = std::mem::replace(slot, begin);
        begin += count;
        if count > 0 {
            runs.push((SeriesId(first.0 + number as u32), begin));
        }
    }
    let mut samples = vec![(Micros(0), 0.0); series.len()];
    for ((one, time), value) in series.iter().zip(times).zip(values) {
        let place = &mut ends[(one.0 - first.0) as usize];
        samples[*place] = (*time, *value);
        *place += 1;
    }
    (samples, runs)
}

fn by_series_sorted(series: &[SeriesId], times: &[Micros], values: &[f64]) -> (Vec<Sample>, Vec<Run>) {
    let mut places: Vec<usize> = (0..series.len()).collect();
    places.sort_by_key(|place| series[*place]);
    let mut runs: Vec<Run> = Vec::new();
    for (index, place) in places.iter().enumerate() {
        match runs.last_mut() {
            Some((last, end)) if *last == series[*place] => *end = index + 1,
            _ => runs.push((series[*place], index + 1)),
        }
    }
    (places.into_iter().map(|place| (times[place], values[place])).collect(), runs)
}

/// Gathered samples as rows, by series and time.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Series by series, in the order in which they were added.
    samples: Vec<Sample>,
    runs: Vec<Run>,
    next_run: usize,
    next_sample: usize,
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
        let &(series, end) = self.runs.get(self.next_run)?;
        let of_series = &mut self.samples[self.next_sample..end];
        if !of_series.is_sorted_by_key(|(time, _)| *time) {
            // Stable, so that of samples with the same time the one that was added last stays the last one.
            of_series.sort_by_key(|(time, _)| *time);
        }
        self.times.clear();
        self.values.clear();
        for &mut (time, value) in of_series {
            if self.times.last() == Some(&time) {
                self.values.pop();
            } else {
                self.times.push(time);
            }
            self.values.push(value);
        }
        (self.series, self.taken) = (series, 0);
        (self.next_run, self.next_sample) = (self.next_run + 1, end);
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
