//! The samples of a few series out of a block, without decoding those of the others.
//!
//! The series column tells where they are. Of the other columns only the frames there are decoded, and those before
//! them that their differences count from; the rest is stepped over by its head.

use std::ops::Range;

use super::{BlockError, CHECKSUM_BYTES, FLOATS, SAMPLES_MAX, TIME_UNITS, VERSION};
use crate::codec::column::{self, FRAME};
use crate::codec::{bits, decimal};
use crate::model::{Batch, Micros, SeriesId};

/// A frame of the column says so when it holds differences; the low bits are its width.
const DIFFERENCES: u8 = 0x80;
/// The head of a frame of integers: width and smallest.
const HEAD_BYTES: usize = 9;

/// Appends the samples of `block` whose series `is_wanted` to `batch`.
///
/// # Errors
/// As [`super::decode`]; damage that the checksum does not show in a part that is stepped over goes unnoticed. `batch`
/// is then as it was.
pub fn decode_some(block: &[u8], is_wanted: impl Fn(SeriesId) -> bool, batch: &mut Batch) -> Result<(), BlockError> {
    let (bytes, checksum) = block.split_last_chunk::<CHECKSUM_BYTES>().ok_or(BlockError::Damaged)?;
    if crc32fast::hash(bytes) != u32::from_le_bytes(*checksum) {
        return Err(BlockError::Checksum);
    }
    let (&[version, c0, c1, c2, c3, unit_index], mut bytes) =
        bytes.split_first_chunk::<6>().ok_or(BlockError::Damaged)?;
    if version != VERSION {
        return Err(BlockError::Version(version));
    }
    let count = u32::from_le_bytes([c0, c1, c2, c3]) as usize;
    let unit = *TIME_UNITS.get(unit_index as usize).ok_or(BlockError::Damaged)?;
    if count > SAMPLES_MAX {
        return Err(BlockError::Damaged);
    }
    let mut series = Vec::with_capacity(count);
    let keep = |frame: &[i64]| {
        series.extend_from_slice(frame);
        Some(())
    };
    column::decode(&mut bytes, count, keep).ok_or(BlockError::Damaged)?;
    let wanted = |number: &i64| u32::try_from(*number).is_ok_and(|number| is_wanted(SeriesId(number)));
    let Some(first) = series.iter().position(wanted) else { return Ok(()) };
    let last = series.iter().rposition(wanted).unwrap_or(first);
    // Whole frames, from the one with the first wanted sample to the one with the last.
    let places = first / FRAME * FRAME..((last / FRAME + 1) * FRAME).min(count);
    let mut times = vec![0; places.len()];
    integers_at(&mut bytes, count, &places, &mut times).ok_or(BlockError::Damaged)?;
    let mut values = Vec::with_capacity(places.len());
    values_at(&mut bytes, count, &places, &mut values).ok_or(BlockError::Damaged)?;
    let before = batch.len();
    let places_and_numbers = (first..=last).zip(&series[first..=last]);
    for (place, number) in places_and_numbers.filter(|(_, number)| wanted(number)) {
        let at = place - places.start;
        let Some(time) = times[at].checked_mul(unit) else {
            truncate(batch, before);
            return Err(BlockError::Damaged);
        };
        batch.push(SeriesId(*number as u32), Micros(time), values[at]);
    }
    Ok(())
}

fn truncate(batch: &mut Batch, samples: usize) {
    batch.series.truncate(samples);
    batch.times.truncate(samples);
    batch.values.truncate(samples);
}

/// Takes a column of `count` integers off the front of `bytes`, and decodes those at `places`, which are whole frames.
fn integers_at(bytes: &mut &[u8], count: usize, places: &Range<usize>, out: &mut [i64]) -> Option<()> {
    let mut base = Base::default();
    let mut scratch = [0; FRAME];
    for start in (0..count).step_by(FRAME) {
        let integers = (count - start).min(FRAME);
        if places.contains(&start) {
            let previous = base.previous(&mut scratch)?;
            let out = out.get_mut(start - places.start..)?.get_mut(..integers)?;
            column::decode_frame(bytes, previous, out)?;
            base = Base::known(*out.last()?);
        } else {
            base.step_over(bytes, integers)?;
        }
    }
    Some(())
}

