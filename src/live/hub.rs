//! The door to live push: lanes hand committed flushes in, sessions subscribe.
//!
//! All state belongs to one worker (see `worker`), which is reached through bounded queues. [`Hub::committed`] runs on
//! a lane between a commit and its acknowledgement: it puts the flush into a lock-free queue and, when that is full,
//! takes the oldest flush out, which costs its subscribers their live frames and never the lane its time.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use tokio::sync::{Semaphore, oneshot};

use super::mailbox::{Mailbox, QueueLimits, Taken};
use super::marks::Marks;
use super::request::StreamRequest;
use super::state::{Event, HubState, SessionId};
use super::stats::LiveStats;
use super::worker::HubWorker;
use crate::model::series::SeriesDirectory;
use crate::model::{CommitListener, Committed};

/// Most flushes and events between the lanes and the worker.
pub(super) const WORKS_MAX: usize = 512;
/// Most samples between the lanes and the worker: about 10 MiB.
pub(super) const BACKLOG_SAMPLES_MAX: u64 = 512 * 1024;
/// Most questions between the sessions and the worker. Those that wait for an answer have a place of their own.
const COMMANDS_MAX: usize = 4096;
/// Most sessions that wait for the worker's answer; further ones wait for their turn.
const ASKING_MAX: usize = 256;
/// Events longer than this are not pushed.
pub const EVENT_BYTES_MAX: usize = 1 << 20;

/// How large live push may grow.
#[derive(Clone, Copy, Debug)]
pub struct HubConfig {
    pub sessions_max: usize,
    pub queue: QueueLimits,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self { sessions_max: 10_000, queue: QueueLimits::default() }
    }
}

/// Why nobody is subscribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    #[error("live push has ended")]
    Stopped,
    #[error("there are as many live sessions as there may be")]
    TooManySessions,
    #[error("the filters of all live sessions match more series than can be kept")]
    TooManyMatches,
    #[error("live push has too many requests at once")]
    Busy,
}

/// The handle lanes, handlers and sessions hold.
pub struct Hub {
    commands: Sender<Command>,
    works: Sender<Work>,
    /// The other end of `works`, to make room by taking the oldest out.
    oldest: Receiver<Work>,
    lost: Arc<Lost>,
    asking: Semaphore,
    stats: Arc<LiveStats>,
}

/// One subscription; it ends when this is dropped.
pub struct Subscription {
    pub(super) session: SessionId,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) commands: Sender<Command>,
    /// What had been handed on when the subscription began: everything after it is delivered live.
    pub(super) marks: Marks,
}

/// What the worker is asked to do between two flushes.
pub(super) enum Command {
    Subscribe { request: StreamRequest, answer: oneshot::Sender<Result<Subscription, SubscribeError>> },
    Marks { answer: oneshot::Sender<Marks> },
    Unsubscribe(SessionId),
}

/// What the worker hands on.
pub(super) enum Work {
    Flush(Arc<Committed>, Instant),
    Event(Event),
}

/// What was taken out of the full queue. Only touched when the hub cannot keep up, so the lock is no one's way.
#[derive(Debug, Default)]
pub(super) struct Lost {
    pub(super) is_pending: AtomicBool,
    pub(super) total: Mutex<LostTotal>,
}

#[derive(Debug, Default)]
pub(super) struct LostTotal {
    pub(super) marks: Marks,
    pub(super) flushes: u64,
    pub(super) samples: u64,
}

impl Hub {
    /// The handle and the worker, which does nothing until it is run. `marks` says how far the journal had been
    /// handed on to others when this hub was built.
    pub fn build(config: HubConfig, directory: Arc<dyn SeriesDirectory>, marks: Marks) -> (Arc<Self>, HubWorker) {
        let stats = Arc::<LiveStats>::default();
        let lost = Arc::<Lost>::default();
        let (commands, commands_in) = bounded(COMMANDS_MAX);
        let (works, works_in) = bounded(WORKS_MAX);
        let worker = HubWorker {
            state: HubState::new(directory, marks, Arc::clone(&stats)),
            config,
            commands_in,
            commands: commands.clone(),
            works: works_in.clone(),
            lost: Arc::clone(&lost),
            stats: Arc::clone(&stats),
        };
        let hub = Self { commands, works, oldest: works_in, lost, asking: Semaphore::new(ASKING_MAX), stats };
        (Arc::new(hub), worker)
    }

