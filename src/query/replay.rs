//! Stored samples for those who go on live: what was committed up to given marks, from the earliest on, or between marks.
//!
//! ```text
//! from the beginning:  recent and samples up to the last fold ─▶ parts folded meanwhile ─▶ journal past the fold
//! after marks:         journal between the marks
//! ```
//!
//! Parts carry the number of their fold, so the first is exactly what one look at the marks of folding says is folded,
//! however long reading it takes; what is folded meanwhile is read by the numbers after it. Only a seal takes the numbers
//! away, and only emptying the journal takes flushes away that were asked for: both are looked for after each reading,
//! before anything of it is sent, and end the replay. Memory is a page.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use uuid::Uuid;

use super::best::{Best, Wanted};
use super::cursor::Cursor;
use super::page::named;
use super::selection::Selection;
use super::stored::{self, Reading, Scope};
use super::{Engine, QueryError};
use crate::codec::block;
use crate::model::{Batch, Micros, Origin, Reach, Sample, Series, SeriesDirectory, SeriesId};
use crate::store::journal::{self, BlockOrder, BlockQuery, Mark};
use crate::store::levels::progress;
use crate::store::levels::standstill::{self, Standstill};
use crate::store::levels::windows::Folds;
use crate::store::series::{self, SeriesFilter};

/// Blocks read at once.
const BLOCKS: u32 = 8;
/// Folded samples read at once: dense hours are decoded anew for each page.
const PAGE_ROWS: usize = 50_000;
/// Samples handed on at once.
const CHUNK_ROWS: usize = 5_000;
/// Series looked at in one statement while those that match are looked for.
const SERIES_PAGE: u32 = 10_000;
/// What was folded while a round was read is another round, at most this often: then the journal is read as it is.
const ROUNDS_MAX: usize = 8;
/// After a round with at most this many samples little can have been folded meanwhile.
const SHORT_ROUND_SAMPLES_MAX: u64 = 1_000;

/// How far each writer is asked for, or was read.
pub type Marks = BTreeMap<Origin, u64>;

/// What is wanted of the past.
pub struct Past<'a> {
    pub since: Micros,
    /// Without: from the beginning. With: only flushes after these marks.
    pub after: Option<Marks>,
    /// Flushes of writers that are not listed are part of it only as far as they are folded.
    pub up_to: Marks,
    /// Series of other servers are not wanted; none: of any.
    pub servers: &'a [Uuid],
    /// Series of servers beyond it are not there.
    pub reach: &'a Reach,
    /// Whether `wanted` says yes to all.
    pub is_everything: bool,
    pub wanted: &'a (dyn Fn(&Series) -> bool + Sync),
}

