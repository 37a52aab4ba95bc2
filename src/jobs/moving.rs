//! The transactions in which data move below the journal.
//!
//! What others may change between two statements is new parts in recent. So parts are deleted by where they were read,
//! never by a condition.

use std::time::{Duration, Instant};

use super::JobError;
use crate::store::locks::{self, Moving};
use crate::store::{Client, Transaction, transactions};

/// How long a run waits for its turn when others move data: about what a few of their transactions take.
pub(super) const TURN_WAIT: Duration = Duration::from_secs(2);
/// The same for one that somebody insists on.
pub(super) const FORCED_TURN_WAIT: Duration = Duration::from_secs(30);

pub(super) const fn turn_wait(force: bool) -> Duration {
    if force { FORCED_TURN_WAIT } else { TURN_WAIT }
}

/// Begins one. Dropped without [`commit`], it changes nothing.
///
/// # Errors
/// [`JobError::Elsewhere`] when others hold the lock for longer than `wait_max`, or when PostgreSQL is not available.
pub(super) async fn begin(client: &mut Client, wait_max: Duration) -> Result<Transaction<'_>, JobError> {
    let started = Instant::now();
    let begun = locks::begin(client, Moving::Levels, || started.elapsed() < wait_max).await?;
    begun.ok_or(JobError::Elsewhere)
}

/// # Errors
/// When PostgreSQL is not available: it may be committed or not. The next run finds out by itself what is left.
pub(super) async fn commit(transaction: Transaction<'_>) -> Result<(), JobError> {
    Ok(transactions::commit(transaction).await?)
}
