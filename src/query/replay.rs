//! Stored samples for those who go on live: what was committed between given marks, block by block from the earliest.
//!
//! Within a block samples are in order of time; blocks overlap, as live flushes do. Memory is a few blocks.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::{Engine, QueryError};
use crate::codec::block;
use crate::model::{Batch, Micros, Sample, Series, SeriesDirectory, SeriesId};
use crate::store::journal::{self, BlockOrder, BlockQuery, Mark};

/// Blocks read at once.
const BLOCKS: u32 = 8;

/// What is wanted of the past.
pub struct Past<'a> {
    pub since: Micros,
    /// Flushes of writers that are not listed are not part of it.
    pub marks: Vec<Mark>,
    pub wanted: &'a (dyn Fn(&Series) -> bool + Sync),
}

impl fmt::Debug for Past<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Past").field("since", &self.since).field("marks", &self.marks).finish_non_exhaustive()
    }
}

impl Engine {
    /// Sends what is wanted in chunks, waiting whenever the receiver does not keep up. A closed channel ends it, though
    /// never in the midst of a statement: a dropped one would go on running on a connection of the pool. For the same
    /// reason this future is to be driven to its end.
    ///
    /// # Errors
    /// When its turn does not come in time, PostgreSQL is not available, or a block cannot be read.
    pub async fn replay(&self, past: Past<'_>, into: &mpsc::Sender<Vec<Sample>>) -> Result<(), QueryError> {
        let query = block_query(&past);
        let mut after = None;
        loop {
            let turn = tokio::select! {
                turn = self.turn_in_time() => turn?,
                () = into.closed() => return Ok(()),
            };
            let client = self.database.client().await?;
            let blocks = journal::read_blocks(&client, &query, after, BLOCKS).await?;
            // The receiver may take its time with what it is sent; nobody waits for it with a turn or a connection.
            drop((client, turn));
            for stored in &blocks {
                let mut samples = Batch::default();
                block::decode(&stored.block, &mut samples)?;
                self.catalog.load(&distinct(&samples.series)).await?;
                if into.send(self.matching(&past, &samples)).await.is_err() {
                    return Ok(());
                }
            }
            match blocks.last() {
                Some(last) if blocks.len() == BLOCKS as usize => after = Some(last.position(query.order)),
                _ => return Ok(()),
            }
        }
    }

    async fn turn_in_time(&self) -> Result<OwnedSemaphorePermit, QueryError> {
        let timeout = self.config.timeout;
        tokio::time::timeout(timeout, self.turn()).await.map_err(|_| QueryError::TimedOut { timeout })?
    }

    fn matching(&self, past: &Past<'_>, samples: &Batch) -> Vec<Sample> {
        let mut matching = Vec::new();
        let mut start = 0;
        for of_one_series in samples.series.chunk_by(|left, right| left == right) {
            let end = start + of_one_series.len();
            let series = self.catalog.series(of_one_series[0]).filter(|series| (past.wanted)(series));
            if let Some(series) = series {
                let wanted = (start..end).filter(|place| samples.times[*place] >= past.since);
                matching.extend(wanted.map(|place| Sample {
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
}

fn block_query(past: &Past<'_>) -> BlockQuery {
    BlockQuery {
        order: BlockOrder::Oldest,
        time_min: past.since,
        time_max: Micros(i64::MAX),
        series_min: SeriesId(0),
        series_max: SeriesId(u32::MAX),
        marks: past.marks.clone(),
        unmarked: false,
    }
}

fn distinct(sorted: &[SeriesId]) -> Vec<SeriesId> {
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    distinct
}
