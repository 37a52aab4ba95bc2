//! Rows of samples: all come back, damaged ones are refused or make sense, and ordinary ones are small.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn round_trip(samples: &BTreeMap<i64, f64>) -> SamplesRow {
    let times: Vec<Micros> = samples.keys().map(|time| Micros(*time)).collect();
    let values: Vec<f64> = samples.values().copied().collect();
    let row = encode(&times, &values);
    let (mut times_back, mut values_back) = (Vec::new(), Vec::new());
    decode(&row, &mut times_back, &mut values_back).unwrap();
    assert_eq!(times_back, times);
    assert_eq!(bits(&values_back), bits(&values));
    row
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// A row may hold anything: it is refused and leaves nothing behind, or it makes sense.
fn check_any(row: &SamplesRow) {
    let (mut times, mut values) = (vec![Micros(7)], vec![-0.0]);
    if decode(row, &mut times, &mut values).is_err() {
        assert_eq!((times, bits(&values)), (vec![Micros(7)], bits(&[-0.0])));
        return;
    }
    let (times, values) = (&times[1..], &values[1..]);
    assert!((1..=ROW_SAMPLES_MAX).contains(&times.len()));
    assert_eq!((times.len(), values.len()), (row.count as usize, row.count as usize));
    assert!(times.is_sorted_by(|left, right| left < right));
    round_trip(&times.iter().map(|time| time.0).zip(values.iter().copied()).collect());
}

/// Bytes as rows have them, and others.
fn any_row() -> impl Strategy<Value = SamplesRow> {
    let head = (0..4_u8, prop_oneof![0..14_u8, 15..17_u8, Just(31), any::<u8>()]);
    // Units, bases and widths are small numbers, so that many rows make sense.
    let small = vec(prop_oneof![4 => 0..9_u8, 1 => 0x80..0x89_u8, 1 => any::<u8>()], 0..9);
    let count = prop_oneof![4 => 1..20_i16, 1 => any::<i16>()];
    (head, small, vec(any::<u8>(), 0..300), count, any::<i64>()).prop_map(|(head, small, rest, count, start)| {
        let packed = [vec![head.0 << VALUES_BITS | head.1 & 0x1f], small, rest].concat();
        SamplesRow { start: Micros(start), count, seconds: 0, packed }
    })
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (-100_000..100_000_i32).prop_map(|hundredths| f64::from(hundredths) / 100.0),
        any::<i32>().prop_map(f64::from),
    ]
}

/// What agents send: times that are a bit early or late, values with two decimals.
fn ordinary() -> impl Strategy<Value = BTreeMap<i64, f64>> {
    let step =
        prop_oneof![20 => (9_000..11_000_i64, -500..500_i32), 1 => (10_000..90_000_i64, -9_000_000..9_000_000_i32)];
    (vec(step, 1..300), 0..2_000_000_000_000_000_i64).prop_map(|(steps, start)| {
        let (mut time, mut hundredths) = (start, 5_000);
        let samples = steps.into_iter().map(|(millis, step)| {
            time += millis * 1000;
            hundredths += step;
            (time, f64::from(hundredths) / 100.0)
        });
        samples.collect()
    })
}

