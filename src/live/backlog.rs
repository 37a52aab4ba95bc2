//! What was handed over and the worker has not looked at yet: a bounded queue that never makes a lane wait.
//!
//! When it is full the oldest work goes, which costs its subscribers their live frames. Work leaves the queue in the
//! order it came, by the worker or as lost: marks must not overtake a flush that is still delivered, or a session that
//! replays up to them would get it twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use tokio::sync::oneshot;

use super::marks::Marks;
use super::reports::AgentReport;
use super::state::Event;
use super::stats::LiveStats;
use crate::model::Committed;

/// Most flushes and events between the lanes and the worker.
pub(super) const WORKS_MAX: usize = 512;
/// Most bytes of them, unless a single one is larger.
pub(super) const BACKLOG_BYTES_MAX: u64 = 10 << 20;
/// What a sample takes in a flush: series, time and value.
const SAMPLE_BYTES: u64 = 20;

/// What the worker hands on.
pub(super) enum Work {
    Flush(Arc<Committed>, Instant),
    Event(Event),
    Report(AgentReport),
    /// Tells who waits for it that all before it has been handed on.
    Fence(oneshot::Sender<()>),
}

/// The end of the queue that lanes and handlers have.
pub(super) struct Backlog {
    works: Sender<Work>,
    /// The other end, to make room by taking the oldest out.
    oldest: Receiver<Work>,
    lost: Arc<Lost>,
    stats: Arc<LiveStats>,
}

/// What was taken out of the full queue. Only touched when the hub cannot keep up, so the lock is no one's way.
#[derive(Debug, Default)]
pub(super) struct Lost {
    is_pending: AtomicBool,
    total: Mutex<LostTotal>,
}

#[derive(Debug, Default)]
pub(super) struct LostTotal {
    pub(super) marks: Marks,
    pub(super) flushes: u64,
    pub(super) messages: u64,
}

impl Backlog {
    /// The queue, and the ends of it that the worker has.
    pub(super) fn new(stats: Arc<LiveStats>) -> (Self, Receiver<Work>, Arc<Lost>) {
        let (works, oldest) = bounded(WORKS_MAX);
        let (works_in, lost) = (oldest.clone(), Arc::<Lost>::default());
        (Self { works, oldest, lost: Arc::clone(&lost), stats }, works_in, lost)
    }

    /// Puts `work` at the end of the queue, at the cost of the oldest when there is no room.
    pub(super) fn push(&self, work: Work) {
        let mut work = work;
        LiveStats::add(&self.stats.backlog_bytes, work.bytes());
        // Other lanes may take the room made here; after as many rounds as there are places this one gives up.
        for _ in 0..WORKS_MAX {
            let is_crowded = LiveStats::read(&self.stats.backlog_bytes) > BACKLOG_BYTES_MAX;
            if !is_crowded || self.works.is_empty() {
                match self.works.try_send(work) {
                    Ok(()) => return,
                    Err(TrySendError::Full(back)) => work = back,
                    Err(TrySendError::Disconnected(back)) => return self.lose(&back),
                }
            }
            if let Ok(oldest) = self.oldest.try_recv() {
                self.lose(&oldest);
            }
        }
        self.give_up(&work);
    }

    /// Loses `work`, and first what was queued before it. The flushes of one origin are handed over one after the other,
    /// so what others queue meanwhile does not matter, and as many rounds as there are places will do.
    fn give_up(&self, work: &Work) {
        for _ in 0..WORKS_MAX {
            let Ok(oldest) = self.oldest.try_recv() else { break };
            self.lose(&oldest);
        }
        self.lose(work);
    }

    fn lose(&self, work: &Work) {
        LiveStats::sub(&self.stats.backlog_bytes, work.bytes());
        let mut total = self.lost.total.lock().unwrap_or_else(PoisonError::into_inner);
        if let Work::Flush(flush, _) = work {
            total.marks.advance(flush.origin, flush.sequence);
            total.flushes += 1;
        }
        total.messages += work.messages();
        self.lost.is_pending.store(true, Ordering::Release);
    }
}

impl Lost {
    /// What was lost since the last call, if anything.
    pub(super) fn take(&self) -> Option<LostTotal> {
        let is_pending = self.is_pending.swap(false, Ordering::AcqRel);
        is_pending.then(|| std::mem::take(&mut *self.total.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Work {
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Flush(flush, _) => flush.batch.len() as u64 * SAMPLE_BYTES,
            Self::Event(event) => event.data.len() as u64,
            Self::Report(report) => report.text.len() as u64,
            Self::Fence(_) => 0,
        }
    }

    /// How many messages a subscriber to everything misses when this is lost.
    fn messages(&self) -> u64 {
        match self {
            Self::Flush(flush, _) => flush.batch.len() as u64,
            Self::Event(_) => 1,
            // Nobody is told of a report that is lost, and it is none of those who wait for samples.
            Self::Report(_) | Self::Fence(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use uuid::Uuid;

    use super::*;
    use crate::live::fixtures::flush;
    use crate::model::Origin;

    const ORIGIN: Origin = Origin { node: 1, lane: 0 };

    fn committed(sequence: u64) -> Work {
        Work::Flush(flush(ORIGIN, sequence, &[1, 2]), Instant::now())
    }

    #[test]
    fn who_gives_up_loses_all_that_was_queued_before_so_that_marks_overtake_nothing() {
        let stats = Arc::<LiveStats>::default();
        let (backlog, works, lost) = Backlog::new(Arc::clone(&stats));
        (1..=3).for_each(|sequence| backlog.push(committed(sequence)));
        let last = committed(4);
        LiveStats::add(&stats.backlog_bytes, last.bytes());
        backlog.give_up(&last);
        assert!(works.is_empty());
        let total = lost.take().unwrap();
        assert_eq!((total.marks.get(ORIGIN), total.flushes, total.messages), (Some(4), 4, 8));
        assert_eq!(LiveStats::read(&stats.backlog_bytes), 0);
        assert!(lost.take().is_none(), "a loss is told once");
    }

    #[test]
    fn events_that_wait_are_bounded_in_bytes() {
        let stats = Arc::<LiveStats>::default();
        let (backlog, works, lost) = Backlog::new(Arc::clone(&stats));
        let data = Bytes::from(vec![b'1'; 1 << 20]);
        let event = || Work::Event(Event { server_id: Uuid::nil(), kind: "process_snapshot", data: data.clone() });
        (0..100).for_each(|_| backlog.push(event()));
        let kept = works.len() as u64;
        assert!(LiveStats::read(&stats.backlog_bytes) <= BACKLOG_BYTES_MAX);
        assert_eq!((kept, lost.take().unwrap().messages), (10, 90));
    }
}