/// The same for a column of values, of which the last.
fn values_at(bytes: &mut &[u8], count: usize, places: &Range<usize>, out: &mut Vec<f64>) -> Option<()> {
    let mut base = Base::default();
    let (mut scratch, mut integers) = ([0; FRAME], [0; FRAME]);
    for start in (0..places.end).step_by(FRAME) {
        let integers = &mut integers[..(count - start).min(FRAME)];
        let (&exponent, rest) = bytes.split_first()?;
        *bytes = rest;
        if exponent == FLOATS {
            let (floats, rest) = bytes.split_at_checked(integers.len() * size_of::<f64>())?;
            *bytes = rest;
            if places.contains(&start) {
                out.extend(floats.as_chunks().0.iter().map(|float| f64::from_le_bytes(*float)));
            }
        } else if places.contains(&start) {
            let previous = base.previous(&mut scratch)?;
            column::decode_frame(bytes, previous, integers)?;
            base = Base::known(*integers.last()?);
            for &integer in &*integers {
                out.push(decimal::to_float(integer, exponent)?);
            }
        } else {
            base.step_over(bytes, integers.len())?;
        }
    }
    Some(())
}

/// What the next frame's differences count from: the integer `before` some frames that were stepped over.
#[derive(Default)]
struct Base<'a> {
    before: i64,
    /// Frames since `before`, the first of which may hold differences from it. All others do.
    stepped_over: Vec<(&'a [u8], usize)>,
}

impl<'a> Base<'a> {
    fn known(before: i64) -> Self {
        Self { before, stepped_over: Vec::new() }
    }

    /// Takes a frame off the front of `bytes` and remembers it in case its last integer is needed.
    fn step_over(&mut self, bytes: &mut &'a [u8], integers: usize) -> Option<()> {
        let frame = *bytes;
        let head = *frame.first()?;
        let width = u32::from(head & !DIFFERENCES);
        let (frame, rest) = frame.split_at_checked(HEAD_BYTES + bits::packed_bytes(integers, width))?;
        *bytes = rest;
        if head & DIFFERENCES == 0 {
            self.stepped_over.clear();
        }
        self.stepped_over.push((frame, integers));
        Some(())
    }

    /// The integer before the next frame.
    fn previous(&mut self, scratch: &mut [i64; FRAME]) -> Option<i64> {
        for (mut frame, integers) in self.stepped_over.drain(..) {
            let out = scratch.get_mut(..integers)?;
            column::decode_frame(&mut frame, self.before, out)?;
            self.before = *out.last()?;
        }
        Some(self.before)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::block::{Samples, decode, encode};

    fn bits(batch: &Batch) -> Vec<(u32, i64, u64)> {
        (0..batch.len())
            .map(|place| (batch.series[place].0, batch.times[place].0, batch.values[place].to_bits()))
            .collect()
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            8 => (0..1_000_i32).prop_map(|tenths| f64::from(tenths) / 10.0),
            1 => any::<u64>().prop_map(f64::from_bits),
        ]
    }

    /// Long runs of counters, of gauges and of what is no decimal, so that frames of all kinds follow each other.
    fn batch() -> impl Strategy<Value = Batch> {
        let run = (1_usize..300, 0_u32..6, any::<bool>(), value());
        prop::collection::vec(run, 1..8).prop_map(|runs| {
            let mut batch = Batch::default();
            for (run, (samples, series, is_counter, value)) in runs.into_iter().enumerate() {
                for place in 0..samples {
                    let grown = if is_counter { place as f64 } else { (place * 7 % 10) as f64 };
                    let time = (run * 1_000 + place) as i64 * 1_000_000;
                    batch.push(SeriesId(series), Micros(time), value + grown);
                }
            }
            batch
        })
    }

    proptest! {
        #[test]
        fn what_is_picked_is_what_a_whole_decoding_would_leave(batch in batch(), wanted in prop::collection::btree_set(0_u32..6, 0..4)) {
            let mut block = Vec::new();
            encode(Samples { series: &batch.series, times: &batch.times, values: &batch.values }, &mut block);
            let (mut whole, mut picked) = (Batch::default(), Batch::default());
            decode(&block, &mut whole).unwrap();
            decode_some(&block, |series| wanted.contains(&series.0), &mut picked).unwrap();
            let mut expected = bits(&whole);
            expected.retain(|(series, _, _)| wanted.contains(series));
            prop_assert_eq!(bits(&picked), expected);
        }

        #[test]
        fn any_bytes_are_picked_from_or_refused_without_a_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Some(version) = bytes.first_mut() {
                *version = VERSION;
            }
            let checksum = crc32fast::hash(&bytes);
            bytes.extend_from_slice(&checksum.to_le_bytes());
            decode_some(&bytes, |series| series.0 % 2 == 0, &mut Batch::default()).ok();
        }
    }

    #[test]
    fn a_changed_bit_is_noticed() {
        let mut block = Vec::new();
        encode(Samples { series: &[SeriesId(1)], times: &[Micros(5)], values: &[1.5] }, &mut block);
        block[8] ^= 1;
        assert_eq!(decode_some(&block, |_| true, &mut Batch::default()), Err(BlockError::Checksum));
    }
}
