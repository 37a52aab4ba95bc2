//! Wakes the fold as soon as much waits for it: counts what this node and the others commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::model::{CommitListener, Committed};

/// More than this since the last fold is folded at once. Too high: readers have much of the journal to go through. Too
/// low: parts hold few samples each, and a part costs PostgreSQL as much as a hundred samples cost us.
const SAMPLES: u64 = 4_000_000;

#[derive(Debug, Default)]
pub struct Trigger {
    samples: AtomicU64,
    wake: Arc<Notify>,
}

impl Trigger {
    /// Is notified when a fold is due.
    pub fn wake(&self) -> &Arc<Notify> {
        &self.wake
    }
}

impl CommitListener for Trigger {
    fn committed(&self, flush: &Arc<Committed>) {
        let samples = flush.batch.len() as u64;
        let before = self.samples.fetch_add(samples, Ordering::Relaxed);
        if before + samples >= SAMPLES {
            self.samples.store(0, Ordering::Relaxed);
            self.wake.notify_one();
        }
    }
}
