//! Servers by id. PostgreSQL decides which exist and whose they are; those this process has met are kept here.
//!
//! Whoever asks says how far they reach, and what is beyond is not there for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use uuid::Uuid;

use super::server::ServerEntry;
use super::spellings::AllBytes;
use crate::model::{Micros, Reach, ServerKey, Whom};
use crate::store::servers::{self, Change, Registration, ServerRow, Standing};
use crate::store::{Client, Database, StoreError};

/// How many servers one statement speaks of.
const IDS_CHUNK: usize = 5_000;

#[derive(Debug)]
pub struct Servers {
    database: Database,
    /// Bounded by the number of registered servers, which `servers_max` bounds.
    met: DashMap<Uuid, Arc<ServerEntry>, foldhash::fast::RandomState>,
    /// The ids of those of the fleet that were named by their hostname; bounded like `met`.
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
    /// It is all the same whether others have such a server.
    #[error("servers may not be registered with these credentials")]
    OutOfReach,
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

    /// Registers a server of the fleet, or updates the one with the same hostname. Who does not reach the whole fleet can
    /// only update what they reach, and who speaks for one server that one.
    ///
    /// # Errors
    /// When there are too many servers and this would be a new one, when none may be added, or PostgreSQL is not
    /// available.
    pub async fn register(&self, new: &Registration, whom: Whom<'_>) -> Result<ServerRow, RegisterError> {
        let client = self.database.client().await?;
        let known = match whom {
            Whom::Hosts(reach) if reach.is_whole_fleet() => return self.add(&client, new).await,
            Whom::Hosts(reach) => servers::refresh(&client, new, reach).await?,
            Whom::Server(id) => servers::update(&client, id, &Change::from(new), &Reach::server(id)).await?,
        };
        let row = known.ok_or(RegisterError::OutOfReach)?;
        self.meet(&row.standing);
        Ok(row)
    }

    async fn add(&self, client: &Client, new: &Registration) -> Result<ServerRow, RegisterError> {
        // Counting costs more than most registrations, so only a store that may be full is asked.
        let may_be_full = self.registered.load(Ordering::Relaxed) >= self.servers_max;
        if may_be_full && !servers::has_room(client, &new.hostname, self.servers_max).await? {
            return Err(RegisterError::TooMany { servers_max: self.servers_max });
        }
        let (row, is_new) = servers::upsert(client, new).await?;
        self.registered.fetch_add(u64::from(is_new), Ordering::Relaxed);
        self.meet(&row.standing);
        Ok(row)
    }