/// Uniform in `[0, 1)`, the same at every run.
fn random() -> impl FnMut() -> f64 {
    let mut state = 7_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Evenly spaced, each value `decimals` digits behind the point, walking by a normal distribution of deviation 1.
fn walk(count: usize, decimals: i32) -> BTreeMap<i64, f64> {
    let (mut uniform, mut value, unit) = (random(), 500.0, 10_f64.powi(decimals));
    let sample = |place: usize| {
        value += (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        (place as i64 * 10_000_000, f64::round(value * unit) / unit)
    };
    (0..count).map(sample).collect()
}

fn bytes_a_sample(row: &SamplesRow) -> f64 {
    row.packed.len() as f64 / f64::from(row.count)
}

#[test]
fn an_hour_of_one_value_takes_a_few_bytes_and_a_gap_or_an_outlier_only_some_more() {
    let even: BTreeMap<i64, f64> = (0..360).map(|place| (place * 10_000_000, 1.5)).collect();
    let row = round_trip(&even);
    assert_eq!((row.seconds, row.packed.len()), (3_590, 4));
    let mut with_gap: BTreeMap<i64, f64> = even
        .into_iter()
        .map(|(time, value)| (if time > 1_000_000_000 { time + 7_000_000 } else { time }, value))
        .collect();
    assert!(round_trip(&with_gap).packed.len() <= 15);
    with_gap.insert(5_000_000, 123_456.75);
    assert!(round_trip(&with_gap).packed.len() <= 35);
}

#[test]
fn the_last_sample_is_told_to_the_second_after_it() {
    let seconds =
        |micros: i64| round_trip(&[(1_700_000_000_000_007, 1.0), (1_700_000_000_000_007 + micros, 1.0)].into()).seconds;
    assert_eq!([1, 1_000_000, 1_000_001, 3_599_999_999, i64::MAX / 2].map(seconds), [1, 1, 2, 3_600, i16::MAX]);
    assert_eq!(round_trip(&[(7, 1.0)].into()).seconds, 0);
}

#[test]
fn a_counter_is_kept_as_steps_and_a_reset_widens_none() {
    let mut counter: BTreeMap<i64, f64> = (0..100).map(|place| (place, (place * 1000 + place % 3) as f64)).collect();
    let bytes = round_trip(&counter).packed.len();
    assert!(bytes <= 99 * 2 / 8 + 12, "{bytes} bytes");
    counter.extend((100..200).map(|place| (place, (place * 1000 + place % 3 - 90_000) as f64)));
    let bytes = round_trip(&counter).packed.len();
    assert!(bytes <= 199 * 2 / 8 + 20, "{bytes} bytes");
}

#[test]
fn samples_that_are_late_by_milliseconds_take_the_bits_of_their_lateness() {
    let mut uniform = random();
    let late = |place: i64| (place * 10_000_000 + (uniform() * 4.0) as i64 * 1_000, 1.0);
    let row = round_trip(&(0..360).map(late).collect());
    assert!(row.packed.len() <= 360 * 2 / 8 + 10, "{} bytes", row.packed.len());
}

#[test]
fn an_hour_of_a_walking_gauge_with_two_decimals_takes_at_most_1_25_bytes_a_sample() {
    let row = round_trip(&walk(360, 2));
    assert!(bytes_a_sample(&row) <= 1.25, "{}", bytes_a_sample(&row));
}

#[test]
fn floats_with_all_digits_take_less_than_they_are() {
    let mut uniform = random();
    let row = round_trip(&(0..360).map(|place| (place * 10_000_000, 20.0 + 60.0 * uniform())).collect());
    assert!(bytes_a_sample(&row) <= 6.95, "{}", bytes_a_sample(&row));
}

#[test]
fn the_ends_of_time_and_every_sort_of_float_come_back() {
    let odd = [f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_0000_0000_0001), -0.0, f64::INFINITY, 5e-324, f64::MAX];
    for value in odd {
        round_trip(&[(i64::MIN, value), (i64::MAX, 1.5)].into());
        round_trip(&[(i64::MIN, 1.5), (0, 1.25), (i64::MAX, value)].into());
    }
    round_trip(&odd.into_iter().cycle().take(100).enumerate().map(|(place, value)| (place as i64, value)).collect());
    let largest = ((1_u64 << 51) - 1) as f64;
    round_trip(&[(i64::MIN, -largest), (i64::MIN + 1, largest), (i64::MAX, -largest - 1.0)].into());
}

#[test]
fn the_longest_row_comes_back_and_a_longer_one_is_refused() {
    let mut row = round_trip(&walk(ROW_SAMPLES_MAX, 2));
    round_trip(&walk(ROW_SAMPLES_MAX, 15));
    row.count += 1;
    assert_eq!(decode(&row, &mut Vec::new(), &mut Vec::new()), Err(RowError("count")));
}

#[test]
fn a_row_that_is_cut_short_or_goes_on_is_refused() {
    for mut row in [round_trip(&walk(360, 2)), round_trip(&walk(20, 15)), round_trip(&walk(1, 0))] {
        row.packed.push(0);
        assert_eq!(decode(&row, &mut Vec::new(), &mut Vec::new()), Err(RowError("length")));
        row.packed.pop();
        while row.packed.pop().is_some() {
            assert!(decode(&row, &mut Vec::new(), &mut Vec::new()).is_err());
        }
    }
}

proptest! {
    #[test]
    fn every_row_comes_back_bit_for_bit(samples in prop::collection::btree_map(any::<i64>(), value(), 1..300)) {
        check_any(&round_trip(&samples));
    }

    #[test]
    fn ordinary_rows_come_back(samples in ordinary()) {
        check_any(&round_trip(&samples));
    }

    #[test]
    fn any_floats_and_times_come_back(samples in prop::collection::btree_map(any::<i64>(), any::<u64>(), 1..50)) {
        round_trip(&samples.into_iter().map(|(time, bits)| (time, f64::from_bits(bits))).collect());
    }

    #[test]
    fn floats_of_a_narrow_range_come_back(values in vec((0.0..1e-3_f64, any::<bool>()), 1..300), far in any::<u64>()) {
        let value = |(value, is_negative): (f64, bool)| if is_negative { -1.0 - value } else { 1.0 + value };
        let mut samples: BTreeMap<i64, f64> = values.into_iter().enumerate().map(|(place, one)| (place as i64, value(one))).collect();
        samples.insert(150, f64::from_bits(far));
        round_trip(&samples);
    }

    #[test]
    fn any_bytes_are_refused_or_make_sense(row in any_row()) {
        check_any(&row);
    }

    #[test]
    fn a_damaged_row_is_refused_or_makes_sense(
        samples in ordinary(), places in vec((any::<prop::sample::Index>(), 1_u8..), 1..3), count in prop::option::of(any::<i16>()),
    ) {
        let mut row = round_trip(&samples);
        for (place, flip) in places {
            let place = place.index(row.packed.len());
            row.packed[place] ^= flip;
        }
        row.count = count.unwrap_or(row.count);
        check_any(&row);
    }
}
