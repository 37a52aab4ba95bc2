//! Gathered batches to one sorted batch, and that to blocks. Pure.

use crate::codec::block::{self, Samples};
use crate::model::{Batch, Micros, SeriesId};
use crate::store::journal::NewBlock;

/// Samples in one block. Chosen so that a block of ordinary data fits a page and stays out of the TOAST table.
pub(super) const BLOCK_SAMPLES: usize = 3_072;

/// Merges batches, given in order of arrival, into one sorted by (series, time). Of samples with the same series and
/// time the last one stays.
pub(super) fn merge(batches: Vec<Batch>) -> Batch {
    let mut batches = batches.into_iter();
    let mut all = batches.next().unwrap_or_default();
    for batch in batches {
        all.series.extend_from_slice(&batch.series);
        all.times.extend_from_slice(&batch.times);
        all.values.extend_from_slice(&batch.values);
    }
    if is_strictly_sorted(&all) {
        return all;
    }
    sorted(&all)
}

/// Cuts a sorted batch into blocks.
pub(super) fn blocks(batch: &Batch) -> Vec<NewBlock> {
    let mut blocks = Vec::with_capacity(batch.len().div_ceil(BLOCK_SAMPLES));
    let mut start = 0;
    while start < batch.len() {
        let end = (start + BLOCK_SAMPLES).min(batch.len());
        let samples = Samples {
            series: &batch.series[start..end],
            times: &batch.times[start..end],
            values: &batch.values[start..end],
        };
        blocks.push(new_block(blocks.len() as i16, samples));
        start = end;
    }
    blocks
}

fn new_block(part: i16, samples: Samples<'_>) -> NewBlock {
    let mut block = Vec::with_capacity(samples.series.len() * 3 + 64);
    block::encode(samples, &mut block);
    let (time_min, time_max) =
        samples.times.iter().fold((i64::MAX, i64::MIN), |(least, most), time| (least.min(time.0), most.max(time.0)));
    NewBlock {
        part,
        series_min: samples.series.first().copied().unwrap_or_default(),
        series_max: samples.series.last().copied().unwrap_or_default(),
        time_min: Micros(time_min),
        time_max: Micros(time_max),
        samples: samples.series.len() as i32,
        block,
    }
}

fn is_strictly_sorted(batch: &Batch) -> bool {
    let later = |place: usize| {
        let (before, after) = (place, place + 1);
        (batch.series[before], batch.times[before]) < (batch.series[after], batch.times[after])
    };
    (0..batch.len().saturating_sub(1)).all(later)
}

/// Sorts by series first, with the place of arrival in the low half of the key: integers sort several times faster
/// than triples, and most series then have their few samples in order of time already.
fn sorted(all: &Batch) -> Batch {
    let key = |(place, series): (usize, &SeriesId)| u64::from(series.0) << 32 | place as u64;
    let mut keys: Vec<u64> = all.series.iter().enumerate().map(key).collect();
    // The stable sort of the standard library merges what is in order already, and agents send their series in one order.
    keys.sort();
    let batch = in_order_of(&keys, all);
    if is_strictly_sorted(&batch) { batch } else { sorted_by_time(keys, all) }
}

/// The place of arrival.
fn place(key: u64) -> usize {
    (key & 0xffff_ffff) as usize
}

fn in_order_of(keys: &[u64], all: &Batch) -> Batch {
    Batch {
        series: keys.iter().map(|key| SeriesId((key >> 32) as u32)).collect(),
        times: keys.iter().map(|key| all.times[place(*key)]).collect(),
        values: keys.iter().map(|key| all.values[place(*key)]).collect(),
    }
}

fn sorted_by_time(mut keys: Vec<u64>, all: &Batch) -> Batch {
    let mut batch = Batch::with_capacity(all.len());
    for of_one_series in keys.chunk_by_mut(|left, right| left >> 32 == right >> 32) {
        let time = |key: &u64| all.times[place(*key)];
        if !of_one_series.is_sorted_by_key(time) {
            // Stable, so that of two samples with the same time the later one stays the later one.
            of_one_series.sort_by_key(time);
        }
        for key in of_one_series {
            let place = place(*key);
            push_or_replace(&mut batch, all.series[place], all.times[place], all.values[place]);
        }
    }
    batch
}

fn push_or_replace(batch: &mut Batch, series: SeriesId, time: Micros, value: f64) {
    if batch.series.last() == Some(&series) && batch.times.last() == Some(&time) {
        batch.values.pop();
        batch.values.push(value);
    } else {
        batch.push(series, time, value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn batch_of(samples: &[(u32, i64, i32)]) -> Batch {
        let mut batch = Batch::default();
        for (series, time, value) in samples {
            batch.push(SeriesId(*series), Micros(*time), f64::from(*value));
        }
        batch
    }

    proptest! {
        #[test]
        fn a_flush_is_what_a_sorted_map_would_hold(
            batches in prop::collection::vec(prop::collection::vec((0_u32..8, 0_i64..6, any::<i32>()), 0..30), 0..6),
        ) {
            let mut model = BTreeMap::new();
            for (series, time, value) in batches.iter().flatten() {
                model.insert((*series, *time), *value);
            }
            let merged = merge(batches.iter().map(|batch| batch_of(batch)).collect());
            let expected: Vec<_> = model.into_iter().map(|((series, time), value)| (series, time, value)).collect();
            prop_assert_eq!(merged, batch_of(&expected));
        }
    }

    #[test]
    fn blocks_cover_a_flush_in_order_and_say_what_is_in_them() {
        let samples: Vec<_> =
            (0..BLOCK_SAMPLES as u32 + 10).map(|series| (series, 1000 - i64::from(series), 1)).collect();
        let blocks = blocks(&batch_of(&samples));
        let parts: Vec<_> = blocks.iter().map(|block| (block.part, block.samples)).collect();
        assert_eq!(parts, [(0, BLOCK_SAMPLES as i32), (1, 10)]);
        let last = &blocks[1];
        assert_eq!((last.series_min.0, last.series_max.0), (BLOCK_SAMPLES as u32, BLOCK_SAMPLES as u32 + 9));
        assert!(last.time_min < last.time_max, "times run against the series here");
        let mut decoded = Batch::default();
        for block in &blocks {
            block::decode(&block.block, &mut decoded).unwrap();
        }
        assert_eq!(decoded, batch_of(&samples));
    }
}
