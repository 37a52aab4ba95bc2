//! One lane: a queue, a thread, a connection. While a COPY commits, the next flush gathers in the queue, so the more
//! there is to do the larger the flushes get, and an idle server commits at once: group commit without a timer.

use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::Receiver;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::flush;
use super::writer::{Fate, Writer};
use super::{CommitError, Surroundings};
use crate::admit::budget::Permit;
use crate::clock::{AdvancingClock, Clock};
use crate::model::{Batch, Committed, Origin};
use crate::store::journal::{FlushRows, slot};

/// A batch on its way to PostgreSQL.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) batch: Batch,
    pub(super) acknowledge: oneshot::Sender<Result<(), CommitError>>,
    /// Its part of the bytes that may be in memory, for as long as it is here.
    pub(super) held: Permit,
}

#[derive(Debug)]
pub(super) enum Message {
    Commit(Submission),
    /// The lane is to look whether it is closing.
    Wake,
}

/// How a lane is told to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    /// Commit what waits, then end.
    pub(super) closing: CancellationToken,
    /// Stop trying at once. Never taken back, so nothing is sent after it.
    pub(super) abandon: CancellationToken,
    /// Set by a lane that ended without having been told to.
    pub(super) failed: CancellationToken,
    /// Set by this lane when it has ended, in whatever way.
    pub(super) ended: CancellationToken,
}

/// Tells of a lane's end.
#[derive(Debug)]
struct Watch(Ends);

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() || !self.0.closing.is_cancelled() {
            self.0.failed.cancel();
        }
        self.0.ended.cancel();
    }
}

#[derive(Debug)]
pub(super) struct Lane {
    origin: Origin,
    queue: Receiver<Message>,
    flush_samples_max: usize,
    surroundings: Surroundings,
    /// When flushes are said to be committed.
    stamps: Arc<AdvancingClock>,
    ends: Ends,
    next_sequence: u64,
}

impl Lane {
    pub(super) fn new(
        origin: Origin,
        queue: Receiver<Message>,
        flush_samples_max: usize,
        (surroundings, stamps): (Surroundings, Arc<AdvancingClock>),
        ends: Ends,
    ) -> Self {
        Self { origin, queue, flush_samples_max, surroundings, stamps, ends, next_sequence: 1 }
    }

    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    /// Works until it is told to close, or nobody can send any more. Ending in any other way fails the whole server: its
    /// part of the agents would get no answer while the rest looks well.
    pub(super) fn run(mut self) {
        let _watch = Watch(self.ends.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::error!(lane = self.origin.lane, %error, "lane cannot start");
                return;
            }
        };
        let mut writer = Writer::new(self.surroundings.database.clone(), self.surroundings.node);
        let mut gathered = Vec::new();
        while self.gather(&mut gathered) {
            self.flush(&runtime, &mut writer, &mut gathered);
        }
    }

    /// Waits for a batch and takes all that wait behind it, up to a flush. `false` when the lane has ended.
    fn gather(&mut self, gathered: &mut Vec<Submission>) -> bool {
        let mut samples = 0;
        while samples < self.flush_samples_max {
            let may_wait = gathered.is_empty() && !self.ends.closing.is_cancelled();
            let message = if may_wait { self.queue.recv().ok() } else { self.queue.try_recv().ok() };
            let Some(message) = message else { break };
            match message {
                // The requester has given up and was told so: nobody will miss it.
                Message::Commit(submission) if submission.acknowledge.is_closed() => {}
                Message::Commit(submission) => {
                    samples += submission.batch.len();
                    gathered.push(submission);
                }
                Message::Wake => {}
            }
        }
        !gathered.is_empty()
    }

    fn flush(&mut self, runtime: &Runtime, writer: &mut Writer, gathered: &mut Vec<Submission>) {
        let take = |submission: Submission| (submission.batch, (submission.acknowledge, submission.held));
        let (batches, waiting): (Vec<Batch>, Vec<_>) = gathered.drain(..).map(take).unzip();
        let batch = flush::merge(batches);
        // Used up whatever becomes of the flush: no number ever stands for two contents.
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let committed_at = self.stamps.now();
        // By the clock as it is: set back, stamps stand still for as long, and the ring must turn all the same.
        let slot = slot(self.surroundings.clock.now());
        let blocks = flush::blocks(&batch);
        let rows = FlushRows::in_slot(self.origin, sequence, (committed_at, slot), &blocks);
        let metrics = &self.surroundings.metrics.journal;
        let started = Instant::now();
        let retried = || {
            metrics.retries.inc();
        };
        let fate = runtime.block_on(writer.write(&rows, &self.ends.abandon, retried));
        let outcome = match fate {
            Fate::Committed => {
                metrics.flushes.inc();
                metrics.flush_samples.observe(batch.len() as f64);
                metrics.commit_duration.observe(started.elapsed().as_secs_f64());
                self.hand_on(Committed { origin: self.origin, sequence, committed_at, batch });
                Ok(())
            }
            Fate::Refused => Err(CommitError::Refused),
            Fate::Abandoned => Err(CommitError::Closing),
        };
        for (acknowledge, held) in waiting {
            drop(held);
            // A requester that has given up meanwhile does not listen any more.
            acknowledge.send(outcome).ok();
        }
    }

    fn hand_on(&self, committed: Committed) {
        let committed = Arc::new(committed);
        for listener in &self.surroundings.listeners {
            listener.committed(&committed);
        }
    }
}
