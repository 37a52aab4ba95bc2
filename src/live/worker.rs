//! The one owner of the hub's state: a thin loop that takes work from the queues and hands it to [`HubState`].
//!
//! It has a thread of its own, because routing and encoding a large flush takes longer than a task may hold a runtime
//! worker, and blocks when there is nothing to do. When the queue is more than half full it counts the oldest flushes
//! for their subscribers instead of encoding them, which is many times faster, until it has caught up. A new filter is
//! matched against the known series in slices between the works; other questions wait until that is done.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, TryRecvError, bounded, select};

use super::backlog::{BACKLOG_BYTES_MAX, Lost, WORKS_MAX, Work};
use super::hub::{HubConfig, SubscribeError, Subscription};
use super::mailbox::Mailbox;
use super::questions::{Command, Question, Questions};
use super::request::StreamRequest;
use super::state::{HubState, SessionId};
use super::stats::LiveStats;
use crate::matching::GroupId;

/// The worker of a hub, to be run once.
pub struct HubWorker {
    pub(super) state: HubState,
    pub(super) config: HubConfig,
    pub(super) commands: Receiver<Command>,
    pub(super) questions: Questions,
    pub(super) works: Receiver<Work>,
    pub(super) lost: Arc<Lost>,
    /// While there is one, no command is taken.
    pub(super) joining: Option<Joining>,
    /// Whether a subscription ended that could not say so.
    pub(super) has_unheard: Arc<AtomicBool>,
    pub(super) stats: Arc<LiveStats>,
}

/// Who is subscribed once the group is complete.
pub(super) struct Joining {
    group: GroupId,
    question: Question<Result<Subscription, SubscribeError>>,
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
        while self.turn() {}
    }

    /// One turn of the loop, without waiting. Returns whether there was anything to do.
    pub(super) fn turn(&mut self) -> bool {
        let (command, work) = (self.next_command(), self.works.try_recv().ok());
        let is_busy = command.is_some() || work.is_some() || self.joining.is_some();
        self.step(command, work);
        is_busy
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
        let (command, work) = (self.next_command(), self.works.try_recv().ok());
        let is_stopping = stop.try_recv() == Err(TryRecvError::Disconnected);
        if is_stopping || command.is_some() || work.is_some() || self.joining.is_some() {
            return Found { command, work, is_stopping };
        }
        select! {
            recv(stop) -> _ => Found { is_stopping: true, ..Found::default() },
            recv(self.commands) -> command => Found { command: command.ok(), ..Found::default() },
            // Without a handle to the hub there will be no more work.
            recv(self.works) -> work => Found { is_stopping: work.is_err(), work: work.ok(), command: None },
        }
    }

    fn next_command(&self) -> Option<Command> {
        if self.joining.is_some() { None } else { self.commands.try_recv().ok() }
    }

    /// The order matters for the marks a new subscription is told. A flush found here may be older than a lost one, so
    /// it goes first; a lost one must be in the marks of a subscription that begins too late to be told of the loss.
    fn step(&mut self, command: Option<Command>, work: Option<Work>) {
        if let Some(work) = work {
            self.hand_on(work);
        }
        if let Some(total) = self.lost.take() {
            self.state.lose(&total);
        }
        if let Some(command) = command {
            self.obey(command);
        }
        if let Some(joining) = self.joining.take() {
            self.joining = self.go_on(joining);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Subscribe { question, .. } if question.is_moot() => {}
            Command::Subscribe { request, question } => match self.group(&request) {
                Ok(group) => self.joining = Some(Joining { group, question }),
                Err(refused) => question.answer(Err(refused)),
            },
            Command::SubscribeReports { question, .. } if question.is_moot() => {}
            Command::SubscribeReports { of, question } => {
                let answer = self.check_room().map(|()| self.subscription(|state, mailbox| state.listen(of, mailbox)));
                question.answer(answer);
            }
            Command::Marks(question) => question.answer(self.state.marks().clone()),
            Command::JudgeAnew(server_ids, question) => {
                self.state.judge_anew(&server_ids);
                question.answer(());
            }
            Command::Unsubscribe(session) => self.state.unsubscribe(session),
        }
        if self.has_unheard.swap(false, Ordering::AcqRel) {
            self.state.unsubscribe_closed();
        }
    }

    fn group(&mut self, request: &StreamRequest) -> Result<GroupId, SubscribeError> {
        self.check_room()?;
        self.state.group(&request.filter, request.batch).map_err(|_| SubscribeError::TooManyMatches)
    }

    fn check_room(&mut self) -> Result<(), SubscribeError> {
        if self.state.sessions() >= self.config.sessions_max {
            self.state.unsubscribe_closed();
        }
        if self.state.sessions() >= self.config.sessions_max {
            return Err(SubscribeError::TooManySessions);
        }
        Ok(())
    }

    /// One slice of matching, and the subscription once it was the last.
    fn go_on(&mut self, joining: Joining) -> Option<Joining> {
        if !self.state.match_some() {
            return Some(joining);
        }
        let subscription = self.subscription(|state, mailbox| state.join(joining.group, mailbox));
        joining.question.answer(Ok(subscription));
        None
    }

    fn subscription(&mut self, join: impl FnOnce(&mut HubState, Arc<Mailbox>) -> SessionId) -> Subscription {
        let mailbox = Arc::new(Mailbox::new(self.config.queue, Arc::clone(&self.stats)));
        Subscription {
            session: join(&mut self.state, Arc::clone(&mailbox)),
            mailbox,
            questions: self.questions.clone(),
            has_unheard: Arc::clone(&self.has_unheard),
            marks: self.state.marks().clone(),
        }
    }

    fn hand_on(&mut self, work: Work) {
        let (bytes, backlog) = (work.bytes(), LiveStats::read(&self.stats.backlog_bytes));
        let is_behind = backlog.saturating_sub(bytes) > BACKLOG_BYTES_MAX / 2 || self.works.len() > WORKS_MAX / 2;
        match work {
            Work::Flush(flush, _) if is_behind => self.state.skip(&flush),
            Work::Flush(flush, committed) => {
                self.state.deliver(&flush);
                let lag_us = u64::try_from(committed.elapsed().as_micros()).unwrap_or(u64::MAX);
                self.stats.lag_us.store(lag_us, Ordering::Relaxed);
            }
            Work::Event(event) => self.state.publish(&event),
            Work::Report(report) => self.state.report(&report),
            Work::Fence(reached) => drop(reached.send(())),
        }
        LiveStats::sub(&self.stats.backlog_bytes, bytes);
    }
}

impl fmt::Debug for HubWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubWorker").field("state", &self.state).finish_non_exhaustive()
    }
}
