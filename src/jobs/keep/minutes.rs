//! Hours of samples to rows of minutes. Pure.

use crate::codec::{rollup_row, samples_row};
use crate::jobs::keep::cut::hour;
use crate::jobs::{JobError, damage};
use crate::model::{Bucket, Micros, Resolution, SeriesId};
use crate::rollup;
use crate::store::levels::rollups::StoredRollup;
use crate::store::levels::samples::StoredSamples;

/// Takes rows of samples by (series, start) and makes a row of minutes of each hour. Holds no more than the samples of a
/// row and of a minute, however many an hour has.
#[derive(Debug, Default)]
pub(super) struct Minutes {
    done: Vec<StoredRollup>,
    series: SeriesId,
    hour: Micros,
    /// Minutes of the hour that are complete.
    buckets: Vec<Bucket>,
    /// Samples of its last minute, to which others may come.
    times: Vec<Micros>,
    values: Vec<f64>,
}

impl Minutes {
    pub(super) fn add(&mut self, stored: &StoredSamples) -> Result<(), JobError> {
        let hour = hour(stored.row.start);
        if (stored.series, hour) != (self.series, self.hour) {
            self.end_hour();
            (self.series, self.hour) = (stored.series, hour);
        }
        samples_row::decode(&stored.row, &mut self.times, &mut self.values).map_err(damage::of_samples(stored))?;
        let last = self.times.last().copied().unwrap_or_default();
        let minute = rollup::start(last, Resolution::Minute.micros());
        self.roll_up(self.times.partition_point(|time| *time < minute));
        Ok(())
    }

    /// One row for each series and hour, in order.
    pub(super) fn finish(mut self) -> Vec<StoredRollup> {
        self.end_hour();
        self.done
    }

    fn end_hour(&mut self) {
        self.roll_up(self.times.len());
        // An hour of nothing but NaN leaves none.
        if !self.buckets.is_empty() {
            let row = rollup_row::encode(&self.buckets, Resolution::Minute);
            self.done.push(StoredRollup { series: self.series, row });
            self.buckets.clear();
        }
    }

    /// Whole minutes: the first so many samples.
    fn roll_up(&mut self, samples: usize) {
        rollup::roll_up(&self.times[..samples], &self.values[..samples], Resolution::Minute, &mut self.buckets);
        self.times.drain(..samples);
        self.values.drain(..samples);
    }
}

/// Two rows of the same series and hour as one. What came late is added to the minutes that were kept.
pub(super) fn merged(kept: &StoredRollup, late: &StoredRollup) -> Result<StoredRollup, JobError> {
    const MINUTE: Resolution = Resolution::Minute;
    let (mut buckets, mut late_buckets) = (Vec::new(), Vec::new());
    rollup_row::decode(&kept.row, MINUTE, &mut buckets).map_err(damage::of_rollup(kept, MINUTE))?;
    rollup_row::decode(&late.row, MINUTE, &mut late_buckets).map_err(damage::of_rollup(late, MINUTE))?;
    for late in late_buckets {
        match buckets.binary_search_by_key(&late.start, |bucket| bucket.start) {
            Ok(place) => buckets[place] = rollup::merge(&buckets[place], &late),
            Err(place) => buckets.insert(place, late),
        }
    }
    Ok(StoredRollup { series: kept.series, row: rollup_row::encode(&buckets, Resolution::Minute) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn decoded(stored: &StoredRollup) -> Vec<Bucket> {
        let mut buckets = Vec::new();
        rollup_row::decode(&stored.row, Resolution::Minute, &mut buckets).unwrap();
        buckets
    }

    fn rolled_up(samples: &[(Micros, f64)]) -> Vec<Bucket> {
        let (times, values): (Vec<_>, Vec<_>) = samples.iter().copied().unzip();
        let mut buckets = Vec::new();
        rollup::roll_up(&times, &values, Resolution::Minute, &mut buckets);
        buckets
    }

    fn row(samples: &[(Micros, f64)]) -> StoredSamples {
        let (times, values): (Vec<_>, Vec<_>) = samples.iter().copied().unzip();
        StoredSamples { series: SeriesId(7), row: samples_row::encode(&times, &values) }
    }

    proptest! {
        #[test]
        fn minutes_are_the_same_however_their_hour_was_cut_into_rows(
            samples in prop::collection::btree_map(0..3 * HOUR, prop_oneof![9 => any::<i16>().prop_map(f64::from), 1 => Just(f64::NAN)], 1..200),
            row_samples in 1_usize..40,
        ) {
            let samples: Vec<(Micros, f64)> = samples.into_iter().map(|(time, value)| (Micros(time), value)).collect();
            let mut minutes = Minutes::default();
            for of_hour in samples.chunk_by(|left, right| hour(left.0) == hour(right.0)) {
                of_hour.chunks(row_samples).for_each(|samples| minutes.add(&row(samples)).unwrap());
            }
            let rows = minutes.finish();
            prop_assert!(rows.windows(2).all(|pair| pair[0].row.start < pair[1].row.start), "one row an hour");
            prop_assert_eq!(rows.iter().flat_map(decoded).collect::<Vec<_>>(), rolled_up(&samples));
        }
    }

    #[test]
    fn series_are_kept_apart_within_an_hour() {
        let mut minutes = Minutes::default();
        minutes.add(&row(&[(Micros(0), 1.0)])).unwrap();
        minutes.add(&StoredSamples { series: SeriesId(8), ..row(&[(Micros(1), 2.0)]) }).unwrap();
        let seen: Vec<_> = minutes.finish().iter().map(|stored| (stored.series, decoded(stored)[0].sum)).collect();
        assert_eq!(seen, [(SeriesId(7), 1.0), (SeriesId(8), 2.0)]);
    }

    #[test]
    fn late_minutes_are_added_to_those_that_were_kept() {
        let of = |samples: &[(i64, f64)]| {
            let mut minutes = Minutes::default();
            minutes
                .add(&row(&samples
                    .iter()
                    .map(|(second, value)| (Micros(second * 1_000_000), *value))
                    .collect::<Vec<_>>()))
                .unwrap();
            minutes.finish().remove(0)
        };
        let (kept, late) = (of(&[(0, 5.0), (120, 1.0)]), of(&[(10, 2.0), (60, 3.0)]));
        let seen: BTreeMap<i64, (u64, f64, f64)> = decoded(&merged(&kept, &late).unwrap())
            .iter()
            .map(|bucket| (bucket.start.0 / 1_000_000, (bucket.count, bucket.sum, bucket.last)))
            .collect();
        assert_eq!(seen, BTreeMap::from([(0, (2, 7.0, 5.0)), (60, (1, 3.0, 3.0)), (120, (1, 1.0, 1.0))]));
    }
}
