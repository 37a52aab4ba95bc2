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
    let plain = Frame::of(values);
    if plain.width == 0 {
        return write_frame(&plain, 0, values, out);
    }
    let mut differences = [0_i64; FRAME];
    let differences = &mut differences[..values.len()];
    differences[0] = values[0].wrapping_sub(previous);
    for (difference, pair) in differences[1..].iter_mut().zip(values.windows(2)) {
        *difference = pair[1].wrapping_sub(pair[0]);
    }
    let stepped = Frame::of(differences);
    if stepped.width < plain.width {
        write_frame(&stepped, DIFFERENCES, differences, out);
    } else {
        write_frame(&plain, 0, values, out);
    }
}

fn write_frame(frame: &Frame, kind: u8, chosen: &[i64], out: &mut Vec<u8>) {
    out.push(frame.width as u8 | kind);
    out.extend_from_slice(&frame.smallest.to_le_bytes());
    bits::pack_with(chosen, |value| value.wrapping_sub(frame.smallest) as u64, frame.width, out);
}

/// Takes one frame of `out.len()` integers off the front of `bytes`; `None` when it is damaged or cut short.
pub fn decode_frame(bytes: &mut &[u8], previous: i64, out: &mut [i64]) -> Option<()> {
    let (&head, rest) = bytes.split_first()?;
    let (smallest, rest) = rest.split_first_chunk()?;
    let smallest = i64::from_le_bytes(*smallest);
    let width = u32::from(head & WIDTH);
    let packed = rest.get(..bits::packed_bytes(out.len(), width))?;
    bits::unpack(packed, width, out)?;
    *bytes = &rest[packed.len()..];
    if head & DIFFERENCES == 0 {
        out.iter_mut().for_each(|value| *value = value.wrapping_add(smallest));
    } else {
        let mut before = previous;
        for value in out {
            before = before.wrapping_add(smallest.wrapping_add(*value));
            *value = before;
        }
    }
    Some(())
}

/// Appends a whole column of what `integer` makes of `items`.
pub fn encode<T: Copy>(items: &[T], integer: impl Fn(T) -> i64, out: &mut Vec<u8>) {
    let mut integers = [0; FRAME];
    let mut previous = 0;
    for frame in items.chunks(FRAME) {
        let integers = &mut integers[..frame.len()];
        for (slot, item) in integers.iter_mut().zip(frame) {
            *slot = integer(*item);
        }
        encode_frame(integers, previous, out);
        previous = integers[integers.len() - 1];
    }
}

/// Takes a column of `count` integers off the front of `bytes` and hands out frame by frame; `None` when it is damaged
/// or cut short, or when `take` does not like a frame.
pub fn decode(bytes: &mut &[u8], count: usize, mut take: impl FnMut(&[i64]) -> Option<()>) -> Option<()> {
    let mut integers = [0; FRAME];
    let mut previous = 0;
    for first in (0..count).step_by(FRAME) {
        let integers = &mut integers[..(count - first).min(FRAME)];
        decode_frame(bytes, previous, integers)?;
        previous = integers[integers.len() - 1];
        take(integers)?;
    }
    Some(())
}

struct Frame {
    smallest: i64,
    width: u32,
}

impl Frame {
    fn of(values: &[i64]) -> Self {
        // Without a branch for each, which makes a frame of equal values fast.
        let first = values.first().copied().unwrap_or_default();
        if values.iter().fold(0, |unequal, value| unequal | (value ^ first)) == 0 {
            return Self { smallest: first, width: 0 };
        }
        let (smallest, largest) = bits::bounds(values.iter().copied());
        Self { smallest, width: bits::width_of(largest.wrapping_sub(smallest) as u64) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(values: &[i64]) -> usize {
        let mut encoded = Vec::new();
        encode(values, |value| value, &mut encoded);
        let mut bytes = encoded.as_slice();
        let mut decoded = Vec::new();
        let outcome = decode(&mut bytes, values.len(), |frame| {
            decoded.extend_from_slice(frame);
            Some(())
        });
        assert_eq!(outcome, Some(()));
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
            decode(&mut bytes.as_slice(), count, |_| Some(()));
        }
    }
}
