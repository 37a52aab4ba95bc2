//! How far the journal has been handed on, per writer.

use std::collections::BTreeMap;

use crate::model::Origin;

/// Most writers remembered. A node takes a new number at each start, so the lowest numbers are the oldest and are
/// forgotten first; what they wrote is not replayed any more then.
const ORIGINS_MAX: usize = 4096;

/// The last sequence number of each writer that has been handed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks(BTreeMap<Origin, u64>);

impl Marks {
    /// Moves the mark of `origin` to `sequence`, never backwards.
    pub(super) fn advance(&mut self, origin: Origin, sequence: u64) {
        let mark = self.0.entry(origin).or_insert(sequence);
        *mark = (*mark).max(sequence);
        if self.0.len() > ORIGINS_MAX {
            self.0.pop_first();
        }
    }

    pub fn get(&self, origin: Origin) -> Option<u64> {
        self.0.get(&origin).copied()
    }

    /// Whether they are as far as `others` with every writer of theirs.
    pub(super) fn covers(&self, others: &Self) -> bool {
        others.iter().all(|(origin, sequence)| self.get(origin).is_some_and(|mark| mark >= sequence))
    }

    /// The marks in order of their writers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Origin, u64)> {
        self.0.iter().map(|(origin, sequence)| (*origin, *sequence))
    }
}

impl FromIterator<(Origin, u64)> for Marks {
    fn from_iter<I: IntoIterator<Item = (Origin, u64)>>(marks: I) -> Self {
        let mut all = Self::default();
        for (origin, sequence) in marks {
            all.advance(origin, sequence);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_only_move_forward_and_forget_the_oldest_node_first() {
        let origin = |node| Origin { node, lane: 0 };
        let mut marks: Marks = [(origin(1), 5), (origin(1), 3)].into_iter().collect();
        assert_eq!(marks.get(origin(1)), Some(5));
        (2..=ORIGINS_MAX as u32 + 1).for_each(|node| marks.advance(origin(node), 1));
        assert_eq!((marks.get(origin(1)), marks.iter().len()), (None, ORIGINS_MAX));
    }
}
