//! Trying again what had to wait for someone, so many times.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::jobs::JobError;
use crate::store::Transaction;
use crate::store::locks::{self, Moving};

/// With the pauses in between, a second and a half and what the tries take.
const TRIES: u32 = 6;
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A bounded number of tries.
#[derive(Debug)]
pub(super) struct Tries {
    left: u32,
    backoff: Backoff,
}

impl Tries {
    pub(super) fn new() -> Self {
        Self { left: TRIES, backoff: Backoff::new(PAUSE_MIN, PAUSE_MAX) }
    }

    /// Rests before the next try, after one that failed. Answers whether there is to be one.
    pub(super) async fn pause(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return false;
        }
        tokio::time::sleep(self.backoff.pause()).await;
        true
    }
}

/// Takes the lock of who changes samples and rollups. Others hold it for the length of a slice.
///
/// The transaction must be one of `transactions::begin`: the snapshot of another would be from before the lock was gained.
pub(super) async fn lock(transaction: &Transaction<'_>) -> Result<(), JobError> {
    let mut tries = Tries::new();
    while !locks::try_lock(transaction, Moving::Levels).await? {
        if !tries.pause().await {
            return Err(JobError::Elsewhere);
        }
    }
    Ok(())
}
