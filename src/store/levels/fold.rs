//! What a fold asks and changes beside the parts it writes: which blocks it has before it, marks, and the ring.

use std::collections::BTreeMap;
use std::pin::pin;

use deadpool_postgres::Transaction;
use futures_util::TryStreamExt;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::model::{Micros, Origin, SeriesId};
use crate::store::{StoreError, Timestamp};

/// A block of the journal without what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHead {
    pub origin: Origin,
    pub sequence: u64,
    pub part: i16,
    pub slot: i16,
    pub series_min: SeriesId,
    pub series_max: SeriesId,
    pub samples: u32,
    pub committed_at: Micros,
}

/// The first `blocks_max` blocks past the marks in the order of their times, each writer's in the order of its sequences.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn unfolded(transaction: &Transaction<'_>, blocks_max: usize) -> Result<Vec<BlockHead>, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/journal_unfolded.sql")).await?;
    let blocks_max = blocks_max as i64;
    let parameters: [&(dyn ToSql + Sync); 1] = [&blocks_max];
    // One by one: there may be many, and a row takes several times what is kept of it.
    let mut rows = pin!(transaction.query_raw(&statement, parameters).await?);
    let mut heads = Vec::new();
    while let Some(row) = rows.try_next().await? {
        heads.push(head(&row)?);
    }
    Ok(heads)
}

fn head(row: &Row) -> Result<BlockHead, StoreError> {
    let (node, lane, sequence): (i32, i16, i64) =
        (row.try_get("node")?, row.try_get("lane")?, row.try_get("sequence")?);
    let number = |column: &str| row.try_get::<_, i32>(column).map(|number| number as u32);
    Ok(BlockHead {
        origin: Origin { node: node as u32, lane: lane as u16 },
        sequence: sequence as u64,
        part: row.try_get("part")?,
        slot: row.try_get("slot")?,
        series_min: SeriesId(number("series_min")?),
        series_max: SeriesId(number("series_max")?),
        samples: number("samples")?,
        committed_at: row.try_get::<_, Timestamp>("committed_at")?.0,
    })
}

/// What is in some blocks, in the order of `heads`.
///
/// # Errors
/// When PostgreSQL is not available, or one of them is not there any more.
pub async fn blocks(transaction: &Transaction<'_>, heads: &[BlockHead]) -> Result<Vec<Vec<u8>>, StoreError> {
    let nodes: Vec<i32> = heads.iter().map(|head| head.origin.node as i32).collect();
    let lanes: Vec<i16> = heads.iter().map(|head| head.origin.lane as i16).collect();
    let sequences: Vec<i64> = heads.iter().map(|head| head.sequence as i64).collect();
    let parts: Vec<i16> = heads.iter().map(|head| head.part).collect();
    let slots: Vec<i16> = heads.iter().map(|head| head.slot).collect();
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/journal_blocks_of.sql")).await?;
    let rows = transaction.query(&statement, &[&nodes, &lanes, &sequences, &parts, &slots]).await?;
    if rows.len() != heads.len() {
        return Err(StoreError::Unreadable("a block left the journal before it was folded".to_owned()));
    }
    rows.iter().map(|row| Ok(row.try_get("block")?)).collect()
}

/// Counts a fold and answers its number.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn begin(transaction: &Transaction<'_>, now: Micros) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/progress_fold.sql")).await?;
    let runs: i64 = transaction.query_one(&statement, &[&Timestamp(now)]).await?.try_get("runs")?;
    Ok(runs as u64)
}

/// Moves marks, never back.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn move_marks(
    transaction: &Transaction<'_>,
    marks: &BTreeMap<Origin, u64>,
    now: Micros,
) -> Result<(), StoreError> {
    let nodes: Vec<i32> = marks.keys().map(|origin| origin.node as i32).collect();
    let lanes: Vec<i16> = marks.keys().map(|origin| origin.lane as i16).collect();
    let sequences: Vec<i64> = marks.values().map(|sequence| *sequence as i64).collect();
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/fold_marks_move.sql")).await?;
    transaction.execute(&statement, &[&nodes, &lanes, &sequences, &Timestamp(now)]).await?;
    Ok(())
}

/// Notes that something in some tables of the journal's ring is being folded.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn slots_folded(transaction: &Transaction<'_>, slots: &[i16], now: Micros) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/journal_slots_folded.sql")).await?;
    transaction.execute(&statement, &[&slots, &Timestamp(now)]).await?;
    Ok(())
}

/// Forgets marks of writers that have no rows in the journal: those that have not moved since `moved_before`, and all
/// but the `marks_max` that moved last. Answers how many.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn forget_marks(
    transaction: &Transaction<'_>,
    moved_before: Micros,
    marks_max: usize,
) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/fold_marks_forget.sql")).await?;
    Ok(transaction.execute(&statement, &[&Timestamp(moved_before), &(marks_max as i64)]).await?)
}

/// Empties a table of the journal's ring, if all in it was folded, the last of it up to `before`, and nobody is at it for
/// longer than a moment. Answers whether it was emptied.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn empty_slot(transaction: &Transaction<'_>, slot: i16, before: Micros) -> Result<bool, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/journal_empty_slot.sql")).await?;
    Ok(transaction.query_one(&statement, &[&slot, &Timestamp(before)]).await?.try_get("emptied")?)
}
