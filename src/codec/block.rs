//! A batch of samples as one block of bytes: what the journal stores.
//!
//! ```text
//! version u8 │ count u32 │ time unit u8 │ series column │ times column │ value frames │ crc32 u32
//! ```
//!
//! Integers are little endian. Times are counted in the largest unit that divides them all. A value frame is an
//! exponent and a frame of integers, or `FLOATS` and the floats as they are. The checksum covers all before it.

mod pick; // the samples of a few series

pub use pick::decode_some;

use super::{column, decimal};
use crate::model::{Batch, Micros, SeriesId};

/// How many samples a block may hold; a decoder refuses more before it reserves memory for them.
pub const SAMPLES_MAX: usize = 1 << 16;

const VERSION: u8 = 1;
/// In the place of an exponent: the frame's values are stored as floats.
const FLOATS: u8 = 0xff;
/// The units times are counted in, in microseconds, largest first; stored as an index into this table.
const TIME_UNITS: [i64; 4] = [60_000_000, 1_000_000, 1_000, 1];
const CHECKSUM_BYTES: usize = 4;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    #[error("the checksum does not match")]
    Checksum,
    #[error("block version {0} is not known")]
    Version(u8),
    #[error("the block is damaged")]
    Damaged,
}

/// A stretch of samples to be written as one block: columns of equal length, at most [`SAMPLES_MAX`] long.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    pub series: &'a [SeriesId],
    pub times: &'a [Micros],
    pub values: &'a [f64],
}

/// Appends `samples` as one block. Any order comes back; blocks sorted by (series, time) are the smallest.
pub fn encode(samples: Samples<'_>, out: &mut Vec<u8>) {
    let count = samples.series.len();
    debug_assert!(count <= SAMPLES_MAX && samples.times.len() == count && samples.values.len() == count);
    let start = out.len();
    out.push(VERSION);
    out.extend_from_slice(&(count as u32).to_le_bytes());
    let unit_index = largest_unit(samples.times);
    out.push(unit_index as u8);
    column::encode(samples.series, |series| i64::from(series.0), out);
    encode_times(samples.times, unit_index, out);
    encode_values(samples.values, out);
    let checksum = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&checksum.to_le_bytes());
}

/// Appends the samples of `block` to `batch`.
///
/// # Errors
/// When a single bit of the block has changed since [`encode`] wrote it, or a newer program wrote it. `batch` is then as
/// it was.
pub fn decode(block: &[u8], batch: &mut Batch) -> Result<(), BlockError> {
    let (mut bytes, checksum) = block.split_last_chunk::<CHECKSUM_BYTES>().ok_or(BlockError::Damaged)?;
    if crc32fast::hash(bytes) != u32::from_le_bytes(*checksum) {
        return Err(BlockError::Checksum);
    }
    let before = batch.len();
    let mut decoded = decode_columns(&mut bytes, batch);
    if decoded.is_ok() && !bytes.is_empty() {
        decoded = Err(BlockError::Damaged);
    }
    if decoded.is_err() {
        batch.series.truncate(before);
        batch.times.truncate(before);
        batch.values.truncate(before);
    }
    decoded
}

fn decode_columns(bytes: &mut &[u8], batch: &mut Batch) -> Result<(), BlockError> {
    let (&[version, c0, c1, c2, c3, unit_index], rest) = bytes.split_first_chunk::<6>().ok_or(BlockError::Damaged)?;
    *bytes = rest;
    if version != VERSION {
        return Err(BlockError::Version(version));
    }
    let count = u32::from_le_bytes([c0, c1, c2, c3]) as usize;
    let unit = *TIME_UNITS.get(unit_index as usize).ok_or(BlockError::Damaged)?;
    if count > SAMPLES_MAX {
        return Err(BlockError::Damaged);
    }
    decode_series(bytes, count, &mut batch.series).ok_or(BlockError::Damaged)?;
    decode_times(bytes, count, unit, &mut batch.times).ok_or(BlockError::Damaged)?;
    decode_values(bytes, count, &mut batch.values).ok_or(BlockError::Damaged)
}

fn decode_series(bytes: &mut &[u8], count: usize, series: &mut Vec<SeriesId>) -> Option<()> {
    series.reserve(count);
    column::decode(bytes, count, |integers| {
        u32::try_from(integers.iter().fold(0, |all_bits, integer| all_bits | integer)).ok()?;
        series.extend(integers.iter().map(|integer| SeriesId(*integer as u32)));
        Some(())
    })
}

fn decode_times(bytes: &mut &[u8], count: usize, unit: i64, times: &mut Vec<Micros>) -> Option<()> {
    times.reserve(count);
    column::decode(bytes, count, |integers| {
        let fits = integers.iter().all(|integer| integer.checked_mul(unit).is_some());
        times.extend(integers.iter().map(|integer| Micros(integer.wrapping_mul(unit))));
        fits.then_some(())
    })
}

/// As [`TIME_UNITS`] are known to the compiler, each of them is divided by without a division.
fn encode_times(times: &[Micros], unit_index: usize, out: &mut Vec<u8>) {
    match unit_index {
        0 => column::encode(times, |time| time.0 / TIME_UNITS[0], out),
        1 => column::encode(times, |time| time.0 / TIME_UNITS[1], out),
        2 => column::encode(times, |time| time.0 / TIME_UNITS[2], out),
        _ => column::encode(times, |time| time.0, out),
    }
}

