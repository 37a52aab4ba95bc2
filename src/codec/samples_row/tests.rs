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

/// The samples of a row that can be decoded, by the formulas at the top of the module and nothing else.
fn by_the_book(row: &SamplesRow) -> (Vec<Micros>, Vec<f64>) {
    let count = row.count as usize;
    let mut times = vec![row.start];
    for offset in row.times.as_sql_reads_it(count - 1) {
        let step = row.time_step.wrapping_add((offset as i64).wrapping_mul(row.time_unit.into()));
        times.push(Micros(times[times.len() - 1].0.wrapping_add(step)));
    }
    if !row.floats.is_empty() {
        return (times, row.floats.clone());
    }
    let mut integers = Vec::new();
    if row.value_is_steps {
        integers.push(row.value_base);
        for step in row.integers.as_sql_reads_it(count - 1) {
            let before = integers[integers.len() - 1];
            integers.push(before.wrapping_add(row.value_step).wrapping_add(step as i64));
        }
    } else {
        let distances = row.integers.as_sql_reads_it(count);
        integers.extend(distances.into_iter().map(|distance| row.value_base.wrapping_add(distance as i64)));
    }
    let power: f64 = format!("1e{}", row.value_scale).parse().unwrap();
    (times, integers.into_iter().map(|integer| integer as f64 / power).collect())
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
    let expected = by_the_book(row);
    assert_eq!((times, bits(values)), (expected.0.as_slice(), bits(&expected.1)));
    round_trip(&times.iter().map(|time| time.0).zip(values.iter().copied()).collect());
}

/// One column is changed.
fn damage(row: &mut SamplesRow, column: u8, to: u64) {
    match column {
        0 => row.start = Micros(to as i64),
        1 => row.count = to as i16,
        2 => row.time_step = to as i64,
        3 => row.time_unit = to as i32,
        4 => row.value_scale = to as i16 % 20,
        5 => row.value_base = to as i64,
        6 => row.value_step = to as i64,
        7 => row.value_is_steps = !row.value_is_steps,
        8 => row.floats.resize(to as usize % 400, 0.5),
        _ => {
            let packed = if column.is_multiple_of(2) { &mut row.times } else { &mut row.integers };
            match column {
                9 | 10 => packed.len = to as u32 % 30_000,
                11 | 12 => packed.bytes.resize(to as usize % 4_000, 0xa5),
                _ if packed.bytes.is_empty() => packed.bytes.push(to as u8),
                _ => {
                    let place = to as usize % packed.bytes.len();
                    packed.bytes[place] ^= (to >> 32) as u8 | 1;
                }
            }
        }
    }
}

fn bit_string() -> impl Strategy<Value = BitString> {
    let fitting = (vec(any::<u8>(), 0..300), 0..8_u32)
        .prop_map(|(bytes, fewer)| BitString { len: (bytes.len() as u32 * 8).saturating_sub(fewer), bytes });
    let other = (vec(any::<u8>(), 0..40), any::<u32>()).prop_map(|(bytes, len)| BitString { bytes, len });
    prop_oneof![Just(BitString::default()), fitting, other]
}

fn any_row() -> impl Strategy<Value = SamplesRow> {
    let count = prop_oneof![1..20_i16, any::<i16>()];
    let floats = prop_oneof![4 => Just(Vec::new()), 1 => vec(any::<f64>(), 0..20)];
    let numbers = (any::<i64>(), -1..2_000_000_i64, -3..16_i16, any::<i64>(), any::<i64>(), any::<i32>());
    (count, numbers, any::<bool>(), floats, bit_string(), bit_string()).prop_map(
        |(
            count,
            (start, time_step, value_scale, value_base, value_step, time_unit),
            value_is_steps,
            floats,
            times,
            integers,
        )| {
            let start = Micros(start);
            SamplesRow {
                start,
                count,
                time_step,
                time_unit,
                times,
                value_scale,
                value_base,
                value_step,
                value_is_steps,
                integers,
                floats,
            }
        },
    )
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
    let steps = vec((9_000..11_000_i64, -500..500_i32), 1..300);
    (steps, 0..2_000_000_000_000_000_i64).prop_map(|(steps, start)| {
        let (mut time, mut hundredths) = (start, 5_000);
        let samples = steps.into_iter().map(|(millis, step)| {
            time += millis * 1000;
            hundredths += step;
            (time, f64::from(hundredths) / 100.0)
        });
        samples.collect()
    })
}

