//! Questions about stored samples: request, selection, page, output.
//!
//! Reads all levels page by page in order of time. Memory is bounded by the rows of a page and a handful of blocks,
//! whatever the range; a long answer is many pages, each after the last row of the one before. Knows `store`, `codec`
//! and `catalog`; must not know who asked, nor HTTP.

pub mod aggregate; // windows, groups, and samples for drawings
pub mod cursor; // where the next page begins
mod levels; // all that is stored of some series
pub mod export; // the same of any number of series, in order
pub mod page; // one page of rows, in order
mod unfolded; // the journal's part of it
mod stored; // the part of recent and samples
pub mod latest; // the last value of each series
mod best; // the first rows of all that are offered
pub mod replay; // stored samples for live sessions
pub mod request; // what was asked, checked
pub mod rows; // rows as JSON, NDJSON and CSV
mod selection; // which series are asked for
pub mod when; // times and spans as people ask for them

pub use aggregate::AggregateRequest;
pub use cursor::Cursor;
pub use export::{Export, ExportRequest, ExportedSeries};
pub use latest::LatestSamples;
pub use page::Page;
pub use request::{Format, MetricsRequest, RequestError};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::catalog::Catalog;
use crate::model::{Identity, Micros};
use crate::shutdown::Tasks;
use crate::store::{Database, StoreError};

#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Queries that read at one time. Too high: readers take the processor from ingest.
    pub running_max: usize,
    /// How long a query may wait for its turn and read one page.
    pub timeout: Duration,
    /// Series one query may select.
    pub series_max: u32,
    /// Samples one query may put together.
    pub samples_max: usize,
    /// Points one answer may hold.
    pub points_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            running_max: 8,
            timeout: Duration::from_secs(30),
            series_max: 200_000,
            samples_max: 50_000_000,
            points_max: 250_000,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("more than {series_max} series match, ask for fewer")]
    TooManySeries { series_max: u32 },
    #[error("the answer would have more than {points_max} points, ask for a longer step or a shorter range")]
    TooManyPoints { points_max: usize },
    #[error("more than {samples_max} samples would be read, ask for fewer series or a shorter range")]
    TooManySamples { samples_max: usize },
    #[error("percentiles of more than {samples_max} samples, ask for fewer series, smaller groups or a shorter step")]
    TooManyForPercentiles { samples_max: usize },
    #[error("samples before {before} have expired, and the question needs them")]
    Expired { before: Micros },
    #[error("stored data moved while they were read, again and again")]
    Moving,
    #[error("the query did not finish within {} ms", timeout.as_millis())]
    TimedOut { timeout: Duration },
    /// Nobody gets to see this one.
    #[error("nobody waits for the answer")]
    Abandoned,
    #[error("what was being read has been moved meanwhile")]
    Moved,
    #[error("a stored block cannot be read")]
    Block(#[from] crate::codec::block::BlockError),
    #[error("a stored row cannot be read")]
    Row(#[from] crate::codec::samples_row::RowError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers questions, a bounded number at a time.
pub struct Engine {
    config: Config,
    database: Database,
    catalog: Arc<Catalog>,
    latest: Arc<LatestSamples>,
    turns: Arc<Semaphore>,
    /// Places for questions that put samples together.
    aggregating: Arc<Semaphore>,
    tasks: Tasks,
    kept_from: Arc<KeptFrom>,
}

/// From when on anything of a series is kept.
pub type KeptFrom = dyn Fn(&Identity) -> Micros + Send + Sync;

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Engine").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Engine {
    /// `latest` hears of every commit. `tasks` is the group that reading runs in.
    pub fn new(
        config: Config,
        database: Database,
        catalog: Arc<Catalog>,
        latest: Arc<LatestSamples>,
        tasks: Tasks,
    ) -> Self {
        let (turns, aggregating) = (Semaphore::new(config.running_max), Semaphore::new(aggregate::AGGREGATING_MAX));
        let (turns, aggregating) = (Arc::new(turns), Arc::new(aggregating));
        let kept_from = Arc::new(|_: &Identity| Micros(i64::MIN));
        Self { config, database, catalog, latest, turns, aggregating, tasks, kept_from }
    }

    /// Has answers say which of their stretches are older than what is kept.
    #[must_use]
    pub fn keeping(self, kept_from: Arc<KeptFrom>) -> Self {
        Self { kept_from, ..self }
    }

    /// Reads one page.
    ///
    /// Reading is a task of its own: when nobody waits for it any more it ends after the statement it is at, and keeps
    /// its turn until then. So a connection never goes back to the pool with a statement still running on it, and
    /// impatient clients do not make PostgreSQL work on more than the turns allow.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn page(self: &Arc<Self>, request: &MetricsRequest) -> Result<Page, QueryError> {
        let timeout = self.config.timeout;
        let reading = async {
            let turn = self.turn().await?;
            let (answer, answered) = oneshot::channel();
            let (engine, request) = (Arc::clone(self), request.clone());
            drop(self.tasks.spawn("query", async move {
                let page = page::read(&engine, &request, &|| !answer.is_closed()).await;
                drop(turn);
                answer.send(page).ok();
            }));
            answered.await.map_err(StoreError::unavailable)?
        };
        tokio::time::timeout(timeout, reading).await.map_err(|_| QueryError::TimedOut { timeout })?
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, QueryError> {
        Arc::clone(&self.turns).acquire_owned().await.map_err(|closed| StoreError::unavailable(closed).into())
    }
}