fn encode_values(values: &[f64], out: &mut Vec<u8>) {
    let mut integers = [0; column::FRAME];
    let mut previous = 0;
    for frame in values.chunks(column::FRAME) {
        let integers = &mut integers[..frame.len()];
        if let Some(exponent) = decimal::to_integers(frame, integers) {
            out.push(exponent);
            column::encode_frame(integers, previous, out);
            previous = integers[integers.len() - 1];
        } else {
            out.push(FLOATS);
            out.extend(frame.iter().flat_map(|value| value.to_le_bytes()));
        }
    }
}

fn decode_values(bytes: &mut &[u8], count: usize, values: &mut Vec<f64>) -> Option<()> {
    let mut integers = [0; column::FRAME];
    let mut previous = 0;
    let before = values.len();
    values.resize(before + count, 0.0);
    for frame in values[before..].chunks_mut(column::FRAME) {
        let (&exponent, rest) = bytes.split_first()?;
        *bytes = rest;
        if exponent == FLOATS {
            let (floats, rest) = bytes.split_at_checked(size_of_val(frame))?;
            *bytes = rest;
            for (value, float) in frame.iter_mut().zip(floats.as_chunks().0) {
                *value = f64::from_le_bytes(*float);
            }
        } else {
            let integers = &mut integers[..frame.len()];
            column::decode_frame(bytes, previous, integers)?;
            previous = integers[integers.len() - 1];
            decimal::to_floats(integers, decimal::power(exponent)?, frame);
        }
    }
    Some(())
}

/// The index of the largest unit that divides every time.
fn largest_unit(times: &[Micros]) -> usize {
    let finest = TIME_UNITS.len() - 1;
    let divides_all = |index: &usize| match index {
        0 => all_distinct(times, |time| time.0 % TIME_UNITS[0] == 0),
        1 => all_distinct(times, |time| time.0 % TIME_UNITS[1] == 0),
        _ => all_distinct(times, |time| time.0 % TIME_UNITS[2] == 0),
    };
    (0..finest).find(divides_all).unwrap_or(finest)
}

/// Asks for the first of several equal times in a row only, as what was measured at once stands together.
fn all_distinct(times: &[Micros], is_so: impl Fn(Micros) -> bool) -> bool {
    let mut last = None;
    times.iter().all(|time| {
        let is_known = last.replace(*time) == Some(*time);
        is_known || is_so(*time)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn samples(batch: &Batch) -> Samples<'_> {
        Samples { series: &batch.series, times: &batch.times, values: &batch.values }
    }

    fn bits(batch: &Batch) -> Vec<(u32, i64, u64)> {
        (0..batch.len())
            .map(|place| (batch.series[place].0, batch.times[place].0, batch.values[place].to_bits()))
            .collect()
    }

    fn round_trip(batch: &Batch) -> Vec<u8> {
        let mut block = Vec::new();
        encode(samples(batch), &mut block);
        let mut decoded = Batch::default();
        assert_eq!(decode(&block, &mut decoded), Ok(()));
        assert_eq!(bits(&decoded), bits(batch));
        block
    }

    /// Any sample at all, but mostly the kind that agents send.
    fn sample() -> impl Strategy<Value = (u32, i64, f64)> {
        let time = prop_oneof![any::<i64>(), (0..1000_i64).prop_map(|second| (1_700_000_000 + second) * 1_000_000)];
        let value = prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            (-100_000..100_000_i32).prop_map(|hundredths| f64::from(hundredths) / 100.0),
            any::<i32>().prop_map(f64::from),
        ];
        (any::<u32>(), time, value)
    }

    fn batch_of(samples: Vec<(u32, i64, f64)>) -> Batch {
        let mut batch = Batch::default();
        for (series, time, value) in samples {
            batch.push(SeriesId(series), Micros(time), value);
        }
        batch
    }

    #[test]
    fn a_thousand_series_scraped_at_once_take_about_two_bytes_a_sample() {
        let mut batch = Batch::default();
        for series in 0..1000 {
            let hundredths = (series * 7919) % 10_000;
            batch.push(SeriesId(series), Micros(1_700_000_000_000_000), f64::from(hundredths) / 100.0);
        }
        let block = round_trip(&batch);
        assert!(block.len() < 2100, "{} bytes", block.len());
    }

    proptest! {
        #[test]
        fn every_batch_comes_back_bit_for_bit(samples in prop::collection::vec(sample(), 0..700)) {
            round_trip(&batch_of(samples));
        }

        #[test]
        fn a_changed_or_shortened_block_is_refused(
            samples in prop::collection::vec(sample(), 1..200), place in any::<prop::sample::Index>(), flip in 1_u8..,
        ) {
            let block = round_trip(&batch_of(samples));
            let mut decoded = Batch::default();
            let mut changed = block.clone();
            changed[place.index(block.len())] ^= flip;
            prop_assert!(decode(&changed, &mut decoded).is_err());
            prop_assert!(decode(&block[..place.index(block.len())], &mut decoded).is_err());
            prop_assert!(decoded.is_empty(), "a refused block leaves nothing behind");
        }

        /// The checksum is made right, so that the bytes behind it are reached.
        #[test]
        fn any_bytes_are_decoded_or_refused_without_a_panic(
            count in 0_u32..70_000, unit in 0_u8..6, rest in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            let mut block = vec![VERSION];
            block.extend_from_slice(&count.to_le_bytes());
            block.push(unit);
            block.extend_from_slice(&rest);
            let checksum = crc32fast::hash(&block);
            block.extend_from_slice(&checksum.to_le_bytes());
            decode(&block, &mut Batch::default()).ok();
        }
    }
}
