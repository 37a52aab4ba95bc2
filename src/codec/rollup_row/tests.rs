//! Rows of buckets: all come back, and damaged ones are refused or make sense.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        1 => any::<u64>().prop_map(f64::from_bits),
        20 => (-100_000..100_000_i32).prop_map(|hundredths| f64::from(hundredths) / 100.0),
    ]
}

fn bucket() -> impl Strategy<Value = Bucket> {
    let count = prop_oneof![1 => 1..=u64::MAX, 20 => 1_u64..100];
    (count, prop::array::uniform6(value())).prop_map(|(count, values)| {
        let mut bucket = Bucket { count, ..Bucket::default() };
        set_values(&mut bucket, values);
        bucket
    })
}

fn resolution() -> impl Strategy<Value = Resolution> {
    prop_oneof![Just(Resolution::Minute), Just(Resolution::Hour)]
}

/// Buckets of one row.
fn buckets() -> impl Strategy<Value = (Resolution, Vec<Bucket>)> {
    (resolution(), btree_map(0_i64..60, bucket(), 1..30), -1000_i64..30_000).prop_map(|(resolution, buckets, days)| {
        let start = |place: i64| Micros(days * 86_400_000_000 + place * resolution.micros());
        let fit = buckets.into_iter().filter(|(place, _)| *place < resolution.row_buckets() as i64);
        let mut buckets: Vec<Bucket> = fit.map(|(place, bucket)| Bucket { start: start(place), ..bucket }).collect();
        if buckets.is_empty() {
            buckets.push(Bucket { start: start(0), count: 1, ..Bucket::default() });
        }
        (resolution, buckets)
    })
}

fn bits(buckets: &[Bucket]) -> Vec<(Micros, u64, [u64; VALUES])> {
    buckets.iter().map(|bucket| (bucket.start, bucket.count, values(bucket).map(f64::to_bits))).collect()
}

fn round_trip(buckets: &[Bucket], resolution: Resolution) -> RollupRow {
    let row = encode(buckets, resolution);
    let mut back = Vec::new();
    assert_eq!(decode(&row, resolution, &mut back), Ok(()));
    assert_eq!(bits(&back), bits(buckets));
    row
}

/// A row may hold anything: it is refused and leaves nothing behind, or it makes sense.
fn check_any(row: &RollupRow, resolution: Resolution) {
    let mut buckets = vec![Bucket { count: 7, ..Bucket::default() }];
    if decode(row, resolution, &mut buckets).is_err() {
        assert_eq!(buckets, [Bucket { count: 7, ..Bucket::default() }]);
        return;
    }
    let buckets = &buckets[1..];
    assert!((1..=resolution.row_buckets()).contains(&buckets.len()));
    assert!(buckets.iter().all(|bucket| bucket.count > 0 && bucket.start.0 % resolution.micros() == 0));
    assert!(buckets.windows(2).all(|pair| pair[0].start < pair[1].start));
    round_trip(buckets, resolution);
}

/// One column is changed.
fn damage(row: &mut RollupRow, column: u8, to: u64) {
    match column {
        0 => row.start = Micros(to as i64),
        1 => row.count_base = to as i32,
        2 => row.value_scale = to as i16 % 20,
        3 => row.value_base = to as i64,
        4 => row.increase_base = to as i64,
        5 => row.floats.resize(to as usize % 400, 0.5),
        _ => {
            let packed = match column {
                6 => &mut row.buckets,
                7 => &mut row.counts,
                _ => &mut row.values[usize::from(column) % VALUES],
            };
            match to % 3 {
                0 => packed.len = to as u32 % 4_000,
                1 => packed.bytes.resize(to as usize % 500, 0xa5),
                _ if packed.bytes.is_empty() => packed.bytes.push(to as u8),
                _ => {
                    let place = to as usize % packed.bytes.len();
                    packed.bytes[place] ^= (to >> 32) as u8 | 1;
                }
            }
        }
    }
}

fn any_bit_string() -> impl Strategy<Value = BitString> {
    let other = (vec(any::<u8>(), 0..40), any::<u32>()).prop_map(|(bytes, len)| BitString { bytes, len });
    let fitting = vec(any::<u8>(), 0..40).prop_map(|bytes| BitString { len: bytes.len() as u32 * 8, bytes });
    prop_oneof![Just(BitString::default()), fitting, other]
}

fn any_row() -> impl Strategy<Value = RollupRow> {
    let of_hours = vec(any::<u8>(), 3).prop_map(|bytes| BitString { bytes, len: 24 });
    let of_minutes = vec(any::<u8>(), 8).prop_map(|bytes| BitString { bytes, len: 60 });
    let present = prop_oneof![of_hours, of_minutes, any_bit_string()];
    let floats = prop_oneof![2 => Just(Vec::new()), 1 => vec(any::<f64>(), 0..100)];
    let numbers = (-1_000..1_000_i64, -3..30_i32, -3..16_i16, any::<i64>(), any::<i64>());
    (numbers, present, any_bit_string(), prop::array::uniform6(any_bit_string()), floats).prop_map(
        |((days, count_base, value_scale, value_base, increase_base), buckets, counts, values, floats)| {
            let start = Micros(days * 86_400_000_000);
            RollupRow { start, count_base, value_scale, value_base, increase_base, buckets, counts, values, floats }
        },
    )
}

#[test]
fn a_row_without_samples_is_refused() {
    let bucket = Bucket { count: 1, ..Bucket::default() };
    let mut row = encode(&[bucket], Resolution::Minute);
    row.count_base = 0;
    assert_eq!(decode(&row, Resolution::Minute, &mut Vec::new()), Err(RowError("rollup values")));
    let mut row = encode(&[bucket], Resolution::Minute);
    row.buckets.bytes.fill(0);
    assert_eq!(decode(&row, Resolution::Minute, &mut Vec::new()), Err(RowError("rollup values")));
}

proptest! {
    #[test]
    fn every_row_comes_back_bit_for_bit((resolution, buckets) in buckets()) {
        round_trip(&buckets, resolution);
    }

    #[test]
    fn any_columns_are_refused_or_make_sense(row in any_row(), resolution in resolution()) {
        check_any(&row, resolution);
    }

    #[test]
    fn a_damaged_row_is_refused_or_makes_sense(
        (resolution, buckets) in buckets(), first in (0..14_u8, any::<u64>()), second in (0..14_u8, any::<u64>()),
    ) {
        let mut row = round_trip(&buckets, resolution);
        damage(&mut row, first.0, first.1);
        check_any(&row, resolution);
        damage(&mut row, second.0, second.1);
        check_any(&row, resolution);
    }
}