    /// Changes a server; `None` when there is none with this id within reach.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn change(&self, id: Uuid, change: &Change, reach: &Reach) -> Result<Option<ServerRow>, StoreError> {
        let row = servers::update(&self.database.client().await?, id, change, reach).await?;
        Ok(row.inspect(|row| self.meet(&row.standing)))
    }

    pub(super) async fn delete(&self, id: Uuid, reach: &Reach) -> Result<bool, StoreError> {
        servers::delete(&self.database.client().await?, id, reach).await
    }

    /// Registers a server of the fleet under a given id, unless there is one with this hostname, and answers the id it
    /// has. Who does not reach the whole fleet only finds one, and who speaks for one server that one.
    ///
    /// # Errors
    /// When there are too many servers and this would be a new one, when none may be added, or PostgreSQL is not
    /// available.
    pub async fn adopt(&self, id: Uuid, hostname: &str, whom: Whom<'_>) -> Result<Uuid, RegisterError> {
        match whom {
            Whom::Hosts(reach) if reach.is_whole_fleet() => {}
            Whom::Hosts(_) | Whom::Server(_) => {
                let found = self.of_hosts(&[hostname], whom).await?;
                return found.into_iter().flatten().next().map(|entry| entry.id()).ok_or(RegisterError::OutOfReach);
            }
        }
        let client = self.database.client().await?;
        if !servers::has_room(&client, hostname, self.servers_max).await? {
            return Err(RegisterError::TooMany { servers_max: self.servers_max });
        }
        let (standing, is_new) = servers::adopt(&client, id, hostname).await?;
        self.registered.fetch_add(u64::from(is_new), Ordering::Relaxed);
        self.meet(&standing);
        Ok(standing.id)
    }

    /// The entries of `ids`, in their order; `None` for those that are not registered, or out of reach.
    ///
    /// # Errors
    /// When one is not known here and PostgreSQL is not available.
    pub async fn find(&self, ids: &[Uuid], reach: &Reach) -> Result<Vec<Option<Arc<ServerEntry>>>, StoreError> {
        let mut entries: Vec<_> = ids.iter().map(|id| self.get(*id)).collect();
        if !entries.iter().all(Option::is_some) {
            entries = self.look_up(ids, &entries).await?;
        }
        if !reach.is_everything() {
            let within = |entry: Option<Arc<ServerEntry>>| entry.filter(|entry| entry.is_within(reach));
            entries = entries.into_iter().map(within).collect();
        }
        Ok(entries)
    }

    async fn look_up(
        &self,
        ids: &[Uuid],
        entries: &[Option<Arc<ServerEntry>>],
    ) -> Result<Vec<Option<Arc<ServerEntry>>>, StoreError> {
        let unmet: Vec<Uuid> =
            ids.iter().zip(entries).filter(|(_, entry)| entry.is_none()).map(|(id, _)| *id).collect();
        let client = self.database.client().await?;
        for unmet in unmet.chunks(IDS_CHUNK) {
            servers::standings(&client, unmet).await?.iter().for_each(|standing| self.meet(standing));
        }
        Ok(ids.iter().map(|id| self.get(*id)).collect())
    }

    /// The entries of the servers that are meant by these hostnames, in their order. Those that are not registered are,
    /// as far as there is room for more servers and they may be; `None` for the others.
    ///
    /// # Errors
    /// When one is not known here and PostgreSQL is not available.
    pub async fn of_hosts(
        &self,
        hostnames: &[&str],
        whom: Whom<'_>,
    ) -> Result<Vec<Option<Arc<ServerEntry>>>, StoreError> {
        let reach = match whom {
            Whom::Hosts(reach) => reach,
            Whom::Server(id) => {
                let own = self.find(&[id], &Reach::server(id)).await?.into_iter().flatten().next();
                return Ok(vec![own; hostnames.len()]);
            }
        };
        let unmet: Vec<&str> = hostnames.iter().copied().filter(|name| self.of_host(name).is_none()).collect();
        for unmet in unmet.chunks(IDS_CHUNK) {
            let client = self.database.client().await?;
            let absent = self.meet_hosts(&client, unmet).await?;
            if !absent.is_empty() && reach.is_whole_fleet() {
                // Counted each time: a new host costs more than that.
                let room = self.servers_max.saturating_sub(servers::count(&client).await?);
                let adopted = &absent[..absent.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
                let new = servers::adopt_hosts(&client, adopted).await?;
                self.registered.fetch_add(new, Ordering::Relaxed);
                // Also those that someone else added meanwhile, whatever room there is.
                self.meet_hosts(&client, &absent).await?;
            }
        }
        Ok(hostnames.iter().map(|name| self.of_host(name).filter(|entry| entry.is_within(reach))).collect())
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
        for (hostname, standing) in servers::by_hostname(client, hostnames).await? {
            self.meet(&standing);
            self.hosts.insert(hostname.into_boxed_str(), standing.id);
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
            let standings = servers::standings(&self.database.client().await?, chunk).await?;
            registered.extend(standings.into_iter().map(|standing| standing.id));
        }
        Ok(registered)
    }

    pub(super) fn forget(&self, id: Uuid) {
        if let Some((_, entry)) = self.met.remove(&id) {
            entry.forget();
        }
        self.forget_names(id);
    }

    /// Lets go of what is known of a server by the host name it had.
    pub fn renamed(&self, id: Uuid) {
        self.forget_series(id);
        self.forget_names(id);
    }

    /// The same for those of the servers that were met by another host name than they have now.
    fn forget_old_names(&self, now: &[(String, Standing)]) {
        let names: HashMap<Uuid, &str> = now.iter().map(|(name, standing)| (standing.id, name.as_str())).collect();
        let is_old = |known: &str, id: &Uuid| names.get(id).is_some_and(|name| *name != known);
        let renamed: Vec<Uuid> =
            self.hosts.iter().filter(|host| is_old(host.key(), host.value())).map(|host| *host.value()).collect();
        renamed.into_iter().for_each(|id| self.renamed(id));
    }

    /// Lets go of the host names that a server was met by, which may mean another one from now on.
    fn forget_names(&self, id: Uuid) {
        self.hosts.retain(|_, known| *known != id);
    }

    /// Lets go of what is known of the series of a server.
    pub(super) fn forget_series(&self, id: Uuid) {
        if let Some(mut entry) = self.met.get_mut(&id) {
            self.empty(&mut entry);
        }
    }

    /// Judges all servers anew whose owner, labels or host name changed after a revision, and answers which they are.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub(super) async fn judge_anew(&self, mut revision: i64) -> Result<Vec<Uuid>, StoreError> {
        let mut judged = Vec::new();
        loop {
            let changed = servers::judged_after(&self.database.client().await?, revision, IDS_CHUNK as i64).await?;
            let standings = changed.iter().map(|(_, standing)| standing);
            standings.clone().filter(|standing| self.met.contains_key(&standing.id)).for_each(|one| self.meet(one));
            self.forget_old_names(&changed);
            judged.extend(standings.map(|standing| standing.id));
            match changed.last() {
                Some((_, last)) if changed.len() == IDS_CHUNK => revision = last.revision,
                _ => return Ok(judged),
            }
        }
    }

    pub(super) fn get(&self, id: Uuid) -> Option<Arc<ServerEntry>> {
        self.met.get(&id).map(|entry| Arc::clone(&entry))
    }

    fn meet(&self, standing: &Standing) {
        let is_handed_over = match self.met.entry(standing.id) {
            Entry::Vacant(place) => {
                let new = ServerEntry::new(standing.clone(), Arc::clone(&self.spelling_bytes));
                place.insert(Arc::new(new));
                false
            }
            Entry::Occupied(mut known) => {
                let is_handed_over = known.get().judge(standing);
                if is_handed_over {
                    // Its host name means another server from now on, or none.
                    self.empty(known.get_mut());
                }
                is_handed_over
            }
        };
        if is_handed_over {
            self.forget_names(standing.id);
        }
    }

    fn empty(&self, entry: &mut Arc<ServerEntry>) {
        let emptied = Arc::new(entry.emptied(Arc::clone(&self.spelling_bytes)));
        std::mem::replace(entry, emptied).forget();
    }
}
