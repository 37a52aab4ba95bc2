//! Random rows in recent, samples and the rollups, and what the views show of them, compared with sorted maps and with
//! the program's own arithmetic.

use std::collections::BTreeMap;

use millrace::codec::rollup_row;
use millrace::model::{Bucket, Micros, Resolution, SeriesId};
use millrace::rollup;
use millrace::store::levels::rollups::{self, StoredRollup};
use millrace::store::levels::samples::{self, StoredSamples};
use millrace::store::{Database, Timestamp, Transaction};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio_postgres::Row;

use super::{DAY, HOUR, database, stored};

/// A day that is closed and the day after it, which is open; a month ends between them.
const CLOSED: i64 = 1_764_460_800_000_000;
const OPEN: i64 = CLOSED + DAY;
const SERIES: u32 = 2;

/// Samples of a window, by microseconds from its beginning.
type Samples = BTreeMap<i64, f64>;

/// What is stored of one series and hour.
#[derive(Clone, Debug)]
struct Window {
    sealed: Samples,
    /// What later folds brought, in their order.
    folded: Vec<Samples>,
    /// How many samples a row has at most.
    row_samples: usize,
    /// Whether the samples were sealed long ago and only minutes are left. On the closed day alone.
    is_expired: bool,
}

/// By series and hour from the beginning of the closed day.
type Windows = BTreeMap<(u32, i64), Window>;

fn values() -> impl Strategy<Value = Vec<f64>> {
    let odd = [f64::NAN, -0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 5e-324, 1.0 / 3.0];
    let hundredths = (-100_000..100_000_i32).prop_map(|hundredths| f64::from(hundredths) / 100.0);
    let whole = (-(1_i64 << 51)..1 << 51).prop_map(|whole| whole as f64);
    let any_bits = any::<u64>().prop_map(f64::from_bits);
    let some = 1..60_usize;
    prop_oneof![
        4 => prop::collection::vec(hundredths.clone(), some.clone()),
        2 => prop::collection::vec(0..2_000_u32, some.clone()).prop_map(|steps| counter(&steps)),
        1 => prop::collection::vec(whole, some.clone()),
        1 => prop::collection::vec(any_bits, some.clone()),
        2 => prop::collection::vec(prop_oneof![20 => hundredths, 1 => prop::sample::select(odd.to_vec())], some.clone()),
        1 => prop::collection::vec(prop::sample::select(odd.to_vec()), some),
    ]
}

/// Grows by much more than its steps differ, and begins anew now and then.
fn counter(steps: &[u32]) -> Vec<f64> {
    let mut count = 5_000_000_000_000_i64;
    let next = |step: &u32| {
        count = if *step == 0 { 0 } else { count + 10_000 + i64::from(*step) };
        count as f64 / 8.0
    };
    steps.iter().map(next).collect()
}

/// Times within an hour: evenly spaced, a little off, with gaps, or anywhere.
fn samples() -> impl Strategy<Value = Samples> {
    let jitter = prop_oneof![Just(1), Just(7_000), Just(20_000_000)];
    (values(), 0..HOUR, prop_oneof![Just(1_000_000), Just(10_000_000), Just(HOUR / 70)], jitter, any::<u64>()).prop_map(
        |(values, first, step, jitter, mut seed)| {
            let mut off = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) as i64 % jitter
            };
            values.into_iter().zip(0..).map(|(value, place)| ((first + place * step + off()) % HOUR, value)).collect()
        },
    )
}

/// Some of the later samples have the times of earlier ones.
fn window() -> impl Strategy<Value = Window> {
    let folded = prop::collection::vec((samples(), 0..4_usize), 0..4);
    (prop::option::of(samples()), folded, 1..60_usize, any::<bool>()).prop_map(
        |(sealed, folded, row_samples, is_expired)| {
            let sealed = sealed.unwrap_or_default();
            let moved = |(samples, every): (Samples, usize)| match every {
                0 => samples,
                _ => sealed.keys().step_by(every).copied().zip(samples.into_values()).collect(),
            };
            let folded = folded.into_iter().map(moved).filter(|samples| !samples.is_empty()).collect();
            Window { sealed, folded, row_samples, is_expired }
        },
    )
}

fn windows() -> impl Strategy<Value = Windows> {
    let window = (1..=SERIES, prop_oneof![0..48_i64, Just(23), Just(24)], window());
    prop::collection::vec(window, 1..8).prop_map(|windows| {
        let keyed = windows.into_iter().map(|(series, hour, mut window)| {
            window.is_expired &= hour < 24;
            ((series, hour), window)
        });
        keyed.collect()
    })
}

