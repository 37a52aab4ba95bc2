//! How far each writer was read, and which writers are watched: those that wrote lately. Pure.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::model::Origin;
use crate::store::nodes::WRITERS_MAX;

/// A writer that brought nothing for this long is not watched any more; the next look finds it when it writes again.
const QUIET_AFTER: Duration = Duration::from_secs(10);
/// Writers watched at one time. Further ones are watched when these have gone quiet or were read to their end.
const WATCHED_MAX: usize = 256;

#[derive(Debug)]
pub(super) struct Progress {
    own_node: u32,
    /// The last sequence handed on of each writer.
    marks: BTreeMap<Origin, u64>,
    /// When each watched writer last brought something.
    watched: BTreeMap<Origin, Instant>,
    /// Writers before this one were forgotten: they are not taken for new ones when they show up again.
    first: Origin,
}

impl Progress {
    pub(super) fn new(own_node: u32, marks: &[(Origin, u64)]) -> Self {
        let first = match marks.iter().map(|(origin, _)| *origin).min() {
            // There may have been more than were told of.
            Some(lowest) if marks.len() >= WRITERS_MAX => lowest,
            _ => Origin::default(),
        };
        Self { own_node, marks: marks.iter().copied().collect(), watched: BTreeMap::new(), first }
    }

    /// Takes in the newest sequence of each writer, and watches those that were not read that far.
    pub(super) fn saw(&mut self, writers: &[(Origin, u64)], now: Instant) {
        for &(origin, newest) in writers {
            let is_followed = origin.node != self.own_node && origin >= self.first;
            if is_followed && newest > self.mark(origin) && self.watched.len() < WATCHED_MAX {
                self.watched.entry(origin).or_insert(now);
            }
        }
    }

    /// The watched writers, each with the sequence to read after.
    pub(super) fn wanted(&self) -> Vec<(Origin, u64)> {
        self.watched.keys().map(|origin| (*origin, self.mark(*origin))).collect()
    }

    /// Notes that a flush was handed on. Answers how many of its writer are missing before it.
    pub(super) fn advance(&mut self, origin: Origin, sequence: u64, now: Instant) -> u64 {
        self.watched.insert(origin, now);
        // Of a writer that was never read nothing is missed: what it wrote before this node began may be gone.
        let missed = self.marks.get(&origin).map_or(0, |mark| sequence.saturating_sub(mark + 1));
        self.mark_as(origin, sequence);
        missed
    }

    /// Notes that nothing up to `folded` of a writer is in the journal any more. Answers how many of its flushes were
    /// not read before that.
    pub(super) fn pass_over(&mut self, origin: Origin, folded: u64) -> u64 {
        if origin.node == self.own_node || origin < self.first {
            return 0;
        }
        let known = self.marks.get(&origin).copied();
        // A node that began after this one has written nothing before.
        let read = known.or((origin.node > self.own_node).then_some(0)).unwrap_or(folded);
        self.mark_as(origin, folded.max(read));
        folded.saturating_sub(read)
    }

    fn mark_as(&mut self, origin: Origin, sequence: u64) {
        self.marks.insert(origin, sequence);
        if self.marks.len() > WRITERS_MAX
            && let Some((oldest, _)) = self.marks.pop_first()
        {
            self.watched.remove(&oldest);
            self.first = Origin { lane: oldest.lane.saturating_add(1), ..oldest };
        }
    }

    /// Stops watching those that have gone quiet.
    pub(super) fn retire(&mut self, now: Instant) {
        self.watched.retain(|_, brought_at| now.saturating_duration_since(*brought_at) < QUIET_AFTER);
    }

    fn mark(&self, origin: Origin) -> u64 {
        self.marks.get(&origin).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn origin(node: u32) -> Origin {
        Origin { node, lane: 0 }
    }

    #[test]
    fn writers_with_something_new_are_watched_until_they_have_been_quiet_for_a_while() {
        let start = Instant::now();
        let mut progress = Progress::new(2, &[(origin(1), 7), (origin(3), 4)]);
        progress.saw(&[(origin(5), 1), (origin(3), 6), (origin(2), 9), (origin(1), 7)], start);
        let wanted = [(origin(3), 4), (origin(5), 0)];
        assert_eq!(progress.wanted(), wanted, "not its own node, nor one it has read to the end");
        let later = start + QUIET_AFTER / 2;
        assert_eq!(progress.advance(origin(3), 5, later), 0);
        progress.retire(start + QUIET_AFTER);
        assert_eq!(progress.wanted(), [(origin(3), 5)]);
        progress.retire(later + QUIET_AFTER);
        assert_eq!(progress.wanted(), []);
        progress.saw(&[(origin(3), 6)], later);
        assert_eq!(progress.wanted(), [(origin(3), 5)], "found again by the next look");
    }

    #[test]
    fn a_flush_that_had_left_the_journal_is_noticed() {
        let now = Instant::now();
        let mut progress = Progress::new(2, &[(origin(1), 7)]);
        assert_eq!(progress.advance(origin(1), 10, now), 2);
        assert_eq!(progress.advance(origin(1), 11, now), 0);
        assert_eq!(progress.advance(origin(3), 5, now), 0, "nothing is known of its past");
    }

    #[test]
    fn what_left_the_journal_unread_is_counted_once_and_not_looked_for() {
        let now = Instant::now();
        let mut progress = Progress::new(2, &[(origin(1), 7), (origin(3), 9)]);
        let drained = [(origin(1), 10), (origin(2), 5), (origin(3), 9), (origin(5), 4)];
        assert_eq!(drained.map(|(origin, folded)| progress.pass_over(origin, folded)), [3, 0, 0, 4]);
        assert_eq!(drained.map(|(origin, folded)| progress.pass_over(origin, folded)), [0; 4]);
        progress.saw(&drained, now);
        assert_eq!(progress.wanted(), []);
        progress.saw(&[(origin(1), 11)], now);
        assert_eq!(progress.wanted(), [(origin(1), 10)]);
    }

    #[test]
    fn a_forgotten_writer_is_not_taken_for_a_new_one() {
        let now = Instant::now();
        let marks: Vec<_> = (10..10 + WRITERS_MAX as u32).map(|node| (origin(node), 1)).collect();
        let mut progress = Progress::new(9, &marks);
        progress.advance(origin(20_000), 1, now);
        progress.retire(now + QUIET_AFTER);
        progress.saw(&[(origin(20_000), 1), (origin(11), 1), (origin(10), 1), (origin(1), 1)], now);
        assert_eq!(progress.wanted(), []);
        progress.saw(&[(origin(11), 2)], now);
        assert_eq!(progress.wanted(), [(origin(11), 1)]);
    }
}
