//! Beginnings of lines that were met, for dialects whose lines hold many samples: one look-up a line finds the server
//! and, in the order in which the agent sends them, the series of all its fields.
//!
//! Bounded in bytes: a part of the table that is full is emptied and fills again with those still in use, so someone who
//! invents tags makes it start anew, not grow.

use std::hash::BuildHasher;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::line_entry::LineEntry;
use super::server::ServerEntry;
use crate::model::{SeriesId, ServerKey};

/// Parts with a lock of their own, so that new lines do not hold up known ones.
const PARTS: usize = 64;
/// All parts together, in bytes.
const BYTES_MAX: usize = 512 << 20;
const PART_BYTES_MAX: usize = BYTES_MAX / PARTS;
/// A longer beginning is not remembered: its fields are looked up by their whole spelling.
const KEY_BYTES_MAX: usize = 4 << 10;

/// Who speaks: the same line is of another server when an agent sends it that speaks for its own only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Speaker(Option<ServerKey>);

#[derive(Debug)]
pub(super) struct Lines {
    parts: Box<[RwLock<Part>]>,
    /// Seeded at random, so nobody can choose tags that collide.
    hasher: RandomState,
}

#[derive(Debug, Default)]
pub(super) struct Part {
    table: HashTable<LineEntry>,
    bytes: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| RwLock::default()).collect(), hasher: RandomState::default() }
    }
}

impl Speaker {
    /// Servers are named by their hosts.
    pub(super) const HOSTS: Self = Self(None);

    pub(super) fn of(server: ServerKey) -> Self {
        Self(Some(server))
    }

    /// What sets equal lines of different speakers apart: nothing for the most of them.
    fn salt(self) -> u64 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        self.0.map_or(0, |server| u64::from(server.0.unsigned_abs()).wrapping_mul(ODD))
    }
}

impl Lines {
    #[inline]
    pub(super) fn hash(&self, speaker: Speaker, key: &[u8]) -> u64 {
        self.hasher.hash_one(key) ^ speaker.salt()
    }

    /// The part that may hold the line with this hash.
    #[inline]
    pub(super) fn part(&self, hash: u64) -> RwLockReadGuard<'_, Part> {
        self.lock(hash).read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers fields of a line. Answers for each whether it is remembered.
    pub(super) fn add<'a>(
        &self,
        (speaker, key): (Speaker, &[u8]),
        server: &Arc<ServerEntry>,
        fields: impl ExactSizeIterator<Item = (&'a [u8], SeriesId)>,
    ) -> Vec<bool> {
        if key.len() > KEY_BYTES_MAX {
            return vec![false; fields.len()];
        }
        let hash = self.hash(speaker, key);
        let mut part = self.lock(hash).write().unwrap_or_else(PoisonError::into_inner);
        part.make_room();
        let Part { table, bytes } = &mut *part;
        let is_it = |known: &LineEntry| known.key() == key && known.speaker() == speaker;
        let mut entry = match table.entry(hash, is_it, |known| self.hash(known.speaker(), known.key())) {
            Entry::Occupied(known) => known,
            Entry::Vacant(vacant) => {
                let new = LineEntry::new((speaker, key), Arc::clone(server));
                *bytes += new.bytes();
                vacant.insert(new)
            }
        };
        let line = entry.get_mut();
        *bytes -= line.bytes();
        if line.server().is_forgotten() {
            *line = LineEntry::new((speaker, key), Arc::clone(server));
        }
        let added = line.add(fields);
        *bytes += line.bytes();
        added
    }

    /// The hash table itself uses the lower and the highest bits.
    fn lock(&self, hash: u64) -> &RwLock<Part> {
        &self.parts[(hash >> 32) as usize % PARTS]
    }
}

impl Part {
    /// A line of a server that is still known.
    #[inline]
    pub(super) fn get(&self, hash: u64, speaker: Speaker, key: &[u8]) -> Option<&LineEntry> {
        let is_it = |known: &LineEntry| known.key() == key && known.speaker() == speaker;
        self.table.find(hash, is_it).filter(|known| !known.server().is_forgotten())
    }

    fn make_room(&mut self) {
        if self.bytes > PART_BYTES_MAX {
            self.table.clear();
            self.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::catalog::spellings::AllBytes;
    use crate::model::Belonging;
    use crate::store::servers::Standing;

    fn server() -> Arc<ServerEntry> {
        let standing = Standing { key: ServerKey(1), id: Uuid::nil(), belonging: Belonging::default(), revision: 0 };
        Arc::new(ServerEntry::new(standing, AllBytes::default()))
    }

    fn find(lines: &Lines, key: &[u8], name: &[u8]) -> Option<SeriesId> {
        let hash = lines.hash(Speaker::HOSTS, key);
        lines.part(hash).get(hash, Speaker::HOSTS, key)?.find(name, 0).map(|(series, _)| series)
    }

    #[test]
    fn a_line_forgets_its_series_with_its_server() {
        let (lines, server) = (Lines::default(), server());
        lines.add((Speaker::HOSTS, b"cpu,host=a"), &server, [(b"user".as_slice(), SeriesId(1))].into_iter());
        assert_eq!(find(&lines, b"cpu,host=a", b"user"), Some(SeriesId(1)));
        assert_eq!(find(&lines, b"cpu,host=b", b"user"), None);
        server.forget();
        assert_eq!(find(&lines, b"cpu,host=a", b"user"), None);
        lines.add((Speaker::HOSTS, b"cpu,host=a"), &self::server(), [(b"user".as_slice(), SeriesId(7))].into_iter());
        assert_eq!(find(&lines, b"cpu,host=a", b"user"), Some(SeriesId(7)));
    }

    #[test]
    fn the_same_line_of_two_speakers_is_two_lines() {
        let (lines, server) = (Lines::default(), server());
        let agent = Speaker::of(ServerKey(1));
        lines.add((Speaker::HOSTS, b"cpu,host=a"), &server, [(b"user".as_slice(), SeriesId(1))].into_iter());
        let hash = lines.hash(agent, b"cpu,host=a");
        assert!(lines.part(hash).get(hash, agent, b"cpu,host=a").is_none());
        lines.add((agent, b"cpu,host=a"), &server, [(b"user".as_slice(), SeriesId(2))].into_iter());
        assert_eq!(lines.part(hash).get(hash, agent, b"cpu,host=a").unwrap().find(b"user", 0).unwrap().0, SeriesId(2));
        assert_eq!(find(&lines, b"cpu,host=a", b"user"), Some(SeriesId(1)));
    }

    #[test]
    fn invented_tags_cannot_fill_the_memory() {
        let (lines, server) = (Lines::default(), server());
        let padding = "x".repeat(KEY_BYTES_MAX - 16);
        let too_long = lines.add(
            (Speaker::HOSTS, &[b'x'; KEY_BYTES_MAX + 1]),
            &server,
            [(b"v".as_slice(), SeriesId(1))].into_iter(),
        );
        assert_eq!(too_long, [false]);
        let slack = 2 * KEY_BYTES_MAX;
        for place in 0..200_000 {
            let key = format!("{padding}{place}");
            lines.add((Speaker::HOSTS, key.as_bytes()), &server, [(b"v".as_slice(), SeriesId(1))].into_iter());
            if place % 1_000 == 0 {
                let parts = lines.parts.iter().map(|part| part.read().unwrap().bytes);
                assert!(parts.clone().all(|bytes| bytes <= PART_BYTES_MAX + slack), "{:?}", parts.max());
            }
        }
    }
}
