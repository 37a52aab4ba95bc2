//! Months that nobody wants.

use std::time::Duration;

use super::pages::Pages;
use crate::jobs::{Context, JobError, moving};
use crate::model::{Micros, Month, SeriesId};
use crate::store::levels::expiry;
use crate::store::partitions::{self, Monthly};
use crate::store::{Transaction, transactions};

/// Which of the months that have expired may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Droppable {
    All,
    /// Those without a sample of a series that is there.
    Unused,
}

/// Drops the months of `table` that end before `before` or there. Answers how many.
///
/// # Errors
/// When PostgreSQL is not available, others move data, or read the table for too long.
pub async fn drop_months(context: &Context, table: Monthly, before: Micros) -> Result<u64, JobError> {
    drop_expired(context, (table, before), Droppable::All, moving::TURN_WAIT).await
}

pub(super) async fn drop_expired(
    context: &Context,
    (table, before): (Monthly, Micros),
    which: Droppable,
    wait_max: Duration,
) -> Result<u64, JobError> {
    let months = partitions::list(&context.database.client().await?, table).await?;
    let mut dropped = 0;
    for stored in months.into_iter().filter(|stored| stored.is_part && stored.month.end() <= before) {
        dropped += u64::from(drop_month(context, (table, stored.month), which, wait_max).await?);
    }
    Ok(dropped)
}

/// Drops the months whose dropping was interrupted.
pub(super) async fn finish(context: &Context, wait_max: Duration) -> Result<u64, JobError> {
    let mut dropped = 0;
    for table in Monthly::ALL {
        let months = partitions::list(&context.database.client().await?, table).await?;
        for stored in months.into_iter().filter(|stored| !stored.is_part) {
            dropped += u64::from(drop_month(context, (table, stored.month), Droppable::All, wait_max).await?);
        }
    }
    Ok(dropped)
}

async fn drop_month(
    context: &Context,
    (table, month): (Monthly, Month),
    which: Droppable,
    wait_max: Duration,
) -> Result<bool, JobError> {
    let mut client = context.database.client().await?;
    // Holds the lock and does nothing else: detaching, on another connection, waits for whoever has touched the table.
    let holder = moving::begin(&mut client, wait_max).await?;
    transactions::rest(&holder).await?;
    if which == Droppable::Unused && is_in_use(context, month, &holder).await? {
        transactions::commit(holder).await?;
        return Ok(false);
    }
    // Not tried again here: others wait for the lock, and every run begins with what was left half done.
    let dropped = partitions::drop_month(&context.database, table, month).await?;
    transactions::commit(holder).await?;
    if dropped {
        tracing::info!(table = table.table(), month = %month, "dropped a month");
    }
    Ok(dropped)
}

/// Whether a series that is there has samples in the month.
async fn is_in_use(context: &Context, month: Month, holder: &Transaction<'_>) -> Result<bool, JobError> {
    let mut client = context.database.client().await?;
    let mut pages = Pages::default();
    while let Some(names) = pages.next(&client).await? {
        let series: Vec<SeriesId> = names.iter().map(|name| name.id).collect();
        let transaction = transactions::begin(&mut client).await?;
        expiry::prefer_indexes(&transaction).await?;
        let is_in_use = expiry::has_samples(&transaction, &series, month.start(), month.end()).await?;
        transactions::commit(transaction).await?;
        if is_in_use {
            return Ok(true);
        }
        // It still holds the lock, and is not taken for one that stands still.
        transactions::rest(holder).await?;
    }
    Ok(false)
}
