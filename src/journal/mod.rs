//! From a batch to a committed one: lanes, flushes, acknowledgement.
//!
//! ```text
//! commit() ─▶ lane queue ─▶ gather ─▶ sort, pack ─▶ COPY, commit ─▶ listeners ─▶ acknowledgement
//!            (bounded)      (all that waits, up to a flush)
//! ```
//!
//! Invariants:
//! - an acknowledgement is sent only after PostgreSQL has committed;
//! - flushes of a lane are committed, and handed to the listeners, in sequence order; a number stands for one content
//!   only, and is missing only when PostgreSQL refused its flush for good;
//! - a flush that was sent once is sent again, unchanged, until its fate is known: an error in the middle of a commit
//!   neither loses nor doubles it;
//! - a batch whose requester has given up is dropped before it is sent, never after;
//! - a lane's queue is bounded; at the bound a batch is refused at once.
//!
//! What other nodes commit is read back from PostgreSQL by the [`Follower`] and handed to the same listeners.
//!
//! Knows `codec` to pack and `store` to write. Must not know who sent a batch, nor who listens.

mod flush; // gathered batches to sorted blocks
mod lane; // one queue, one thread
mod writer; // one connection, and what to do when it breaks
mod follow; // what other nodes commit

pub use follow::{Coherence, CoherenceFuture, Follower};

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, TrySendError};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::admit::budget::Permit;
use crate::clock::{AdvancingClock, Clock};
use crate::model::{Batch, CommitListener, Origin};
use crate::store::Database;
use crate::store::nodes::Node;
use crate::telemetry::Metrics;
use lane::{Ends, Lane, Message, Submission};

#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Too low: the processor idles while PostgreSQL writes. Too high: flushes and blocks get small.
    pub lanes: u16,
    /// Batches that may wait in one lane. Their bytes are bounded by the permits they hold.
    pub queue_batches_max: usize,
    /// A flush takes what waits until it has this many samples. Too high: the first of them wait long.
    pub flush_samples_max: usize,
    /// How long a request waits for its commit. After it the client is told to come back, for the batch may still be
    /// committed: sending it again changes nothing.
    pub commit_wait: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { lanes: 2, queue_batches_max: 4_096, flush_samples_max: 65_536, commit_wait: Duration::from_secs(5) }
    }
}

/// Why a batch was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    #[error("the journal's queue is full")]
    QueueFull,
    #[error("the server is shutting down")]
    Closing,
    #[error("not committed within {} ms", waited.as_millis())]
    TimedOut { waited: Duration },
    /// A defect, or a schema changed by hand: PostgreSQL refused the flush for good.
    #[error("PostgreSQL refused the batch")]
    Refused,
}

/// What lanes need of the rest.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub database: Database,
    pub node: Node,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub listeners: Vec<Arc<dyn CommitListener>>,
}

/// The way into the journal.
pub struct Journal {
    lanes: Vec<Door>,
    closing: CancellationToken,
    commit_wait: Duration,
}

/// The way into one lane.
struct Door {
    queue: Sender<Message>,
    /// A message can come into the queue just after the lane has looked into it for the last time, and stays there.
    ended: CancellationToken,
}

impl Journal {
    /// Makes the journal and its lanes, which do nothing until they are started.
    pub fn new(config: Config, surroundings: &Surroundings) -> (Self, Lanes) {
        // One for all lanes: which of two flushes is the later one is read from their times.
        let stamps = Arc::new(AdvancingClock::new(Arc::clone(&surroundings.clock)));
        let common = Ends::default();
        let mut doors = Vec::new();
        let mut lanes = Vec::new();
        for lane in 0..config.lanes.max(1) {
            let (sender, receiver) = crossbeam_channel::bounded(config.queue_batches_max);
            let origin = Origin { node: surroundings.node.id, lane };
            let ends = Ends { ended: CancellationToken::new(), ..common.clone() };
            doors.push(Door { queue: sender, ended: ends.ended.clone() });
            let surroundings = (surroundings.clone(), Arc::clone(&stamps));
            lanes.push(Lane::new(origin, receiver, config.flush_samples_max, surroundings, ends));
        }
        let journal = Self { lanes: doors, closing: common.closing.clone(), commit_wait: config.commit_wait };
        (journal, Lanes { waiting: lanes, running: Vec::new(), ends: common })
    }

