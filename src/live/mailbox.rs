//! What waits for one session: a bounded queue of runs that the hub fills and the session empties.
//!
//! When it is full the oldest run goes and its messages are counted, so a session that does not read costs itself its
//! frames and no one else anything. What a session took counts as its own until it is written. The lock is held for
//! moving a few pointers and never across an await.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::frame::Run;
use super::stats::LiveStats;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    pub messages_max: usize,
    pub bytes_max: usize,
    /// Over all sessions together. While they hold more, whatever is queued cuts its own queue to an equal share of
    /// this, though never below its newest run. So all hold at most twice this, and two runs a session (one newest,
    /// one being written). What several sessions share counts for each of them here and takes its memory once; a run
    /// that is longer than 16 KiB is an event, which all its sessions share.
    pub all_bytes_max: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { messages_max: 1024, bytes_max: 1 << 20, all_bytes_max: 64 << 20 }
    }
}

/// The queue between the hub and one session.
#[derive(Debug)]
pub(super) struct Mailbox {
    queue: Mutex<Queue>,
    arrived: Notify,
    closed: AtomicBool,
    limits: QueueLimits,
    stats: Arc<LiveStats>,
}

#[derive(Debug, Default)]
struct Queue {
    runs: VecDeque<Run>,
    messages: usize,
    bytes: usize,
    /// Bytes the session took and has not written yet.
    unwritten_bytes: usize,
    /// Messages lost since the session last took something.
    dropped: u64,
}

/// What a session takes at one time: first it tells of the loss, then it sends the runs.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) dropped: u64,
    pub(super) runs: Vec<Run>,
}

impl Mailbox {
    pub(super) fn new(limits: QueueLimits, stats: Arc<LiveStats>) -> Self {
        let (queue, arrived) = (Mutex::default(), Notify::new());
        Self { queue, arrived, closed: AtomicBool::new(false), limits, stats }
    }

    /// Adds a run without waking the session. At least the newest run is kept, however long it is.
    pub(super) fn push(&self, run: Run) {
        if self.is_closed() {
            return;
        }
        let (messages_max, bytes_max) = (self.limits.messages_max, self.bytes_max());
        LiveStats::add(&self.stats.queued_bytes, run.bytes.len() as u64);
        let mut queue = self.lock();
        queue.messages += run.messages as usize;
        queue.bytes += run.bytes.len();
        queue.runs.push_back(run);
        let (mut lost, mut lost_bytes) = (0, 0);
        while (queue.messages > messages_max || queue.held_bytes() > bytes_max) && queue.runs.len() > 1 {
            let Some(oldest) = queue.pop() else { break };
            lost += u64::from(oldest.messages);
            lost_bytes += oldest.bytes.len() as u64;
        }
        queue.dropped += lost;
        drop(queue);
        if lost > 0 {
            LiveStats::sub(&self.stats.queued_bytes, lost_bytes);
            LiveStats::add(&self.stats.dropped, lost);
        }
    }

    /// Notes that messages were lost before they could become a run.
    pub(super) fn lost(&self, messages: u64) {
        self.lock().dropped += messages;
        LiveStats::add(&self.stats.dropped, messages);
    }

    pub(super) fn wake(&self) {
        self.arrived.notify_one();
    }

    /// Resolves once something may have arrived since the last [`Mailbox::take`].
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Takes the oldest runs, up to about `bytes_max`, and the count of what was lost. They count as waiting until
    /// [`Mailbox::written`].
    pub(super) fn take(&self, bytes_max: usize) -> Taken {
        let mut queue = self.lock();
        let mut taken = Taken { dropped: std::mem::take(&mut queue.dropped), runs: Vec::new() };
        let (mut bytes, mut messages) = (0, 0);
        while bytes < bytes_max {
            let Some(run) = queue.pop() else { break };
            bytes += run.bytes.len();
            messages += u64::from(run.messages);
            taken.runs.push(run);
        }
        if queue.runs.is_empty() {
            // An idle session shall hold no memory for the burst it once had.
            queue.runs = VecDeque::new();
        } else {
            self.wake();
        }
        queue.unwritten_bytes += bytes;
        drop(queue);
        LiveStats::add(&self.stats.delivered, messages);
        LiveStats::add(&self.stats.lagged, u64::from(taken.dropped > 0));
        taken
    }

    /// All that was taken has left the session.
    pub(super) fn written(&self) {
        let bytes = std::mem::take(&mut self.lock().unwritten_bytes);
        LiveStats::sub(&self.stats.queued_bytes, bytes as u64);
    }

