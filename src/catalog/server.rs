//! One server as this process knows it: its number, when it was last heard of, its spellings and its series.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use uuid::Uuid;

use super::spellings::{AllBytes, Spellings};
use crate::model::{Identity, Micros, Series, ServerKey};

#[derive(Debug)]
pub struct ServerEntry {
    key: ServerKey,
    id: Uuid,
    last_seen: AtomicI64,
    /// Let go of: whoever still holds the entry must look anew.
    forgotten: AtomicBool,
    /// Read once for a run of samples, written only when a spelling is new.
    spellings: RwLock<Spellings>,
    known: RwLock<KnownSeries>,
}

/// The series of one server that this process has met, by canonical identity.
#[derive(Debug, Default)]
pub(super) struct KnownSeries {
    table: HashTable<Arc<Series>>,
    hasher: RandomState,
}

impl ServerEntry {
    pub(super) fn new(key: ServerKey, id: Uuid, all_bytes: AllBytes) -> Self {
        let never = AtomicI64::new(i64::MIN);
        let spellings = RwLock::new(Spellings::within(all_bytes));
        Self { key, id, last_seen: never, forgotten: AtomicBool::new(false), spellings, known: RwLock::default() }
    }

    pub fn key(&self) -> ServerKey {
        self.key
    }

    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Notes that the server was heard of.
    pub fn seen(&self, now: Micros) {
        self.last_seen.fetch_max(now.0, Ordering::Relaxed);
    }

    /// When the server was last heard of by this process, if it was.
    pub fn last_seen(&self) -> Option<Micros> {
        Some(Micros(self.last_seen.load(Ordering::Relaxed))).filter(|time| time.0 != i64::MIN)
    }

    pub(super) fn forget(&self) {
        self.forgotten.store(true, Ordering::Release);
    }

    pub(super) fn is_forgotten(&self) -> bool {
        self.forgotten.load(Ordering::Acquire)
    }

    pub(super) fn spellings(&self) -> RwLockReadGuard<'_, Spellings> {
        self.spellings.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn spellings_mut(&self) -> RwLockWriteGuard<'_, Spellings> {
        self.spellings.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known(&self) -> RwLockReadGuard<'_, KnownSeries> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known_mut(&self) -> RwLockWriteGuard<'_, KnownSeries> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KnownSeries {
    pub(super) fn get(&self, identity: &Identity) -> Option<&Arc<Series>> {
        self.table.find(self.hasher.hash_one(identity), |known| known.identity == *identity)
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn add(&mut self, series: Arc<Series>) {
        let hasher = &self.hasher;
        let hash = hasher.hash_one(&series.identity);
        self.table
            .entry(hash, |known| known.identity == series.identity, |known| hasher.hash_one(&known.identity))
            .or_insert(series);
    }
}
