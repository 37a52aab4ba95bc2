//! How many samples wait in the queue of a lane, counted by those who put them in and the one who takes them out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Clone, Debug, Default)]
pub(super) struct WaitingSamples(Arc<AtomicUsize>);

impl WaitingSamples {
    /// Counts `samples` more, unless that would be more than `samples_max`. An empty queue takes any number.
    pub(super) fn add(&self, samples: usize, samples_max: usize) -> bool {
        let before = self.0.fetch_add(samples, Ordering::AcqRel);
        let has_room = before == 0 || before.saturating_add(samples) <= samples_max;
        if !has_room {
            self.remove(samples);
        }
        has_room
    }

    pub(super) fn remove(&self, samples: usize) {
        self.0.fetch_sub(samples, Ordering::AcqRel);
    }
}
