//! A column of integers in frames of [`FRAME`], each stored as narrowly as it can be.
//!
//! A frame holds either the values themselves or their differences, whichever spans less, as offsets from the
//! smallest, in as many bits as the largest offset needs. A frame of equal or evenly spaced values takes no bits at
//! all beyond its head. Arithmetic wraps, so every `i64` comes back.

use super::bits;

/// How many integers a frame holds; the last one of a column may hold fewer.
pub const FRAME: usize = 128;

const DIFFERENCES: u8 = 0x80;
const WIDTH: u8 = 0x7f;

/// Appends one frame. `previous` is the integer before it, from which the differences count.
pub fn encode_frame(values: &[i64], previous: i64, out: &mut Vec<u8>) {
    debug_assert!(!values.is_empty() && values.len() <= FRAME);
    let mut differences = [0_i64; FRAME];
    let mut before = previous;
    for (difference, &value) in differences.iter_mut().zip(values) {
        *difference = value.wrapping_sub(before);
        before = value;
    }
    let differences = &differences[..values.len()];
    let (plain, stepped) = (Frame::of(values), Frame::of(differences));
    let (frame, chosen, kind) =
        if stepped.width < plain.width { (stepped, differences, DIFFERENCES) } else { (plain, values, 0) };
    out.push(frame.width as u8 | kind);
    out.extend_from_slice(&frame.smallest.to_le_bytes());
    let mut offsets = [0_u64; FRAME];
    for (offset, &value) in offsets.iter_mut().zip(chosen) {
        *offset = value.wrapping_sub(frame.smallest) as u64;
    }
    bits::pack(&offsets[..values.len()], frame.width, out);
}

/// Takes one frame of `out.len()` integers off the front of `bytes`; `None` when it is damaged or cut short.
pub fn decode_frame(bytes: &mut &[u8], previous: i64, out: &mut [i64]) -> Option<()> {
    let (&head, rest) = bytes.split_first()?;
    let (smallest, rest) = rest.split_first_chunk()?;
    let smallest = i64::from_le_bytes(*smallest);
    let width = u32::from(head & WIDTH);
    let packed = rest.get(..bits::packed_bytes(out.len(), width))?;
    let mut offsets = [0_u64; FRAME];
    let offsets = offsets.get_mut(..out.len())?;
    bits::unpack(packed, width, offsets)?;
    *bytes = &rest[packed.len()..];
    let mut before = previous;
    for (value, &offset) in out.iter_mut().zip(&*offsets) {
        let stored = smallest.wrapping_add(offset as i64);
        *value = if head & DIFFERENCES == 0 { stored } else { before.wrapping_add(stored) };
        before = *value;
    }
    Some(())
}

/// Appends a whole column.
pub fn encode(values: &[i64], out: &mut Vec<u8>) {
    let mut previous = 0;
    for frame in values.chunks(FRAME) {
        encode_frame(frame, previous, out);
        previous = frame[frame.len() - 1];
    }
}

/// Takes a column of `out.len()` integers off the front of `bytes`; `None` when it is damaged or cut short.
pub fn decode(bytes: &mut &[u8], out: &mut [i64]) -> Option<()> {
    let mut previous = 0;
    for frame in out.chunks_mut(FRAME) {
        decode_frame(bytes, previous, frame)?;
        previous = frame[frame.len() - 1];
    }
    Some(())
}

struct Frame {
    smallest: i64,
    width: u32,
}

impl Frame {
    fn of(values: &[i64]) -> Self {
        let smallest = values.iter().copied().fold(i64::MAX, i64::min);
        let largest = values.iter().copied().fold(i64::MIN, i64::max);
        Self { smallest, width: bits::width_of(largest.wrapping_sub(smallest) as u64) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(values: &[i64]) -> usize {
        let mut encoded = Vec::new();
        encode(values, &mut encoded);
        let mut bytes = encoded.as_slice();
        let mut decoded = vec![0; values.len()];
        assert_eq!(decode(&mut bytes, &mut decoded), Some(()));
        assert!(bytes.is_empty(), "a column takes exactly its own bytes");
        assert_eq!(decoded, values);
        encoded.len()
    }

    #[test]
    fn equal_and_evenly_spaced_integers_take_only_their_heads() {
        assert_eq!(round_trip(&[7; FRAME]), 9);
        let even: Vec<i64> = (1..=FRAME as i64).map(|place| place * 10).collect();
        assert_eq!(round_trip(&even), 9);
    }

    proptest! {
        #[test]
        fn every_column_comes_back(values in prop::collection::vec(any::<i64>(), 0..400)) {
            round_trip(&values);
        }

        #[test]
        fn narrow_columns_come_back(start in any::<i64>(), steps in prop::collection::vec(-50_i64..50, 0..400)) {
            let mut value = start;
            let values: Vec<i64> = steps.iter().map(|step| { value = value.wrapping_add(*step); value }).collect();
            round_trip(&values);
        }

        #[test]
        fn any_bytes_are_decoded_or_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), count in 0_usize..300) {
            decode(&mut bytes.as_slice(), &mut vec![0; count]);
        }
    }
}