    /// Resolves when `batch` is committed. `held` is what the batch takes of the budget; the journal gives it back when
    /// it lets go of the batch, which may be long after the requester has given up. Batches with the same `affinity` go through the same lane, so the later of
    /// two samples with the same series and time wins.
    ///
    /// # Errors
    /// See [`CommitError`]. After `TimedOut` the batch may still be committed.
    pub async fn commit(&self, batch: Batch, affinity: u64, held: Permit) -> Result<(), CommitError> {
        if batch.is_empty() {
            return Ok(());
        }
        let (acknowledge, mut acknowledged) = oneshot::channel();
        let lane = &self.lanes[(affinity % self.lanes.len() as u64) as usize];
        lane.queue.try_send(Message::Commit(Submission { batch, acknowledge, held })).map_err(|error| match error {
            TrySendError::Full(_) => CommitError::QueueFull,
            TrySendError::Disconnected(_) => CommitError::Closing,
        })?;
        let answered = async {
            tokio::select! {
                biased;
                outcome = &mut acknowledged => outcome.unwrap_or(Err(CommitError::Closing)),
                // The lane may have answered just before it ended.
                () = lane.ended.cancelled() => acknowledged.try_recv().unwrap_or(Err(CommitError::Closing)),
            }
        };
        let in_time = tokio::time::timeout(self.commit_wait, answered).await;
        in_time.unwrap_or(Err(CommitError::TimedOut { waited: self.commit_wait }))
    }

    /// Batches that wait for their lane.
    pub fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.queue.len()).sum()
    }

    /// Has every lane commit what waits and end. What comes later is refused as [`CommitError::Closing`].
    pub fn close(&self) {
        self.closing.cancel();
        for lane in &self.lanes {
            // Wakes a lane that waits. One whose queue is full is awake, and looks at the token before it waits again.
            lane.queue.try_send(Message::Wake).ok();
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Journal").field("lanes", &self.lanes.len()).finish_non_exhaustive()
    }
}

/// The threads behind the journal.
#[derive(Debug)]
pub struct Lanes {
    waiting: Vec<Lane>,
    running: Vec<JoinHandle<()>>,
    ends: Ends,
}

impl Lanes {
    /// # Errors
    /// When the machine gives no more threads.
    pub fn start(&mut self) -> std::io::Result<()> {
        for lane in self.waiting.drain(..) {
            let name = format!("journal-{}", lane.origin().lane);
            self.running.push(std::thread::Builder::new().name(name).spawn(move || lane.run())?);
        }
        Ok(())
    }

    /// Resolves when a lane has ended that nobody asked to.
    pub fn failed(&self) -> WaitForCancellationFutureOwned {
        self.ends.failed.clone().cancelled_owned()
    }

    /// Waits for the lanes to end after [`Journal::close`]. At the deadline they stop trying, and what they hold is
    /// not acknowledged.
    ///
    /// # Errors
    /// How many lanes had to be abandoned.
    pub async fn stop(self, deadline: Duration) -> Result<(), usize> {
        let Self { running, ends, .. } = self;
        let lanes = running.len();
        let joining = move || running.into_iter().map(JoinHandle::join).filter(Result::is_ok).count();
        let mut joined = tokio::task::spawn_blocking(joining);
        let in_time = tokio::time::timeout(deadline, &mut joined).await;
        let ended = match in_time {
            Ok(ended) => ended.unwrap_or(0),
            Err(_) => {
                ends.abandon.cancel();
                joined.await.ok();
                0
            }
        };
        if ended == lanes { Ok(()) } else { Err(lanes - ended) }
    }
}
