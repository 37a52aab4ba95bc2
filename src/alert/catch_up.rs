//! What was stored while nobody judged: the seam to it, and the way it is read.
//!
//! It is read in rounds, as far as the journal reaches at each: first all that is stored, then what was committed during
//! the round before, until that was little. Only then does the worker hear of commits again, and one last round reads up
//! to there, so nothing is passed over however fast samples come. What both the last round and the queue bring is judged
//! once: the second time it is not later than what was judged.
//!
//! Within a round samples are put in order of time, a portion at a time. A flush that is behind in time of a later one was
//! late when it came, and is judged in its place here.

use std::error::Error;
use std::fmt::{self, Debug};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::intake::Intake;
use crate::model::{Micros, Origin, Sample, Series, SeriesId};

/// After this many rounds the worker goes on with what it hears, even if the last one was long.
const ROUNDS_MAX: usize = 8;
/// After a round with at most this many samples the next one is the last.
const SHORT_ROUND_SAMPLES_MAX: u64 = 50_000;
/// Samples put in order and judged together.
const PORTION_SAMPLES: usize = 500_000;
/// Most samples read to catch up, in all rounds. What is beyond is not judged, which is counted and logged.
pub(super) const SAMPLES_MAX: u64 = 50_000_000;
/// Chunks between the reader and the judge.
const CHUNKS_MAX: usize = 4;
/// How often it is begun again when what is read is moved meanwhile, or PostgreSQL is busy.
const TRIES_MAX: usize = 5;
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// How far each writer of the journal was read.
pub type Reached = Vec<(Origin, u64)>;

/// What is wanted of the past.
pub struct PastRange {
    /// Samples from this time on.
    pub since: Micros,
    /// Without: from the beginning. With: only what was committed after these marks.
    pub after: Option<Reached>,
    pub wanted: Arc<dyn Fn(&Series) -> bool + Send + Sync>,
}

impl fmt::Debug for PastRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { since, after, .. } = self;
        formatter.debug_struct("PastRange").field("since", since).field("after", after).finish_non_exhaustive()
    }
}

/// Why reading ended early.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    #[error("stored samples cannot be read")]
    Store(#[source] Box<dyn Error + Send + Sync>),
    /// What was being read is not where it was; what was sent cannot be told from the rest any more.
    #[error("stored samples have been moved meanwhile")]
    Moved,
    #[error("stored samples are read by too many others")]
    Busy(#[source] Box<dyn Error + Send + Sync>),
}

pub type PastFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, PastError>> + Send + 'a>>;

/// Reads stored samples for the worker.
pub trait Past: Debug + Send + Sync {
    /// Makes sure that series can be found in the directory, as far as they exist.
    fn know<'a>(&'a self, series: &'a [SeriesId]) -> PastFuture<'a, ()>;

    /// Sends the samples of `range` up to what is committed now, in chunks, waiting whenever the judge does not keep up,
    /// and answers how far that was. A closed channel means that no more is wanted. To be driven to its end.
    fn read(&self, range: PastRange, into: mpsc::Sender<Vec<Sample>>) -> PastFuture<'_, Reached>;
}

/// Who takes in what was read, in order of time.
pub(super) trait Taker {
    /// Answers whether more is wanted.
    fn take(&mut self, samples: Vec<Sample>) -> impl Future<Output = bool> + Send;
}

/// How catching up went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CaughtUp {
    pub(super) samples: u64,
    /// Not all was read.
    pub(super) is_cut: bool,
}

/// What is the same for all rounds.
pub(super) struct CatchUp<'a> {
    pub(super) past: &'a dyn Past,
    pub(super) intake: &'a Intake,
    pub(super) since: Micros,
    pub(super) wanted: Arc<dyn Fn(&Series) -> bool + Send + Sync>,
}

impl CatchUp<'_> {
    /// Reads until the worker can go on with what it hears, which begins on the way.
    pub(super) async fn run(&self, taker: &mut (impl Taker + Send)) -> Result<CaughtUp, PastError> {
        let mut tries = 0;
        loop {
            match self.rounds(taker).await {
                // What was taken in already is not later than what was judged when it comes again.
                Err(PastError::Moved | PastError::Busy(_)) if tries < TRIES_MAX => {
                    tries += 1;
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                ended => return ended,
            }
        }
    }

    /// Reads all that is stored now; the worker goes on hearing of commits, or not hearing of them.
    pub(super) async fn read_once(&self, taker: &mut (impl Taker + Send)) -> Result<CaughtUp, PastError> {
        let mut tries = 0;
        loop {
            let mut done = CaughtUp::default();
            match self.round(None, taker, &mut done).await {
                Err(PastError::Moved | PastError::Busy(_)) if tries < TRIES_MAX => {
                    tries += 1;
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                ended => return ended.map(|_| done),
            }
        }
    }

    async fn rounds(&self, taker: &mut (impl Taker + Send)) -> Result<CaughtUp, PastError> {
        let (mut after, mut done) = (None, CaughtUp::default());
        for round in 1..=ROUNDS_MAX {
            let before = done.samples;
            let is_last = round == ROUNDS_MAX;
            if is_last {
                self.intake.begin();
            }
            after = Some(self.round(after.take(), taker, &mut done).await?);
            if is_last || done.is_cut {
                break;
            }
            if done.samples - before <= SHORT_ROUND_SAMPLES_MAX {
                self.intake.begin();
                self.round(after.take(), taker, &mut done).await?;
                return Ok(done);
            }
        }
        if done.is_cut {
            self.intake.begin();
        }
        Ok(done)
    }

    async fn round(
        &self,
        after: Option<Reached>,
        taker: &mut (impl Taker + Send),
        done: &mut CaughtUp,
    ) -> Result<Reached, PastError> {
        let (into, chunks) = mpsc::channel(CHUNKS_MAX);
        let range = PastRange { since: self.since, after, wanted: Arc::clone(&self.wanted) };
        let (reached, ()) = tokio::join!(self.past.read(range, into), take_in(chunks, taker, done));
        reached
    }
}

/// Returns early when no more is wanted; the reader finds its channel closed then.
async fn take_in(mut chunks: mpsc::Receiver<Vec<Sample>>, taker: &mut (impl Taker + Send), done: &mut CaughtUp) {
    let mut portion: Vec<Sample> = Vec::new();
    loop {
        let chunk = chunks.recv().await;
        let is_over = chunk.is_none();
        portion.extend(chunk.unwrap_or_default());
        if !portion.is_empty() && (is_over || portion.len() >= PORTION_SAMPLES) {
            done.samples += portion.len() as u64;
            let mut ordered = std::mem::take(&mut portion);
            // Of two samples with the same time the one committed later comes later, and is passed over.
            ordered.sort_by_key(|sample| sample.time);
            let goes_on = taker.take(ordered).await;
            if !goes_on || done.samples >= SAMPLES_MAX {
                done.is_cut = true;
                return;
            }
        }
        if is_over {
            return;
        }
    }
}
