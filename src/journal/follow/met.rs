//! Which series were looked up already, found or not: numbers are never reused and a series is committed before its
//! samples are, so one look is enough for good. A bit each.

use crate::model::SeriesId;

/// Series with this number and above are looked up each time: 1 MiB of bits for those below.
const REMEMBERED_MAX: usize = 8 << 20;

#[derive(Debug, Default)]
pub(super) struct Met(Vec<u64>);

impl Met {
    /// Those of `sorted` not met before, each once.
    pub(super) fn unmet(&self, sorted: &[SeriesId]) -> Vec<SeriesId> {
        let firsts = sorted.chunk_by(|left, right| left == right).map(|run| run[0]);
        firsts.filter(|series| !self.has(*series)).collect()
    }

    pub(super) fn meet(&mut self, series: &[SeriesId]) {
        for &series in series {
            let (word, bit) = place(series);
            if series.0 as usize >= REMEMBERED_MAX {
                continue;
            }
            if word >= self.0.len() {
                self.0.resize(word + 1, 0);
            }
            self.0[word] |= bit;
        }
    }

    fn has(&self, series: SeriesId) -> bool {
        let (word, bit) = place(series);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

fn place(series: SeriesId) -> (usize, u64) {
    (series.0 as usize / 64, 1 << (series.0 % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_series_is_unmet_until_it_was_met(
            flushes in prop::collection::vec(prop::collection::vec(0_u32..300, 0..20), 0..20),
        ) {
            let (mut met, mut model) = (Met::default(), BTreeSet::new());
            for flush in flushes {
                let mut sorted: Vec<SeriesId> = flush.into_iter().map(SeriesId).collect();
                sorted.sort_unstable();
                let new: BTreeSet<SeriesId> = sorted.iter().copied().filter(|id| !model.contains(id)).collect();
                let unmet = met.unmet(&sorted);
                prop_assert_eq!(&unmet, &new.iter().copied().collect::<Vec<_>>());
                met.meet(&unmet);
                model.extend(new);
            }
        }
    }

    #[test]
    fn a_series_beyond_what_is_remembered_is_unmet_every_time() {
        let (mut met, far) = (Met::default(), [SeriesId(u32::MAX)]);
        met.meet(&far);
        assert_eq!(met.unmet(&far), far);
        assert!(met.0.is_empty(), "and takes no memory");
    }
}
