//! How agents spelt the series of one server: raw identity to number, without a copy and without an allocation.
//!
//! An agent repeats its spellings to the byte, so the raw text is as good a key as the canonical one. Spellings are
//! bounded in number and bytes, for each server and for all together: someone who shuffles label order or pads with
//! blanks makes the table of that server start anew, not grow.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::model::{RawIdentity, SeriesId};

/// At this many spellings of one server's series the table is emptied and fills again with those still in use.
const SPELLINGS_MAX: usize = 1 << 17;
/// The same in bytes of text.
const SERVER_BYTES_MAX: usize = 32 << 20;
/// The same for all servers; then the table that would grow is emptied, and stays empty while the others fill it all.
const ALL_BYTES_MAX: usize = 512 << 20;
/// A longer spelling is not remembered: its samples are read anew each time.
const SPELLING_BYTES_MAX: usize = 4 << 10;
/// What a spelling takes beside its text.
const SPELLING_HEAD_BYTES: usize = 64;

/// The bytes of the spellings of all servers.
pub type AllBytes = Arc<AtomicUsize>;

#[derive(Debug, Default)]
pub struct Spellings {
    table: HashTable<Spelling>,
    bytes: usize,
    all_bytes: AllBytes,
    /// Seeded at random, so nobody can choose labels that collide.
    hasher: RandomState,
}

#[derive(Debug)]
struct Spelling {
    /// Type, name and labels, one after the other.
    text: Box<[u8]>,
    type_end: u32,
    name_end: u32,
    series: SeriesId,
}

/// A raw identity, as the three texts it consists of.
#[derive(Clone, Copy, Debug)]
pub struct RawTexts<'a> {
    metric_type: &'a [u8],
    metric_name: &'a [u8],
    labels: &'a [u8],
}

impl<'a> RawTexts<'a> {
    pub fn of(identity: RawIdentity, body: &'a [u8]) -> Self {
        Self {
            metric_type: identity.metric_type.of(body),
            metric_name: identity.metric_name.of(body),
            labels: identity.labels.of(body),
        }
    }

    fn bytes(self) -> usize {
        self.metric_type.len() + self.metric_name.len() + self.labels.len()
    }

    fn hash(self, hasher: &RandomState) -> u64 {
        let mut hash = hasher.build_hasher();
        hash.write(self.metric_type);
        hash.write(self.metric_name);
        hash.write(self.labels);
        hash.finish()
    }
}

impl Spellings {
    pub fn within(all_bytes: AllBytes) -> Self {
        Self { table: HashTable::new(), bytes: 0, all_bytes, hasher: RandomState::default() }
    }

    #[inline]
    pub fn get(&self, raw: RawTexts<'_>) -> Option<SeriesId> {
        let hash = raw.hash(&self.hasher);
        self.table.find(hash, |known| known.is(raw)).map(|known| known.series)
    }

