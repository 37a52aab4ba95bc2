//! All that is stored of some series: journal, recent and samples read from the top down and put together.
//!
//! Data only move down, so this order misses nothing, without a snapshot; what moves meanwhile is met twice and counts
//! once. Of samples with the same series and time the one of the upper level wins. Memory is what the caller asks for:
//! callers take series and time in portions.

use std::collections::HashMap;

use super::page::Waiting;
use super::{Engine, QueryError};
use crate::codec::{block, samples_row};
use crate::model::{Batch, Micros, Origin, SeriesId};
use crate::store::Client;
use crate::store::journal::{self, BlockOrder, BlockQuery, Mark};
use crate::store::levels::samples::{self, StoredSamples};
use crate::store::levels::{FoldMarks, progress};

/// Journal blocks read at once.
const BLOCKS: u32 = 32;

/// The samples of one series, in order of time, each time once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SeriesSamples {
    pub(super) series: SeriesId,
    pub(super) times: Vec<Micros>,
    pub(super) values: Vec<f64>,
}

/// Where a journal sample was written: the later one wins.
type Version = (Micros, Origin, u64, i16);

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
    let marks = progress::fold_marks(&client).await?;
    let journal = read_journal(&client, &marks, series, (from, to), waiting).await?;
    let parts = samples::read_recent(&client, series, from, to, u64::MAX).await?;
    let rows = samples::read(&client, series, from, to).await?;
    // Decoding takes the processor, not PostgreSQL: someone else may have the connection meanwhile.
    drop(client);
    let mut all: HashMap<SeriesId, SeriesSamples> = HashMap::new();
    for stored in rows.iter().chain(&parts) {
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

fn add_row(stored: &StoredSamples, all: &mut HashMap<SeriesId, SeriesSamples>) -> Result<(), QueryError> {
    let samples = all.entry(stored.series).or_default();
    Ok(samples_row::decode(&stored.row, &mut samples.times, &mut samples.values)?)
}

/// The samples of the journal that were not folded, in order of writing.
pub(super) async fn read_journal(
    client: &Client,
    marks: &FoldMarks,
    series: &[SeriesId],
    (from, to): (Micros, Micros),
    waiting: Waiting<'_>,
) -> Result<Vec<(SeriesId, Micros, Version, f64)>, QueryError> {
    let (Some(&series_min), Some(&series_max)) = (series.first(), series.last()) else { return Ok(Vec::new()) };
    let query = BlockQuery {
        order: BlockOrder::Oldest,
        time_min: from,
        time_max: to,
        series_min,
        series_max,
        marks: unfolded(marks),
        unmarked: true,
    };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        if !waiting() {
            return Err(QueryError::Abandoned);
        }
        let blocks = journal::read_blocks(client, &query, after, BLOCKS).await?;
        for stored in &blocks {
            let mut batch = Batch::default();
            block::decode(&stored.block, &mut batch)?;
            let version = (stored.committed_at, stored.origin, stored.sequence, stored.part);
            for (place, id) in batch.series.iter().enumerate() {
                let time = batch.times[place];
                if time >= from && time <= to && series.binary_search(id).is_ok() {
                    found.push((*id, time, version, batch.values[place]));
                }
            }
            tokio::task::consume_budget().await;
        }
        match blocks.last() {
            Some(last) if blocks.len() == BLOCKS as usize => after = Some(last.position(query.order)),
            _ => break,
        }
    }
    found.sort_by_key(|(_, _, version, _)| *version);
    Ok(found)
}

/// What has not been folded, in the words of a block query that reads writers without a mark whole.
pub(super) fn unfolded(marks: &FoldMarks) -> Vec<Mark> {
    marks.iter().map(|(origin, folded)| Mark { origin: *origin, low: *folded, high: i64::MAX as u64 }).collect()
}

impl SeriesSamples {
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
