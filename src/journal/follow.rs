//! What other nodes commit, for the listeners of this one: the journal read past marks, writer by writer.
//!
//! ```text
//! idle:     look ──▶ every writer's newest sequence, and the catalog's revision       (one statement a second)
//! watching: look, and read ──▶ whole flushes past the marks of the writers that move  (one statement a poll)
//! ```
//!
//! Invariants:
//! - flushes of a writer are handed on in sequence order, each once: a mark moves only after its flush was handed on;
//! - none is passed over: a lane sends a flush only after the one before it is committed, so what can be seen of a
//!   lane never has a hole before it, and the rows of a flush come and go together;
//! - what this node wrote is never read;
//! - the series of a flush can be found in the catalog before the flush is handed on.
//!
//! A reader that is far behind catches up in rounds of bounded size without a pause; a listener that cannot keep up
//! with that decides itself what it drops. Must not know who listens, nor what the catalog is.

mod met; // series that need not be looked up again
mod progress; // how far each writer was read, and who is watched

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Surroundings;
use crate::codec::block::{self, BlockError};
use crate::model::{Batch, CommitListener, Committed, Origin, SeriesId};
use crate::store::journal::StoredBlock;
use crate::store::{Database, StoreError, journal, nodes};
use crate::telemetry::Metrics;
use met::Met;
use progress::Progress;

/// Between two looks at everyone.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Between two reads while a writer is watched. Too high: live frames come late and in bursts.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Blocks of one read. Each watched writer gets its share, and its last flush whole.
const READ_BLOCKS_MAX: usize = 64;
/// After PostgreSQL did not answer.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How often the catalog is compared after its revision moved. Once more than needed, a look later: a request that had
/// asked for a server just before it was deleted may have put it back since.
const CATALOG_CHECKS: u8 = 2;

pub type CoherenceFuture<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// What this node keeps of the catalog, and what others do to it.
pub trait Coherence: Debug + Send + Sync {
    /// Gets to know series that another node may have made.
    fn load<'a>(&'a self, series: &'a [SeriesId]) -> CoherenceFuture<'a>;

    /// Lets go of what another node has deleted.
    fn forget_deleted(&self) -> CoherenceFuture<'_>;

    /// Looks anew whose the servers are whose owner or labels changed after this count of such changes.
    fn judge_anew(&self, after: i64) -> CoherenceFuture<'_>;
}

/// Reads what other nodes commit.
#[derive(Debug)]
pub struct Follower {
    database: Database,
    listeners: Vec<Arc<dyn CommitListener>>,
    metrics: Arc<Metrics>,
    coherence: Arc<dyn Coherence>,
    progress: Progress,
    met: Met,
    looked_at: Option<Instant>,
    catalog_revision: Option<i64>,
    catalog_checks: u8,
    belongings: Belongings,
}

/// Which changes of owners and labels were looked at.
#[derive(Debug, Default)]
struct Belongings {
    /// The newest count.
    seen: i64,
    /// All up to this one were looked at as often as is needed.
    settled: i64,
    checks: u8,
}

impl Follower {
    /// `marks` says how far each writer's flushes are known to the listeners already.
    pub fn new(surroundings: &Surroundings, coherence: Arc<dyn Coherence>, marks: &[(Origin, u64)]) -> Self {
        Self {
            database: surroundings.database.clone(),
            listeners: surroundings.listeners.clone(),
            metrics: Arc::clone(&surroundings.metrics),
            coherence,
            progress: Progress::new(surroundings.node.id, marks),
            met: Met::default(),
            looked_at: None,
            catalog_revision: None,
            catalog_checks: 0,
            belongings: Belongings::default(),
        }
    }

    /// Follows until `stopping` resolves.
    pub async fn run(mut self, stopping: impl Future<Output = ()>) {
        let mut stopping = std::pin::pin!(stopping);
        loop {
            let turn = async {
                let pause = self.step(Instant::now()).await.unwrap_or_else(|error| {
                    tracing::warn!(error = &error as &dyn std::error::Error, "other nodes' flushes not read");
                    RETRY_PAUSE
                });
                tokio::time::sleep(pause).await;
            };
            tokio::select! {
                () = &mut stopping => return,
                () = turn => {}
            }
        }
    }

