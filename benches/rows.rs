//! Packing and unpacking of rows of samples and of buckets, and how many bytes a sample takes in them, beside `pco`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millrace::codec::rollup_row;
use millrace::codec::samples_row;
use millrace::model::{Bucket, Micros, Resolution};
use millrace::rollup;

/// 2025-11-20T10:00:00Z, the beginning of an hour.
const HOUR: i64 = 1_763_632_800_000_000;
const SECOND: i64 = Micros::PER_SECOND;
/// A row of [`samples_row`] beside what is packed: the columns of fixed width, `series` among them.
const FIXED_BYTES: usize = 16;

/// One series for an hour.
struct Kind {
    name: &'static str,
    times: Vec<Micros>,
    values: Vec<f64>,
}

/// The same numbers at every run.
struct Random(u64);

impl Random {
    /// In `[0, 1)`.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Near enough to the normal distribution, of mean 0 and deviation 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    fn walk(&mut self, start: f64, deviation: f64, count: usize) -> Vec<f64> {
        let steps = (0..count).map(|_| self.normal() * deviation);
        steps
            .scan(start, |value, step| {
                *value += step;
                Some(*value)
            })
            .collect()
    }
}

fn two_decimals(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn every(step: i64) -> Vec<Micros> {
    (0..3_600 * SECOND / step).map(|place| Micros(HOUR + place * step)).collect()
}

/// About a sample a minute, each a bit early or late, to the millisecond.
fn irregular(random: &mut Random) -> Vec<Micros> {
    let late_ms = |random: &mut Random| (random.uniform() * 20_000.0) as i64;
    (0..60).map(|minute| Micros(HOUR + minute * 60 * SECOND + late_ms(random) * 1_000)).collect()
}

/// Every ten seconds, up to three milliseconds late, once by a minute.
fn late(random: &mut Random) -> Vec<Micros> {
    let late_ms = |random: &mut Random| (random.uniform() * 4.0) as i64;
    let gap = |place: i64| if place < 200 { 0 } else { 60 * SECOND };
    (0..360).map(|place| Micros(HOUR + gap(place) + place * 10 * SECOND + late_ms(random) * 1_000)).collect()
}

fn kinds() -> Vec<Kind> {
    let random = &mut Random(7);
    let (tens, ones) = (every(10 * SECOND), every(SECOND));
    let gauge = |random: &mut Random, count| random.walk(500.0, 1.0, count).into_iter().map(two_decimals).collect();
    let mut count = 1e9;
    let counter = (0..tens.len()).map(|_| {
        count += (random.uniform() * 2_000.0).floor();
        count
    });
    let counter = counter.collect();
    let sparse = irregular(random);
    vec![
        Kind { name: "gauge", times: tens.clone(), values: gauge(random, tens.len()) },
        Kind { name: "gauge_each_second", values: gauge(random, ones.len()), times: ones },
        Kind { name: "counter", times: tens.clone(), values: counter },
        Kind { name: "noisy", times: tens.clone(), values: random.walk(500.0, 1.0, tens.len()) },
        Kind { name: "late", times: late(random), values: gauge(random, tens.len()) },
        Kind { name: "constant", values: vec![21.5; tens.len()], times: tens },
        Kind { name: "sparse", values: gauge(random, sparse.len()), times: sparse },
        Kind { name: "gauge_of_a_fold", values: gauge(random, 3), times: every(10 * SECOND)[..3].to_vec() },
    ]
}

fn samples_rows(criterion: &mut Criterion) {
    for Kind { name, times, values } in kinds() {
        let row = samples_row::encode(&times, &values);
        let mut group = criterion.benchmark_group(format!("samples_row/{name}"));
        group.throughput(Throughput::Elements(times.len() as u64));
        group.bench_function("encode", |bencher| {
            bencher.iter(|| samples_row::encode(black_box(&times), black_box(&values)));
        });
        let (mut times_back, mut values_back) = (Vec::new(), Vec::new());
        group.bench_function("decode", |bencher| {
            bencher.iter(|| {
                times_back.clear();
                values_back.clear();
                samples_row::decode(black_box(&row), &mut times_back, &mut values_back)
            });
        });
        group.finish();
    }
}

fn rollup_rows(criterion: &mut Criterion) {
    for Kind { name, times, values } in kinds() {
        let mut buckets: Vec<Bucket> = Vec::new();
        rollup::roll_up(&times, &values, Resolution::Minute, &mut buckets);
        let row = rollup_row::encode(&buckets, Resolution::Minute);
        let mut group = criterion.benchmark_group(format!("rollup_row/{name}"));
        group.throughput(Throughput::Elements(buckets.len() as u64));
        group.bench_function("encode", |bencher| {
            bencher.iter(|| rollup_row::encode(black_box(&buckets), Resolution::Minute));
        });
        let mut back = Vec::new();
        group.bench_function("decode", |bencher| {
            bencher.iter(|| {
                back.clear();
                rollup_row::decode(black_box(&row), Resolution::Minute, &mut back)
            });
        });
        group.finish();
    }
}

/// Bytes a sample: what is packed of a row, the same with the columns of fixed width, and `pco`, which is handed times
/// and values apart.
#[expect(clippy::print_stdout, reason = "the table is what this is for")]
fn sizes(_: &mut Criterion) {
    println!("{:18} {:>7} {:>8} {:>8} {:>8}", "bytes a sample", "samples", "columns", "row", "pco");
    for Kind { name, times, values } in kinds() {
        let columns = samples_row::encode(&times, &values).packed.len();
        let times: Vec<i64> = times.into_iter().map(|time| time.0).collect();
        let config = pco::ChunkConfig::default();
        let packed = |outcome: pco::errors::PcoResult<Vec<u8>>| outcome.expect("pco takes any numbers").len();
        let pco = packed(pco::standalone::simple_compress(&times, &config))
            + packed(pco::standalone::simple_compress(&values, &config));
        let each = |bytes: usize| bytes as f64 / times.len() as f64;
        let (row, pco) = (each(columns + FIXED_BYTES), each(pco));
        println!("{name:18} {:7} {:8.2} {row:8.2} {pco:8.2}", times.len(), each(columns));
    }
}

criterion_group!(benches, sizes, samples_rows, rollup_rows);
criterion_main!(benches);
