//! Whatever comes in whatever order, the rows are those of a sorted map.

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::*;

/// The stored rows of one hour.
#[derive(Default)]
struct Hour {
    rows: BTreeMap<Micros, SamplesRow>,
}

impl Hour {
    /// Merges as a job does. Answers how many rows were written.
    fn merge(&mut self, new: &Samples) -> usize {
        let heads: Vec<Head> =
            self.rows.values().map(|row| Head { start: row.start, count: row.count as usize }).collect();
        let read =
            touched(&heads, &new.times).into_iter().map(|place| (place, samples(&self.rows[&heads[place].start])));
        let merged = merge(&heads, &read.collect(), new);
        for start in &merged.replaced {
            assert!(self.rows.remove(start).is_some(), "only what is there is replaced");
        }
        let written = merged.rows.len();
        for row in merged.rows {
            assert!(self.rows.insert(row.start, row).is_none(), "no row is written over one that stays");
        }
        written
    }

    fn check(&self, model: &BTreeMap<i64, f64>) {
        let mut all = Samples::default();
        self.rows.values().for_each(|row| all.add(row).unwrap());
        assert!(all.times.is_sorted_by(|left, right| left < right), "rows do not overlap");
        let times: Vec<i64> = all.times.iter().map(|time| time.0).collect();
        assert_eq!(times, model.keys().copied().collect::<Vec<_>>());
        let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(all.values), bits(model.values().copied().collect()));
        let counts: Vec<usize> = self.rows.values().map(|row| row.count as usize).collect();
        assert!(counts.windows(2).all(|pair| pair[0].max(pair[1]) >= SHORT), "{counts:?}");
        assert!(counts.iter().all(|count| *count <= ROW_SAMPLES_MAX));
    }
}

fn samples(row: &SamplesRow) -> Samples {
    let mut samples = Samples::default();
    samples.add(row).unwrap();
    samples
}

/// Every `step`-th time of a stretch, so that a few numbers make thousands of samples.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: i64,
    step: i64,
    count: i64,
    value: f64,
}

impl Run {
    fn samples(self) -> impl Iterator<Item = (i64, f64)> {
        (0..self.count).map(move |place| (self.start + place * self.step, self.value + (place % 7) as f64))
    }
}

fn run() -> impl Strategy<Value = Run> {
    let count = prop_oneof![4 => 1_i64..4, 2 => 1_i64..600, 1 => 3_000_i64..9_000];
    (0_i64..20_000, 1_i64..5, count, -100_i32..100).prop_map(|(start, step, count, tenths)| Run {
        start,
        step,
        count,
        value: f64::from(tenths) / 10.0,
    })
}

proptest! {
    #![proptest_config(Config::with_cases(96))]

    #[test]
    fn rows_hold_what_a_sorted_map_holds_and_never_overlap(arrivals in prop::collection::vec(prop::collection::vec(run(), 1..4), 1..12)) {
        let (mut hour, mut model) = (Hour::default(), BTreeMap::new());
        for runs in arrivals {
            let mut new = Samples::default();
            for (time, value) in runs.into_iter().flat_map(Run::samples) {
                new.times.push(Micros(time));
                new.values.push(value);
                model.insert(time, value);
            }
            new.put_in_order();
            hour.merge(&new);
            hour.check(&model);
        }
    }

    #[test]
    fn what_was_added_last_stays(times in prop::collection::vec(0_i64..30, 0..60)) {
        let mut samples = Samples { times: times.iter().copied().map(Micros).collect(), values: Vec::new() };
        samples.values = (0..times.len()).map(|place| place as f64).collect();
        let model: BTreeMap<i64, f64> = times.into_iter().zip(samples.values.clone()).collect();
        samples.put_in_order();
        let sorted: Vec<(i64, f64)> = samples.times.iter().map(|time| time.0).zip(samples.values).collect();
        prop_assert_eq!(sorted, model.into_iter().collect::<Vec<_>>());
    }
}

fn evenly(start: i64, step: i64, count: usize) -> Samples {
    let times = (0..count as i64).map(|place| Micros(start + place * step)).collect();
    Samples { times, values: vec![1.0; count] }
}

fn counts(hour: &Hour) -> Vec<i16> {
    hour.rows.values().map(|row| row.count).collect()
}

#[test]
fn a_late_sample_costs_the_row_it_belongs_to_and_no_other() {
    let mut hour = Hour::default();
    assert_eq!(hour.merge(&evenly(0, 10, 3 * ROW_SAMPLES_MAX)), 3);
    let in_the_second = evenly(10 * ROW_SAMPLES_MAX as i64 + 5, 10, 1);
    assert_eq!(hour.merge(&in_the_second), 2, "it was full, so it is cut into two halves");
    assert_eq!(counts(&hour), [4096, 2049, 2048, 4096]);
    assert_eq!(hour.merge(&evenly(10 * ROW_SAMPLES_MAX as i64 + 15, 10, 1)), 1, "now there is room");
}

#[test]
fn what_comes_bit_by_bit_fills_a_row_instead_of_making_many() {
    let mut hour = Hour::default();
    for place in 0..3_000 {
        assert_eq!(hour.merge(&evenly(place * 10, 10, 1)), 1);
    }
    assert_eq!(counts(&hour), [2048, 952]);
    for place in 1..1_000 {
        hour.merge(&evenly(-place * 10, 10, 1));
    }
    assert_eq!(counts(&hour), [999, 2048, 952], "backwards too, and the row that is half full is left alone");
}