    /// Looks and reads as is due at `now`, and answers how long nothing is due after that.
    ///
    /// # Errors
    /// When PostgreSQL is not available. What was not handed on is read again by the next step.
    pub async fn step(&mut self, now: Instant) -> Result<Duration, StoreError> {
        let since_look = self.looked_at.map(|looked_at| now.saturating_duration_since(looked_at));
        if since_look.is_none_or(|since_look| since_look >= LOOK_INTERVAL) {
            self.look(now).await?;
            self.looked_at = Some(now);
        }
        let wanted = self.progress.wanted();
        if wanted.is_empty() {
            let since_look = self.looked_at.map(|looked_at| now.saturating_duration_since(looked_at));
            return Ok(LOOK_INTERVAL.saturating_sub(since_look.unwrap_or_default()));
        }
        let is_behind = self.read(&wanted, now).await?;
        self.progress.retire(now);
        Ok(if is_behind { Duration::ZERO } else { POLL_INTERVAL })
    }

    /// Finds out who has written and whether the catalog has changed.
    async fn look(&mut self, now: Instant) -> Result<(), StoreError> {
        let client = self.database.client().await?;
        self.metrics.journal.follow_queries.inc();
        let news = nodes::news(&client).await?;
        // The catalog takes a connection of its own, which may be the only one there is.
        drop(client);
        for (origin, folded) in news.drained {
            let missed = self.progress.pass_over(origin, folded);
            self.note_missed(origin, folded, missed);
        }
        self.progress.saw(&news.writers, now);
        if self.catalog_revision.replace(news.catalog_revision) != Some(news.catalog_revision) {
            self.catalog_checks = CATALOG_CHECKS;
        }
        if self.catalog_checks > 0 {
            self.coherence.forget_deleted().await?;
            self.catalog_checks -= 1;
        }
        if self.belongings.saw(news.belongings) {
            self.coherence.judge_anew(self.belongings.settled).await?;
            self.belongings.looked();
        }
        Ok(())
    }

    /// Reads the next flushes and hands them on. Answers whether there may be more right now.
    async fn read(&mut self, wanted: &[(Origin, u64)], now: Instant) -> Result<bool, StoreError> {
        let share = (READ_BLOCKS_MAX / wanted.len()).max(1);
        let client = self.database.client().await?;
        self.metrics.journal.follow_queries.inc();
        let mut blocks = journal::flushes_after(&client, wanted, share).await?;
        drop(client);
        blocks.sort_unstable_by_key(|block| (block.origin, block.sequence, block.part));
        for flush in blocks.chunk_by(|left, right| (left.origin, left.sequence) == (right.origin, right.sequence)) {
            self.hand_on(flush, now).await?;
            // A large flush keeps the processor for a while; others go first before the next.
            tokio::task::yield_now().await;
        }
        Ok(blocks.chunk_by(|left, right| left.origin == right.origin).any(|of_one| of_one.len() >= share))
    }

    /// Puts the blocks of one flush together and hands it to the listeners.
    async fn hand_on(&mut self, blocks: &[StoredBlock], now: Instant) -> Result<(), StoreError> {
        let StoredBlock { origin, sequence, committed_at, .. } = blocks[0];
        match decode(blocks) {
            Ok(batch) => {
                let unmet = self.met.unmet(&batch.series);
                if !unmet.is_empty() {
                    self.coherence.load(&unmet).await?;
                    self.met.meet(&unmet);
                }
                let committed = Arc::new(Committed { origin, sequence, committed_at, batch });
                self.listeners.iter().for_each(|listener| listener.committed(&committed));
                self.metrics.journal.follow_flushes.inc();
            }
            // It will never be readable, and those behind it shall not wait for it.
            Err(error) => {
                tracing::error!(origin.node, origin.lane, sequence, %error, "flush of another node is not readable");
                self.metrics.journal.follow_missed.inc();
            }
        }
        let missed = self.progress.advance(origin, sequence, now);
        self.note_missed(origin, sequence, missed);
        Ok(())
    }

    fn note_missed(&mut self, Origin { node, lane }: Origin, sequence: u64, missed: u64) {
        if missed > 0 {
            // What is kept of stored things lacks them, so it is begun anew.
            self.catalog_checks = CATALOG_CHECKS;
            let said = "flushes had left the journal before they were read";
            tracing::warn!(origin.node = node, origin.lane = lane, sequence, missed, "{said}");
            self.metrics.journal.follow_missed.inc_by(missed);
        }
    }
}

impl Belongings {
    /// Answers whether it has to be looked at changes.
    fn saw(&mut self, count: i64) -> bool {
        if self.seen != count {
            (self.seen, self.checks) = (count, CATALOG_CHECKS);
        }
        self.checks > 0
    }

    fn looked(&mut self) {
        self.checks -= 1;
        if self.checks == 0 {
            self.settled = self.seen;
        }
    }
}

fn decode(blocks: &[StoredBlock]) -> Result<Batch, BlockError> {
    let mut batch = Batch::default();
    for stored in blocks {
        block::decode(&stored.block, &mut batch)?;
    }
    Ok(batch)
}
