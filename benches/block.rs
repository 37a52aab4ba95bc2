//! Packing and unpacking of journal blocks.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millrace::codec::block::{self, Samples};
use millrace::model::{Batch, Micros, SeriesId};

const SAMPLES: usize = 10_000;

/// A scrape of every series at once, values with `decimals` digits that wander.
fn scrape(decimals: i32) -> Batch {
    let mut batch = Batch::default();
    let mut value = 5_000_i64;
    for series in 0..SAMPLES {
        value = (value + (series as i64 * 7_919) % 201 - 100).abs();
        let value = value as f64 / 10_f64.powi(decimals);
        batch.push(SeriesId(series as u32), Micros(1_700_000_000_000_000), value);
    }
    batch
}

fn noisy() -> Batch {
    let mut batch = scrape(2);
    for value in &mut batch.values {
        *value = (*value * 1.7).sin();
    }
    batch
}

fn blocks(criterion: &mut Criterion) {
    for (name, batch) in [("two_decimals", scrape(2)), ("integers", scrape(0)), ("noisy_floats", noisy())] {
        let samples = Samples { series: &batch.series, times: &batch.times, values: &batch.values };
        let mut encoded = Vec::new();
        block::encode(samples, &mut encoded);
        let mut group = criterion.benchmark_group(format!("block/{name}_{}_bytes", encoded.len()));
        group.throughput(Throughput::Elements(SAMPLES as u64));
        let mut out = Vec::new();
        group.bench_function("encode", |bencher| {
            bencher.iter(|| {
                out.clear();
                block::encode(black_box(samples), &mut out);
            });
        });
        group.bench_function("decode", |bencher| {
            bencher.iter(|| {
                let mut decoded = Batch::with_capacity(SAMPLES);
                block::decode(black_box(&encoded), &mut decoded).map(|()| decoded)
            });
        });
        group.finish();
    }
}

criterion_group!(benches, blocks);
criterion_main!(benches);
