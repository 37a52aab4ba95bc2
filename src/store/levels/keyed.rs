//! Rows of samples and rollups by their keys: what is changed, row by row.

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::Row;

use super::rollups::{self, StoredRollup};
use super::samples::{self, StoredSamples};
use crate::model::{Micros, Resolution, SeriesId};
use crate::store::{StoreError, Timestamp};

/// The series of a row, and where it starts. Also an hour or a day of a series, by its beginning.
pub type Key = (SeriesId, Micros);

/// A row of samples, not read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredHead {
    pub series: SeriesId,
    /// The time of its first sample.
    pub start: Micros,
    pub count: i16,
}

/// What rows of `samples` there are of some hours, those of an hour in order of time.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn heads(client: &impl GenericClient, windows: &[Key]) -> Result<Vec<StoredHead>, StoreError> {
    let head = |row: &Row| -> Result<StoredHead, StoreError> {
        let (series, start): (i32, Timestamp) = (row.try_get("series")?, row.try_get("start")?);
        Ok(StoredHead { series: SeriesId(series as u32), start: start.0, count: row.try_get("count")? })
    };
    query(client, include_str!("../../../sql/queries/samples_heads.sql"), windows).await?.iter().map(head).collect()
}

/// Rows of `samples`, in no order.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn read_samples(client: &impl GenericClient, keys: &[Key]) -> Result<Vec<StoredSamples>, StoreError> {
    let rows = query(client, include_str!("../../../sql/queries/samples_rows.sql"), keys).await?;
    rows.iter().map(samples::stored).collect()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn delete_samples(transaction: &Transaction<'_>, keys: &[Key]) -> Result<(), StoreError> {
    delete(transaction, include_str!("../../../sql/queries/samples_delete.sql"), keys).await
}

/// Rows of a rollup table, in no order; of keys that have none there is none.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn read_rollups(
    client: &impl GenericClient,
    resolution: Resolution,
    keys: &[Key],
) -> Result<Vec<StoredRollup>, StoreError> {
    let sql = match resolution {
        Resolution::Minute => include_str!("../../../sql/queries/rollup_1m_rows.sql"),
        Resolution::Hour => include_str!("../../../sql/queries/rollup_1h_rows.sql"),
    };
    query(client, sql, keys).await?.iter().map(rollups::stored).collect()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn delete_rollups(
    transaction: &Transaction<'_>,
    resolution: Resolution,
    keys: &[Key],
) -> Result<(), StoreError> {
    let sql = match resolution {
        Resolution::Minute => include_str!("../../../sql/queries/rollup_1m_delete.sql"),
        Resolution::Hour => include_str!("../../../sql/queries/rollup_1h_delete.sql"),
    };
    delete(transaction, sql, keys).await
}

async fn query(client: &impl GenericClient, sql: &str, keys: &[Key]) -> Result<Vec<Row>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (series, starts) = columns(keys);
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, &[&series, &starts]).await?)
}

async fn delete(transaction: &Transaction<'_>, sql: &str, keys: &[Key]) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let (series, starts) = columns(keys);
    let statement = transaction.prepare_cached(sql).await?;
    transaction.execute(&statement, &[&series, &starts]).await?;
    Ok(())
}

fn columns(keys: &[Key]) -> (Vec<i32>, Vec<Timestamp>) {
    keys.iter().map(|(series, start)| (series.0 as i32, Timestamp(*start))).unzip()
}
