//! What comes out of passes is what a sorted map would hold, however small a pass is.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Model = BTreeMap<(u32, i64), u64>;

fn batch_of(samples: &[(u32, i64, f64)]) -> Batch {
    let mut batch = Batch::default();
    for (series, time, value) in samples {
        batch.push(SeriesId(*series), Micros(*time), *value);
    }
    batch
}

/// Gathers everything in passes, as a fold does.
fn passes(batches: &[Batch], samples_max: usize) -> Vec<StoredSamples> {
    let (mut all, mut from) = (Vec::new(), Some(FIRST));
    while let Some(place) = from {
        let mut gathered = Gathered::new(place, last_of(SeriesId(u32::MAX)), samples_max);
        for batch in batches {
            gathered.add(batch);
            assert!(gathered.series.len() <= samples_max.max(2), "bounded, whatever comes");
        }
        from = after(gathered.to());
        let mut rows = gathered.into_rows();
        loop {
            let some = rows.next(3, 10);
            if some.is_empty() {
                break;
            }
            assert!(some.len() <= 3);
            all.extend(some);
        }
    }
    all
}

fn model_of(rows: &[StoredSamples]) -> Model {
    let mut model = Model::new();
    for stored in rows {
        let (mut times, mut values) = (Vec::new(), Vec::new());
        samples_row::decode(&stored.row, &mut times, &mut values).unwrap();
        let windows = times.iter().map(|time| time.0.div_euclid(WINDOW_MICROS));
        assert_eq!(windows.clone().min(), windows.max(), "a row lies within an hour");
        for (time, value) in times.iter().zip(values) {
            let before = model.insert((stored.series.0, time.0), value.to_bits());
            assert_eq!(before, None, "each place once");
        }
    }
    model
}

fn sample() -> impl Strategy<Value = (u32, i64, f64)> {
    let time = prop_oneof![
        (-5..5_i64).prop_map(|minute| minute * 1_200_000_000),
        Just(i64::MIN),
        Just(i64::MAX),
        any::<i64>(),
    ];
    (prop_oneof![9 => 0..5_u32, 1 => Just(u32::MAX)], time, any::<u64>().prop_map(f64::from_bits))
}

proptest! {
    #[test]
    fn rows_of_all_passes_are_what_a_sorted_map_would_hold(
        batches in prop::collection::vec(prop::collection::vec(sample(), 0..40), 0..6), samples_max in 1_usize..60,
    ) {
        let mut expected = Model::new();
        for (series, time, value) in batches.iter().flatten() {
            expected.insert((*series, *time), value.to_bits());
        }
        let batches: Vec<Batch> = batches.iter().map(|batch| batch_of(batch)).collect();
        let rows = passes(&batches, samples_max);
        prop_assert_eq!(model_of(&rows), expected);
        prop_assert!(rows.is_sorted_by_key(|stored| (stored.series, stored.row.start)));
    }
}

#[test]
fn a_row_ends_with_its_hour_or_when_it_is_full() {
    let count = ROW_SAMPLES_MAX as i64 + 10;
    let samples: Vec<_> = (0..count).map(|place| (1, WINDOW_MICROS - count + 4 + place, 1.0)).collect();
    let rows = passes(&[batch_of(&samples)], 10_000);
    let counts: Vec<i16> = rows.iter().map(|stored| stored.row.count).collect();
    assert_eq!(counts, [ROW_SAMPLES_MAX as i16, 6, 4]);
}
