//! The door to live push: lanes hand committed flushes in, sessions subscribe.
//!
//! All state belongs to one worker (see `worker`), which is reached through bounded queues. [`Hub::committed`] runs on
//! a lane between a commit and its acknowledgement: it puts the flush into a lock-free queue and never waits.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::backlog::{Backlog, Work};
use super::mailbox::{Mailbox, QueueLimits, Taken};
use super::marks::Marks;
use super::questions::{Command, Questions};
use super::reports::{AgentReport, ReportsOf};
use super::request::StreamRequest;
use super::state::{Event, HubState, SessionId};
use super::stats::LiveStats;
use super::worker::HubWorker;
use crate::model::series::SeriesDirectory;
use crate::model::{CommitListener, Committed};

/// Events longer than this are not pushed.
const EVENT_BYTES_MAX: usize = 1 << 20;

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
    questions: Questions,
    backlog: Backlog,
    sessions_max: usize,
    stats: Arc<LiveStats>,
}

/// One subscription; it ends when this is dropped.
pub struct Subscription {
    pub(super) session: SessionId,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) questions: Questions,
    /// Set when the worker could not be told that a subscription ended.
    pub(super) has_unheard: Arc<AtomicBool>,
    pub(super) marks: Marks,
}

impl Hub {
    /// The handle and the worker, which does nothing until it is run. `marks` says how far the journal had been
    /// handed on to others when this hub was built.
    pub fn build(config: HubConfig, directory: Arc<dyn SeriesDirectory>, marks: Marks) -> (Arc<Self>, HubWorker) {
        let stats = Arc::<LiveStats>::default();
        let (questions, commands) = Questions::new();
        let (backlog, works, lost) = Backlog::new(Arc::clone(&stats));
        let worker = HubWorker {
            state: HubState::new(directory, marks, Arc::clone(&stats)),
            config,
            commands,
            questions: questions.clone(),
            works,
            lost,
            joining: None,
            has_unheard: Arc::default(),
            stats: Arc::clone(&stats),
        };
        (Arc::new(Self { questions, backlog, sessions_max: config.sessions_max, stats }), worker)
    }

    /// Whether one more session may subscribe, as far as can be said without asking the worker.
    ///
    /// # Errors
    /// When there are as many sessions as there may be.
    pub fn check_room(&self) -> Result<(), SubscribeError> {
        let is_full = LiveStats::read(&self.stats.sessions) >= self.sessions_max as u64;
        if is_full { Err(SubscribeError::TooManySessions) } else { Ok(()) }
    }

    /// Begins a subscription.
    ///
    /// # Errors
    /// When live push is full or has ended.
    pub async fn subscribe(&self, request: &StreamRequest) -> Result<Subscription, SubscribeError> {
        let request = request.clone();
        self.questions.ask(|question| Command::Subscribe { request, question }).await?
    }

    /// Begins a subscription to reports.
    ///
    /// # Errors
    /// When live push is full or has ended.
    pub(super) async fn subscribe_reports(&self, of: ReportsOf) -> Result<Subscription, SubscribeError> {
        self.questions.ask(|question| Command::SubscribeReports { of, question }).await?
    }

    /// How far the journal has been handed on.
    ///
    /// # Errors
    /// When live push has ended or is too busy to answer.
    pub async fn marks(&self) -> Result<Marks, SubscribeError> {
        self.questions.ask(Command::Marks).await
    }

    /// Has it looked at anew who may see the samples of servers whose owner or labels changed. What the directory says of
    /// them must be true by now.
    ///
    /// # Errors
    /// When live push is too busy: some may see what they should not until this is tried again.
    pub async fn judge_anew(&self, server_ids: Vec<Uuid>) -> Result<(), SubscribeError> {
        match self.questions.ask(|question| Command::JudgeAnew(server_ids, question)).await {
            // Nobody is told of anything any more.
            Err(SubscribeError::Stopped) => Ok(()),
            judged => judged,
        }
    }

    /// Tells the subscribers of a server. An event that is too long is counted instead.
    pub fn publish(&self, event: Event) {
        if event.data.len() > EVENT_BYTES_MAX {
            LiveStats::add(&self.stats.events_too_long, 1);
            return;
        }
        self.backlog.push(Work::Event(event));
    }

    /// Tells those who listen to the reports of its server. Its text is no longer than the body of a report.
    pub(super) fn report(&self, report: AgentReport) {
        self.backlog.push(Work::Report(report));
    }

    /// Resolves once what was handed over before this call waits in the queues of the sessions, at the latest after
    /// `wait_max`.
    pub async fn caught_up(&self, wait_max: Duration) {
        let (reached, fence) = oneshot::channel();
        self.backlog.push(Work::Fence(reached));
        // A fence is lost only with what was before it, and a worker that has ended never reaches it.
        tokio::time::timeout(wait_max, fence).await.ok();
    }

    /// How many subscriptions there are.
    pub fn sessions(&self) -> u64 {
        LiveStats::read(&self.stats.sessions)
    }

    pub fn stats(&self) -> &Arc<LiveStats> {
        &self.stats
    }

    #[cfg(test)]
    pub(super) fn turns_left(&self) -> usize {
        self.questions.turns_left()
    }
}

impl CommitListener for Hub {
    fn committed(&self, flush: &Arc<Committed>) {
        self.backlog.push(Work::Flush(Arc::clone(flush), Instant::now()));
    }
}

impl Subscription {
    /// What had been handed on when the subscription began: everything after it is delivered live.
    pub(super) fn marks(&self) -> &Marks {
        &self.marks
    }

    pub(super) async fn arrived(&self) {
        self.mailbox.arrived().await;
    }

    pub(super) fn take(&self, bytes_max: usize) -> Taken {
        self.mailbox.take(bytes_max)
    }

    pub(super) fn written(&self) {
        self.mailbox.written();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.mailbox.close();
        if !self.questions.unsubscribe(self.session) {
            // The worker looks for closed mailboxes instead.
            self.has_unheard.store(true, Ordering::Release);
        }
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
