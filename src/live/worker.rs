//! The one owner of the hub's state: a thin loop that takes work from the queues and hands it to [`HubState`].
//!
//! It has a thread of its own, because routing and encoding a large flush takes longer than a task may hold a runtime
//! worker, and blocks when there is nothing to do. When the queue is more than half full it counts the oldest flushes
//! for their subscribers instead of encoding them, which is many times faster, until it has caught up.

use std::fmt;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, select};

use super::hub::{BACKLOG_SAMPLES_MAX, Command, HubConfig, Lost, SubscribeError, Subscription, WORKS_MAX, Work};
use super::mailbox::Mailbox;
use super::request::StreamRequest;
use super::state::HubState;
use super::stats::LiveStats;

/// The worker of a hub, to be run once.
pub struct HubWorker {
    pub(super) state: HubState,
    pub(super) config: HubConfig,
    pub(super) commands_in: Receiver<Command>,
    pub(super) commands: Sender<Command>,
    pub(super) works: Receiver<Work>,
    pub(super) lost: Arc<Lost>,
    pub(super) stats: Arc<LiveStats>,
}

/// What the loop found to do.
#[derive(Default)]
struct Found {
    command: Option<Command>,
    work: Option<Work>,
    is_stopping: bool,
}

impl HubWorker {
    /// Serves until `stopping` resolves.
    pub async fn run(self, stopping: impl Future<Output = ()>) {
        let (stop, stop_in) = bounded(0);
        let mut thread = tokio::task::spawn_blocking(move || self.serve(&stop_in));
        let ended = tokio::select! {
            ended = &mut thread => ended,
            () = stopping => {
                drop(stop);
                thread.await
            }
        };
        if let Err(error) = ended {
            tracing::error!(%error, "live push ended by a fault");
        }
    }

    /// Does everything that is queued now and returns instead of waiting for more: the loop of the thread without the
    /// thread, for tests and benches.
    pub fn drain(&mut self) {
        loop {
            let (command, work) = (self.commands_in.try_recv().ok(), self.works.try_recv().ok());
            let is_idle = command.is_none() && work.is_none();
            self.step(command, work);
            if is_idle {
                return;
            }
        }
    }

    /// Serves on this thread until the other end of `stop` is dropped.
    fn serve(mut self, stop: &Receiver<()>) {
        loop {
            let found = self.find(stop);
            if found.is_stopping {
                return;
            }
            self.step(found.command, found.work);
        }
    }

    /// At most one command and one work, so that neither can starve the other. Blocks when there is neither.
    fn find(&self, stop: &Receiver<()>) -> Found {
        let (command, work) = (self.commands_in.try_recv().ok(), self.works.try_recv().ok());
        let is_stopping = stop.try_recv() == Err(TryRecvError::Disconnected);
        if is_stopping || command.is_some() || work.is_some() {
            return Found { command, work, is_stopping };
        }
        select! {
            recv(stop) -> _ => Found { is_stopping: true, ..Found::default() },
            recv(self.commands_in) -> command => Found { command: command.ok(), ..Found::default() },
            // Without a handle to the hub there will be no more work.
            recv(self.works) -> work => Found { is_stopping: work.is_err(), work: work.ok(), command: None },
        }
    }

    /// The order matters for the marks a new subscription is told. A flush found here may be older than a lost one, so
    /// it goes first; a lost one must be in the marks of a subscription that begins too late to be told of the loss.
    fn step(&mut self, command: Option<Command>, work: Option<Work>) {
        if let Some(work) = work {
            self.hand_on(&work);
        }
        self.take_losses();
        if let Some(command) = command {
            self.obey(command);
        }
    }

    fn take_losses(&mut self) {
        if self.lost.is_pending.swap(false, Ordering::AcqRel) {
            let total = std::mem::take(&mut *self.lost.total.lock().unwrap_or_else(PoisonError::into_inner));
            self.state.lose(&total.marks, total.flushes, total.samples);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            // An answer nobody waits for any more is dropped, and a subscription in it ends by that.
            Command::Subscribe { request, answer } => drop(answer.send(self.subscribe(&request))),
            Command::Marks { answer } => drop(answer.send(self.state.marks().clone())),
            Command::Unsubscribe(session) => self.state.unsubscribe(session),
        }
    }

    fn subscribe(&mut self, request: &StreamRequest) -> Result<Subscription, SubscribeError> {
        if self.state.sessions() >= self.config.sessions_max {
            self.state.unsubscribe_closed();
        }
        if self.state.sessions() >= self.config.sessions_max {
            return Err(SubscribeError::TooManySessions);
        }
        let mailbox = Arc::new(Mailbox::new(self.config.queue, Arc::clone(&self.stats)));
        let session = self
            .state
            .subscribe(&request.filter, request.batch, Arc::clone(&mailbox))
            .map_err(|_| SubscribeError::TooManyMatches)?;
        Ok(Subscription { session, mailbox, commands: self.commands.clone(), marks: self.state.marks().clone() })
    }

    fn hand_on(&mut self, work: &Work) {
        let backlog = LiveStats::read(&self.stats.backlog_samples);
        let is_behind =
            backlog.saturating_sub(work.samples()) > BACKLOG_SAMPLES_MAX / 2 || self.works.len() > WORKS_MAX / 2;
        match work {
            Work::Flush(flush, _) if is_behind => self.state.skip(flush),
            Work::Flush(flush, committed) => {
                self.state.deliver(flush);
                let lag_us = u64::try_from(committed.elapsed().as_micros()).unwrap_or(u64::MAX);
                self.stats.lag_us.store(lag_us, Ordering::Relaxed);
            }
            Work::Event(event) => self.state.publish(event),
        }
        LiveStats::sub(&self.stats.backlog_samples, work.samples());
    }
}

impl fmt::Debug for HubWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubWorker").field("state", &self.state).finish_non_exhaustive()
    }
}
