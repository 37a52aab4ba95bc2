//! Where a fold is cut into passes by series, so that each has about as many samples as it may hold. An estimate: a
//! pass that turns out larger cuts itself. Pure.

use crate::model::SeriesId;
use crate::store::levels::fold::BlockHead;

/// The last series of each pass; the last pass takes all that are left. Samples are taken to be spread evenly over the
/// series between the first and the last one of their block.
pub(super) fn bounds(blocks: &[BlockHead], samples_wanted: usize) -> Vec<SeriesId> {
    let mut steps = Vec::with_capacity(blocks.len() * 2);
    for block in blocks {
        let (first, end) = (u64::from(block.series_min.0), u64::from(block.series_max.0) + 1);
        let density = f64::from(block.samples) / end.saturating_sub(first).max(1) as f64;
        steps.push((first, density));
        steps.push((end, -density));
    }
    steps.sort_unstable_by_key(|(series, _)| *series);
    let (mut bounds, mut place, mut density, mut samples) = (Vec::new(), 0_u64, 0.0_f64, 0.0_f64);
    let wanted = samples_wanted as f64;
    for (end, change) in steps {
        while samples + density * (end - place) as f64 > wanted {
            // As many series as fit, but at least one: a single series may be too many already.
            place += (((wanted - samples) / density) as u64).clamp(1, end - place);
            bounds.push(SeriesId((place - 1) as u32));
            samples = 0.0;
        }
        samples += (density * (end - place) as f64).max(0.0);
        (place, density) = (end, density + change);
    }
    bounds.push(SeriesId(u32::MAX));
    bounds.dedup();
    bounds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Micros, Origin};

    fn head(first: u32, last: u32, samples: u32) -> BlockHead {
        let (series_min, series_max) = (SeriesId(first), SeriesId(last));
        let origin = Origin::default();
        BlockHead { origin, sequence: 1, part: 0, slot: 0, series_min, series_max, samples, committed_at: Micros(0) }
    }

    fn numbers(blocks: &[BlockHead], wanted: usize) -> Vec<u32> {
        bounds(blocks, wanted).iter().map(|series| series.0).collect()
    }

    #[test]
    fn passes_take_about_as_many_samples_as_wanted() {
        assert_eq!(numbers(&[], 100), [u32::MAX]);
        assert_eq!(numbers(&[head(1, 100, 100)], 100), [u32::MAX]);
        assert_eq!(numbers(&[head(1, 100, 100), head(1, 100, 100)], 100), [50, u32::MAX]);
        assert_eq!(numbers(&[head(1, 50, 100), head(51, 90, 10), head(60, 60, 95)], 100), [51, 71, u32::MAX]);
    }

    #[test]
    fn a_series_with_more_samples_than_wanted_is_a_pass_of_its_own() {
        assert_eq!(numbers(&[head(7, 7, 1000), head(8, 8, 1000)], 100), [7, 8, u32::MAX]);
        assert_eq!(numbers(&[head(u32::MAX, u32::MAX, 1000)], 100), [u32::MAX]);
    }

    proptest! {
        #[test]
        fn bounds_ascend_and_end_with_the_last_series_whatever_the_blocks(
            blocks in prop::collection::vec((any::<u32>(), any::<u32>(), 0_u32..100_000), 0..50), wanted in 1_usize..5000,
        ) {
            let heads: Vec<_> = blocks.iter().map(|(one, other, samples)| head(*one.min(other), *one.max(other), *samples)).collect();
            let samples: usize = heads.iter().map(|head| head.samples as usize).sum();
            let bounds = numbers(&heads, wanted);
            prop_assert!(bounds.is_sorted_by(|left, right| left < right));
            prop_assert_eq!(bounds.last(), Some(&u32::MAX));
            prop_assert!(bounds.len() <= samples / wanted * 2 + heads.len() * 2 + 1);
        }
    }
}
