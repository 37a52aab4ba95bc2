//! About how much there is of some series, so that readers of everything take it in portions.

use deadpool_postgres::GenericClient;

use super::samples::{first_start, numbers};
use crate::model::{Micros, SeriesId};
use crate::store::{StoreError, Timestamp};

/// About how many samples there are of each of `series`, which is sorted, in `[from, to]`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn of_series(
    client: &impl GenericClient,
    series: &[SeriesId],
    from: Micros,
    to: Micros,
) -> Result<Vec<f64>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/export_weights.sql")).await?;
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
    let statement = client.prepare_cached(include_str!("../../../sql/queries/export_steps.sql")).await?;
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&(series.0 as i32), &first_start(from), &Timestamp(to), &Timestamp(from), &steps_max];
    let rows = client.query(&statement, &parameters).await?;
    rows.iter().map(|row| Ok((row.try_get::<_, Timestamp>("start")?.0, row.try_get("samples")?))).collect()
}
