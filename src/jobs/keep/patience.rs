//! Trying again what had to wait for someone, so many times.

use std::time::Duration;

use crate::backoff::Backoff;

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
