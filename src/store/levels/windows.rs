//! Rows of packed samples by hours: what pages of raw samples are put together from. Rows come as a stream, so that
//! however many there are, few are in memory.
//!
//! Hours are windows of [`WINDOW_MICROS`]; a row lies within one.

use deadpool_postgres::Client;
use futures_util::{Stream, StreamExt};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, RowStream};

use super::samples::{StoredSamples, WINDOW_MICROS, numbers, stored};
use crate::model::{Micros, SeriesId};
use crate::store::journal::BlockOrder;
use crate::store::{StoreError, Timestamp};

/// The folds whose parts count: those after `after`, up to and with `up_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folds {
    pub after: u64,
    pub up_to: u64,
}

impl Folds {
    pub const ALL: Self = Self { after: 0, up_to: i64::MAX as u64 };

    fn parameters(self) -> (i64, i64) {
        // Folds are counted from one; zero is before them all.
        (self.after as i64, i64::try_from(self.up_to).unwrap_or(i64::MAX))
    }
}

/// Some hours of some series.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// `None`: of all.
    pub series: Option<&'a [SeriesId]>,
    /// The beginning of the first hour, and the last moment of the last one.
    pub from: Micros,
    pub to: Micros,
    /// Rows that begin after this are left out,
    pub start_max: Micros,
    /// and rows that end before this, as far as can be told without unpacking them.
    pub reach_min: Micros,
}

/// The beginning of the hour that `moment` is in.
pub fn hour(moment: Micros) -> Micros {
    Micros(moment.0.saturating_sub(moment.0.rem_euclid(WINDOW_MICROS)))
}

/// Sees to it that the statements of this module and of [`super::samples`] are known to the connection, so that further
/// calls send theirs in the order in which they are made, also when none waits for the one before.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn prepare(client: &Client) -> Result<(), StoreError> {
    client.prepare_cached(include_str!("../../../sql/queries/recent_window.sql")).await?;
    client.prepare_cached(include_str!("../../../sql/queries/samples_window.sql")).await?;
    client.prepare_cached(include_str!("../../../sql/queries/recent_read.sql")).await?;
    client.prepare_cached(include_str!("../../../sql/queries/samples_read.sql")).await?;
    Ok(())
}

/// The parts of a window, each with its fold, in no order.
///
/// # Errors
/// When PostgreSQL is not available; also the stream's items.
pub async fn recent(
    client: &Client,
    window: &Window<'_>,
    folds: Folds,
) -> Result<impl Stream<Item = Result<(u64, StoredSamples), StoreError>> + use<>, StoreError> {
    let sql = include_str!("../../../sql/queries/recent_window.sql");
    let (series, (after, up_to)) = (window.series.map(numbers), folds.parameters());
    let [from, to, start_max, reach_min] =
        [window.from, window.to, window.start_max.min(window.to), window.reach_min].map(Timestamp);
    let rows = stream(client, sql, &[&series, &from, &start_max, &reach_min, &to, &after, &up_to]).await?;
    Ok(rows.map(|row| with_fold(&row?)))
}

/// Where a page of parts begins: behind the last part of the page before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartPosition {
    reach: Micros,
    series: i32,
    start: Timestamp,
    fold: i64,
}

impl PartPosition {
    /// Before all parts that reach no later than this.
    pub fn reaching(reach: Micros) -> Self {
        Self { reach, series: i32::MAX, start: Timestamp::AFTER_ALL, fold: i64::MAX }
    }

    /// How far the part reaches.
    pub fn reach(self) -> Micros {
        self.reach
    }
}

/// A part on a page.
#[derive(Debug)]
pub struct PagedPart {
    pub position: PartPosition,
    pub fold: u64,
    pub stored: StoredSamples,
}

/// Which parts are of use: those that reach `reach_min`, or reach just that and are of `series_min` or a later series,
/// and begin no later than `start_max`.
#[derive(Clone, Copy, Debug)]
pub struct Useful {
    pub reach_min: Micros,
    pub series_min: SeriesId,
    pub start_max: Micros,
}

