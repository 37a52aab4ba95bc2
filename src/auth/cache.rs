//! Whom this process knows by their tokens. Bounded, and never believed for longer than [`BELIEVED_FOR`] after
//! PostgreSQL last said that nobody may do less than before.
//!
//! Everything here was seen at one revision. Whatever was seen at another one does not get in, so what is looked up while
//! a token is being revoked is not kept afterwards.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use super::judge::Bad;
use super::known::Known;
use super::minted::TokenHash;

/// Less than the second in which a revocation has to take effect, by the time that a request may take to be answered.
pub const BELIEVED_FOR: Duration = Duration::from_millis(800);
/// Tokens that are known to be bad. When there are more, all of them are forgotten.
const BAD_MAX: usize = 4_096;
/// How long a bad token is known to be.
const BAD_FOR: Duration = Duration::from_secs(1);

type Map<V> = HashMap<TokenHash, V, foldhash::fast::RandomState>;

#[derive(Debug)]
pub struct Cache {
    kept: RwLock<Kept>,
    /// Of each of the two generations.
    generation_max: usize,
}

/// At which revision PostgreSQL was seen, and when that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub revision: i64,
    /// Before the question was sent.
    pub at: Instant,
}

/// What the cache says of a token.
#[derive(Clone, Debug)]
pub enum Remembered {
    Good(Arc<Known>),
    Bad(Bad),
    Nothing,
}

#[derive(Debug, Default)]
struct Kept {
    seen: Option<Seen>,
    /// What was used since the generation began.
    young: Map<Arc<Known>>,
    /// What was used in the one before; it goes when the young one is full.
    old: Map<Arc<Known>>,
    bad: Map<(Bad, Instant)>,
    /// What was asked before this may be older than what made everyone be forgotten.
    forgotten_at: Option<Instant>,
}

impl Cache {
    /// At most `entries_max` tokens.
    pub fn new(entries_max: usize) -> Self {
        Self { kept: RwLock::default(), generation_max: entries_max.div_ceil(2).max(1) }
    }

    pub fn get(&self, hash: &TokenHash, now: Instant) -> Remembered {
        let kept = self.read();
        let believed = kept.seen.is_some_and(|seen| now.saturating_duration_since(seen.at) <= BELIEVED_FOR);
        if !believed {
            return Remembered::Nothing;
        }
        if let Some(known) = kept.young.get(hash) {
            return Remembered::Good(Arc::clone(known));
        }
        if let Some(known) = kept.old.get(hash).map(Arc::clone) {
            drop(kept);
            self.write().renew(*hash, self.generation_max);
            return Remembered::Good(known);
        }
        match kept.bad.get(hash) {
            Some((bad, until)) if now < *until => Remembered::Bad(*bad),
            _ => Remembered::Nothing,
        }
    }

    /// PostgreSQL was seen at this revision; at a new one everyone is forgotten. Answers whether it is new.
    pub fn saw(&self, seen: Seen) -> bool {
        self.write().saw(seen)
    }

    /// This process itself changed what tokens are worth, so that it need not wait to be told.
    pub fn forget(&self, now: Instant) {
        *self.write() = Kept { forgotten_at: Some(now), ..Kept::default() };
    }

    /// Keeps a good token, unless the revision has moved since it was seen.
    pub fn keep(&self, hash: TokenHash, known: &Arc<Known>, seen: Seen) {
        let mut kept = self.write();
        if kept.is_at(seen.revision) {
            kept.keep(hash, known, self.generation_max);
        }
    }

