//! One beginning of a line (all that stands before its fields) as an agent spelt it: its server, and the series of its
//! fields in the order in which the agent sends them.

use std::sync::Arc;

use super::lines::Speaker;
use super::server::ServerEntry;
use crate::model::SeriesId;
use crate::model::short_text::is_same;

/// Fields that are remembered with a beginning; later ones are looked up by their whole spelling.
const FIELDS_MAX: usize = 1_024;
/// How far from its place in the order a field is looked for.
const STEPS_MAX: usize = 64;
/// What an entry, and each of its fields, takes beside its text.
const HEAD_BYTES: usize = 128;
const FIELD_BYTES: usize = size_of::<Field>();

#[derive(Debug)]
pub(super) struct LineEntry {
    server: Arc<ServerEntry>,
    speaker: Speaker,
    /// The beginning, then the names of the fields, one after the other.
    text: Vec<u8>,
    key_end: usize,
    fields: Vec<Field>,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    name_start: u32,
    name_end: u32,
    series: SeriesId,
}

impl LineEntry {
    pub(super) fn new((speaker, key): (Speaker, &[u8]), server: Arc<ServerEntry>) -> Self {
        Self { server, speaker, text: key.to_vec(), key_end: key.len(), fields: Vec::new() }
    }

    pub(super) fn server(&self) -> &Arc<ServerEntry> {
        &self.server
    }

    #[inline]
    pub(super) fn speaker(&self) -> Speaker {
        self.speaker
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.text[..self.key_end]
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        HEAD_BYTES + self.text.capacity() + self.fields.capacity() * FIELD_BYTES
    }

    /// The series of a field, and the place at which the next one is expected.
    #[inline(always)]
    pub(super) fn find(&self, name: &[u8], expected: usize) -> Option<(SeriesId, usize)> {
        let field = self.fields.get(expected)?;
        if is_same(self.name(field), name) {
            Some((field.series, self.after(expected)))
        } else {
            self.search(name, expected)
        }
    }

    /// Remembers fields, if there is room. Answers for each whether it is new here: one that was there and was not found
    /// stands too far from its place.
    pub(super) fn add<'a>(&mut self, fields: impl Iterator<Item = (&'a [u8], SeriesId)>) -> Vec<bool> {
        let add = |(name, series): (&[u8], SeriesId)| {
            let is_new = self.fields.len() < FIELDS_MAX && self.fields.iter().all(|field| self.name(field) != name);
            if is_new {
                let name_start = self.text.len() as u32;
                self.text.extend_from_slice(name);
                self.fields.push(Field { name_start, name_end: self.text.len() as u32, series });
            }
            is_new
        };
        let added = fields.map(add).collect();
        self.text.shrink_to_fit();
        self.fields.shrink_to_fit();
        added
    }

    /// Agents leave fields out and put new ones in between, so most are found after a few steps.
    #[inline(never)]
    fn search(&self, name: &[u8], expected: usize) -> Option<(SeriesId, usize)> {
        let mut place = expected;
        for _ in 0..self.fields.len().min(STEPS_MAX) {
            let field = self.fields.get(place)?;
            if self.name(field) == name {
                return Some((field.series, self.after(place)));
            }
            place = self.after(place);
        }
        None
    }

    #[inline(always)]
    fn after(&self, place: usize) -> usize {
        if place + 1 == self.fields.len() { 0 } else { place + 1 }
    }

    #[inline(always)]
    fn name(&self, field: &Field) -> &[u8] {
        self.text.get(field.name_start as usize..field.name_end as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::catalog::spellings::AllBytes;
    use crate::model::{Belonging, ServerKey};
    use crate::store::servers::Standing;

    fn entry(names: &[String]) -> LineEntry {
        let standing = Standing { key: ServerKey(1), id: Uuid::nil(), belonging: Belonging::default(), revision: 0 };
        let server = Arc::new(ServerEntry::new(standing, AllBytes::default()));
        let mut entry = LineEntry::new((Speaker::HOSTS, b"cpu,host=a"), server);
        let fields = names.iter().enumerate().map(|(place, name)| (name.as_bytes(), SeriesId(place as u32 + 1)));
        entry.add(fields);
        entry
    }

    #[test]
    fn fields_are_found_in_order_out_of_order_and_with_gaps() {
        let names: Vec<String> = (0..10).map(|place| format!("field{place}")).collect();
        let entry = entry(&names);
        for order in [[0, 1, 2, 3], [0, 2, 5, 9], [9, 8, 1, 0], [3, 3, 3, 3]] {
            let mut expected = 0;
            for place in order {
                let found = entry.find(names[place].as_bytes(), expected).unwrap();
                assert_eq!(found.0, SeriesId(place as u32 + 1), "{order:?}");
                expected = found.1;
            }
        }
        assert_eq!(entry.find(b"field", 0), None);
    }

    #[test]
    fn a_beginning_remembers_so_many_fields_and_no_more() {
        let names: Vec<String> = (0..2 * FIELDS_MAX).map(|place| place.to_string()).collect();
        let mut entry = entry(&names);
        assert_eq!(entry.fields.len(), FIELDS_MAX);
        let again = [(b"0".as_slice(), SeriesId(1)), (b"new".as_slice(), SeriesId(2))];
        assert_eq!(entry.add(again.into_iter()), [false, false]);
        assert_eq!(entry.find(b"900", 0), None, "too far from its place");
    }
}