#[test]
fn whatever_is_stored_the_views_show_it_as_the_program_would() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_test, database) = runtime.block_on(database(&[Micros(CLOSED), Micros(OPEN)], SERIES as i32));
    let mut runner = TestRunner::new(Config { max_shrink_iters: 200, ..Config::with_cases(48) });
    let outcome = runner.run(&windows(), |windows| {
        runtime.block_on(compare(&database, &windows));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Writes the windows and reads them again in a transaction that is not committed.
async fn compare(database: &Database, windows: &Windows) {
    let mut client = database.client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let odd = "SET LOCAL TIME ZONE 'Australia/Lord_Howe'; SET LOCAL extra_float_digits = 0";
    transaction.batch_execute(odd).await.unwrap();
    write(&transaction, windows).await;
    let metrics = r#"SELECT metric_name, "timestamp", value FROM "#;
    let buckets = "SELECT metric_name, bucket, count, sum, min, max, first, last, increase FROM ";
    let everything = "('-infinity', 'infinity')";
    for (view, select, row, expected) in [
        ("metrics", metrics, sample as fn(&Row) -> String, samples_of(windows)),
        ("metrics_1m", buckets, bucket, minutes_of(windows)),
        ("metrics_1h", buckets, bucket, hours_of(windows)),
    ] {
        for source in [view.to_owned(), format!("{view}_between{everything}")] {
            let rows = transaction.query(&format!("{select} {source} ORDER BY 1, 2"), &[]).await.unwrap();
            assert_eq!(rows.iter().map(row).collect::<Vec<_>>(), expected, "{source}");
        }
    }
}

async fn write(transaction: &Transaction<'_>, windows: &Windows) {
    let mut hours: BTreeMap<(u32, i64), Vec<Bucket>> = BTreeMap::new();
    for ((series, hour), window) in windows {
        let sealed = at(*hour, &window.sealed);
        let rows: Vec<StoredSamples> = sealed.chunks(window.row_samples).map(|row| stored(*series, row)).collect();
        if *hour < 24 && !sealed.is_empty() {
            hours.entry((*series, CLOSED)).or_default().extend(rolled_up(&sealed, Resolution::Hour));
        }
        let minutes = rolled_up(&sealed, Resolution::Minute);
        if !window.is_expired {
            samples::append(transaction, &rows).await.unwrap();
        } else if !minutes.is_empty() {
            append_rollup(transaction, *series, &minutes, Resolution::Minute).await;
        }
        for (fold, folded) in (1..).zip(&window.folded) {
            let row = stored(*series, &at(*hour, folded));
            samples::append_recent(transaction, (fold % 4) as i16, fold, &[row]).await.unwrap();
        }
    }
    for ((series, _), hours) in hours.iter().filter(|(_, hours)| !hours.is_empty()) {
        append_rollup(transaction, *series, hours, Resolution::Hour).await;
    }
    let close = "UPDATE progress SET up_to = $1 WHERE name = 'day'";
    transaction.execute(close, &[&Timestamp(Micros(OPEN))]).await.unwrap();
}

async fn append_rollup(transaction: &Transaction<'_>, series: u32, buckets: &[Bucket], resolution: Resolution) {
    let row = StoredRollup { series: SeriesId(series), row: rollup_row::encode(buckets, resolution) };
    rollups::append(transaction, resolution, &[row]).await.unwrap();
}

fn at(hour: i64, samples: &Samples) -> Vec<(i64, f64)> {
    samples.iter().map(|(time, value)| (CLOSED + hour * HOUR + time, *value)).collect()
}

/// What the samples of a window come to, later ones over earlier ones.
fn merged(window: &Window) -> Samples {
    let mut merged = if window.is_expired { Samples::new() } else { window.sealed.clone() };
    window.folded.iter().for_each(|folded| merged.extend(folded));
    merged
}

fn samples_of(windows: &Windows) -> Vec<String> {
    let of_window = |((series, hour), window): (&(u32, i64), &Window)| {
        let line = |(time, value): (i64, f64)| format!("m{series} {time} {:x}", bits(value));
        at(*hour, &merged(window)).into_iter().map(line).collect::<Vec<_>>()
    };
    windows.iter().flat_map(of_window).collect()
}

/// Late samples do not show in minutes of an hour that has expired.
fn minutes_of(windows: &Windows) -> Vec<String> {
    let of_window = |((series, hour), window): (&(u32, i64), &Window)| {
        let sealed = rolled_up(&at(*hour, &window.sealed), Resolution::Minute);
        let is_rolled_up = window.is_expired && !sealed.is_empty();
        let minutes = if is_rolled_up { sealed } else { rolled_up(&at(*hour, &merged(window)), Resolution::Minute) };
        minutes.iter().map(|bucket| line(*series, bucket)).collect::<Vec<_>>()
    };
    windows.iter().flat_map(of_window).collect()
}

/// Late samples do not show in hours of a closed day.
fn hours_of(windows: &Windows) -> Vec<String> {
    let of_window = |((series, hour), window): (&(u32, i64), &Window)| {
        let samples = if *hour < 24 { at(*hour, &window.sealed) } else { at(*hour, &merged(window)) };
        rolled_up(&samples, Resolution::Hour).iter().map(|bucket| line(*series, bucket)).collect::<Vec<_>>()
    };
    windows.iter().flat_map(of_window).collect()
}

fn rolled_up(samples: &[(i64, f64)], resolution: Resolution) -> Vec<Bucket> {
    let (times, values): (Vec<Micros>, Vec<f64>) = samples.iter().map(|(time, value)| (Micros(*time), *value)).unzip();
    let mut buckets = Vec::new();
    rollup::roll_up(&times, &values, resolution, &mut buckets);
    buckets
}

fn line(series: u32, bucket: &Bucket) -> String {
    let Bucket { start, count, sum, min, max, first, last, increase } = *bucket;
    let values = [sum, min, max, first, last, increase].map(bits);
    format!("m{series} {} {count} {values:x?}", start.0)
}

/// Infinity less infinity is NaN, and which one is left to the processor; so it is when SQL puts a NaN together.
fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

fn sample(row: &Row) -> String {
    let (name, time, value): (&str, Timestamp, f64) = (row.get(0), row.get(1), row.get(2));
    format!("{name} {} {:x}", time.0.0, bits(value))
}

fn bucket(row: &Row) -> String {
    let (name, start, count): (&str, Timestamp, i64) = (row.get(0), row.get(1), row.get(2));
    let values: [f64; 6] = std::array::from_fn(|place| row.get(3 + place));
    format!("{name} {} {count} {:x?}", start.0.0, values.map(bits))
}