    /// Empties the queue for good: nobody will take from it again.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let bytes = std::mem::take(&mut *self.lock()).held_bytes();
        LiveStats::sub(&self.stats.queued_bytes, bytes as u64);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn bytes_max(&self) -> usize {
        let QueueLimits { bytes_max, all_bytes_max, .. } = self.limits;
        if LiveStats::read(&self.stats.queued_bytes) <= all_bytes_max as u64 {
            return bytes_max;
        }
        let sessions = LiveStats::read(&self.stats.sessions).max(1);
        bytes_max.min((all_bytes_max as u64 / sessions) as usize)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run pushed while the session closed its mailbox is still counted as waiting; it goes with the mailbox.
impl Drop for Mailbox {
    fn drop(&mut self) {
        self.close();
    }
}

impl Queue {
    fn pop(&mut self) -> Option<Run> {
        let run = self.runs.pop_front()?;
        self.messages -= run.messages as usize;
        self.bytes -= run.bytes.len();
        Some(run)
    }

    fn held_bytes(&self) -> usize {
        self.bytes + self.unwritten_bytes
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const LIMITS: QueueLimits = QueueLimits { messages_max: 16, bytes_max: 160, all_bytes_max: 1000 };

    fn run(messages: u32, bytes: usize) -> Run {
        Run { bytes: Bytes::from(vec![0; bytes]), messages }
    }

    fn mailbox() -> (Mailbox, Arc<LiveStats>) {
        let stats = Arc::<LiveStats>::default();
        (Mailbox::new(LIMITS, Arc::clone(&stats)), stats)
    }

    #[test]
    fn when_full_the_oldest_go_and_their_number_is_told_once() {
        let (mailbox, stats) = mailbox();
        (0..10).for_each(|_| mailbox.push(run(4, 10)));
        mailbox.lost(5);
        let taken = mailbox.take(usize::MAX);
        assert_eq!((taken.dropped, taken.runs.len()), (24 + 5, 4));
        assert_eq!(mailbox.take(usize::MAX).dropped, 0);
        assert_eq!((LiveStats::read(&stats.dropped), LiveStats::read(&stats.delivered)), (29, 16));
        assert_eq!(LiveStats::read(&stats.lagged), 1);
    }

    #[test]
    fn bytes_are_bounded_too_and_the_newest_run_always_stays() {
        let (mailbox, _) = mailbox();
        mailbox.push(run(1, 100));
        mailbox.push(run(1, 100));
        mailbox.push(run(1, 1000));
        let taken = mailbox.take(usize::MAX);
        assert_eq!((taken.dropped, taken.runs.len(), taken.runs[0].bytes.len()), (2, 1, 1000));
    }

    #[test]
    fn a_session_takes_part_and_is_woken_for_the_rest() {
        let (mailbox, _) = mailbox();
        (0..4).for_each(|_| mailbox.push(run(1, 10)));
        assert_eq!(mailbox.take(15).runs.len(), 2);
        assert_eq!(futures_util::FutureExt::now_or_never(mailbox.arrived()), Some(()));
        assert_eq!(mailbox.take(usize::MAX).runs.len(), 2);
    }

    #[test]
    fn when_all_queues_together_are_full_each_is_cut_to_an_equal_share() {
        let (mailbox, stats) = mailbox();
        stats.queued_bytes.store(5000, Ordering::Relaxed);
        stats.sessions.store(250, Ordering::Relaxed);
        (0..10).for_each(|_| mailbox.push(run(1, 1)));
        assert_eq!((mailbox.take(usize::MAX).dropped, LiveStats::read(&stats.queued_bytes)), (6, 5004));
        mailbox.written();
        assert_eq!(LiveStats::read(&stats.queued_bytes), 5000);
    }

    #[test]
    fn what_a_session_took_counts_until_it_is_written() {
        let (mailbox, stats) = mailbox();
        (0..2).for_each(|_| mailbox.push(run(1, 60)));
        assert_eq!(mailbox.take(usize::MAX).runs.len(), 2);
        (0..2).for_each(|_| mailbox.push(run(1, 40)));
        assert_eq!(LiveStats::read(&stats.queued_bytes), 160);
        mailbox.written();
        (0..2).for_each(|_| mailbox.push(run(1, 40)));
        let taken = mailbox.take(usize::MAX);
        assert_eq!((taken.dropped, taken.runs.len()), (1, 3), "there is room again");
    }

    #[test]
    fn what_waits_is_no_longer_counted_once_the_session_is_gone() {
        let (mailbox, stats) = mailbox();
        mailbox.push(run(1, 50));
        assert_eq!(LiveStats::read(&stats.queued_bytes), 50);
        mailbox.close();
        mailbox.push(run(1, 50));
        drop(mailbox);
        assert_eq!(LiveStats::read(&stats.queued_bytes), 0);
    }
}