    /// Keeps for a moment that a token is bad, so that sending it over and over costs PostgreSQL nothing.
    pub fn keep_bad(&self, hash: TokenHash, bad: Bad, seen: Seen) {
        let mut kept = self.write();
        if kept.is_at(seen.revision) {
            if kept.bad.len() >= BAD_MAX {
                kept.bad.clear();
            }
            kept.bad.insert(hash, (bad, seen.at + BAD_FOR));
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Kept> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn is_at(&self, revision: i64) -> bool {
        self.seen.is_some_and(|seen| seen.revision == revision)
    }

    fn saw(&mut self, seen: Seen) -> bool {
        if self.forgotten_at.is_some_and(|at| seen.at < at) {
            return false;
        }
        match self.seen {
            Some(before) if before.revision == seen.revision => {
                self.seen = Some(Seen { at: before.at.max(seen.at), ..seen });
                false
            }
            // Asked earlier and answered later: the other answer is the newer one.
            Some(before) if before.at > seen.at => false,
            _ => {
                *self = Self { seen: Some(seen), forgotten_at: self.forgotten_at, ..Self::default() };
                true
            }
        }
    }

    /// Everyone may have been forgotten since the token was found; then it stays forgotten.
    fn renew(&mut self, hash: TokenHash, generation_max: usize) {
        if let Some(known) = self.old.remove(&hash) {
            self.keep(hash, &known, generation_max);
        }
    }

    fn keep(&mut self, hash: TokenHash, known: &Arc<Known>, generation_max: usize) {
        if self.young.len() >= generation_max && !self.young.contains_key(&hash) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, Arc::clone(known));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::auth::Principal;

    fn hash(number: u32) -> TokenHash {
        TokenHash::of(&format!("{number:064}")).unwrap()
    }

    fn known(id: i64) -> Arc<Known> {
        Arc::new(Known::new(id, Arc::new(Principal::everybody()), None))
    }

    fn id(remembered: &Remembered) -> Option<i64> {
        match remembered {
            Remembered::Good(known) => Some(known.id),
            _ => None,
        }
    }

    #[test]
    fn nobody_is_believed_for_longer_after_postgresql_was_last_seen() {
        let (cache, at) = (Cache::new(8), Instant::now());
        assert_eq!(id(&cache.get(&hash(1), at)), None);
        let seen = Seen { revision: 1, at };
        cache.saw(seen);
        cache.keep(hash(1), &known(1), seen);
        assert_eq!(id(&cache.get(&hash(1), at + BELIEVED_FOR)), Some(1));
        assert_eq!(id(&cache.get(&hash(1), at + BELIEVED_FOR + Duration::from_millis(1))), None);
        cache.saw(Seen { at: at + BELIEVED_FOR, ..seen });
        assert_eq!(id(&cache.get(&hash(1), at + 2 * BELIEVED_FOR)), Some(1), "seen again");
    }

    #[test]
    fn what_was_looked_up_before_the_revision_moved_is_not_kept_afterwards() {
        let (cache, at) = (Cache::new(8), Instant::now());
        let before = Seen { revision: 1, at };
        cache.saw(before);
        cache.keep(hash(1), &known(1), before);
        assert!(cache.saw(Seen { revision: 2, at: at + Duration::from_millis(1) }));
        assert_eq!(id(&cache.get(&hash(1), at)), None, "everyone is forgotten");
        cache.keep(hash(1), &known(1), before);
        assert_eq!(id(&cache.get(&hash(1), at)), None);
        assert!(!cache.saw(before), "an answer that came late");
        cache.keep(hash(1), &known(1), before);
        assert_eq!(id(&cache.get(&hash(1), at)), None);
    }

    #[test]
    fn what_was_asked_before_this_process_revoked_a_token_is_not_kept_afterwards() {
        let (cache, at) = (Cache::new(8), Instant::now());
        let before = Seen { revision: 1, at };
        cache.saw(before);
        cache.forget(at + Duration::from_millis(1));
        assert!(!cache.saw(before));
        cache.keep(hash(1), &known(1), before);
        assert_eq!(id(&cache.get(&hash(1), at)), None);
        let after = Seen { revision: 2, at: at + Duration::from_millis(1) };
        assert!(cache.saw(after));
        cache.keep(hash(1), &known(1), after);
        assert_eq!(id(&cache.get(&hash(1), after.at)), Some(1));
    }

    #[test]
    fn a_bad_token_is_known_for_a_moment_and_there_is_an_end_to_how_many() {
        let (cache, at) = (Cache::new(8), Instant::now());
        let seen = Seen { revision: 1, at };
        cache.saw(seen);
        cache.keep_bad(hash(0), Bad::Unknown, seen);
        assert!(matches!(cache.get(&hash(0), at), Remembered::Bad(Bad::Unknown)));
        cache.saw(Seen { at: at + BAD_FOR, ..seen });
        assert!(matches!(cache.get(&hash(0), at + BAD_FOR), Remembered::Nothing));
        (0..=BAD_MAX as u32).for_each(|number| cache.keep_bad(hash(number), Bad::Unknown, seen));
        assert_eq!(cache.read().bad.len(), 1);
    }

    proptest! {
        /// Against the naive model: a map of what was kept since the revision last moved.
        #[test]
        fn whoever_is_known_was_kept_at_this_revision_and_there_are_never_too_many(
            steps in proptest::collection::vec((0_u32..12, 0_i64..3, any::<bool>()), 1..80),
        ) {
            let (cache, at) = (Cache::new(6), Instant::now());
            let mut model = std::collections::BTreeMap::new();
            let mut revision = 0;
            cache.saw(Seen { revision, at });
            for (number, other, moves) in steps {
                if moves && other != revision {
                    revision = other;
                    cache.saw(Seen { revision, at });
                    model.clear();
                }
                cache.keep(hash(number), &known(number.into()), Seen { revision: other, at });
                if other == revision {
                    model.insert(number, i64::from(number));
                    prop_assert_eq!(id(&cache.get(&hash(number), at)), Some(number.into()), "the last one is kept");
                }
                for number in 0..12 {
                    let found = id(&cache.get(&hash(number), at));
                    prop_assert!(found.is_none() || found == model.get(&number).copied());
                }
                let kept = cache.read();
                prop_assert!(kept.young.len() <= 3 && kept.old.len() <= 3);
            }
        }
    }
}
