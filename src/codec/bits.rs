//! Integers of one width, packed without gaps, least significant bit first.

use super::groups::{self, LeastFirst};

/// How many bytes `count` integers of `width` bits take.
pub fn packed_bytes(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

/// The number of bits needed to hold `value`.
pub fn width_of(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

/// The smallest and the largest; zeros when there are none.
pub(super) fn bounds(mut integers: impl Iterator<Item = i64>) -> (i64, i64) {
    let Some(first) = integers.next() else { return (0, 0) };
    integers.fold((first, first), |(low, high), integer| (low.min(integer), high.max(integer)))
}

/// Appends `values` to `out`. Bits above `width` must be zero.
pub fn pack(values: &[u64], width: u32, out: &mut Vec<u8>) {
    pack_with(values, |value| value, width, out);
}

/// Appends what `integer` makes of `items` to `out`. Bits above `width` must be zero.
pub(super) fn pack_with<T: Copy>(items: &[T], integer: impl Fn(T) -> u64, width: u32, out: &mut Vec<u8>) {
    debug_assert!(width <= u64::BITS && items.iter().all(|item| width_of(integer(*item)) <= width));
    if width > 0 {
        groups::pack::<LeastFirst, T>(items, integer, width, out);
    }
}

/// Fills `out` with the integers packed in `packed`, as their 64 bits, or returns `None` when `packed` is too short for
/// them.
pub fn unpack(packed: &[u8], width: u32, out: &mut [i64]) -> Option<()> {
    if width == 0 {
        out.fill(0);
        return Some(());
    }
    if width > u64::BITS || packed.len() < packed_bytes(out.len(), width) {
        return None;
    }
    groups::unpack::<LeastFirst>(packed, width, out);
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back_at_every_width(width in 0_u32..=64, seeds in prop::collection::vec(any::<u64>(), 0..300)) {
            let mask = if width == 0 { 0 } else { u64::MAX >> (64 - width) };
            let values: Vec<u64> = seeds.iter().map(|seed| seed & mask).collect();
            let mut packed = Vec::new();
            pack(&values, width, &mut packed);
            prop_assert_eq!(packed.len(), packed_bytes(values.len(), width));
            let mut unpacked = vec![7; values.len()];
            prop_assert_eq!(unpack(&packed, width, &mut unpacked), Some(()));
            prop_assert!(unpacked.into_iter().map(|value| value as u64).eq(values));
        }

        #[test]
        fn unpacking_too_few_bytes_is_refused(width in 1_u32..=64, count in 1_usize..100) {
            let packed = vec![0xff; packed_bytes(count, width) - 1];
            prop_assert_eq!(unpack(&packed, width, &mut vec![0; count]), None);
        }
    }
}
