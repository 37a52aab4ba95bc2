//! Any columns at all, into the decoder of rows of samples: `cargo +nightly fuzz run samples_row`.
//!
//! Nothing may panic or reserve more than a row can hold. A row that is refused leaves nothing behind; one that is
//! accepted has ascending times and comes back bit for bit when it is packed again. Random columns seldom fit each
//! other, so the lengths of most are made from the count.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::codec::bit_string::BitString;
use millrace::codec::samples_row::{ROW_SAMPLES_MAX, SamplesRow, decode, encode};
use millrace::model::Micros;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = Bytes(bytes);
    let count = bytes.number() as i16;
    let row = SamplesRow {
        start: Micros(bytes.number()),
        count,
        time_step: bytes.number(),
        time_unit: bytes.number() as i32,
        value_scale: bytes.number() as i16,
        value_base: bytes.number(),
        value_step: bytes.number(),
        value_is_steps: bytes.number() & 1 == 1,
        times: bytes.bit_string(i64::from(count) - 1),
        integers: bytes.bit_string(count.into()),
        floats: bytes.floats(),
    };
    check(&row);
    // The same as steps, of which there is one less.
    let width = if count > 0 { row.integers.len / count as u32 } else { 0 };
    let len = width * (count.max(1) as u32 - 1);
    let mut shorter = row.integers.bytes.clone();
    shorter.truncate(len.div_ceil(8) as usize);
    check(&SamplesRow { value_is_steps: true, integers: BitString { bytes: shorter, len }, floats: Vec::new(), ..row });
});

fn check(row: &SamplesRow) {
    let (mut times, mut values) = (vec![Micros(7)], vec![-0.0]);
    if decode(row, &mut times, &mut values).is_err() {
        assert_eq!((times, bits(&values)), (vec![Micros(7)], bits(&[-0.0])), "a refused row leaves nothing behind");
        return;
    }
    let (times, values) = (&times[1..], &values[1..]);
    assert!(times.len() == row.count as usize && values.len() == times.len() && times.len() <= ROW_SAMPLES_MAX);
    assert!(times.is_sorted_by(|left, right| left < right));
    let (mut times_again, mut values_again) = (Vec::new(), Vec::new());
    decode(&encode(times, values), &mut times_again, &mut values_again).expect("what was packed can be unpacked");
    assert_eq!((times_again.as_slice(), bits(&values_again)), (times, bits(values)));
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
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
    fn bit_string(&mut self, count: i64) -> BitString {
        let width = self.byte();
        let count = u32::try_from(count).unwrap_or(3).min(2 * ROW_SAMPLES_MAX as u32);
        let len = if width < 0x80 { u32::from(width) * count } else { self.number() as u32 };
        let bytes = if width == 0xff { self.byte().into() } else { len.min(1 << 19).div_ceil(8) };
        BitString { bytes: (0..bytes).map(|_| self.byte()).collect(), len }
    }

    fn floats(&mut self) -> Vec<f64> {
        let count = self.byte() % 64;
        (0..count).map(|_| f64::from_bits(self.number() as u64)).collect()
    }
}
