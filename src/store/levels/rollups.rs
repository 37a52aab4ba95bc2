//! Rows of packed buckets: `rollup_1m` and `rollup_1h`.

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::Row;

use super::samples::{copy, numbers};
use crate::codec::rollup_row::RollupRow;
use crate::model::{Micros, Resolution, SeriesId};
use crate::store::copy::CopyWriter;
use crate::store::{StoreError, Timestamp};

const COLUMNS: i16 = 15;
const ROW_BYTES: usize = 512;

/// A row of a rollup table.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRollup {
    pub series: SeriesId,
    pub row: RollupRow,
}

/// Reads the rows that may hold buckets that begin in `[from, to]`, by (series, start).
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn read(
    client: &impl GenericClient,
    resolution: Resolution,
    series: &[SeriesId],
    from: Micros,
    to: Micros,
) -> Result<Vec<StoredRollup>, StoreError> {
    let sql = match resolution {
        Resolution::Minute => include_str!("../../../sql/queries/rollup_1m_read.sql"),
        Resolution::Hour => include_str!("../../../sql/queries/rollup_1h_read.sql"),
    };
    let first_start = Micros(from.0.saturating_sub(from.0.rem_euclid(resolution.row_micros())));
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&numbers(series), &Timestamp(first_start), &Timestamp(to)]).await?;
    rows.iter().map(stored).collect()
}

/// Adds rows. Their months must be there.
///
/// # Errors
/// When PostgreSQL is not available, or a row with the same series and start is there.
pub async fn append(
    transaction: &Transaction<'_>,
    resolution: Resolution,
    rows: &[StoredRollup],
) -> Result<(), StoreError> {
    let mut writer = CopyWriter::new(COLUMNS, rows.len() * ROW_BYTES);
    for stored in rows {
        columns(writer.begin_row(), stored);
    }
    let sql = match resolution {
        Resolution::Minute => include_str!("../../../sql/queries/rollup_1m_append.sql"),
        Resolution::Hour => include_str!("../../../sql/queries/rollup_1h_append.sql"),
    };
    copy(transaction, sql, writer.finish()).await
}

/// A row as it came out of a statement that names the columns of [`read`].
///
/// # Errors
/// When a column has another type than it should.
pub fn stored(row: &Row) -> Result<StoredRollup, StoreError> {
    let series: i32 = row.try_get("series")?;
    let bits = |column: &str| row.try_get::<_, Option<_>>(column).map(Option::unwrap_or_default);
    let packed = RollupRow {
        start: row.try_get::<_, Timestamp>("start")?.0,
        count_base: row.try_get("count_base")?,
        value_scale: row.try_get("value_scale")?,
        value_base: row.try_get("value_base")?,
        increase_base: row.try_get("increase_base")?,
        buckets: row.try_get("buckets")?,
        counts: bits("counts")?,
        values: [bits("sums")?, bits("mins")?, bits("maxs")?, bits("firsts")?, bits("lasts")?, bits("increases")?],
        floats: row.try_get::<_, Option<_>>("floats")?.unwrap_or_default(),
    };
    Ok(StoredRollup { series: SeriesId(series as u32), row: packed })
}

fn columns(writer: &mut CopyWriter, stored: &StoredRollup) {
    let row = &stored.row;
    writer
        .int4(stored.series.0 as i32)
        .timestamptz(Timestamp(row.start))
        .int8(row.value_base)
        .int8(row.increase_base)
        .int4(row.count_base)
        .int2(row.value_scale)
        .bit_varying(&row.buckets)
        .bit_varying(&row.counts);
    for column in &row.values {
        writer.bit_varying(column);
    }
    writer.float8_array(&row.floats);
}
