//! Removing samples of some series in a stretch of time.
//!
//! What stood in the journal when it began is folded first. Then the levels are gone through from the top down, so that
//! what moves meanwhile is met further down, in transactions of bounded size, each under the lock of those who move data.
//! Hours that are wholly in the stretch lose their rows; rows of the hours at its ends are cut and written anew. What
//! comes in while it runs may go or stay; what is committed later stays.
//!
//! A bucket whose samples are gone cannot be cut: one that is only partly in the stretch is kept, and counted.

mod cut; // the ends of a stretch
mod span; // a stretch of time, and where its hours and days end

pub use span::Span;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::damage::Finder;
use super::{Context, JobError, fold};
use crate::backoff::Backoff;
use crate::model::{Resolution, SeriesId};
use crate::store::levels::erasing::{Level, Stretch, erase};
use crate::store::levels::progress::fold_marks;
use crate::store::locks::{self, Moving};
use crate::store::{Client, StoreError, Transaction, nodes, series, transactions};

/// Series of one transaction, and so of one call.
pub const SERIES_MAX: usize = 200;
/// Rows removed in one transaction.
const ROWS_MAX: i64 = 20_000;
/// How long is waited for a fold to pass what was in the journal, and for the lock of those who move data.
const WAIT_MAX: Duration = Duration::from_secs(45);
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    #[error("the journal was not folded within {} s", WAIT_MAX.as_secs())]
    NotFolded,
    #[error("data were being moved for more than {} s", WAIT_MAX.as_secs())]
    Busy,
    #[error("the server is shutting down")]
    Stopping,
    #[error(transparent)]
    Job(#[from] JobError),
}

impl From<StoreError> for EraseError {
    fn from(error: StoreError) -> Self {
        Self::Job(error.into())
    }
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Rows removed or cut, of all levels.
    pub rows: u64,
    /// Buckets only partly in the stretch whose samples are gone.
    pub buckets_kept: u64,
}

/// Whether it is still to go on.
pub type GoingOn<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// Has what is in the journal now folded, so that all of it is in the levels below.
///
/// # Errors
/// When that takes too long, or PostgreSQL is not available.
pub async fn settle_journal(context: &Context, going_on: GoingOn<'_>) -> Result<(), EraseError> {
    let targets = nodes::news(&context.database.client().await?).await?.writers;
    let (started, mut backoff) = (Instant::now(), Backoff::new(PAUSE_MIN, PAUSE_MAX));
    loop {
        let marks = fold_marks(&context.database.client().await?).await?;
        let is_folded = |(origin, sequence): &(_, u64)| marks.get(origin).is_some_and(|mark| mark >= sequence);
        if targets.iter().all(is_folded) {
            return Ok(());
        }
        if !going_on() {
            return Err(EraseError::Stopping);
        }
        if started.elapsed() > WAIT_MAX {
            return Err(EraseError::NotFolded);
        }
        match fold::run(context, true).await {
            // Another node folds as well as we do.
            Ok(_) | Err(JobError::Elsewhere) => sleep(backoff.pause()).await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Removes what the levels below the journal hold of `series`, at most [`SERIES_MAX`] of them, in `span`, and tells every
/// node.
///
/// # Errors
/// When the lock is not to be had, or PostgreSQL is not available. What was removed before stays removed.
pub async fn erase_levels(
    context: &Context,
    series: &[SeriesId],
    span: Span,
    going_on: GoingOn<'_>,
) -> Result<Erased, EraseError> {
    let erased = from_levels(context, series, span, going_on).await;
    // Also when it was given up: part of it may be gone, and last values that were kept in memory with it.
    series::revise(&context.database.client().await?).await?;
    erased
}

async fn from_levels(
    context: &Context,
    series: &[SeriesId],
    span: Span,
    going_on: GoingOn<'_>,
) -> Result<Erased, EraseError> {
    let mut client = context.database.client().await?;
    let mut erased = Erased::default();
    if span.has_cut_ends() {
        erased = cut_ends(context, &mut client, (series, span), going_on).await?;
    }
    let (hours, days) = (span.whole(Resolution::Hour.micros()), span.whole(Resolution::Hour.row_micros()));
    for (level, (from, to)) in
        [(Level::Recent, hours), (Level::Samples, hours), (Level::Minutes, hours), (Level::Hours, days)]
    {
        if from >= to {
            continue;
        }
        loop {
            let transaction = locked(&mut client, going_on).await?;
            let rows = erase(&transaction, level, Stretch { series, from, to }, ROWS_MAX).await?;
            transactions::commit(transaction).await?;
            erased.rows += rows;
            if rows < ROWS_MAX as u64 {
                break;
            }
        }
    }
    Ok(erased)
}

/// The hours and days that are only partly in the stretch.
async fn cut_ends(
    context: &Context,
    client: &mut Client,
    (series, span): (&[SeriesId], Span),
    going_on: GoingOn<'_>,
) -> Result<Erased, EraseError> {
    let finder = Finder { context, name: "erase", turn_wait: WAIT_MAX };
    loop {
        let transaction = locked(client, going_on).await?;
        let cut = match cut::ends(&transaction, series, span).await {
            Ok(erased) => transactions::commit(transaction).await.map(|()| erased).map_err(JobError::from),
            Err(error) => {
                drop(transaction);
                Err(error)
            }
        };
        // What is damaged goes out of the way, and the rest is cut without it.
        if let Some(erased) = finder.settle(client, cut).await? {
            return Ok(erased);
        }
    }
}

/// Removes the series themselves, and tells every node.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn erase_series(context: &Context, ids: &[SeriesId]) -> Result<u64, EraseError> {
    let mut client = context.database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    let removed = series::delete(&transaction, ids).await?;
    transactions::commit(transaction).await?;
    Ok(removed)
}

/// A transaction with the lock of those who change the levels.
async fn locked<'a>(client: &'a mut Client, going_on: GoingOn<'_>) -> Result<Transaction<'a>, EraseError> {
    let started = Instant::now();
    let begun = locks::begin(client, Moving::Levels, || going_on() && started.elapsed() < WAIT_MAX).await?;
    begun.ok_or_else(|| if going_on() { EraseError::Busy } else { EraseError::Stopping })
}
