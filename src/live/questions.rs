//! What sessions ask the worker, and their answers.
//!
//! A question takes one of a bounded number of turns, which the worker gives back when it answers. So a session that
//! does not look at its answer holds up nobody.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use uuid::Uuid;

use super::hub::{SubscribeError, Subscription};
use super::marks::Marks;
use super::reports::ReportsOf;
use super::request::StreamRequest;
use super::state::SessionId;

/// Most commands between the sessions and the worker. Those that wait for an answer have a place of their own.
const COMMANDS_MAX: usize = 4096;
/// Most sessions that wait for the worker's answer; further ones wait for their turn.
const ASKING_MAX: usize = 256;

/// What the worker is asked to do between two flushes.
pub(super) enum Command {
    Subscribe {
        request: StreamRequest,
        question: Question<Result<Subscription, SubscribeError>>,
    },
    SubscribeReports {
        of: ReportsOf,
        question: Question<Result<Subscription, SubscribeError>>,
    },
    Marks(Question<Marks>),
    /// Owners or labels of these servers changed.
    JudgeAnew(Vec<Uuid>, Question<()>),
    Unsubscribe(SessionId),
}

/// Someone who waits for an `A`.
pub(super) struct Question<A> {
    answer: oneshot::Sender<A>,
    _turn: OwnedSemaphorePermit,
}

/// The end of the queue that sessions have.
#[derive(Clone)]
pub(super) struct Questions {
    commands: Sender<Command>,
    turns: Arc<Semaphore>,
}

impl Questions {
    pub(super) fn new() -> (Self, Receiver<Command>) {
        let (commands, commands_in) = bounded(COMMANDS_MAX);
        (Self { commands, turns: Arc::new(Semaphore::new(ASKING_MAX)) }, commands_in)
    }

    pub(super) async fn ask<A>(&self, command: impl FnOnce(Question<A>) -> Command) -> Result<A, SubscribeError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| SubscribeError::Stopped)?;
        let (answer, answered) = oneshot::channel();
        self.commands.try_send(command(Question { answer, _turn: turn })).map_err(|error| match error {
            TrySendError::Full(_) => SubscribeError::Busy,
            TrySendError::Disconnected(_) => SubscribeError::Stopped,
        })?;
        answered.await.map_err(|_| SubscribeError::Stopped)
    }

    /// Returns whether the worker will hear of it.
    pub(super) fn unsubscribe(&self, session: SessionId) -> bool {
        !matches!(self.commands.try_send(Command::Unsubscribe(session)), Err(TrySendError::Full(_)))
    }

    #[cfg(test)]
    pub(super) fn turns_left(&self) -> usize {
        self.turns.available_permits()
    }
}

impl<A> Question<A> {
    /// An answer nobody waits for any more is dropped; a subscription in it ends by that.
    pub(super) fn answer(self, answer: A) {
        drop(self.answer.send(answer));
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_moot(&self) -> bool {
        self.answer.is_closed()
    }
}
