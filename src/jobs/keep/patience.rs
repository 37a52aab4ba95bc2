//! Trying again what had to wait for someone, so many times.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::jobs::JobError;
use crate::model::Month;
use crate::store::locks::{self, Moving};
use crate::store::partitions::{self, Monthly};
use crate::store::{Client, StoreError, Transaction};

/// With the pauses in between, a second and a half and what the tries take.
const TRIES: u32 = 6;
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Makes a month. Whoever keeps the table locked is waited for between the tries, not in the queue for the lock, where
/// others would wait behind us.
pub(super) async fn make(client: &Client, table: Monthly, month: Month) -> Result<bool, StoreError> {
    let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    for _ in 1..TRIES {
        match partitions::make(client, table, month.start()).await {
            Err(error) if error.is_unavailable() => tokio::time::sleep(backoff.pause()).await,
            done => return done,
        }
    }
    partitions::make(client, table, month.start()).await
}

/// Takes the lock of who changes samples and rollups. Others hold it for the length of a slice.
///
/// The transaction must be one of `transactions::begin`: the snapshot of another would be from before the lock was gained.
pub(super) async fn lock(transaction: &Transaction<'_>) -> Result<(), JobError> {
    let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    for _ in 1..TRIES {
        if locks::try_lock(transaction, Moving::Levels).await? {
            return Ok(());
        }
        tokio::time::sleep(backoff.pause()).await;
    }
    if locks::try_lock(transaction, Moving::Levels).await? { Ok(()) } else { Err(JobError::Elsewhere) }
}
