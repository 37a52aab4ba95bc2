//! What has expired: found and taken away for some series at a time, by looks into the index.

use std::pin::Pin;

use deadpool_postgres::Transaction;
use futures_util::{Stream, TryStreamExt};

use super::rollups::{self, StoredRollup};
use super::samples::{self, StoredSamples, numbers};
use crate::model::{Micros, Resolution, SeriesId};
use crate::store::{StoreError, Timestamp};

/// What of a series has expired: what begins before a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    pub series: SeriesId,
    pub before: Micros,
}

/// A row of samples, without its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldRow {
    pub series: SeriesId,
    pub start: Micros,
    pub samples: u64,
}

/// How many rows went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    pub rows: u64,
    /// Of the series that lost most.
    pub rows_of_series: u64,
}

/// Has what follows in the transaction look into indexes, whatever PostgreSQL thinks of the tables.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn prefer_indexes(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/prefer_indexes.sql")).await?;
    transaction.query_one(&statement, &[]).await?;
    Ok(())
}

/// The oldest expired rows of samples, at most `rows_max` of each series, by (series, start).
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn oldest_samples(
    transaction: &Transaction<'_>,
    expired: &[Expired],
    rows_max: usize,
) -> Result<Vec<OldRow>, StoreError> {
    let (series, before, latest) = columns(expired);
    let rows_max = i64::try_from(rows_max).unwrap_or(i64::MAX);
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/samples_expired.sql")).await?;
    let old_row = |row: &tokio_postgres::Row| -> Result<OldRow, StoreError> {
        let (series, start, count): (i32, Timestamp, i16) =
            (row.try_get("series")?, row.try_get("start")?, row.try_get("count")?);
        Ok(OldRow { series: SeriesId(series as u32), start: start.0, samples: u64::from(count.unsigned_abs()) })
    };
    transaction.query(&statement, &[&series, &before, &latest, &rows_max]).await?.iter().map(old_row).collect()
}

/// Takes the expired rows of samples away, and gives them out one by one, by (series, start). They are gone once the
/// transaction is committed.
///
/// # Errors
/// When PostgreSQL is not available. The stream fails, too, when a row cannot be read.
pub async fn take_samples(
    transaction: &Transaction<'_>,
    expired: &[Expired],
) -> Result<Pin<Box<dyn Stream<Item = Result<StoredSamples, StoreError>> + Send>>, StoreError> {
    let (series, before, latest) = columns(expired);
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/samples_take.sql")).await?;
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&series, &before, &latest];
    let rows = transaction.query_raw(&statement, parameters).await?;
    Ok(Box::pin(rows.map_err(StoreError::from).and_then(|row| std::future::ready(samples::stored(&row)))))
}

/// Takes the rows of minutes at `places` away, those that are there.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn take_minutes(
    transaction: &Transaction<'_>,
    places: &[(SeriesId, Micros)],
) -> Result<Vec<StoredRollup>, StoreError> {
    let series = numbers(&places.iter().map(|(series, _)| *series).collect::<Vec<_>>());
    let starts: Vec<Timestamp> = places.iter().map(|(_, start)| Timestamp(*start)).collect();
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/rollup_1m_take.sql")).await?;
    transaction.query(&statement, &[&series, &starts]).await?.iter().map(rollups::stored).collect()
}

/// Deletes expired rollups, at most `rows_max` of each series.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn delete_rollups(
    transaction: &Transaction<'_>,
    resolution: Resolution,
    expired: &[Expired],
    rows_max: usize,
) -> Result<Gone, StoreError> {
    let sql = match resolution {
        Resolution::Minute => include_str!("../../../sql/queries/rollup_1m_expire.sql"),
        Resolution::Hour => include_str!("../../../sql/queries/rollup_1h_expire.sql"),
    };
    let (series, before, latest) = columns(expired);
    let rows_max = i64::try_from(rows_max).unwrap_or(i64::MAX);
    let statement = transaction.prepare_cached(sql).await?;
    let row = transaction.query_one(&statement, &[&series, &before, &latest, &rows_max]).await?;
    let number = |column: &str| row.try_get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(Gone { rows: number("rows")?, rows_of_series: number("rows_of_series")? })
}

/// Whether one of `series` has samples in rows that begin in `[from, before)`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn has_samples(
    transaction: &Transaction<'_>,
    series: &[SeriesId],
    from: Micros,
    before: Micros,
) -> Result<bool, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/samples_in_use.sql")).await?;
    let row = transaction.query_one(&statement, &[&numbers(series), &Timestamp(from), &Timestamp(before)]).await?;
    Ok(row.try_get("in_use")?)
}

/// Series and moments as parameters, and the latest of the moments.
fn columns(expired: &[Expired]) -> (Vec<i32>, Vec<Timestamp>, Timestamp) {
    let series = numbers(&expired.iter().map(|one| one.series).collect::<Vec<_>>());
    let before: Vec<Timestamp> = expired.iter().map(|one| Timestamp(one.before)).collect();
    let latest = before.iter().copied().max().unwrap_or(Timestamp::BEFORE_ALL);
    (series, before, latest)
}
