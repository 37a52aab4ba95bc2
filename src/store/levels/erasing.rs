//! Removing samples and buckets of some series from the levels: whole rows by the thousand, or rows to be cut.

use deadpool_postgres::Transaction;

use super::rollups::{self, StoredRollup};
use super::samples::{self, StoredSamples, numbers};
use crate::model::{Micros, Resolution, SeriesId};
use crate::store::{StoreError, Timestamp};

/// The tables that hold something of a series, from the top down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Recent,
    Samples,
    Minutes,
    Hours,
}

/// Rows of some series that begin in `[from, to)`.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    pub series: &'a [SeriesId],
    pub from: Micros,
    pub to: Micros,
}

/// A part of recent, with its place in the ring.
#[derive(Clone, Debug)]
pub struct TakenPart {
    pub slot: i16,
    pub fold: u64,
    pub stored: StoredSamples,
}

/// Removes at most `rows_max` rows and answers how many there were.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn erase(
    transaction: &Transaction<'_>,
    level: Level,
    stretch: Stretch<'_>,
    rows_max: i64,
) -> Result<u64, StoreError> {
    let sql = match level {
        Level::Recent => include_str!("../../../sql/queries/erase_recent.sql"),
        Level::Samples => include_str!("../../../sql/queries/erase_samples.sql"),
        Level::Minutes => include_str!("../../../sql/queries/erase_rollup_1m.sql"),
        Level::Hours => include_str!("../../../sql/queries/erase_rollup_1h.sql"),
    };
    let statement = transaction.prepare_cached(sql).await?;
    let (from, to) = (Timestamp(stretch.from), Timestamp(stretch.to));
    Ok(transaction.execute(&statement, &[&numbers(stretch.series), &from, &to, &rows_max]).await?)
}

/// Removes rows of samples and answers them.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn take_samples(
    transaction: &Transaction<'_>,
    stretch: Stretch<'_>,
) -> Result<Vec<StoredSamples>, StoreError> {
    let rows = take(transaction, include_str!("../../../sql/queries/erase_samples_take.sql"), stretch).await?;
    rows.iter().map(samples::stored).collect()
}

/// Removes parts of recent and answers them.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn take_recent(transaction: &Transaction<'_>, stretch: Stretch<'_>) -> Result<Vec<TakenPart>, StoreError> {
    let rows = take(transaction, include_str!("../../../sql/queries/erase_recent_take.sql"), stretch).await?;
    let part = |row: &tokio_postgres::Row| -> Result<TakenPart, StoreError> {
        let fold: i64 = row.try_get("fold")?;
        Ok(TakenPart { slot: row.try_get("slot")?, fold: fold as u64, stored: samples::stored(row)? })
    };
    rows.iter().map(part).collect()
}

/// Removes rows of buckets and answers them.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn take_rollups(
    transaction: &Transaction<'_>,
    resolution: Resolution,
    stretch: Stretch<'_>,
) -> Result<Vec<StoredRollup>, StoreError> {
    let sql = match resolution {
        Resolution::Minute => include_str!("../../../sql/queries/erase_rollup_1m_take.sql"),
        Resolution::Hour => include_str!("../../../sql/queries/erase_rollup_1h_take.sql"),
    };
    take(transaction, sql, stretch).await?.iter().map(rollups::stored).collect()
}

async fn take(
    transaction: &Transaction<'_>,
    sql: &str,
    stretch: Stretch<'_>,
) -> Result<Vec<tokio_postgres::Row>, StoreError> {
    let statement = transaction.prepare_cached(sql).await?;
    let (from, to) = (Timestamp(stretch.from), Timestamp(stretch.to));
    Ok(transaction.query(&statement, &[&numbers(stretch.series), &from, &to]).await?)
}
