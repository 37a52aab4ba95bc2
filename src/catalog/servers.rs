//! Servers by id. PostgreSQL decides which exist; those this process has met are kept here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use uuid::Uuid;

use super::server::ServerEntry;
use super::spellings::AllBytes;
use crate::model::{Micros, ServerKey};
use crate::store::servers::{self, Registration, ServerRow};
use crate::store::{Client, Database, StoreError};

/// How many servers one statement speaks of.
const IDS_CHUNK: usize = 5_000;

#[derive(Debug)]
pub struct Servers {
    database: Database,
    /// Bounded by the number of registered servers, which `servers_max` bounds.
    met: DashMap<Uuid, Arc<ServerEntry>, foldhash::fast::RandomState>,
    /// The ids of those that were named by their hostname; bounded like `met`.
    hosts: DashMap<Box<str>, Uuid, foldhash::fast::RandomState>,
    servers_max: u64,
    /// Servers in PostgreSQL, as far as this process knows, or more: deleted ones are not taken off.
    registered: AtomicU64,
    spelling_bytes: AllBytes,
}

/// Why a server was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    #[error("there are {servers_max} servers, no more are allowed")]
    TooMany { servers_max: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Servers {
    /// # Errors
    /// When PostgreSQL is not available.
    pub(super) async fn open(database: Database, servers_max: u64) -> Result<Self, StoreError> {
        let registered = AtomicU64::new(servers::count(&database.client().await?).await?);
        let (met, hosts, spelling_bytes) = (DashMap::default(), DashMap::default(), AllBytes::default());
        Ok(Self { database, met, hosts, servers_max, registered, spelling_bytes })
    }

    /// Registers a server, or updates the one with the same hostname.
    ///
    /// # Errors
    /// When there are too many servers and this would be a new one, or PostgreSQL is not available.
    pub async fn register(&self, new: &Registration) -> Result<ServerRow, RegisterError> {
        let client = self.database.client().await?;
        // Counting costs more than most registrations, so only a store that may be full is asked.
        let may_be_full = self.registered.load(Ordering::Relaxed) >= self.servers_max;
        if may_be_full && !servers::has_room(&client, &new.hostname, self.servers_max).await? {
            return Err(RegisterError::TooMany { servers_max: self.servers_max });
        }
        let (row, is_new) = servers::upsert(&client, new).await?;
        self.registered.fetch_add(u64::from(is_new), Ordering::Relaxed);
        self.meet(row.id, row.key);
        Ok(row)
    }

    /// Registers a server under a given id, unless there is one with this hostname, and answers the id it has.
    ///
    /// # Errors
    /// When there are too many servers and this would be a new one, or PostgreSQL is not available.
    pub async fn adopt(&self, id: Uuid, hostname: &str) -> Result<Uuid, RegisterError> {
        let client = self.database.client().await?;
        if !servers::has_room(&client, hostname, self.servers_max).await? {
            return Err(RegisterError::TooMany { servers_max: self.servers_max });
        }
        let (id, key, is_new) = servers::adopt(&client, id, hostname).await?;
        self.registered.fetch_add(u64::from(is_new), Ordering::Relaxed);
        self.meet(id, key);
        Ok(id)
    }

    /// The entries of `ids`, in their order; `None` for those that are not registered.
    ///
    /// # Errors
    /// When one is not known here and PostgreSQL is not available.
    pub async fn find(&self, ids: &[Uuid]) -> Result<Vec<Option<Arc<ServerEntry>>>, StoreError> {
        let entries: Vec<_> = ids.iter().map(|id| self.get(*id)).collect();
        if entries.iter().all(Option::is_some) {
            return Ok(entries);
        }
        let unmet: Vec<Uuid> =
            ids.iter().zip(&entries).filter(|(_, entry)| entry.is_none()).map(|(id, _)| *id).collect();
        let client = self.database.client().await?;
        for unmet in unmet.chunks(IDS_CHUNK) {
            for (id, key) in servers::keys(&client, unmet).await? {
                self.meet(id, key);
            }
        }
        Ok(ids.iter().map(|id| self.get(*id)).collect())
    }

    /// The entries of the servers with these hostnames, in their order. Those that are not registered are, as far as
    /// there is room for more servers; `None` for the others.
    ///
    /// # Errors
    /// When one is not known here and PostgreSQL is not available.
    pub async fn of_hosts(&self, hostnames: &[&str]) -> Result<Vec<Option<Arc<ServerEntry>>>, StoreError> {
        let unmet: Vec<&str> = hostnames.iter().copied().filter(|name| self.of_host(name).is_none()).collect();
        for unmet in unmet.chunks(IDS_CHUNK) {
            let client = self.database.client().await?;
            let absent = self.meet_hosts(&client, unmet).await?;
            if !absent.is_empty() {
                // Counted each time: a new host costs more than that.
                let room = self.servers_max.saturating_sub(servers::count(&client).await?);
                let adopted = &absent[..absent.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
                let new = servers::adopt_hosts(&client, adopted).await?;
                self.registered.fetch_add(new, Ordering::Relaxed);
                // Also those that someone else added meanwhile, whatever room there is.
                self.meet_hosts(&client, &absent).await?;
            }
        }
        Ok(hostnames.iter().map(|name| self.of_host(name)).collect())
    }

    /// Servers were added by someone else of this process.
    pub fn count_added(&self, servers: u64) {
        self.registered.fetch_add(servers, Ordering::Relaxed);
    }

    pub fn servers_max(&self) -> u64 {
        self.servers_max
    }

    fn of_host(&self, hostname: &str) -> Option<Arc<ServerEntry>> {
        let id = *self.hosts.get(hostname)?;
        self.get(id)
    }

    /// Meets those of `hostnames` that are registered and answers the others.
    async fn meet_hosts<'a>(&self, client: &Client, hostnames: &[&'a str]) -> Result<Vec<&'a str>, StoreError> {
        for (hostname, id, key) in servers::by_hostname(client, hostnames).await? {
            self.meet(id, key);
            self.hosts.insert(hostname.into_boxed_str(), id);
        }
        Ok(hostnames.iter().copied().filter(|name| self.of_host(name).is_none()).collect())
    }

    /// How many servers this process has met.
    pub fn met(&self) -> usize {
        self.met.len()
    }

    /// When a server was last heard of by this process.
    pub fn last_seen(&self, id: Uuid) -> Option<Micros> {
        self.get(id)?.last_seen()
    }

    /// Writes the times at which servers were heard of after `since`.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn store_seen(&self, since: Micros) -> Result<(), StoreError> {
        let newer = |entry: &Arc<ServerEntry>| Some((entry.key(), entry.last_seen().filter(|time| *time > since)?));
        let seen: Vec<(ServerKey, Micros)> = self.met.iter().filter_map(|entry| newer(entry.value())).collect();
        for chunk in seen.chunks(IDS_CHUNK) {
            servers::seen(&self.database.client().await?, chunk).await?;
        }
        Ok(())
    }

    pub(super) fn met_ids(&self) -> Vec<Uuid> {
        self.met.iter().map(|entry| *entry.key()).collect()
    }

    /// Those of `ids` that PostgreSQL knows.
    pub(super) async fn registered(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        let mut registered = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(IDS_CHUNK) {
            let keys = servers::keys(&self.database.client().await?, chunk).await?;
            registered.extend(keys.into_iter().map(|(id, _)| id));
        }
        Ok(registered)
    }

    pub(super) fn forget(&self, id: Uuid) {
        if let Some((_, entry)) = self.met.remove(&id) {
            entry.forget();
        }
        self.hosts.retain(|_, known| *known != id);
    }

    fn get(&self, id: Uuid) -> Option<Arc<ServerEntry>> {
        self.met.get(&id).map(|entry| Arc::clone(&entry))
    }

    fn meet(&self, id: Uuid, key: ServerKey) {
        self.met.entry(id).or_insert_with(|| Arc::new(ServerEntry::new(key, id, Arc::clone(&self.spelling_bytes))));
    }
}
