//! A day of `samples`: which series have rows of it, and the rows.

use std::fmt;

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::Portal;

use super::samples::{StoredSamples, numbers, stored};
use crate::model::{Micros, SeriesId};
use crate::store::{StoreError, Timestamp};

/// Rows in memory at once beside what is made of them.
const FETCH_ROWS: i32 = 256;

/// The next series, at most `series_max`, with rows in the month of `day`, after the series `after`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn series(
    client: &impl GenericClient,
    after: Option<SeriesId>,
    day: Micros,
    series_max: usize,
) -> Result<Vec<SeriesId>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/samples_series.sql")).await?;
    let rows = client.query(&statement, &[&number(after), &Timestamp(day), &(series_max as i64)]).await?;
    let id = |row: &tokio_postgres::Row| row.try_get("series").map(|series: i32| SeriesId(series as u32));
    Ok(rows.iter().map(id).collect::<Result<_, _>>()?)
}

/// Of the next series, at most `series_max`, after the series `after`, with rows that begin at `from` or later: the last
/// of them, and when the first of their rows begins.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn first_row(
    client: &impl GenericClient,
    after: Option<SeriesId>,
    from: Micros,
    series_max: usize,
) -> Result<Option<(SeriesId, Micros)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/samples_first.sql")).await?;
    let row = client.query_one(&statement, &[&number(after), &Timestamp(from), &(series_max as i64)]).await?;
    let (series, start): (Option<i32>, Option<Timestamp>) = (row.try_get("series")?, row.try_get("start")?);
    Ok(series.zip(start).map(|(series, start)| (SeriesId(series as u32), start.0)))
}

/// The rows of one day of some series, some at a time.
pub struct DayRows<'a> {
    transaction: &'a Transaction<'a>,
    portal: Portal,
}

impl fmt::Debug for DayRows<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DayRows").finish_non_exhaustive()
    }
}

impl<'a> DayRows<'a> {
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn open(transaction: &'a Transaction<'a>, series: &[SeriesId], day: Micros) -> Result<Self, StoreError> {
        let statement = transaction.prepare_cached(include_str!("../../../sql/queries/samples_day.sql")).await?;
        let portal = transaction.bind(&statement, &[&numbers(series), &Timestamp(day)]).await?;
        Ok(Self { transaction, portal })
    }

    /// The next ones, series by series as they were named, those of a series in order of time. None when there are no
    /// more.
    ///
    /// # Errors
    /// When PostgreSQL is not available or a row cannot be read.
    pub async fn next(&self) -> Result<Vec<StoredSamples>, StoreError> {
        self.transaction.query_portal(&self.portal, FETCH_ROWS).await?.iter().map(stored).collect()
    }
}

/// No series has a number below zero.
fn number(after: Option<SeriesId>) -> i32 {
    after.map_or(-1, |series| series.0 as i32)
}
