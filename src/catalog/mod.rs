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
mod resolve; // a request's points to a batch
mod server; // one server's spellings and series
mod servers; // servers by id
mod spellings; // raw identity to number

pub use resolve::{Canonical, Resolved};
pub use server::ServerEntry;
pub use servers::{RegisterError, Servers};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{Micros, Series, SeriesDirectory, SeriesId};
use crate::store::{self, Database, StoreError, series};
use directory::Directory;

/// How many servers and series there may be. Items beyond a limit are refused by name.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub servers_max: u64,
    pub series_per_server_max: u64,
    pub series_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { servers_max: 100_000, series_per_server_max: 20_000, series_max: 2_000_000 }
    }
}

#[derive(Debug)]
pub struct Catalog {
    database: Database,
    limits: Limits,
    servers: Servers,
    directory: Directory,
    /// All series in PostgreSQL, as far as this process knows: counted at the start, then its own additions.
    series_count: AtomicU64,
}

impl Catalog {
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn open(database: Database, limits: Limits) -> Result<Self, StoreError> {
        let client = database.client().await?;
        let (count, servers_count) = (series::count(&client).await?, store::servers::count(&client).await?);
        drop(client);
        Ok(Self {
            servers: Servers::new(database.clone(), limits.servers_max, servers_count),
            database,
            limits,
            directory: Directory::default(),
            series_count: AtomicU64::new(count),
        })
    }

    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// How many series there are, as far as this process knows.
    pub fn series_count(&self) -> u64 {
        self.series_count.load(Ordering::Relaxed)
    }

    /// Makes sure that all of `ids` that exist can be found with [`SeriesDirectory::series`].
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn load(&self, ids: &[SeriesId]) -> Result<(), StoreError> {
        let missing: Vec<SeriesId> = ids.iter().copied().filter(|id| self.directory.get(*id).is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        for found in series::by_id(&self.database.client().await?, &missing).await? {
            self.directory.add(Arc::new(found));
        }
        Ok(())
    }

    /// Writes the times at which servers were heard of after `since`, and lets go of those that another node has deleted
    /// meanwhile. Until then their known series are still taken.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn store_seen(&self, since: Micros) -> Result<(), StoreError> {
        self.servers.store_seen(since).await?.into_iter().for_each(|gone| self.forget(gone));
        Ok(())
    }

    /// Lets go of a server that was deleted, with its series.
    pub fn forget(&self, server_id: uuid::Uuid) {
        if let Some(server) = self.servers.forget(server_id) {
            self.directory.forget_server(server.key());
        }
    }
}

impl SeriesDirectory for Catalog {
    fn series(&self, id: SeriesId) -> Option<Arc<Series>> {
        self.directory.get(id)
    }
}
