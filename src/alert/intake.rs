//! What was committed and has not been judged: a bounded queue that never makes a lane wait.
//!
//! A node that does not judge takes nothing. When the queue is full, flushes are dropped from then on until the worker
//! begins anew with what is stored: a later flush must not be judged before one that was dropped, whose samples would
//! be taken for late ones then. Must not know what is judged.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};
use tokio::sync::Notify;
use uuid::Uuid;

use super::stats::Stats;
use crate::model::{CommitListener, Committed};

/// Most flushes that wait to be judged.
const FLUSHES_MAX: usize = 1_024;
/// Most bytes of them, unless a single one is larger.
const FLUSH_BYTES_MAX: u64 = 32 << 20;
/// What a sample takes in a flush: series, time and value.
const SAMPLE_BYTES: u64 = 20;
/// Most servers that changed hands or labels and have not been looked at. Beyond it all are.
const MOVED_MAX: usize = 10_000;

/// Nobody judges here.
const DEAF: u8 = 0;
const HEARING: u8 = 1;
/// Something was dropped.
const LOSSY: u8 = 2;

/// A flush, and when it was heard of.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) flush: Arc<Committed>,
    pub(super) at: Instant,
}

/// Both ends of the queue, and what else the worker is told.
#[derive(Debug)]
pub struct Intake {
    flushes: Sender<Heard>,
    waiting: Receiver<Heard>,
    hearing: AtomicU8,
    moved: Mutex<Moved>,
    arrived: Notify,
    stats: Arc<Stats>,
}

/// Servers whose owner or labels changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) servers: Vec<Uuid>,
    /// There were too many to name them.
    pub(super) all: bool,
}

impl Intake {
    pub(super) fn new(stats: Arc<Stats>) -> Self {
        let (flushes, waiting) = bounded(FLUSHES_MAX);
        let (hearing, moved) = (AtomicU8::new(DEAF), Mutex::default());
        Self { flushes, waiting, hearing, moved, arrived: Notify::new(), stats }
    }

    /// Has whose servers these are looked at anew. What the directory says of them must be true by now.
    pub fn servers_moved(&self, servers: &[Uuid]) {
        if servers.is_empty() || self.hearing.load(Ordering::Acquire) == DEAF {
            return;
        }
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        if moved.servers.len() + servers.len() > MOVED_MAX {
            *moved = Moved { servers: Vec::new(), all: true };
        } else {
            moved.servers.extend_from_slice(servers);
        }
        drop(moved);
        self.arrived.notify_one();
    }

    /// From now on every flush is kept until it is judged, and nothing from before is.
    pub(super) fn begin(&self) {
        self.empty();
        self.hearing.store(HEARING, Ordering::Release);
    }

    pub(super) fn end(&self) {
        self.hearing.store(DEAF, Ordering::Release);
        self.empty();
    }

    /// Whether a flush was dropped since it began.
    pub(super) fn is_lossy(&self) -> bool {
        self.hearing.load(Ordering::Acquire) == LOSSY
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn next(&self) -> Option<Heard> {
        let heard = self.waiting.try_recv().ok()?;
        Stats::sub(&self.stats.waiting_bytes, bytes(&heard.flush));
        Some(heard)
    }

    pub(super) fn moved(&self) -> Moved {
        std::mem::take(&mut *self.moved.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Resolves when there may be something. For one task only.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn empty(&self) {
        while self.next().is_some() {}
        self.moved();
    }
}

impl CommitListener for Intake {
    fn committed(&self, flush: &Arc<Committed>) {
        match self.hearing.load(Ordering::Acquire) {
            HEARING => {}
            LOSSY => return Stats::add(&self.stats.flushes_dropped, 1),
            _ => return,
        }
        let size = bytes(flush);
        let waiting = self.stats.waiting_bytes.fetch_add(size, Ordering::AcqRel);
        let has_room = waiting == 0 || waiting + size <= FLUSH_BYTES_MAX;
        let heard = Heard { flush: Arc::clone(flush), at: Instant::now() };
        if !has_room || self.flushes.try_send(heard).is_err() {
            Stats::sub(&self.stats.waiting_bytes, size);
            Stats::add(&self.stats.flushes_dropped, 1);
            // Unless it ended meanwhile.
            self.hearing.compare_exchange(HEARING, LOSSY, Ordering::AcqRel, Ordering::Acquire).ok();
        }
        self.arrived.notify_one();
    }
}

fn bytes(flush: &Committed) -> u64 {
    flush.batch.len() as u64 * SAMPLE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Batch, Micros, Origin, SeriesId};

    fn flush(sequence: u64, samples: usize) -> Arc<Committed> {
        let mut batch = Batch::default();
        for place in 0..samples {
            batch.push(SeriesId(1), Micros(place as i64), 1.0);
        }
        let origin = Origin { node: 1, lane: 0 };
        Arc::new(Committed { origin, sequence, committed_at: Micros(0), batch })
    }

    fn intake() -> Intake {
        Intake::new(Arc::default())
    }

    fn sequences(intake: &Intake) -> Vec<u64> {
        std::iter::from_fn(|| intake.next()).map(|heard| heard.flush.sequence).collect()
    }

    #[test]
    fn who_does_not_judge_keeps_nothing() {
        let intake = intake();
        intake.committed(&flush(1, 10));
        intake.servers_moved(&[Uuid::nil()]);
        assert!(intake.is_empty() && !intake.is_lossy());
        assert_eq!(intake.moved(), Moved::default());
        intake.begin();
        intake.committed(&flush(2, 10));
        assert_eq!(sequences(&intake), [2]);
        intake.committed(&flush(3, 10));
        intake.end();
        assert!(intake.is_empty());
        assert_eq!(Stats::read(&intake.stats.waiting_bytes), 0);
    }

    #[test]
    fn after_a_flush_was_dropped_no_later_one_is_kept_until_it_begins_anew() {
        let intake = intake();
        intake.begin();
        (0..FLUSHES_MAX as u64 + 1).for_each(|sequence| intake.committed(&flush(sequence, 1)));
        assert!(intake.is_lossy());
        assert_eq!(sequences(&intake).len(), FLUSHES_MAX);
        intake.committed(&flush(5_000, 1));
        assert!(intake.is_empty(), "it would be judged before the one that was dropped");
        assert_eq!(Stats::read(&intake.stats.flushes_dropped), 2);
        intake.begin();
        intake.committed(&flush(5_001, 1));
        assert_eq!(sequences(&intake), [5_001]);
        assert!(!intake.is_lossy());
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_but_a_single_flush_of_any_size_is_kept() {
        let intake = intake();
        intake.begin();
        let large = FLUSH_BYTES_MAX as usize / SAMPLE_BYTES as usize;
        intake.committed(&flush(1, large + 1));
        assert!(!intake.is_lossy());
        intake.committed(&flush(2, 1));
        assert!(intake.is_lossy());
        assert_eq!(sequences(&intake), [1]);
        assert_eq!(Stats::read(&intake.stats.waiting_bytes), 0);
    }

    #[test]
    fn more_servers_than_can_be_named_are_all_of_them() {
        let intake = intake();
        intake.begin();
        intake.servers_moved(&[Uuid::nil()]);
        assert_eq!(intake.moved(), Moved { servers: vec![Uuid::nil()], all: false });
        intake.servers_moved(&vec![Uuid::nil(); MOVED_MAX + 1]);
        assert_eq!(intake.moved(), Moved { servers: Vec::new(), all: true });
    }
}
