//! How much there is to read, before it is read.

use deadpool_postgres::GenericClient;

use super::samples::{first_start, numbers};
use crate::model::{Micros, Resolution, SeriesId};
use crate::store::{StoreError, Timestamp};

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
    let statement = client.prepare_cached(include_str!("../../../sql/queries/samples_count.sql")).await?;
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
    let statement = client.prepare_cached(include_str!("../../../sql/queries/rollup_1h_count.sql")).await?;
    let row = client.query_one(&statement, &[&numbers(series), &Timestamp(first_day), &Timestamp(to)]).await?;
    Ok(row.try_get::<_, i64>("rows")?.unsigned_abs())
}
