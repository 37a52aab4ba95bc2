//! The functions under the views, one by one.

use millrace::codec::bit_string::BitString;
use millrace::codec::rollup_row;
use millrace::model::{Micros, Resolution};
use millrace::rollup;
use millrace::store::Timestamp;
use millrace::store::levels::samples;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{MINUTE, database, stored};

const START: i64 = 1_763_632_800_000_000;

/// Values as they meet in a bucket: short decimals of all sizes, sums of which are exact or just not, zeros of both
/// signs, and what is no short decimal.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let decimal = (-(1_i64 << 52)..1 << 52, 0..54_u32, 0..14_i32)
        .prop_map(|(integer, shift, exponent)| (integer >> shift) as f64 / 10_f64.powi(exponent));
    let zeros = prop::sample::select(vec![0.0, -0.0, -1.5, 2.25]);
    let odd = prop::sample::select(vec![0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 5e-324, 1e290]);
    let large = ((1_i64 << 51) - 100..(1 << 51) + 100, any::<bool>())
        .prop_map(|(integer, is_negative)| if is_negative { -integer as f64 } else { integer as f64 });
    let any_bits = any::<u64>().prop_map(f64::from_bits).prop_filter("NaN is left out", |value| !value.is_nan());
    let some = 1..12_usize;
    prop_oneof![
        3 => prop::collection::vec(decimal.clone(), some.clone()),
        1 => prop::collection::vec(zeros, some.clone()),
        1 => prop::collection::vec(prop_oneof![odd, decimal.clone()], some.clone()),
        1 => prop::collection::vec(prop_oneof![large, decimal], some.clone()),
        1 => prop::collection::vec(any_bits, some),
    ]
}

