//! Any bytes at all, into the block decoder: `cargo +nightly fuzz run block`.
//!
//! Nothing may panic or reserve more than a block can hold. Random bytes never carry the right checksum, so each input
//! is decoded a second time with one that fits, which leads behind that door. A block that is refused leaves the batch
//! as it was; one that is accepted comes back bit for bit when it is packed again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::codec::block::{self, SAMPLES_MAX, Samples};
use millrace::model::{Batch, Micros, SeriesId};

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let checksum = crc32fast::hash(bytes);
    check(&[bytes, &checksum.to_le_bytes()].concat());
});

fn check(stored: &[u8]) {
    let mut batch = Batch::default();
    batch.push(SeriesId(7), Micros(7), -0.0);
    let before = bits(&batch);
    if block::decode(stored, &mut batch).is_err() {
        assert_eq!(bits(&batch), before, "a refused block leaves nothing behind");
        return;
    }
    let samples = Samples { series: &batch.series[1..], times: &batch.times[1..], values: &batch.values[1..] };
    assert!(samples.series.len() <= SAMPLES_MAX);
    assert!(samples.series.len() == samples.times.len() && samples.series.len() == samples.values.len());
    let mut packed = Vec::new();
    block::encode(samples, &mut packed);
    let mut again = Batch::default();
    block::decode(&packed, &mut again).expect("what was packed can be unpacked");
    assert_eq!(bits(&again), bits(&batch)[1..]);
}

fn bits(batch: &Batch) -> Vec<(u32, i64, u64)> {
    let columns = batch.series.iter().zip(&batch.times).zip(&batch.values);
    columns.map(|((series, time), value)| (series.0, time.0, value.to_bits())).collect()
}
