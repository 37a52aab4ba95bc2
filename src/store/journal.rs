//! The journal table: flushes go in as a few rows, blocks come out by time, or flush by flush as they went in.

use bytes::Bytes;
use deadpool_postgres::GenericClient;
use futures_util::{Stream, StreamExt};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::copy::CopyWriter;
use super::{StoreError, Timestamp};
use crate::model::{Micros, Origin, SeriesId};

const COLUMNS: i16 = 12;
/// What a row takes beside its block.
const ROW_HEAD_BYTES: usize = 128;

/// The tables of the ring.
pub const SLOTS: i64 = 4;
/// How long a writer stays with one of them.
pub const SLOT_MICROS: i64 = 30 * Micros::PER_SECOND;

/// The table of the ring that a flush goes to. Nothing depends on writers agreeing on it: a table is emptied only when
/// all that is in it has been folded.
pub fn slot(committed_at: Micros) -> i16 {
    committed_at.0.div_euclid(SLOT_MICROS).rem_euclid(SLOTS) as i16
}

/// One block on its way in.
#[derive(Clone, Debug)]
pub struct NewBlock {
    pub part: i16,
    pub series_min: SeriesId,
    pub series_max: SeriesId,
    pub time_min: Micros,
    pub time_max: Micros,
    pub samples: i32,
    pub block: Vec<u8>,
}

/// The rows of one flush, ready to be sent as often as it takes.
#[derive(Clone, Debug)]
pub struct FlushRows {
    pub(super) copy: Bytes,
    pub(super) origin: Origin,
    pub(super) sequence: u64,
    pub(super) committed_at: Micros,
}

impl FlushRows {
    pub fn new(origin: Origin, sequence: u64, committed_at: Micros, blocks: &[NewBlock]) -> Self {
        Self::in_slot(origin, sequence, (committed_at, slot(committed_at)), blocks)
    }

    /// With the table of the ring chosen by the caller.
    pub fn in_slot(origin: Origin, sequence: u64, (committed_at, slot): (Micros, i16), blocks: &[NewBlock]) -> Self {
        let bytes: usize = blocks.iter().map(|block| block.block.len() + ROW_HEAD_BYTES).sum();
        let mut writer = CopyWriter::new(COLUMNS, bytes);
        for block in blocks {
            writer
                .begin_row()
                .int4(origin.node as i32)
                .int2(origin.lane as i16)
                .int2(slot)
                .int8(sequence as i64)
                .int2(block.part)
                .int4(block.series_min.0 as i32)
                .int4(block.series_max.0 as i32)
                .timestamptz(Timestamp(block.time_min))
                .timestamptz(Timestamp(block.time_max))
                .int4(block.samples)
                .timestamptz(Timestamp(committed_at))
                .bytea(&block.block);
        }
        Self { copy: writer.finish(), origin, sequence, committed_at }
    }

    pub fn origin(&self) -> Origin {
        self.origin
    }

    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockOrder {
    /// By the latest sample of each block, latest first.
    Newest,
    /// By the earliest sample of each block, earliest first.
    Oldest,
}

/// How much of one writer's flushes to read: those after `low`, up to and with `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub origin: Origin,
    pub low: u64,
    pub high: u64,
}

/// Which blocks to read. Blocks hold other samples too; the reader picks its own.
#[derive(Clone, Debug)]
pub struct BlockQuery {
    pub order: BlockOrder,
    /// Both ends included.
    pub time_min: Micros,
    pub time_max: Micros,
    pub series_min: SeriesId,
    pub series_max: SeriesId,
    pub marks: Vec<Mark>,
    /// Whether writers without a mark are read too, whole.
    pub unmarked: bool,
    /// A row in the same order, by time and series: blocks whose rows all come after it are left out, as far as
    /// [`read_unfolded`] can tell.
    pub edge: Option<(Micros, SeriesId)>,
}

/// Where a block stands in a [`BlockOrder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPosition {
    time: Timestamp,
    origin: Origin,
    sequence: u64,
    part: i16,
}