#[test]
fn a_bucket_is_the_program_s_own_bit_for_bit() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_test, database) = runtime.block_on(database(&[], 0));
    let client = runtime.block_on(database.client()).unwrap();
    let rolled = "SELECT count, sum, min, max, first, last, increase FROM roll_up($1)";
    let mut runner = TestRunner::new(Config { max_shrink_iters: 500, ..Config::with_cases(1_000) });
    let outcome = runner.run(&values(), |values| {
        let row = runtime.block_on(client.query_one(rolled, &[&values])).unwrap();
        let expected = rollup::bucket(Micros(0), &values).unwrap();
        let numbers = [expected.sum, expected.min, expected.max, expected.first, expected.last, expected.increase];
        // Infinity less infinity is NaN, and which one is left to the processor.
        let bits = |value: f64| if value.is_nan() { u64::MAX } else { value.to_bits() };
        prop_assert_eq!(row.get::<_, i64>(0) as u64, expected.count);
        let found: [f64; 6] = std::array::from_fn(|place| row.get(1 + place));
        prop_assert_eq!(found.map(bits), numbers.map(bits), "{:?}, not {:?}", found, numbers);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[tokio::test]
async fn the_largest_row_there_may_be_comes_out_sample_by_sample() {
    let (_test, database) = database(&[Micros(START)], 1).await;
    let mut client = database.client().await.unwrap();
    let noise = |place: i64| (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    let sent: Vec<(i64, f64)> = (0..millrace::codec::samples_row::ROW_SAMPLES_MAX as i64)
        .map(|place| (START + place * 800_000 + (noise(place) % 500_000) as i64, noise(place + 1) as f64))
        .collect();
    let row = stored(1, &sent);
    assert!(row.row.packed.len() > 20_000, "it is stored apart");
    let transaction = client.transaction().await.unwrap();
    samples::append(&transaction, &[row]).await.unwrap();
    let rows = transaction.query(r#"SELECT "timestamp", value FROM metrics ORDER BY 1"#, &[]).await.unwrap();
    let shown: Vec<(i64, f64)> = rows.iter().map(|row| (row.get::<_, Timestamp>(0).0.0, row.get(1))).collect();
    assert_eq!(shown, sent);
}

/// Rows of every kind: even, uneven and late times with and without gaps; decimals, counters and floats with and without
/// outliers and ends.
fn row() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let late = prop_oneof![Just(0..1_i64), Just(0..4_000_000), Just(-900_000..900_000)];
    let unit = prop::sample::select(vec![1_i64, 1_000, 500_000, 1_000_000]);
    let gaps = prop::collection::vec((any::<prop::sample::Index>(), 1..900_i64), 0..3);
    let times = (late, unit, gaps, 1..60_usize, any::<u64>()).prop_map(|(late, unit, gaps, count, seed)| {
        let late_by =
            |place: u64| late.start + (seed.rotate_left(place as u32 * 7) % (late.end - late.start) as u64) as i64;
        let mut times: Vec<i64> =
            (0..count as u64).map(|place| START + place as i64 * 10_000_000 + late_by(place) / unit * unit).collect();
        for (place, seconds) in gaps {
            let place = place.index(count);
            times[place..].iter_mut().for_each(|time| *time += seconds * 1_000_000);
        }
        times
    });
    let decimal = |range: std::ops::Range<i32>| range.prop_map(|hundredths| f64::from(hundredths) / 100.0).boxed();
    let float = (0.0..1.0_f64).prop_map(|value| 20.0 + value * 60.0).boxed();
    let any_bits = any::<u64>().prop_map(f64::from_bits).boxed();
    let odd = prop::sample::select(vec![
        0.0,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        f64::MAX,
        f64::MIN,
        5e-324,
        -5e-324,
        f64::MIN_POSITIVE,
    ]);
    let value =
        prop::sample::select(vec![decimal(0..500), decimal(-9_000_000..9_000_000), float, any_bits, odd.boxed()]);
    let values = value.prop_flat_map(|value| prop::collection::vec(value, 60));
    let outliers = prop::collection::vec(
        (0..60_usize, prop_oneof![decimal(i32::MIN..i32::MAX), any::<u64>().prop_map(f64::from_bits)]),
        0..3,
    );
    (times, values, outliers, any::<bool>()).prop_map(|(times, mut values, outliers, is_sum)| {
        if is_sum {
            let mut sum = 0.0;
            values.iter_mut().for_each(|value| {
                sum += *value;
                *value = sum;
            });
        }
        outliers.into_iter().for_each(|(place, value)| values[place] = value);
        times.into_iter().zip(values).collect()
    })
}

#[test]
fn a_row_of_any_kind_is_unpacked_to_what_was_packed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_test, database) = runtime.block_on(database(&[], 0));
    let client = runtime.block_on(database.client()).unwrap();
    let unpacked = r#"SELECT "time", value FROM unpack_samples($1, $2, $3)"#;
    let mut runner = TestRunner::new(Config { max_shrink_iters: 500, ..Config::with_cases(1_500) });
    let outcome = runner.run(&row(), |samples| {
        let row = stored(1, &samples).row;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&Timestamp(row.start), &i32::from(row.count), &row.packed];
        let rows = runtime.block_on(client.query(unpacked, &parameters)).unwrap();
        let bits = |value: f64| if value.is_nan() { u64::MAX } else { value.to_bits() };
        let found: Vec<(i64, u64)> =
            rows.iter().map(|row| (row.get::<_, Timestamp>(0).0.0, bits(row.get(1)))).collect();
        let sent: Vec<(i64, u64)> = samples.iter().map(|(time, value)| (*time, bits(*value))).collect();
        prop_assert_eq!(found, sent);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// The same numbers stand in `sql/README.md`, where another test runs the statements that unpack them.
#[test]
fn the_rows_that_the_description_takes_apart_are_how_they_are_packed() {
    let samples = [(0, 45.2), (10_000_000, 45.25), (20_500_000, 45.3), (30_000_000, 44.0)];
    let row = stored(1, &samples.map(|(time, value)| (START + time, value))).row;
    assert_eq!(hex(&row.packed), "22d10f02266008e044787d8200");
    assert_eq!((row.count, row.seconds), (4, 30));

    let buckets =
        [rollup::bucket(Micros(START), &[45.0, 45.1, 45.2]), rollup::bucket(Micros(START + 2 * MINUTE), &[45.3, 45.4])];
    let row = rollup_row::encode(&buckets.map(Option::unwrap), Resolution::Minute);
    assert_eq!(digits(&row.buckets), format!("101{}", "0".repeat(57)));
    assert_eq!((row.count_base, row.value_scale, row.value_base, row.increase_base), (2, 1, 450, 1));
    assert_eq!(digits(&row.counts), "10");
    assert_eq!(row.values.each_ref().map(digits), ["011111", "0011", "010100", "0011", "010100", "10"]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digits(bits: &BitString) -> String {
    (0..bits.len as usize)
        .map(|place| if bits.bytes[place / 8] & (0x80 >> (place % 8)) == 0 { '0' } else { '1' })
        .collect()
}