/// Evenly spaced, each value `decimals` digits behind the point, walking by a normal distribution of deviation 1.
fn walk(count: usize, decimals: i32) -> BTreeMap<i64, f64> {
    let (mut state, mut value, unit) = (7_u64, 500.0, 10_f64.powi(decimals));
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let sample = |place: usize| {
        value += (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        (place as i64 * 10_000_000, f64::round(value * unit) / unit)
    };
    (0..count).map(sample).collect()
}

#[test]
fn evenly_spaced_times_take_no_bits_and_a_gap_takes_one_for_each() {
    let even: BTreeMap<i64, f64> = (0..360).map(|place| (place * 10_000_000, 1.5)).collect();
    let row = round_trip(&even);
    assert_eq!((row.times.len, row.integers.len, row.time_step), (0, 0, 10_000_000));
    let with_gap: BTreeMap<i64, f64> = even
        .into_iter()
        .map(|(time, value)| (if time > 1_000_000_000 { time + 60_000_000 } else { time }, value))
        .collect();
    assert_eq!(round_trip(&with_gap).times.len, 359);
}

#[test]
fn a_counter_is_kept_as_steps() {
    let counter: BTreeMap<i64, f64> = (0..100).map(|place| (place, (place * 1000 + place % 3) as f64)).collect();
    let row = round_trip(&counter);
    assert!(row.value_is_steps && row.integers.len <= 99 * 2, "{row:?}");
}

#[test]
fn an_hour_of_a_walking_gauge_with_two_decimals_takes_at_most_1_6_bytes_a_sample() {
    let row = round_trip(&walk(360, 2));
    let bytes_a_sample = (row.times.bytes.len() + row.integers.bytes.len()) as f64 / 360.0;
    println!("{bytes_a_sample:.3} bytes a sample");
    assert!(row.floats.is_empty() && bytes_a_sample <= 1.6, "{bytes_a_sample}");
}

#[test]
fn the_ends_of_time_and_every_sort_of_float_come_back() {
    let odd = [f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_0000_0000_0001), -0.0, f64::INFINITY, 5e-324, f64::MAX];
    for value in odd {
        round_trip(&[(i64::MIN, value), (i64::MAX, 1.5)].into());
        round_trip(&[(i64::MIN, 1.5), (0, 1.25), (i64::MAX, value)].into());
    }
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

proptest! {
    #[test]
    fn every_row_comes_back_bit_for_bit(samples in prop::collection::btree_map(any::<i64>(), value(), 1..300)) {
        let row = round_trip(&samples);
        check_any(&row);
    }

    #[test]
    fn ordinary_rows_come_back(samples in ordinary()) {
        let row = round_trip(&samples);
        prop_assert!(row.floats.is_empty());
        check_any(&row);
    }

    #[test]
    fn any_floats_and_times_come_back(samples in prop::collection::btree_map(any::<i64>(), any::<u64>(), 1..20)) {
        round_trip(&samples.into_iter().map(|(time, bits)| (time, f64::from_bits(bits))).collect());
    }

    #[test]
    fn any_columns_are_refused_or_make_sense(row in any_row()) {
        check_any(&row);
    }

    #[test]
    fn a_damaged_row_is_refused_or_makes_sense(
        samples in ordinary(), first in (0..16_u8, any::<u64>()), second in (0..16_u8, any::<u64>()),
    ) {
        let mut row = round_trip(&samples);
        damage(&mut row, first.0, first.1);
        check_any(&row);
        damage(&mut row, second.0, second.1);
        check_any(&row);
    }
}