/// A block on its way out.
#[derive(Debug)]
pub struct StoredBlock {
    pub origin: Origin,
    pub sequence: u64,
    pub part: i16,
    pub time_min: Micros,
    pub time_max: Micros,
    pub committed_at: Micros,
    pub block: Vec<u8>,
}

impl StoredBlock {
    pub fn position(&self, order: BlockOrder) -> BlockPosition {
        let time = match order {
            BlockOrder::Newest => self.time_max,
            BlockOrder::Oldest => self.time_min,
        };
        BlockPosition { time: Timestamp(time), origin: self.origin, sequence: self.sequence, part: self.part }
    }
}

/// Reads at most `blocks_max` blocks, those after `after` in the query's order.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn read_blocks(
    client: &deadpool_postgres::Client,
    query: &BlockQuery,
    after: Option<BlockPosition>,
    blocks_max: u32,
) -> Result<Vec<StoredBlock>, StoreError> {
    let (sql, start) = match query.order {
        BlockOrder::Newest => (include_str!("../../sql/queries/journal_blocks_newest.sql"), Timestamp::AFTER_ALL),
        BlockOrder::Oldest => (include_str!("../../sql/queries/journal_blocks_oldest.sql"), Timestamp::BEFORE_ALL),
    };
    let after = after.unwrap_or(BlockPosition { time: start, origin: Origin::default(), sequence: 0, part: 0 });
    let columns = MarkColumns::of(&query.marks);
    let statement = client.prepare_cached(sql).await?;
    let rows = client
        .query(
            &statement,
            &[
                &Timestamp(query.time_min),
                &Timestamp(query.time_max),
                &(query.series_min.0.min(i32::MAX as u32) as i32),
                &(query.series_max.0.min(i32::MAX as u32) as i32),
                &columns.nodes,
                &columns.lanes,
                &columns.lows,
                &columns.highs,
                &query.unmarked,
                &after.time,
                &(after.origin.node as i32),
                &(after.origin.lane as i16),
                &(after.sequence as i64),
                &after.part,
                &i64::from(blocks_max),
            ],
        )
        .await?;
    rows.iter().map(stored_block).collect()
}

/// The tables of the ring that hold anything that was not folded.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn unfolded_slots(client: &deadpool_postgres::Client) -> Result<Vec<i16>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/journal_unfolded_slots.sql")).await?;
    let rows = client.query(&statement, &[]).await?;
    Ok(rows.iter().map(|row| row.try_get("slot")).collect::<Result<_, _>>()?)
}

/// Reads at most `blocks_max` blocks that were not folded, those after `after` in the query's order, from these tables of
/// the ring: one that is folded and not emptied yet would be walked to its end. The marks of the query do not count.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn read_unfolded(
    client: &deadpool_postgres::Client,
    query: &BlockQuery,
    slots: &[i16],
    after: Option<BlockPosition>,
    blocks_max: u32,
) -> Result<Vec<StoredBlock>, StoreError> {
    // Without a row that blocks must come before, all do.
    let (sql, start, edge) = match query.order {
        BlockOrder::Newest => {
            (include_str!("../../sql/queries/journal_unfolded_newest.sql"), Timestamp::AFTER_ALL, Timestamp::BEFORE_ALL)
        }
        BlockOrder::Oldest => {
            (include_str!("../../sql/queries/journal_unfolded_oldest.sql"), Timestamp::BEFORE_ALL, Timestamp::AFTER_ALL)
        }
    };
    let edge = query.edge.map_or((edge, 0), |(time, series)| (Timestamp(time), number(series)));
    let after = after.unwrap_or(BlockPosition { time: start, origin: Origin::default(), sequence: 0, part: 0 });
    let statement = client.prepare_cached(sql).await?;
    let rows = client
        .query(
            &statement,
            &[
                &Timestamp(query.time_min),
                &Timestamp(query.time_max),
                &number(query.series_min),
                &number(query.series_max),
                &after.time,
                &(after.origin.node as i32),
                &(after.origin.lane as i16),
                &(after.sequence as i64),
                &after.part,
                &i64::from(blocks_max),
                &slots,
                &edge.0,
                &edge.1,
            ],
        )
        .await?;
    rows.iter().map(stored_block).collect()
}

