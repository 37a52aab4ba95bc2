//! The seam to stored samples: what a session that asks for `since=` is sent before it goes live.
//!
//! A replay is a task of its own, so that it never rests with a statement half read while its session writes. It waits
//! for the session between chunks only, and ends by itself when the session is gone.
//!
//! A replay is bounded by marks. It is done in rounds: everything up to marks M1, then what lies between M1 and M2,
//! and so on while a round still finds much; only then does the session subscribe, and one last round covers what lies
//! before the subscription's own marks. So nothing queues up during a long replay, and nothing is sent twice or not at
//! all: a flush is either at or below the marks and replayed, or above them and delivered live.
//!
//! A round may get further than it was asked to: stored samples are moved on together, perhaps before this hub has
//! handed them on. Then the subscription waits until it has, so that they are not delivered once more.

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio::task::JoinError;

use super::frame::{Frame, Run, RunBuilder};
use super::hub::{Hub, SubscribeError, Subscription};
use super::marks::Marks;
use super::request::StreamRequest;
use crate::matching::Filter;
use crate::model::{Micros, Sample};

/// After this many rounds the session goes live even if the last one was long; its queue may overflow then, and the
/// client is told.
pub(super) const ROUNDS_MAX: usize = 8;
/// A round with at most this many samples is the last before the subscription.
pub(super) const SHORT_ROUND_SAMPLES_MAX: u64 = 1000;
/// Chunks between the reader and the session.
const CHUNKS_MAX: usize = 2;
/// Replays at one time: each holds a few blocks, some 2 MiB.
pub(super) const REPLAYS_MAX: usize = 32;
/// How long a subscription waits for the hub to hand on what was replayed already: other nodes' flushes come within
/// about a second.
const HUB_WAIT_MAX: Duration = Duration::from_secs(5);
/// Between two looks at how far the hub is.
const HUB_LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// How long a session waits for its turn to replay before it is told to come again.
const TURN_WAIT_MAX: Duration = Duration::from_secs(10);

/// The stored samples of the series that match `filter`, at `since` or later, as far as these marks go.
#[derive(Clone, Debug)]
pub struct ReplayRange {
    pub filter: Arc<Filter>,
    pub since: Micros,
    /// Without: from the beginning. With: only flushes after these marks.
    pub after: Option<Marks>,
    /// Flushes of a writer that has no mark here have not been handed on, so they are not part of the range
    /// unless they have been moved on already.
    pub up_to: Marks,
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("stored samples cannot be read")]
    Store(#[source] Box<dyn Error + Send + Sync>),
    /// What was being read is not where it was; what was sent cannot be told from the rest any more.
    #[error("stored samples have been moved meanwhile")]
    Moved,
    #[error("stored samples are read by too many others")]
    Busy(#[source] Box<dyn Error + Send + Sync>),
}

pub type ReplayFuture<'a> = Pin<Box<dyn Future<Output = Result<Marks, ReplayError>> + Send + 'a>>;

/// Reads stored samples for sessions.
pub trait Replay: Debug + Send + Sync {
    /// Sends the samples of `range` in chunks, waiting whenever the session does not keep up. A closed channel means
    /// that the session is gone. Answers how far it got with each writer whose flushes may still be handed on: at least to
    /// the marks of the range.
    fn replay(&self, range: ReplayRange, into: mpsc::Sender<Vec<Sample>>) -> ReplayFuture<'_>;
}

/// The stored samples of all sessions, for a bounded number at a time.
#[derive(Debug)]
pub struct Replays {
    source: Arc<dyn Replay>,
    turns: Semaphore,
}

impl Replays {
    pub fn new(source: Arc<dyn Replay>) -> Self {
        Self { source, turns: Semaphore::new(REPLAYS_MAX) }
    }

    async fn turn(&self, runs: &mpsc::Sender<Run>) -> Result<SemaphorePermit<'_>, AttachError> {
        tokio::select! {
            turn = tokio::time::timeout(TURN_WAIT_MAX, self.turns.acquire()) => {
                turn.ok().and_then(Result::ok).ok_or(AttachError::TooManyReplays)
            }
            () = runs.closed() => Err(AttachError::Gone),
        }
    }
}

