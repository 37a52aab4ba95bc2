//! Which flushes a fold takes. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Origin;
use crate::store::levels::fold::BlockHead;

/// What a fold takes: of each writer the flushes up to its mark, and no sample is before the mark and not among them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Those written first first, so that of two samples with the same series and time the later one comes later.
    pub(super) blocks: Vec<BlockHead>,
    pub(super) marks: BTreeMap<Origin, u64>,
    /// Whether flushes were left for the next fold.
    pub(super) is_more: bool,
}

impl Chosen {
    /// The parts of the ring that they are in.
    pub(super) fn slots(&self) -> Vec<i16> {
        let slots: BTreeSet<i16> = self.blocks.iter().map(|block| block.slot).collect();
        slots.into_iter().collect()
    }
}

/// Takes whole flushes from the first on while there is room for their samples, but at least one. `heads` is in the
/// order in which flushes are to be folded, and `is_all` says whether nothing was left out at its end.
///
/// Flushes are taken in the order of their times, whoever wrote them, because a later fold wins over an earlier one: it
/// must not hold what was written earlier than what it meets.
pub(super) fn choose(mut heads: Vec<BlockHead>, is_all: bool, samples_max: u64) -> Chosen {
    let (mut blocks, mut samples) = (0, 0);
    let flushes: Vec<usize> = flushes(&heads).map(<[_]>::len).collect();
    // Where blocks were left out, the last flush may be one of which only a part is here.
    let whole = if is_all { flushes.len() } else { flushes.len().saturating_sub(1) };
    for length in &flushes[..whole] {
        let flush = &heads[blocks..blocks + length];
        let of_flush: u64 = flush.iter().map(|head| u64::from(head.samples)).sum();
        if blocks > 0 && samples + of_flush > samples_max {
            break;
        }
        samples += of_flush;
        blocks += length;
    }
    let is_more = blocks < heads.len() || !is_all;
    heads.truncate(blocks);
    let mut marks = BTreeMap::new();
    for head in &heads {
        let mark = marks.entry(head.origin).or_insert(head.sequence);
        *mark = head.sequence.max(*mark);
    }
    heads.sort_unstable_by_key(|head| (head.committed_at, head.origin, head.sequence, head.part));
    Chosen { blocks: heads, marks, is_more }
}

fn flushes(heads: &[BlockHead]) -> impl Iterator<Item = &[BlockHead]> {
    heads.chunk_by(|left, right| (left.origin, left.sequence) == (right.origin, right.sequence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Micros, SeriesId};

    /// A block of 10 samples.
    fn head(node: u32, sequence: u64, part: i16, committed_at: i64) -> BlockHead {
        let (series_min, series_max) = (SeriesId(1), SeriesId(9));
        let origin = Origin { node, lane: 0 };
        BlockHead {
            origin,
            sequence,
            part,
            slot: 0,
            series_min,
            series_max,
            samples: 10,
            committed_at: Micros(committed_at),
        }
    }

    fn heads() -> Vec<BlockHead> {
        vec![head(1, 4, 0, 100), head(2, 1, 0, 101), head(2, 1, 1, 101), head(1, 5, 0, 102), head(2, 2, 0, 103)]
    }

    fn marks(of: &[(u32, u64)]) -> BTreeMap<Origin, u64> {
        of.iter().map(|(node, sequence)| (Origin { node: *node, lane: 0 }, *sequence)).collect()
    }

    #[test]
    fn flushes_are_taken_whole_in_the_order_of_their_times_up_to_the_bound() {
        let chosen = choose(heads(), true, 30);
        assert_eq!((chosen.blocks.len(), &chosen.marks, chosen.is_more), (3, &marks(&[(1, 4), (2, 1)]), true));
        let chosen = choose(heads(), true, 29);
        assert_eq!((chosen.blocks.len(), &chosen.marks, chosen.is_more), (1, &marks(&[(1, 4)]), true));
        let chosen = choose(heads(), true, 50);
        assert_eq!((chosen.blocks.len(), &chosen.marks, chosen.is_more), (5, &marks(&[(1, 5), (2, 2)]), false));
    }

    #[test]
    fn a_flush_larger_than_the_bound_is_folded_alone() {
        let chosen = choose(heads().split_off(1), true, 1);
        assert_eq!((chosen.blocks.len(), &chosen.marks, chosen.is_more), (2, &marks(&[(2, 1)]), true));
    }

    #[test]
    fn a_flush_that_may_not_be_here_whole_is_left_for_the_next_fold() {
        let chosen = choose(heads()[..2].to_vec(), false, 1000);
        assert_eq!((chosen.blocks.len(), &chosen.marks, chosen.is_more), (1, &marks(&[(1, 4)]), true));
    }

    #[test]
    fn nothing_to_fold_is_nothing_chosen() {
        assert_eq!(choose(Vec::new(), true, 1000), Chosen::default());
    }
}
