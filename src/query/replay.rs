//! Stored samples for live sessions: what was committed up to given marks, block by block from the earliest.
//!
//! Within a block samples are in order of time; blocks overlap, as live flushes do. Memory is a few blocks.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Engine, QueryError};
use crate::codec::block;
use crate::live::{Replay, ReplayError, ReplayFuture, ReplayRange, ReplaySample};
use crate::model::{Batch, Micros, SeriesDirectory, SeriesId};
use crate::store::journal::{self, BlockOrder, BlockQuery, Mark};

/// Blocks read at once.
const BLOCKS: u32 = 8;

impl Replay for Engine {
    fn replay(&self, range: ReplayRange, into: mpsc::Sender<Vec<ReplaySample>>) -> ReplayFuture<'_> {
        Box::pin(async move { replay(self, &range, &into).await.map_err(|error| ReplayError::Store(Box::new(error))) })
    }
}

async fn replay(
    engine: &Engine,
    range: &ReplayRange,
    into: &mpsc::Sender<Vec<ReplaySample>>,
) -> Result<(), QueryError> {
    let query = block_query(range);
    let mut after = None;
    loop {
        let turn = engine.turn().await?;
        let client = engine.database.client().await?;
        let blocks = journal::read_blocks(&client, &query, after, BLOCKS).await?;
        // The session may take its time with what it is sent; nobody waits for it with a turn or a connection.
        drop((client, turn));
        for stored in &blocks {
            let mut samples = Batch::default();
            block::decode(&stored.block, &mut samples)?;
            engine.catalog.load(&distinct(&samples.series)).await?;
            if into.send(matching(engine, range, &samples)).await.is_err() {
                return Ok(());
            }
        }
        match blocks.last() {
            Some(last) if blocks.len() == BLOCKS as usize => after = Some(last.position(query.order)),
            _ => return Ok(()),
        }
    }
}

fn block_query(range: &ReplayRange) -> BlockQuery {
    let low = |origin| range.after.as_ref().and_then(|after| after.get(origin)).unwrap_or(0);
    let marks = range.up_to.iter().map(|(origin, high)| Mark { origin, low: low(origin), high }).collect();
    BlockQuery {
        order: BlockOrder::Oldest,
        time_min: range.since,
        time_max: Micros(i64::MAX),
        series_min: SeriesId(0),
        series_max: SeriesId(u32::MAX),
        marks,
        unmarked: false,
    }
}

fn matching(engine: &Engine, range: &ReplayRange, samples: &Batch) -> Vec<ReplaySample> {
    let mut matching = Vec::new();
    let mut start = 0;
    for of_one_series in samples.series.chunk_by(|left, right| left == right) {
        let end = start + of_one_series.len();
        let series = engine.catalog.series(of_one_series[0]).filter(|series| range.filter.matches(series));
        if let Some(series) = series {
            let wanted = (start..end).filter(|place| samples.times[*place] >= range.since);
            matching.extend(wanted.map(|place| ReplaySample {
                series: Arc::clone(&series),
                time: samples.times[place],
                value: samples.values[place],
            }));
        }
        start = end;
    }
    matching.sort_by_key(|sample| sample.time);
    matching
}

fn distinct(sorted: &[SeriesId]) -> Vec<SeriesId> {
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    distinct
}