/// Why a session does not go live.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    #[error("the subscription is refused")]
    Subscribe(#[from] SubscribeError),
    #[error("the replay failed")]
    Replay(#[from] ReplayError),
    #[error("there is no replay on this server")]
    NoReplay,
    #[error("there are as many replays as there may be")]
    TooManyReplays,
    #[error("live push is far behind what is stored")]
    HubBehind,
    #[error("the session ended before its replay")]
    Gone,
    #[error("the replay ended by a fault")]
    Fault(#[from] JoinError),
}

/// Sends into `runs` what the session asked for from the past, and subscribes where that ends.
pub(super) async fn attach(
    hub: Arc<Hub>,
    replays: Option<Arc<Replays>>,
    request: StreamRequest,
    runs: mpsc::Sender<Run>,
) -> Result<Subscription, AttachError> {
    let Some(since) = request.since else { return Ok(hub.subscribe(&request).await?) };
    let replays = replays.ok_or(AttachError::NoReplay)?;
    let _turn = replays.turn(&runs).await?;
    let rounds = Rounds { source: replays.source.as_ref(), batch: request.batch, runs };
    let filter = &request.filter;
    let mut after = None;
    for _ in 0..ROUNDS_MAX {
        let up_to = hub.marks().await?;
        let range = ReplayRange { filter: Arc::clone(filter), since, after: after.take(), up_to };
        let (reached, sent) = rounds.round(range).await?;
        after = Some(reached);
        if sent <= SHORT_ROUND_SAMPLES_MAX {
            break;
        }
    }
    if let Some(reached) = &after {
        hub_reaches(&hub, reached).await?;
    }
    let subscription = hub.subscribe(&request).await?;
    let up_to = subscription.marks().clone();
    rounds.round(ReplayRange { filter: Arc::clone(filter), since, after, up_to }).await?;
    Ok(subscription)
}

/// Waits until the hub has handed on all that was replayed.
async fn hub_reaches(hub: &Hub, reached: &Marks) -> Result<(), AttachError> {
    let looking = async {
        while !hub.marks().await?.covers(reached) {
            tokio::time::sleep(HUB_LOOK_INTERVAL).await;
        }
        Ok(())
    };
    tokio::time::timeout(HUB_WAIT_MAX, looking).await.unwrap_or(Err(AttachError::HubBehind))
}

struct Rounds<'a> {
    source: &'a dyn Replay,
    batch: bool,
    runs: mpsc::Sender<Run>,
}

impl Rounds<'_> {
    /// Sends one range and returns how far it got and how many samples it held.
    async fn round(&self, range: ReplayRange) -> Result<(Marks, u64), AttachError> {
        if range.after.as_ref() == Some(&range.up_to) {
            return Ok((range.up_to, 0));
        }
        let (into, chunks) = mpsc::channel(CHUNKS_MAX);
        let (read, sent) = tokio::join!(self.source.replay(range, into), self.send(chunks));
        let reached = read?;
        if self.runs.is_closed() { Err(AttachError::Gone) } else { Ok((reached, sent)) }
    }

    /// Returns early when the session is gone; the reader finds its channel closed then.
    async fn send(&self, mut chunks: mpsc::Receiver<Vec<Sample>>) -> u64 {
        let (mut frame, mut builder, mut sent) = (Frame::new(), RunBuilder::new(self.batch), 0);
        loop {
            let chunk = tokio::select! {
                chunk = chunks.recv() => chunk,
                () = self.runs.closed() => None,
            };
            let Some(chunk) = chunk else { return sent };
            sent += chunk.len() as u64;
            for sample in &chunk {
                frame.metric(&sample.series, sample.time, sample.value);
                if let Some(run) = builder.push(&frame)
                    && self.runs.send(run).await.is_err()
                {
                    return sent;
                }
            }
            if let Some(run) = builder.finish()
                && self.runs.send(run).await.is_err()
            {
                return sent;
            }
        }
    }
}
