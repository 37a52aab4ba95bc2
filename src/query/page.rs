//! One page of rows, in order.
//!
//! Blocks come ordered by their latest (or earliest) sample. The page keeps the best rows seen so far; once it is full
//! and the next block cannot hold a better one, it is done. So a page costs the blocks that overlap it, not the range.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cursor::Cursor;
use super::request::{LIMIT_MAX, MetricsRequest};
use super::selection::Selection;
use super::{Engine, QueryError};
use crate::codec::block;
use crate::model::{Batch, Micros, Origin, Sample, SeriesId};
use crate::store::journal::{self, BlockOrder, BlockQuery, StoredBlock};

/// Blocks read at once: the first few are often enough, and many more are never held together.
const BLOCKS_FIRST: u32 = 4;
const BLOCKS_MAX: u32 = 32;

#[derive(Debug)]
pub struct Page {
    pub rows: Vec<Sample>,
    /// Where the next page begins, when there may be one.
    pub next: Option<Cursor>,
}

/// Whether somebody still waits for the page.
pub(super) type Waiting<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// Reads the page that `request` asks for, at most [`LIMIT_MAX`] rows.
pub(super) async fn read(engine: &Engine, request: &MetricsRequest, waiting: Waiting<'_>) -> Result<Page, QueryError> {
    let mut selection = Selection::of(engine, &request.filter).await?;
    let limit = request.limit.map_or(LIMIT_MAX, |limit| limit.min(LIMIT_MAX));
    let mut best = Best::new(request, limit + 1);
    if !selection.is_empty() {
        read_blocks(engine, &query(request, &selection), &mut selection, &mut best, waiting).await?;
    }
    Ok(best.into_page(&selection, limit))
}

fn query(request: &MetricsRequest, selection: &Selection) -> BlockQuery {
    let (series_min, series_max) = selection.range();
    let (mut time_min, mut time_max) = (request.from, request.to);
    match (request.order, request.cursor) {
        (BlockOrder::Newest, Some(cursor)) => time_max = time_max.min(cursor.time),
        (BlockOrder::Oldest, Some(cursor)) => time_min = time_min.max(cursor.time),
        (_, None) => {}
    }
    let order = request.order;
    BlockQuery { order, time_min, time_max, series_min, series_max, marks: Vec::new(), unmarked: true }
}

async fn read_blocks(
    engine: &Engine,
    query: &BlockQuery,
    selection: &mut Selection,
    best: &mut Best,
    waiting: Waiting<'_>,
) -> Result<(), QueryError> {
    let (mut after, mut wanted) = (None, BLOCKS_FIRST);
    loop {
        if !waiting() {
            return Err(QueryError::Abandoned);
        }
        let client = engine.database.client().await?;
        let blocks = journal::read_blocks(&client, query, after, wanted).await?;
        // Decoding takes the processor, not PostgreSQL: someone else may have the connection meanwhile.
        drop(client);
        for block in &blocks {
            if best.is_settled_before(block) {
                return Ok(());
            }
            let mut samples = Batch::default();
            block::decode(&block.block, &mut samples)?;
            selection.meet(engine, &samples.series).await?;
            best.offer(block, &samples, selection);
            tokio::task::consume_budget().await;
        }
        match blocks.last() {
            Some(last) if blocks.len() == wanted as usize => after = Some(last.position(query.order)),
            _ => return Ok(()),
        }
        wanted = (wanted * 2).min(BLOCKS_MAX);
    }
}

/// Rows in the order of the answer. Both halves are flipped for newest first, so the map's own order is the answer's.
type Place = (i64, u32);
/// Which of two samples with the same series and time was written later.
type Version = (Micros, Origin, u64, i16);

/// The first `rows_max` rows seen so far.
struct Best {
    rows: BTreeMap<Place, (Version, f64)>,
    rows_max: usize,
    order: BlockOrder,
    time_min: Micros,
    time_max: Micros,
    after: Option<Place>,
}

impl Best {
    fn new(request: &MetricsRequest, rows_max: usize) -> Self {
        let order = request.order;
        let after = request.cursor.map(|cursor| place(order, cursor.time, cursor.series));
        Self { rows: BTreeMap::new(), rows_max, order, time_min: request.from, time_max: request.to, after }
    }

    /// Whether neither `block` nor any block after it can change the page.
    fn is_settled_before(&self, block: &StoredBlock) -> bool {
        let time = match self.order {
            BlockOrder::Newest => block.time_max,
            BlockOrder::Oldest => block.time_min,
        };
        let first_of_block = place(self.order, time, SeriesId(0)).0;
        self.rows.len() == self.rows_max && self.rows.last_key_value().is_some_and(|(last, _)| last.0 < first_of_block)
    }

    fn offer(&mut self, block: &StoredBlock, samples: &Batch, selection: &Selection) {
        let version = (block.committed_at, block.origin, block.sequence, block.part);
        for (index, &series) in samples.series.iter().enumerate() {
            let time = samples.times[index];
            if time < self.time_min || time > self.time_max || selection.get(series).is_none() {
                continue;
            }
            let place = place(self.order, time, series);
            if self.after.is_none_or(|after| place > after) {
                self.insert(place, version, samples.values[index]);
            }
        }
    }

    fn insert(&mut self, place: Place, version: Version, value: f64) {
        if self.rows.len() == self.rows_max && self.rows.last_key_value().is_some_and(|(last, _)| place > *last) {
            return;
        }
        let row = self.rows.entry(place).or_insert((version, value));
        if version > row.0 {
            *row = (version, value);
        }
        if self.rows.len() > self.rows_max {
            self.rows.pop_last();
        }
    }

    fn into_page(self, selection: &Selection, limit: usize) -> Page {
        let more = self.rows.len() > limit;
        let order = self.order;
        let places = self.rows.into_iter().take(limit);
        let rows: Vec<Sample> = places
            .filter_map(|(place, (_, value))| {
                let (time, series) = unplace(order, place);
                Some(Sample { series: Arc::clone(selection.get(series)?), time, value })
            })
            .collect();
        let next = rows.last().filter(|_| more).map(|row| Cursor { time: row.time, series: row.series.id });
        Page { rows, next }
    }
}

fn place(order: BlockOrder, time: Micros, series: SeriesId) -> Place {
    match order {
        BlockOrder::Newest => (!time.0, !series.0),
        BlockOrder::Oldest => (time.0, series.0),
    }
}

fn unplace(order: BlockOrder, place: Place) -> (Micros, SeriesId) {
    match order {
        BlockOrder::Newest => (Micros(!place.0), SeriesId(!place.1)),
        BlockOrder::Oldest => (Micros(place.0), SeriesId(place.1)),
    }
}
