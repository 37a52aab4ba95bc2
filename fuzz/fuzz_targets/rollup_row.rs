//! Any columns at all, into the decoder of rows of buckets: `cargo +nightly fuzz run rollup_row`.
//!
//! Nothing may panic. A row that is refused leaves nothing behind; one that is accepted has buckets with samples, in
//! order of time, that come back bit for bit when they are packed again. Random columns seldom fit each other, so the
//! lengths of most are made from the number of buckets.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::codec::bit_string::BitString;
use millrace::codec::rollup_row::{RollupRow, decode, encode};
use millrace::model::{Bucket, Micros, Resolution};

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = Bytes(bytes);
    let resolution = if bytes.byte() & 1 == 1 { Resolution::Hour } else { Resolution::Minute };
    let start = bytes.number();
    let is_start_any = bytes.byte() == 0xff;
    let len = resolution.row_buckets() as u32;
    let present: Vec<u8> = (0..len.div_ceil(8)).map(|_| bytes.byte()).collect();
    let count = (0..len as usize).filter(|place| present[place / 8] & (0x80 >> (place % 8)) != 0).count();
    let row = RollupRow {
        start: Micros(if is_start_any { start } else { start % 1_000_000 * resolution.row_micros() }),
        count_base: bytes.number() as i32,
        value_scale: bytes.number() as i16,
        value_base: bytes.number(),
        increase_base: bytes.number(),
        buckets: BitString { bytes: present, len: if bytes.byte() == 0xff { bytes.number() as u32 } else { len } },
        counts: bytes.bit_string(count),
        values: std::array::from_fn(|_| bytes.bit_string(count)),
        floats: bytes.floats(count),
    };
    check(&row, resolution);
});

fn check(row: &RollupRow, resolution: Resolution) {
    let mut buckets = vec![Bucket::default()];
    if decode(row, resolution, &mut buckets).is_err() {
        assert_eq!(buckets, [Bucket::default()], "a refused row leaves nothing behind");
        return;
    }
    let buckets = &buckets[1..];
    assert!((1..=resolution.row_buckets()).contains(&buckets.len()));
    assert!(buckets.iter().all(|bucket| bucket.count > 0));
    assert!(buckets.windows(2).all(|pair| pair[0].start < pair[1].start));
    let mut again = Vec::new();
    decode(&encode(buckets, resolution), resolution, &mut again).expect("what was packed can be unpacked");
    assert_eq!(bits(&again), bits(buckets));
}

fn bits(buckets: &[Bucket]) -> Vec<(Micros, u64, [u64; 6])> {
    let values = |of: &Bucket| [of.sum, of.min, of.max, of.first, of.last, of.increase].map(f64::to_bits);
    buckets.iter().map(|bucket| (bucket.start, bucket.count, values(bucket))).collect()
}

/// What is left of the input; zeros follow its end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// Of up to eight bytes, their number first, so that small and large ones are equally likely.
    fn number(&mut self) -> i64 {
        let bytes = self.byte() % 9;
        (0..bytes).fold(0, |number, _| number << 8 | i64::from(self.byte()))
    }

    /// Mostly of `count` integers of one width.
    fn bit_string(&mut self, count: usize) -> BitString {
        let width = self.byte();
        let len = if width < 0x80 { u32::from(width) * count as u32 } else { self.number() as u32 };
        let bytes = if width == 0xff { self.byte().into() } else { len.min(1 << 13).div_ceil(8) };
        BitString { bytes: (0..bytes).map(|_| self.byte()).collect(), len }
    }

    /// Seldom any, and then mostly as many as there must be.
    fn floats(&mut self, buckets: usize) -> Vec<f64> {
        let count = match self.byte() {
            0xff => self.byte().into(),
            0xf0.. => 6 * buckets,
            _ => 0,
        };
        (0..count).map(|_| f64::from_bits(self.number() as u64)).collect()
    }
}
