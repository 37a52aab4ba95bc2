//! Rows of packed samples: the parts of `recent` and the rows of `samples`.

use std::pin::pin;

use bytes::Bytes;
use deadpool_postgres::{GenericClient, Transaction};
use futures_util::SinkExt;
use tokio_postgres::Row;

use crate::codec::samples_row::SamplesRow;
use crate::model::{Micros, SeriesId};
use crate::store::copy::CopyWriter;
use crate::store::{StoreError, Timestamp};

/// No row holds samples of two of these; windows are counted from the epoch.
pub const WINDOW_MICROS: i64 = 3_600 * Micros::PER_SECOND;

const COLUMNS: i16 = 5;
/// The columns of a part before those it shares with a row of samples.
const PART_COLUMNS: i16 = 2;
const ROW_BYTES: usize = 160;

/// A row of `samples` or `recent`.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSamples {
    pub series: SeriesId,
    pub row: SamplesRow,
}

/// Reads the rows that may hold samples of `[from, to]`, by (series, start).
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn read(
    client: &impl GenericClient,
    series: &[SeriesId],
    from: Micros,
    to: Micros,
) -> Result<Vec<StoredSamples>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/samples_read.sql")).await?;
    let rows = client.query(&statement, &[&numbers(series), &first_start(from), &Timestamp(to)]).await?;
    rows.iter().map(stored).collect()
}

/// Reads the parts that may hold samples of `[from, to]`, by (series, fold, start): of two samples with the same series
/// and time the later one in this order wins. Parts of folds after `folds_max` are left out.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn read_recent(
    client: &impl GenericClient,
    series: &[SeriesId],
    from: Micros,
    to: Micros,
    folds_max: u64,
) -> Result<Vec<StoredSamples>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/recent_read.sql")).await?;
    let folds_max = i64::try_from(folds_max).unwrap_or(i64::MAX);
    let rows = client.query(&statement, &[&numbers(series), &first_start(from), &Timestamp(to), &folds_max]).await?;
    rows.iter().map(stored).collect()
}

/// Adds rows to `samples`. Their months must be there.
///
/// # Errors
/// When PostgreSQL is not available, or a row with the same series and start is there.
pub async fn append(transaction: &Transaction<'_>, rows: &[StoredSamples]) -> Result<(), StoreError> {
    let mut writer = CopyWriter::new(COLUMNS, rows.len() * ROW_BYTES);
    for stored in rows {
        columns(writer.begin_row(), stored);
    }
    copy(transaction, include_str!("../../../sql/queries/samples_append.sql"), writer.finish()).await
}

/// Adds parts of one fold to `recent`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn append_recent(
    transaction: &Transaction<'_>,
    slot: i16,
    fold: u64,
    rows: &[StoredSamples],
) -> Result<(), StoreError> {
    let mut writer = CopyWriter::new(COLUMNS + PART_COLUMNS, rows.len() * ROW_BYTES);
    for stored in rows {
        columns(writer.begin_row().int2(slot).int8(fold as i64), stored);
    }
    copy(transaction, include_str!("../../../sql/queries/recent_append.sql"), writer.finish()).await
}

/// The samples of a row as it came out of a statement that names the columns of [`read`].
///
/// # Errors
/// When a column has another type than it should.
pub fn stored(row: &Row) -> Result<StoredSamples, StoreError> {
    let series: i32 = row.try_get("series")?;
    let packed = SamplesRow {
        start: row.try_get::<_, Timestamp>("start")?.0,
        count: row.try_get("count")?,
        seconds: row.try_get("seconds")?,
        packed: row.try_get("packed")?,
    };
    Ok(StoredSamples { series: SeriesId(series as u32), row: packed })
}

fn columns(writer: &mut CopyWriter, stored: &StoredSamples) {
    let row = &stored.row;
    writer
        .int4(stored.series.0 as i32)
        .timestamptz(Timestamp(row.start))
        .int2(row.count)
        .int2(row.seconds)
        .bytea(&row.packed);
}

pub(super) async fn copy(transaction: &Transaction<'_>, sql: &str, rows: Bytes) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(sql).await?;
    let mut sink = pin!(transaction.copy_in(&statement).await?);
    sink.send(rows).await?;
    sink.finish().await?;
    Ok(())
}

pub(in crate::store) fn numbers(series: &[SeriesId]) -> Vec<i32> {
    series.iter().filter_map(|series| i32::try_from(series.0).ok()).collect()
}

/// The earliest start of a row that may reach to `from`.
pub(in crate::store) fn first_start(from: Micros) -> Timestamp {
    Timestamp(Micros(from.0.saturating_sub(from.0.rem_euclid(WINDOW_MICROS))))
}