    /// Begins a subscription.
    ///
    /// # Errors
    /// When live push is full or has ended.
    pub async fn subscribe(&self, request: &StreamRequest) -> Result<Subscription, SubscribeError> {
        let request = request.clone();
        self.ask(|answer| Command::Subscribe { request, answer }).await?
    }

    /// How far the journal has been handed on.
    ///
    /// # Errors
    /// When live push has ended or is too busy to answer.
    pub async fn marks(&self) -> Result<Marks, SubscribeError> {
        self.ask(|answer| Command::Marks { answer }).await
    }

    /// Tells the subscribers of a server. Returns whether the event was accepted: not when it is too long.
    pub fn publish(&self, event: Event) -> bool {
        let is_short = event.data.len() <= EVENT_BYTES_MAX;
        if is_short {
            self.enqueue(Work::Event(event));
        }
        is_short
    }

    pub fn stats(&self) -> &Arc<LiveStats> {
        &self.stats
    }

    async fn ask<A>(&self, command: impl FnOnce(oneshot::Sender<A>) -> Command) -> Result<A, SubscribeError> {
        let _turn = self.asking.acquire().await.map_err(|_| SubscribeError::Stopped)?;
        let (answer, answered) = oneshot::channel();
        self.commands.try_send(command(answer)).map_err(|error| match error {
            TrySendError::Full(_) => SubscribeError::Busy,
            TrySendError::Disconnected(_) => SubscribeError::Stopped,
        })?;
        answered.await.map_err(|_| SubscribeError::Stopped)
    }

    /// Puts `work` at the end of the queue, at the cost of the oldest when there is no room.
    fn enqueue(&self, work: Work) {
        let mut work = work;
        LiveStats::add(&self.stats.backlog_samples, work.samples());
        // Other lanes may take the room made here; after as many rounds as there are places this one gives up.
        for _ in 0..WORKS_MAX {
            let is_crowded = LiveStats::read(&self.stats.backlog_samples) > BACKLOG_SAMPLES_MAX;
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
        self.lose(&work);
    }

    fn lose(&self, work: &Work) {
        LiveStats::sub(&self.stats.backlog_samples, work.samples());
        let mut total = self.lost.total.lock().unwrap_or_else(PoisonError::into_inner);
        if let Work::Flush(flush, _) = work {
            total.marks.advance(flush.origin, flush.sequence);
            total.flushes += 1;
        }
        total.samples += work.messages();
        self.lost.is_pending.store(true, Ordering::Release);
    }
}

impl CommitListener for Hub {
    fn committed(&self, flush: &Arc<Committed>) {
        self.enqueue(Work::Flush(Arc::clone(flush), Instant::now()));
    }
}

impl Subscription {
    /// What had been handed on when the subscription began: everything after it is delivered live.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    pub(super) async fn arrived(&self) {
        self.mailbox.arrived().await;
    }

    pub(super) fn take(&self, bytes_max: usize) -> Taken {
        self.mailbox.take(bytes_max)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.mailbox.close();
        // When the queue is full the worker finds the closed mailbox the next time it looks for room.
        self.commands.try_send(Command::Unsubscribe(self.session)).ok();
    }
}

impl Work {
    pub(super) fn samples(&self) -> u64 {
        match self {
            Self::Flush(flush, _) => flush.batch.len() as u64,
            Self::Event(_) => 0,
        }
    }

    /// How many messages a subscriber to everything misses when this is lost.
    fn messages(&self) -> u64 {
        self.samples().max(u64::from(matches!(self, Self::Event(_))))
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("session", &self.session).finish_non_exhaustive()
    }
}
