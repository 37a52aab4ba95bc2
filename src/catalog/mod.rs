//! Servers and series: from what an agent spelt to the number samples are stored under.
//!
//! ```text
//! raw identity ──▶ spellings of the server ──hit──▶ series id        (no allocation, one lock a run of samples)
//!                        │ miss
//!                        ▼
//!                  canonical identity ──▶ known series ──miss──▶ PostgreSQL, all misses of a request at once
//! ```
//!
//! PostgreSQL decides which series exist; everything here is a cache of it that can be lost at any time. Knows `store`
//! and no dialect: how to make a spelling canonical is handed in with the request.

mod directory; // series by number
mod line_entry; // one beginning of a line: its server and the series of its fields
mod lines; // beginnings of lines, for dialects whose lines hold many samples
mod resolve; // a request's points to a batch
mod resolve_lines; // the same for those dialects
mod settle; // new spellings to series
mod server; // one server's spellings and series
mod servers; // servers by id
pub mod spellings; // raw identity to number

pub use resolve::{Canonical, Resolved};
pub use resolve_lines::LineNaming;
pub use server::ServerEntry;
pub use servers::{RegisterError, Servers};

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::model::{Reach, Series, SeriesDirectory, SeriesId};
use crate::store::{Client, Database, StoreError, series};
use directory::Directory;
use lines::Lines;

/// How many series are loaded in one statement.
const LOAD_CHUNK: usize = 5_000;

/// How many servers and series there may be. Items beyond a limit are refused by name.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub servers_max: u64,
    pub series_per_server_max: u64,
    pub series_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { servers_max: 100_000, series_per_server_max: 10_000, series_max: 2_000_000 }
    }
}

#[derive(Debug)]
pub struct Catalog {
    database: Database,
    limits: Limits,
    servers: Servers,
    directory: Directory,
    lines: Lines,
    /// All series in PostgreSQL, as far as this process knows: counted at the start and after
    /// servers were deleted, in between its own additions.
    series_count: AtomicU64,
    series_created: AtomicU64,
    /// Requests that add series at this moment: whether those are stored and counted yet cannot be told.
    adding: AtomicU64,
}

impl Catalog {
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn open(database: Database, limits: Limits) -> Result<Self, StoreError> {
        let count = series::count(&database.client().await?).await?;
        Ok(Self {
            servers: Servers::open(database.clone(), limits.servers_max).await?,
            database,
            limits,
            directory: Directory::default(),
            lines: Lines::default(),
            series_count: AtomicU64::new(count),
            series_created: AtomicU64::new(0),
            adding: AtomicU64::new(0),
        })
    }

    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// How many series there are, as far as this process knows.
    pub fn series_count(&self) -> u64 {
        self.series_count.load(Ordering::Relaxed)
    }

    /// How many series this process has added.
    pub fn series_created(&self) -> u64 {
        self.series_created.load(Ordering::Relaxed)
    }

    /// How many of `wanted` new series the store has room for. What this process counts only grows, so before it says
    /// that the store is full it counts anew.
    async fn room_overall(&self, client: &Client, wanted: u64) -> Result<u64, StoreError> {
        let room = || self.limits.series_max.saturating_sub(self.series_count());
        if room() < wanted {
            self.recount(client).await?;
        }
        Ok(room())
    }