    /// Remembers a spelling if there is room.
    pub fn add(&mut self, raw: RawTexts<'_>, series: SeriesId) {
        let bytes = raw.bytes() + SPELLING_HEAD_BYTES;
        if raw.bytes() > SPELLING_BYTES_MAX || !self.make_room(bytes) {
            return;
        }
        let (hasher, hash) = (&self.hasher, raw.hash(&self.hasher));
        let entry = self.table.entry(hash, |known| known.is(raw), |known| known.raw().hash(hasher));
        if let Entry::Vacant(vacant) = entry {
            vacant.insert(Spelling::new(raw, series));
            self.bytes += bytes;
            self.all_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Whether there is room, after emptying the table when it has reached a bound.
    fn make_room(&mut self, bytes: usize) -> bool {
        let is_full_overall = |all: &AllBytes| all.load(Ordering::Relaxed) + bytes > ALL_BYTES_MAX;
        let is_full = self.table.len() >= SPELLINGS_MAX || self.bytes + bytes > SERVER_BYTES_MAX;
        if is_full || is_full_overall(&self.all_bytes) {
            self.table.clear();
            self.give_back();
        }
        !is_full_overall(&self.all_bytes)
    }

    fn give_back(&mut self) {
        self.all_bytes.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for Spellings {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl Spelling {
    fn new(raw: RawTexts<'_>, series: SeriesId) -> Self {
        let text = [raw.metric_type, raw.metric_name, raw.labels].concat().into_boxed_slice();
        let type_end = raw.metric_type.len();
        Self { text, type_end: type_end as u32, name_end: (type_end + raw.metric_name.len()) as u32, series }
    }

    fn raw(&self) -> RawTexts<'_> {
        let (type_end, name_end) = (self.type_end as usize, self.name_end as usize);
        RawTexts {
            metric_type: &self.text[..type_end],
            metric_name: &self.text[type_end..name_end],
            labels: &self.text[name_end..],
        }
    }

    #[inline]
    fn is(&self, raw: RawTexts<'_>) -> bool {
        let known = self.raw();
        known.metric_name == raw.metric_name && known.labels == raw.labels && known.metric_type == raw.metric_type
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw<'a>(metric_type: &'a str, metric_name: &'a str, labels: &'a str) -> RawTexts<'a> {
        RawTexts { metric_type: metric_type.as_bytes(), metric_name: metric_name.as_bytes(), labels: labels.as_bytes() }
    }

    #[test]
    fn a_spelling_is_found_only_with_the_same_three_texts() {
        let mut spellings = Spellings::default();
        spellings.add(raw("ab", "c", "{}"), SeriesId(1));
        assert_eq!(spellings.get(raw("ab", "c", "{}")), Some(SeriesId(1)));
        assert_eq!(spellings.get(raw("a", "bc", "{}")), None, "the same bytes, cut elsewhere");
        assert_eq!(spellings.get(raw("ab", "c", "{ }")), None);
    }

    #[test]
    fn the_table_never_grows_past_its_bound() {
        let mut spellings = Spellings::default();
        for place in 0..=SPELLINGS_MAX {
            spellings.add(raw("t", "n", &place.to_string()), SeriesId(1));
        }
        assert_eq!(spellings.table.len(), 1);
        assert_eq!(spellings.bytes, spellings.all_bytes.load(Ordering::Relaxed));
        assert_eq!(spellings.get(raw("t", "n", &SPELLINGS_MAX.to_string())), Some(SeriesId(1)));
    }

    #[test]
    fn blanks_cannot_fill_the_memory() {
        let all_bytes = AllBytes::default();
        let mut spellings = Spellings::within(Arc::clone(&all_bytes));
        spellings.add(raw("t", "n", &" ".repeat(SPELLING_BYTES_MAX)), SeriesId(1));
        assert_eq!(all_bytes.load(Ordering::Relaxed), 0, "too long to be remembered");
        for place in 0..20_000 {
            spellings.add(raw("t", "n", &format!("{}{place}", " ".repeat(2_000))), SeriesId(1));
            assert!(spellings.bytes <= SERVER_BYTES_MAX);
        }
        drop(spellings);
        assert_eq!(all_bytes.load(Ordering::Relaxed), 0, "given back");
    }

    #[test]
    fn one_server_cannot_keep_the_others_from_remembering_for_ever() {
        let all_bytes = AllBytes::new(AtomicUsize::new(ALL_BYTES_MAX));
        let mut spellings = Spellings::within(Arc::clone(&all_bytes));
        spellings.add(raw("t", "n", "{}"), SeriesId(1));
        assert_eq!(spellings.get(raw("t", "n", "{}")), None, "no room now");
        all_bytes.store(0, Ordering::Relaxed);
        spellings.add(raw("t", "n", "{}"), SeriesId(1));
        assert_eq!(spellings.get(raw("t", "n", "{}")), Some(SeriesId(1)));
    }
}
