//! All that is stored of some series: journal, recent and samples read from the top down and put together.
//!
//! Data only move down, so this order misses nothing, without a snapshot; what moves meanwhile is met twice and counts
//! once. Of samples with the same series and time the one of the upper level wins. Memory is what the caller asks for:
//! callers take series and time in portions.

use std::collections::HashMap;

use super::page::Waiting;
use super::{Engine, QueryError, unfolded};
use crate::codec::samples_row;
use crate::model::{Micros, SeriesId};
use crate::store::journal::prepare_unfolded;
use crate::store::levels::samples::{self, StoredSamples};
use crate::store::levels::windows;

/// The samples of one series, in order of time, each time once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SeriesSamples {
    pub(super) series: SeriesId,
    pub(super) times: Vec<Micros>,
    pub(super) values: Vec<f64>,
    /// The hours that the level of `samples` has any in, and how many, in order of time.
    pub(super) sealed: Vec<(Micros, u64)>,
}

/// Reads what is stored of `series` in `[from, to]`: for each that has samples one entry, by series. `series` must be
/// sorted.
pub(super) async fn read(
    engine: &Engine,
    series: &[SeriesId],
    from: Micros,
    to: Micros,
    waiting: Waiting<'_>,
) -> Result<Vec<SeriesSamples>, QueryError> {
    let client = engine.database.client().await?;
    windows::prepare(&client).await?;
    prepare_unfolded(&client).await?;
    // All are on their way before the first answers; the order in which they are sent is the one they are run in.
    let (journal, parts, rows) = tokio::join!(
        biased;
        unfolded::samples_of(&client, series, (from, to), waiting),
        samples::read_recent(&client, series, from, to, u64::MAX),
        samples::read(&client, series, from, to),
    );
    let (mut journal, parts, rows) = (journal?, parts?, rows?);
    journal.sort_unstable_by_key(|(_, _, version, _)| *version);
    // Decoding takes the processor, not PostgreSQL: someone else may have the connection meanwhile.
    drop(client);
    let mut all: HashMap<SeriesId, SeriesSamples> = HashMap::new();
    for stored in &rows {
        let hour = windows::hour(stored.row.start);
        let count = u64::from(stored.row.count.unsigned_abs());
        add_row(stored, &mut all)?.count_sealed(hour, count);
    }
    for stored in &parts {
        add_row(stored, &mut all)?;
    }
    for (series, time, _, value) in journal {
        let samples = all.entry(series).or_default();
        samples.times.push(time);
        samples.values.push(value);
    }
    let mut found: Vec<SeriesSamples> =
        all.into_iter().map(|(series, samples)| SeriesSamples { series, ..samples }).collect();
    found.sort_unstable_by_key(|samples| samples.series);
    for samples in &mut found {
        samples.put_in_order();
        samples.cut(from, to);
    }
    found.retain(|samples| !samples.times.is_empty());
    Ok(found)
}

fn add_row<'a>(
    stored: &StoredSamples,
    all: &'a mut HashMap<SeriesId, SeriesSamples>,
) -> Result<&'a mut SeriesSamples, QueryError> {
    let samples = all.entry(stored.series).or_default();
    samples_row::decode(&stored.row, &mut samples.times, &mut samples.values)?;
    Ok(samples)
}

impl SeriesSamples {
    /// How many samples of an hour are sealed.
    pub(super) fn sealed_of(&self, hour: Micros) -> u64 {
        let place = self.sealed.binary_search_by_key(&hour, |(hour, _)| *hour);
        place.map_or(0, |place| self.sealed[place].1)
    }

    /// Counts a row; rows come in order of time.
    fn count_sealed(&mut self, hour: Micros, samples: u64) {
        match self.sealed.last_mut() {
            Some((last, count)) if *last == hour => *count += samples,
            _ => self.sealed.push((hour, samples)),
        }
    }

    /// Sorts by time; of samples with the same time the last one stays.
    fn put_in_order(&mut self) {
        if self.times.is_sorted_by(|left, right| left < right) {
            return;
        }
        let mut places: Vec<u32> = (0..self.times.len() as u32).collect();
        places.sort_by_key(|place| self.times[*place as usize]);
        let last_of_each = places.chunk_by(|left, right| self.times[*left as usize] == self.times[*right as usize]);
        let places: Vec<usize> = last_of_each.filter_map(|equal| equal.last().map(|place| *place as usize)).collect();
        self.times = places.iter().map(|place| self.times[*place]).collect::<Vec<_>>();
        self.values = places.iter().map(|place| self.values[*place]).collect::<Vec<_>>();
    }

    /// Leaves what is in `[from, to]`.
    fn cut(&mut self, from: Micros, to: Micros) {
        let (start, end) =
            (self.times.partition_point(|time| *time < from), self.times.partition_point(|time| *time <= to));
        self.times.truncate(end);
        self.values.truncate(end);
        self.times.drain(..start.min(end));
        self.values.drain(..start.min(end));
    }
}
