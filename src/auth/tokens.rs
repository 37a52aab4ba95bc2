//! From the text of a token to who it stands for. The hot path: a hash, a look in the cache, nothing else.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::cache::{Cache, Remembered};
use super::gate::Refusal;
use super::judge::Bad;
use super::known::Known;
use super::minted::TokenHash;
use super::principal::Principal;
use super::uses::Uses;
use super::watch::{Asking, Unanswered, Watch};
use crate::clock::Clock;
use crate::store::{Database, StoreError};

#[derive(Debug)]
pub struct Tokens {
    cache: Arc<Cache>,
    asking: Asking,
    uses: Uses,
    clock: Arc<dyn Clock>,
}

impl Tokens {
    /// Those of `database`, with at most `cached_max` of them in memory. Nobody is recognized before the second half runs.
    pub fn new(database: Database, clock: Arc<dyn Clock>, cached_max: usize) -> (Arc<Self>, Watch) {
        let cache = Arc::new(Cache::new(cached_max));
        let (asking, watch) = Watch::new(database, Arc::clone(&clock), Arc::clone(&cache));
        (Arc::new(Self { cache, asking, uses: Uses::default(), clock }), watch)
    }

    /// # Errors
    /// When the token is not good, or PostgreSQL would have to say so and cannot be asked.
    pub async fn principal(&self, text: &str, from: IpAddr) -> Result<Arc<Principal>, Refusal> {
        let hash = TokenHash::of(text).ok_or(Refusal::Invalid)?;
        let now = Instant::now();
        let known = match self.cache.get(&hash, now) {
            Remembered::Good(known) => known,
            Remembered::Bad(_) => return Err(Refusal::Invalid),
            Remembered::Nothing => self.asking.ask(hash).await.map_err(|unanswered| match unanswered {
                Unanswered::Bad(_) => Refusal::Invalid,
                unavailable @ Unanswered::Unavailable => Refusal::Unavailable(StoreError::unavailable(unavailable)),
            })?,
        };
        if known.expires_at.is_some_and(|at| at <= self.clock.now()) {
            return Err(Refusal::Invalid);
        }
        self.note(&known, now, from);
        Ok(Arc::clone(&known.principal))
    }

    /// The same for those who want to know what is wrong with a token; asks PostgreSQL each time.
    ///
    /// # Errors
    /// When the token is not good, or PostgreSQL cannot be asked.
    pub async fn check(&self, text: &str, from: IpAddr) -> Result<Arc<Principal>, Unanswered> {
        let hash = TokenHash::of(text).ok_or(Unanswered::Bad(Bad::Unknown))?;
        let known = self.asking.ask(hash).await?;
        self.note(&known, Instant::now(), from);
        Ok(Arc::clone(&known.principal))
    }

    /// Writes down when and from where tokens were used.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn store_uses(&self, database: &Database) -> Result<(), StoreError> {
        self.uses.store(database).await
    }

    /// What tokens are worth was changed here a moment ago: nothing older than that counts in this process from now on.
    pub fn changed(&self) {
        self.cache.forget(Instant::now());
    }

    /// For measurements: whom this process knows, without PostgreSQL.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    fn note(&self, known: &Known, now: Instant, from: IpAddr) {
        if known.is_to_be_noted(now) {
            self.uses.note(known.id, self.clock.now(), from);
        }
    }
}