    /// Makes sure that all of `ids` that exist can be found with [`SeriesDirectory::series`], and their servers be judged.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn load(&self, ids: &[SeriesId]) -> Result<(), StoreError> {
        let missing: Vec<SeriesId> = ids.iter().copied().filter(|id| self.directory.get(*id).is_none()).collect();
        for chunk in missing.chunks(LOAD_CHUNK) {
            let found = series::by_id(&self.database.client().await?, chunk).await?;
            let mut server_ids: Vec<Uuid> = found.iter().map(|series| series.server_id).collect();
            server_ids.sort_unstable();
            server_ids.dedup();
            // Before the series, so that no series here is without its server.
            self.servers.find(&server_ids, &Reach::everything()).await?;
            found.into_iter().for_each(|series| self.directory.add(Arc::new(series)));
        }
        Ok(())
    }

    /// Removes a server within reach, and answers whether there was one.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn delete(&self, server_id: Uuid, reach: &Reach) -> Result<bool, StoreError> {
        if self.servers.find(&[server_id], reach).await?.iter().all(Option::is_none) {
            return Ok(false);
        }
        // Before as well: a client that goes away in between must not leave a server here that is nowhere else.
        self.forget(server_id);
        let deleted = self.servers.delete(server_id, reach).await;
        self.forget(server_id);
        deleted
    }

    /// Judges the servers anew whose owner or labels changed after a revision, by whomever, and answers which they are.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn judge_anew(&self, revision: i64) -> Result<Vec<Uuid>, StoreError> {
        self.servers.judge_anew(revision).await
    }

    /// Lets go of a server that was deleted, with its series.
    fn forget(&self, server_id: Uuid) {
        self.servers.forget(server_id);
        self.directory.forget_servers(&HashSet::from([server_id]));
    }

    /// Lets go of series that were deleted, and of what is known of how their servers spell theirs.
    pub fn forget_series(&self, ids: &[SeriesId]) {
        let servers: HashSet<Uuid> = ids.iter().filter_map(|id| self.directory.forget(*id)).collect();
        servers.into_iter().for_each(|server_id| self.servers.forget_series(server_id));
    }

    /// Lets go of every server and every series that was deleted, by whomever.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn forget_deleted(&self) -> Result<(), StoreError> {
        let mut server_ids = self.directory.server_ids();
        server_ids.extend(self.servers.met_ids());
        let asked: Vec<Uuid> = server_ids.iter().copied().collect();
        for registered in self.servers.registered(&asked).await? {
            server_ids.remove(&registered);
        }
        if !server_ids.is_empty() {
            server_ids.iter().for_each(|id| self.servers.forget(*id));
            self.directory.forget_servers(&server_ids);
        }
        for known in self.directory.ids().chunks(LOAD_CHUNK) {
            let existing = series::existing(&self.database.client().await?, known).await?;
            let existing: HashSet<SeriesId> = existing.into_iter().collect();
            let gone: Vec<SeriesId> = known.iter().copied().filter(|id| !existing.contains(id)).collect();
            self.forget_series(&gone);
        }
        // Their series have left room for others.
        self.recount(&self.database.client().await?).await
    }

    /// Asks PostgreSQL how many series there are. What is added meanwhile may or may not be in the answer, so it asks
    /// again, and in the end counts some twice rather than not at all: a limit looks anew before it refuses.
    async fn recount(&self, client: &Client) -> Result<(), StoreError> {
        const TRIES: u32 = 3;
        let additions = || (self.adding.load(Ordering::SeqCst), self.series_created());
        for last in (0..TRIES).map(|attempt| attempt + 1 == TRIES) {
            let before = additions();
            let count = series::count(client).await?;
            let (adding, created) = additions();
            let is_still = before == (0, created) && adding == 0;
            if is_still || last {
                self.series_count.store(count + (created - before.1), Ordering::Relaxed);
                break;
            }
        }
        Ok(())
    }

    /// Until it is dropped somebody is adding series.
    fn adding(&self) -> Adding<'_> {
        self.adding.fetch_add(1, Ordering::SeqCst);
        Adding(self)
    }
}

struct Adding<'a>(&'a Catalog);

impl Adding<'_> {
    fn added(&self, created: u64) {
        self.0.series_count.fetch_add(created, Ordering::Relaxed);
        self.0.series_created.fetch_add(created, Ordering::Relaxed);
    }
}

impl Drop for Adding<'_> {
    fn drop(&mut self) {
        self.0.adding.fetch_sub(1, Ordering::SeqCst);
    }
}

impl SeriesDirectory for Catalog {
    fn series(&self, id: SeriesId) -> Option<Arc<Series>> {
        self.directory.get(id)
    }

    fn is_within(&self, server_id: Uuid, reach: &Reach) -> bool {
        reach.is_everything() || self.servers.get(server_id).is_some_and(|entry| entry.is_within(reach))
    }
}