/// The blocks that were not folded and may hold samples of a range of series and time, both ends included, in no order.
///
/// # Errors
/// When PostgreSQL is not available; also the stream's items.
pub async fn unfolded_of_series(
    client: &deadpool_postgres::Client,
    (series_min, series_max): (SeriesId, SeriesId),
    (time_min, time_max): (Micros, Micros),
) -> Result<impl Stream<Item = Result<StoredBlock, StoreError>> + use<>, StoreError> {
    let statement = prepare_unfolded(client).await?;
    let parameters: [&(dyn ToSql + Sync); 4] =
        [&Timestamp(time_min), &Timestamp(time_max), &number(series_min), &number(series_max)];
    let rows = Box::pin(client.query_raw(&statement, parameters).await?);
    Ok(rows.map(|row| stored_block(&row?)))
}

/// Sees to it that the statement of [`unfolded_of_series`] is known to the connection.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn prepare_unfolded(client: &deadpool_postgres::Client) -> Result<Statement, StoreError> {
    Ok(client.prepare_cached(include_str!("../../sql/queries/journal_unfolded_of_series.sql")).await?)
}

/// Numbers beyond PostgreSQL's are not in use.
fn number(series: SeriesId) -> i32 {
    i32::try_from(series.0).unwrap_or(i32::MAX)
}

/// How many flushes the journal holds of those the marks speak of.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn flush_count(client: &impl GenericClient, marks: &[Mark]) -> Result<u64, StoreError> {
    let columns = MarkColumns::of(marks);
    let statement = client.prepare_cached(include_str!("../../sql/queries/journal_flush_count.sql")).await?;
    let row = client.query_one(&statement, &[&columns.nodes, &columns.lanes, &columns.lows, &columns.highs]).await?;
    Ok(row.try_get::<_, i64>("flushes")?.unsigned_abs())
}

/// Marks as the arrays that statements take.
struct MarkColumns {
    nodes: Vec<i32>,
    lanes: Vec<i16>,
    lows: Vec<i64>,
    highs: Vec<i64>,
}

impl MarkColumns {
    fn of(marks: &[Mark]) -> Self {
        Self {
            nodes: marks.iter().map(|mark| mark.origin.node as i32).collect(),
            lanes: marks.iter().map(|mark| mark.origin.lane as i16).collect(),
            lows: marks.iter().map(|mark| mark.low as i64).collect(),
            highs: marks.iter().map(|mark| mark.high as i64).collect(),
        }
    }
}

/// Reads the next flushes of some writers, whole, each writer's after the sequence that stands beside it: at least
/// `blocks_max` blocks of each, where there are as many.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn flushes_after(
    client: &deadpool_postgres::Client,
    writers: &[(Origin, u64)],
    blocks_max: usize,
) -> Result<Vec<StoredBlock>, StoreError> {
    let nodes: Vec<i32> = writers.iter().map(|(origin, _)| origin.node as i32).collect();
    let lanes: Vec<i16> = writers.iter().map(|(origin, _)| origin.lane as i16).collect();
    let sequences: Vec<i64> = writers.iter().map(|(_, sequence)| *sequence as i64).collect();
    let statement = client.prepare_cached(include_str!("../../sql/queries/journal_flushes_after.sql")).await?;
    let rows = client.query(&statement, &[&nodes, &lanes, &sequences, &(blocks_max as i64)]).await?;
    rows.iter().map(stored_block).collect()
}

fn stored_block(row: &Row) -> Result<StoredBlock, StoreError> {
    let (node, lane, sequence): (i32, i16, i64) =
        (row.try_get("node")?, row.try_get("lane")?, row.try_get("sequence")?);
    let time = |column: &str| row.try_get::<_, Timestamp>(column).map(|time| time.0);
    Ok(StoredBlock {
        origin: Origin { node: node as u32, lane: lane as u16 },
        sequence: sequence as u64,
        part: row.try_get("part")?,
        time_min: time("time_min")?,
        time_max: time("time_max")?,
        committed_at: time("committed_at")?,
        block: row.try_get("block")?,
    })
}
