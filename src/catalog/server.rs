//! One server as this process knows it: its number, when it was last heard of, its spellings and its series.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use uuid::Uuid;

use super::spellings::{AllBytes, Spellings};
use crate::model::{Belonging, Identity, Micros, Reach, Series, ServerKey};
use crate::store::servers::Standing;

#[derive(Debug)]
pub struct ServerEntry {
    key: ServerKey,
    id: Uuid,
    /// Whose it is and its labels, as of the last change this process knows of.
    judged: RwLock<Judged>,
    last_seen: AtomicI64,
    /// Let go of: whoever still holds the entry must look anew.
    forgotten: AtomicBool,
    /// Read once for a run of samples, written only when a spelling is new.
    spellings: RwLock<Spellings>,
    known: RwLock<KnownSeries>,
}

#[derive(Clone, Debug)]
struct Judged {
    belonging: Belonging,
    revision: i64,
}

/// The series of one server that this process has met, by canonical identity.
#[derive(Debug, Default)]
pub(super) struct KnownSeries {
    table: HashTable<Arc<Series>>,
    hasher: RandomState,
}

impl ServerEntry {
    pub(super) fn new(standing: Standing, all_bytes: AllBytes) -> Self {
        let Standing { key, id, belonging, revision } = standing;
        Self {
            key,
            id,
            judged: RwLock::new(Judged { belonging, revision }),
            last_seen: AtomicI64::new(i64::MIN),
            forgotten: AtomicBool::new(false),
            spellings: RwLock::new(Spellings::within(all_bytes)),
            known: RwLock::default(),
        }
    }

    /// The same server with nothing known of its spellings and series.
    pub(super) fn emptied(&self, all_bytes: AllBytes) -> Self {
        let Judged { belonging, revision } = self.judged().clone();
        let emptied = Self::new(Standing { key: self.key, id: self.id, belonging, revision }, all_bytes);
        emptied.last_seen.store(self.last_seen.load(Ordering::Relaxed), Ordering::Relaxed);
        emptied
    }

    /// Whether it is there at all for who reaches this far.
    #[inline]
    pub fn is_within(&self, reach: &Reach) -> bool {
        reach.is_everything() || reach.covers(self.id, &self.judged().belonging)
    }

    /// Takes a later judgement over. Answers whether the server has another owner by it.
    pub(super) fn judge(&self, standing: &Standing) -> bool {
        let mut judged = self.judged.write().unwrap_or_else(PoisonError::into_inner);
        if standing.revision <= judged.revision {
            return false;
        }
        let is_handed_over = judged.belonging.owner != standing.belonging.owner;
        *judged = Judged { belonging: standing.belonging.clone(), revision: standing.revision };
        is_handed_over
    }

    fn judged(&self) -> RwLockReadGuard<'_, Judged> {
        self.judged.read().unwrap_or_else(PoisonError::into_inner)
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
