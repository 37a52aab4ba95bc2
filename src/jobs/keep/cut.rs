//! Expired rows to slices: how much one transaction takes away. Pure.

use crate::model::{Micros, Resolution};
use crate::rollup;
use crate::store::levels::expiry::{Expired, OldRow};

/// How many of the oldest rows of a series are looked at for one slice.
pub(super) const ROWS_OF_SERIES_MAX: usize = 48;
/// A slice ends with the series that takes it past this many samples.
const SLICE_SAMPLES: u64 = 1 << 20;

/// What of the series in `rows` to take away at once, by series. `rows` are the oldest of each series in `expired`, at
/// most [`ROWS_OF_SERIES_MAX`], by (series, start); `expired` is sorted by series.
///
/// An hour is never cut in two, since its minutes depend on all of its samples: one that has more rows than are looked
/// at is taken whole.
pub(super) fn slice(rows: &[OldRow], expired: &[Expired]) -> Vec<Expired> {
    let (mut slice, mut samples) = (Vec::new(), 0);
    for of_series in rows.chunk_by(|left, right| left.series == right.series) {
        if samples >= SLICE_SAMPLES {
            break;
        }
        let found = expired.binary_search_by_key(&of_series[0].series, |one| one.series);
        let Some(whole) = found.ok().and_then(|place| expired.get(place)) else { continue };
        let mut before = whole.before;
        if of_series.len() >= ROWS_OF_SERIES_MAX {
            let (first, last) = (hour(of_series[0].start), hour(of_series[of_series.len() - 1].start));
            let end = if first < last { last.0 } else { last.0.saturating_add(Resolution::Hour.micros()) };
            before = before.min(Micros(end));
        }
        slice.push(Expired { before, ..*whole });
        samples += of_series.iter().filter(|row| row.start < before).map(|row| row.samples).sum::<u64>();
    }
    slice
}

/// The beginning of the hour that `time` is in.
pub(super) fn hour(time: Micros) -> Micros {
    rollup::start(time, Resolution::Hour.micros())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::model::SeriesId;

    const HOUR: i64 = Resolution::Hour.micros();

    type Rows = BTreeMap<(u32, i64), u64>;

    fn oldest(rows: &Rows, expired: &[Expired]) -> Vec<OldRow> {
        let of_series = |one: &Expired| {
            rows.range((one.series.0, i64::MIN)..(one.series.0, one.before.0))
                .take(ROWS_OF_SERIES_MAX)
                .map(|((series, start), samples)| OldRow {
                    series: SeriesId(*series),
                    start: Micros(*start),
                    samples: *samples,
                })
                .collect::<Vec<_>>()
        };
        expired.iter().flat_map(of_series).collect()
    }

    fn row() -> impl Strategy<Value = ((u32, i64), u64)> {
        // Few hours, so that many rows share one.
        let start = prop_oneof![0..3 * HOUR, 0..200 * HOUR].prop_map(|start| start - start % 1_000_000);
        ((0_u32..4, start), prop_oneof![1_u64..5, 300_000_u64..600_000])
    }

    proptest! {
        #[test]
        fn slices_take_whole_hours_until_nothing_expired_is_left(
            rows in prop::collection::btree_map((0_u32..4, 0..400_i64).prop_map(|(series, place)| (series, place * HOUR / 60)), 1_u64..600_000, 0..900),
            more in prop::collection::btree_map(row().prop_map(|(key, _)| key), 1_u64..9, 0..200),
            before in prop::array::uniform4(0..200_i64),
        ) {
            let mut left: Rows = rows.into_iter().chain(more).collect();
            let expired: Vec<Expired> = before.iter().zip(0..)
                .map(|(hours, series)| Expired { series: SeriesId(series), before: Micros(hours * HOUR) })
                .collect();
            let young: Rows = left.iter()
                .filter(|((series, start), _)| *start >= expired[*series as usize].before.0)
                .map(|(key, samples)| (*key, *samples))
                .collect();
            loop {
                let slice = slice(&oldest(&left, &expired), &expired);
                if slice.is_empty() {
                    break;
                }
                let size = left.len();
                let mut taken = Vec::new();
                for one in &slice {
                    prop_assert_eq!(one.before.0 % HOUR, 0, "an hour is taken whole");
                    prop_assert!(one.before <= expired[one.series.0 as usize].before);
                    let keys: Vec<_> = left.range((one.series.0, i64::MIN)..(one.series.0, one.before.0)).map(|(key, _)| *key).collect();
                    taken.push(keys.iter().filter_map(|key| left.remove(key)).sum::<u64>());
                }
                prop_assert!(left.len() < size, "every slice takes something away");
                taken.pop();
                prop_assert!(taken.iter().sum::<u64>() < SLICE_SAMPLES, "only the last series goes past the bound");
            }
            prop_assert_eq!(left, young);
        }
    }
}
