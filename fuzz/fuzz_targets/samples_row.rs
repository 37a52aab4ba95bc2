//! Any bytes at all, into the decoder of rows of samples: `cargo +nightly fuzz run samples_row`.
//!
//! Nothing may panic or reserve more than a row can hold. A row that is refused leaves nothing behind; one that is
//! accepted has ascending times and comes back bit for bit when it is packed again. Random bytes seldom are a row, so
//! some samples are made of the same input too, packed, and damaged.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::codec::samples_row::{ROW_SAMPLES_MAX, SamplesRow, decode, encode};
use millrace::model::Micros;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Bytes(bytes);
    let (count, start) = (input.number() as i16, Micros(input.number()));
    check(&SamplesRow { start, count, seconds: 0, packed: input.0.to_vec() });

    let (mut times, mut values) = (vec![start], vec![f64::from_bits(input.number() as u64)]);
    while !input.0.is_empty() && times.len() < ROW_SAMPLES_MAX {
        let Some(time) = times[times.len() - 1].0.checked_add(input.number().unsigned_abs().max(1) as i64) else {
            break;
        };
        if time <= times[times.len() - 1].0 {
            break;
        }
        times.push(Micros(time));
        let value = input.number();
        values.push(if value & 1 == 0 { value as f64 / 100.0 } else { f64::from_bits(value as u64) });
    }
    let mut row = encode(&times, &values);
    check(&row);
    let mut damage = Bytes(bytes);
    let place = damage.number() as usize % row.packed.len();
    row.packed[place] ^= damage.byte();
    check(&row);
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
}