impl fmt::Debug for Past<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { since, after, up_to, .. } = self;
        formatter
            .debug_struct("Past")
            .field("since", since)
            .field("after", after)
            .field("up_to", up_to)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Sends what is wanted in chunks, waiting whenever the receiver does not keep up. A closed channel ends it, though
    /// never in the midst of a statement: a dropped one would go on running on a connection of the pool. For the same
    /// reason this future is to be driven to its end.
    ///
    /// Answers how far it got with each writer that is listed or may still be handed on: at least as far as was asked,
    /// further where a fold was ahead.
    ///
    /// # Errors
    /// [`QueryError::Moved`] when what is wanted was moved while it was read: part of it was sent, the rest cannot be told
    /// from what was sent already. Or when its turn does not come in time, PostgreSQL is not available, or a block or row
    /// cannot be read.
    pub async fn replay(&self, past: &Past<'_>, into: &mpsc::Sender<Vec<Sample>>) -> Result<Marks, QueryError> {
        match self.replay_all(past, into).await {
            // Nobody looks at the answer.
            Err(_) if into.is_closed() => Ok(past.up_to.clone()),
            replayed => replayed,
        }
    }

    async fn replay_all(&self, past: &Past<'_>, into: &mpsc::Sender<Vec<Sample>>) -> Result<Marks, QueryError> {
        if let Some(after) = &past.after {
            let low = |origin: &Origin| after.get(origin).copied().unwrap_or(0);
            let marks = past.up_to.iter().map(|(origin, high)| Mark { origin: *origin, low: low(origin), high: *high });
            let marks: Vec<Mark> = marks.filter(|mark| mark.low < mark.high).collect();
            let flushes = marks.iter().map(|mark| mark.high - mark.low).sum();
            self.send_journal(past, marks, flushes, into).await?;
            return Ok(raised(past.up_to.clone(), after.iter().map(|(origin, sequence)| (*origin, *sequence))));
        }
        let (mut folds, mut seals) = (0, None);
        for round in 1..=ROUNDS_MAX {
            let still = self.look(past, into).await?;
            if seals.replace(still.progress.seals).is_some_and(|before| before != still.progress.seals) {
                return Err(QueryError::Moved);
            }
            let scope = Scope { folds: Folds { after: folds, up_to: still.progress.folds }, with_samples: round == 1 };
            let sent = self.send_folded(past, scope, still.progress.seals, into).await?;
            folds = still.progress.folds;
            if sent <= SHORT_ROUND_SAMPLES_MAX || round == ROUNDS_MAX {
                self.send_journal(past, still.unfolded.clone(), still.unfolded_flushes, into).await?;
                return Ok(reached(past, &still));
            }
        }
        Err(QueryError::Moved)
    }

    async fn look(&self, past: &Past<'_>, into: &mpsc::Sender<Vec<Sample>>) -> Result<Standstill, QueryError> {
        let _turn = self.turn_for(into).await?;
        let up_to: Vec<(Origin, u64)> = past.up_to.iter().map(|(origin, high)| (*origin, *high)).collect();
        Ok(standstill::look(&mut self.database.client().await?, &up_to).await?)
    }

    /// Sends what is in recent and samples, page by page, and answers how much that was.
    async fn send_folded(
        &self,
        past: &Past<'_>,
        scope: Scope,
        seals: u64,
        into: &mpsc::Sender<Vec<Sample>>,
    ) -> Result<u64, QueryError> {
        if scope.folds.after == scope.folds.up_to && !scope.with_samples {
            return Ok(0);
        }
        let mut selection = self.selection(past).await?;
        let waiting = || !into.is_closed();
        let reading = Reading { engine: self, waiting: &waiting, scope };
        let (mut cursor, mut sent) = (None, 0);
        while !selection.is_empty() {
            let turn = self.turn_for(into).await?;
            let (from, to, order) = (past.since, Micros(i64::MAX), BlockOrder::Oldest);
            let mut best = Best::new(Wanted { order, from, to, cursor, rows_max: PAGE_ROWS });
            stored::read(&reading, &mut selection, &mut best).await?;
            let still = progress::read(&self.database.client().await?).await?;
            // The receiver may take its time with what it is sent; nobody waits for it with a turn.
            drop(turn);
            if still.seals != seals {
                return Err(QueryError::Moved);
            }
            let page = best.into_rows();
            cursor = page.last().map(|row| Cursor { time: row.time, series: row.series });
            for rows in page.chunks(CHUNK_ROWS) {
                let mut rows = named(rows, &selection);
                rows.retain(|row| self.is_wanted(past, &row.series));
                sent += rows.len() as u64;
                into.send(rows).await.map_err(|_| QueryError::Abandoned)?;
            }
            if page.len() < PAGE_ROWS {
                break;
            }
        }
        Ok(sent)
    }

    /// The series to look for, as far as that spares reading others.
    async fn selection(&self, past: &Past<'_>) -> Result<Selection, QueryError> {
        if past.is_everything {
            return Selection::of(self, &SeriesFilter::all(past.reach.clone())).await;
        }
        let server_ids = (!past.servers.is_empty()).then(|| past.servers.to_vec());
        let filter = SeriesFilter { server_ids, ..SeriesFilter::all(past.reach.clone()) };
        let mut matching = Vec::new();
        let mut after = SeriesId(0);
        loop {
            let found = series::find(&self.database.client().await?, &filter, after, SERIES_PAGE).await?;
            matching.extend(found.iter().filter(|series| (past.wanted)(series)).map(|series| series.id));
            if matching.len() > self.config.series_max as usize {
                // Then all are read, and each is looked at before it is sent.
                return Selection::within(self, past.reach).await;
            }
            match found.last() {
                Some(last) if found.len() == SERIES_PAGE as usize => after = last.id,
                _ => return Selection::listed(self, matching).await,
            }
        }
    }

    /// Sends these flushes, block by block from the earliest. Within a block samples are in order of time; blocks
    /// overlap, as live flushes do.
    async fn send_journal(
        &self,
        past: &Past<'_>,
        marks: Vec<Mark>,
        flushes: u64,
        into: &mpsc::Sender<Vec<Sample>>,
    ) -> Result<(), QueryError> {
        if marks.is_empty() {
            return Ok(());
        }
        let query = block_query(past.since, marks);
        let mut after = None;
        loop {
            let turn = self.turn_for(into).await?;
            let client = self.database.client().await?;
            let blocks = journal::read_blocks(&client, &query, after, BLOCKS).await?;
            // All that are there now were there when the blocks were read.
            let is_whole = journal::flush_count(&client, &query.marks).await? == flushes;
            drop((client, turn));
            if !is_whole {
                return Err(QueryError::Moved);
            }
            for stored in &blocks {
                let mut samples = Batch::default();
                block::decode(&stored.block, &mut samples)?;
                self.catalog.load(&distinct(&samples.series)).await?;
                into.send(self.matching(past, &samples)).await.map_err(|_| QueryError::Abandoned)?;
            }
            match blocks.last() {
                Some(last) if blocks.len() == BLOCKS as usize => after = Some(last.position(query.order)),
                _ => return Ok(()),
            }
        }
    }

    async fn turn_for(&self, into: &mpsc::Sender<Vec<Sample>>) -> Result<OwnedSemaphorePermit, QueryError> {
        let timeout = self.config.timeout;
        tokio::select! {
            turn = tokio::time::timeout(timeout, self.turn()) => turn.map_err(|_| QueryError::TimedOut { timeout })?,
            () = into.closed() => Err(QueryError::Abandoned),
        }
    }

    /// Of a series that the catalog knows, and so its server.
    fn is_wanted(&self, past: &Past<'_>, series: &Series) -> bool {
        (past.wanted)(series) && self.catalog.is_within(series.server_id, past.reach)
    }

    fn matching(&self, past: &Past<'_>, samples: &Batch) -> Vec<Sample> {
        let mut matching = Vec::new();
        let mut start = 0;
        for of_one_series in samples.series.chunk_by(|left, right| left == right) {
            let end = start + of_one_series.len();
            let series = self.catalog.series(of_one_series[0]).filter(|series| self.is_wanted(past, series));
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

/// Where a fold is ahead of what was asked for, all that is folded was sent. A writer that has left the journal is not
/// handed on any more, so how far it got does not matter.
fn reached(past: &Past<'_>, still: &Standstill) -> Marks {
    let in_journal: Marks = still.writers.iter().copied().collect();
    let matters = |origin: &Origin| past.up_to.contains_key(origin) || in_journal.contains_key(origin);
    let folded = still.folded.iter().filter(|(origin, _)| matters(origin));
    raised(past.up_to.clone(), folded.map(|(origin, sequence)| (*origin, *sequence)))
}

fn raised(mut marks: Marks, others: impl Iterator<Item = (Origin, u64)>) -> Marks {
    for (origin, sequence) in others {
        let mark = marks.entry(origin).or_insert(sequence);
        *mark = (*mark).max(sequence);
    }
    marks
}

fn block_query(since: Micros, marks: Vec<Mark>) -> BlockQuery {
    BlockQuery {
        order: BlockOrder::Oldest,
        time_min: since,
        time_max: Micros(i64::MAX),
        series_min: SeriesId(0),
        series_max: SeriesId(u32::MAX),
        marks,
        unmarked: false,
        edge: None,
    }
}

fn distinct(sorted: &[SeriesId]) -> Vec<SeriesId> {
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    distinct
}
