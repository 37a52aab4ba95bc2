//! The seam to stored samples: what a session that asks for `since=` is sent before it goes live.
//!
//! A replay is bounded by marks. It is done in rounds: everything up to marks M1, then what lies between M1 and M2,
//! and so on while a round still finds much; only then does the session subscribe, and one last round covers what lies
//! before the subscription's own marks. So nothing queues up during a long replay, and nothing is sent twice or not at
//! all: a flush is either at or below the marks and replayed, or above them and delivered live.

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::filter::Filter;
use super::frame::{Frame, Run, RunBuilder};
use super::hub::{Hub, SubscribeError, Subscription};
use super::marks::Marks;
use super::request::StreamRequest;
use crate::model::{Micros, Sample};

/// After this many rounds the session goes live even if the last one was long; its queue may overflow then, and the
/// client is told.
pub(super) const ROUNDS_MAX: usize = 8;
/// A round with at most this many samples is the last before the subscription.
pub(super) const SHORT_ROUND_SAMPLES_MAX: u64 = 1000;
/// Chunks between the reader and the session.
const CHUNKS_MAX: usize = 2;

/// The stored samples of the series that match `filter`, at `since` or later, as far as these marks go.
#[derive(Clone, Debug)]
pub struct ReplayRange {
    pub filter: Arc<Filter>,
    pub since: Micros,
    /// Without: from the beginning. With: only flushes after these marks.
    pub after: Option<Marks>,
    /// Flushes of a writer that has no mark here have not been handed on, so they are not part of the range.
    pub up_to: Marks,
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("stored samples cannot be read")]
    Store(#[source] Box<dyn Error + Send + Sync>),
    #[error("the range holds more than a replay may send")]
    TooLong,
}

pub type ReplayFuture<'a> = Pin<Box<dyn Future<Output = Result<(), ReplayError>> + Send + 'a>>;

/// Reads stored samples for sessions.
pub trait Replay: Debug + Send + Sync {
    /// Sends the samples of `range` in chunks, waiting whenever the session does not keep up. A closed channel means
    /// that the session is gone.
    fn replay(&self, range: ReplayRange, into: mpsc::Sender<Vec<Sample>>) -> ReplayFuture<'_>;
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
}

/// Sends into `runs` what the session asked for from the past, and subscribes where that ends.
pub(super) async fn attach(
    hub: Arc<Hub>,
    replay: Option<Arc<dyn Replay>>,
    request: StreamRequest,
    runs: mpsc::Sender<Run>,
) -> Result<Subscription, AttachError> {
    let Some(since) = request.since else { return Ok(hub.subscribe(&request).await?) };
    let replay = replay.ok_or(AttachError::NoReplay)?;
    let mut rounds = Rounds { replay, batch: request.batch, runs };
    let filter = &request.filter;
    let mut after = None;
    for _ in 0..ROUNDS_MAX {
        let up_to = hub.marks().await?;
        let range = ReplayRange { filter: Arc::clone(filter), since, after: after.take(), up_to: up_to.clone() };
        let sent = rounds.round(range).await?;
        after = Some(up_to);
        if sent <= SHORT_ROUND_SAMPLES_MAX {
            break;
        }
    }
    let subscription = hub.subscribe(&request).await?;
    let up_to = subscription.marks().clone();
    rounds.round(ReplayRange { filter: Arc::clone(filter), since, after, up_to }).await?;
    Ok(subscription)
}

struct Rounds {
    replay: Arc<dyn Replay>,
    batch: bool,
    runs: mpsc::Sender<Run>,
}

impl Rounds {
    /// Sends one range and returns how many samples it held.
    async fn round(&mut self, range: ReplayRange) -> Result<u64, ReplayError> {
        if range.after.as_ref() == Some(&range.up_to) {
            return Ok(0);
        }
        let (into, chunks) = mpsc::channel(CHUNKS_MAX);
        let (read, sent) = tokio::join!(self.replay.replay(range, into), self.send(chunks));
        read.map(|()| sent)
    }

    async fn send(&self, mut chunks: mpsc::Receiver<Vec<Sample>>) -> u64 {
        let (mut frame, mut builder, mut sent) = (Frame::new(), RunBuilder::new(self.batch), 0);
        while let Some(chunk) = chunks.recv().await {
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
        sent
    }
}
