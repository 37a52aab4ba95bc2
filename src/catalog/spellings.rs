//! How agents spelt the series of one server: raw identity to number, without a copy and without an allocation.
//!
//! An agent repeats its spellings to the byte, so the raw text is as good a key as the canonical one. The number of
//! spellings is bounded: someone who shuffles label order makes the table start anew, not grow.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::model::{RawIdentity, SeriesId};

/// At this many spellings of one server's series the table is emptied and fills again with those still in use.
const SPELLINGS_MAX: usize = 1 << 17;

#[derive(Debug, Default)]
pub struct Spellings {
    table: HashTable<Spelling>,
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

    fn hash(self, hasher: &RandomState) -> u64 {
        let mut hash = hasher.build_hasher();
        hash.write(self.metric_type);
        hash.write(self.metric_name);
        hash.write(self.labels);
        hash.finish()
    }
}

impl Spellings {
    #[inline]
    pub fn get(&self, raw: RawTexts<'_>) -> Option<SeriesId> {
        let hash = raw.hash(&self.hasher);
        self.table.find(hash, |known| known.is(raw)).map(|known| known.series)
    }

    pub fn add(&mut self, raw: RawTexts<'_>, series: SeriesId) {
        if self.table.len() >= SPELLINGS_MAX {
            self.table.clear();
        }
        let (hasher, hash) = (&self.hasher, raw.hash(&self.hasher));
        self.table
            .entry(hash, |known| known.is(raw), |known| known.raw().hash(hasher))
            .or_insert_with(|| Spelling::new(raw, series));
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
        assert_eq!(spellings.get(raw("t", "n", &SPELLINGS_MAX.to_string())), Some(SeriesId(1)));
    }
}
