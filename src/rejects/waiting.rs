//! Rejects that are not written down yet. At the bound the oldest go: what happens now is what somebody looks for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::model::reject::Reject;

pub(super) const WAITING_MAX: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Waiting {
    rejects: Mutex<VecDeque<Reject>>,
    dropped: AtomicU64,
}

impl Waiting {
    pub(super) fn add(&self, reject: Reject) {
        let mut rejects = self.rejects.lock().unwrap_or_else(PoisonError::into_inner);
        if rejects.len() >= WAITING_MAX {
            rejects.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        rejects.push_back(reject);
    }

    /// The oldest of them.
    pub(super) fn take(&self, rejects_max: usize) -> Vec<Reject> {
        let mut rejects = self.rejects.lock().unwrap_or_else(PoisonError::into_inner);
        let count = rejects.len().min(rejects_max);
        rejects.drain(..count).collect()
    }

    /// Puts back what was taken, as far as there is room before those that came meanwhile.
    pub(super) fn put_back(&self, taken: Vec<Reject>) {
        let mut rejects = self.rejects.lock().unwrap_or_else(PoisonError::into_inner);
        for reject in taken.into_iter().rev() {
            if rejects.len() < WAITING_MAX {
                rejects.push_front(reject);
            } else {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