/// A page of the parts of all series, those that reach latest first: at most `parts_max` of those of use behind `after`.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn newest_parts(
    client: &Client,
    useful: Useful,
    folds: Folds,
    after: PartPosition,
    parts_max: u32,
) -> Result<Vec<PagedPart>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/recent_newest.sql")).await?;
    let ([reach_min, reach, start_max], (after_fold, up_to)) =
        ([useful.reach_min, after.reach, useful.start_max].map(Timestamp), folds.parameters());
    let series_min = i32::try_from(useful.series_min.0).unwrap_or(i32::MAX);
    let parameters: [&(dyn ToSql + Sync); 10] = [
        &reach_min,
        &reach,
        &start_max,
        &after_fold,
        &up_to,
        &after.series,
        &after.start,
        &after.fold,
        &i64::from(parts_max),
        &series_min,
    ];
    client.query(&statement, &parameters).await?.iter().map(paged_part).collect()
}

fn paged_part(row: &Row) -> Result<PagedPart, StoreError> {
    let (fold, stored) = with_fold(row)?;
    let position = PartPosition {
        reach: row.try_get::<_, Timestamp>("reach")?.0,
        series: row.try_get("series")?,
        start: row.try_get("start")?,
        fold: row.try_get("fold")?,
    };
    Ok(PagedPart { position, fold, stored })
}

/// The rows of `samples` of a window, in no order.
///
/// # Errors
/// When PostgreSQL is not available; also the stream's items.
pub async fn samples(
    client: &Client,
    window: &Window<'_>,
) -> Result<impl Stream<Item = Result<StoredSamples, StoreError>> + use<>, StoreError> {
    let sql = include_str!("../../../sql/queries/samples_window.sql");
    let series = window.series.map(numbers);
    let [from, start_max, reach_min] = [window.from, window.start_max.min(window.to), window.reach_min].map(Timestamp);
    let rows = stream(client, sql, &[&series, &from, &start_max, &reach_min]).await?;
    Ok(rows.map(|row| stored(&row?)))
}

/// The first hour, in this order, in which a row within `[from, to]` of these series begins; with or without `samples`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn next_hour(
    client: &Client,
    order: BlockOrder,
    window: &Window<'_>,
    folds: Folds,
    with_samples: bool,
) -> Result<Option<Micros>, StoreError> {
    let (of_series, of_all) = match order {
        BlockOrder::Newest => (
            include_str!("../../../sql/queries/window_newest_of_series.sql"),
            include_str!("../../../sql/queries/window_newest_of_all.sql"),
        ),
        BlockOrder::Oldest => (
            include_str!("../../../sql/queries/window_oldest_of_series.sql"),
            include_str!("../../../sql/queries/window_oldest_of_all.sql"),
        ),
    };
    let ((after, up_to), [from, to]) = (folds.parameters(), [window.from, window.to].map(Timestamp));
    let row = if let Some(series) = window.series {
        let statement = client.prepare_cached(of_series).await?;
        client.query_one(&statement, &[&numbers(series), &from, &to, &after, &up_to, &with_samples]).await?
    } else {
        let statement = client.prepare_cached(of_all).await?;
        client.query_one(&statement, &[&from, &to, &after, &up_to, &with_samples]).await?
    };
    Ok(row.try_get::<_, Option<Timestamp>>("moment")?.map(|moment| hour(moment.0)))
}

/// The parts of the last hour that each of `series` has any in, by (series, fold, start), and the last row of each in
/// `samples`: the newest sample of each series that has left the journal is among them.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn latest(
    client: &Client,
    series: &[SeriesId],
) -> Result<(Vec<StoredSamples>, Vec<StoredSamples>), StoreError> {
    let series = numbers(series);
    let statement = client.prepare_cached(include_str!("../../../sql/queries/recent_latest.sql")).await?;
    let parts = client.query(&statement, &[&series]).await?.iter().map(stored).collect::<Result<_, _>>()?;
    let statement = client.prepare_cached(include_str!("../../../sql/queries/samples_latest.sql")).await?;
    let rows = client.query(&statement, &[&series]).await?.iter().map(stored).collect::<Result<_, _>>()?;
    Ok((parts, rows))
}

/// A time that no sample is after which is stored by now.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn newest_time(client: &Client) -> Result<Micros, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/newest_time.sql")).await?;
    let newest = client.query_one(&statement, &[]).await?.try_get::<_, Option<Timestamp>>("newest")?;
    Ok(newest.map_or(Micros(i64::MIN), |newest| newest.0))
}

async fn stream(
    client: &Client,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<std::pin::Pin<Box<RowStream>>, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(Box::pin(client.query_raw(&statement, parameters.iter().copied()).await?))
}

fn with_fold(row: &Row) -> Result<(u64, StoredSamples), StoreError> {
    Ok((row.try_get::<_, i64>("fold")?.unsigned_abs(), stored(row)?))
}
