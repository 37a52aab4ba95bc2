//! How much there is: of tables on disk; of samples and rows before they are read; and about, so that readers of
//! everything take it in portions.

use deadpool_postgres::GenericClient;

use super::levels::samples::{first_start, numbers};
use super::{StoreError, Timestamp};
use crate::model::{Micros, Resolution, SeriesId};

/// The tables that grow with what comes in.
pub const TABLES: [&str; 5] = ["journal", "recent", "samples", "rollup_1m", "rollup_1h"];

/// A table with all its parts and indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSize {
    pub table: &'static str,
    pub bytes: u64,
    /// What PostgreSQL estimates; they take room until they are vacuumed, or the part is emptied.
    pub dead_rows: u64,
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn tables(client: &impl GenericClient) -> Result<Vec<TableSize>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/table_sizes.sql")).await?;
    let rows = client.query(&statement, &[&TABLES.as_slice()]).await?;
    let mut sizes = Vec::with_capacity(rows.len());
    for row in &rows {
        let name: &str = row.try_get("name")?;
        if let Some(table) = TABLES.into_iter().find(|table| *table == name) {
            let (bytes, dead_rows): (i64, i64) = (row.try_get("bytes")?, row.try_get("dead_rows")?);
            sizes.push(TableSize { table, bytes: bytes.unsigned_abs(), dead_rows: dead_rows.unsigned_abs() });
        }
    }
    Ok(sizes)
}

/// How many samples the rows of `samples` and `recent` hold that may have some of `[from, to]`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn samples(
    client: &impl GenericClient,
    series: &[SeriesId],
    from: Micros,
    to: Micros,
) -> Result<u64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/samples_count.sql")).await?;
    let row = client.query_one(&statement, &[&numbers(series), &first_start(from), &Timestamp(to)]).await?;
    Ok(row.try_get::<_, i64>("samples")?.unsigned_abs())
}

/// How many rows of `rollup_1h` may have hours that begin in `[from, to]`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn hour_rows(
    client: &impl GenericClient,
    series: &[SeriesId],
    from: Micros,
    to: Micros,
) -> Result<u64, StoreError> {
    let first_day = Micros(from.0.saturating_sub(from.0.rem_euclid(Resolution::Hour.row_micros())));
    let statement = client.prepare_cached(include_str!("../../sql/queries/rollup_1h_count.sql")).await?;
    let row = client.query_one(&statement, &[&numbers(series), &Timestamp(first_day), &Timestamp(to)]).await?;
    Ok(row.try_get::<_, i64>("rows")?.unsigned_abs())
}

/// About how many samples there are of each of `series`, which is sorted, in `[from, to]`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn weights(
    client: &impl GenericClient,
    series: &[SeriesId],
    from: Micros,
    to: Micros,
) -> Result<Vec<f64>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/export_weights.sql")).await?;
    let rows =
        client.query(&statement, &[&numbers(series), &first_start(from), &Timestamp(to), &Timestamp(from)]).await?;
    rows.iter().map(|row| Ok(row.try_get("samples")?)).collect()
}

/// Where the samples of one series in `[from, to]` begin, in order of time, and about how many they are: the first
/// `steps_max` such places.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn steps(
    client: &impl GenericClient,
    series: SeriesId,
    from: Micros,
    to: Micros,
    steps_max: i64,
) -> Result<Vec<(Micros, f64)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/export_steps.sql")).await?;
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&(series.0 as i32), &first_start(from), &Timestamp(to), &Timestamp(from), &steps_max];
    let rows = client.query(&statement, &parameters).await?;
    rows.iter().map(|row| Ok((row.try_get::<_, Timestamp>("start")?.0, row.try_get("samples")?))).collect()
}
