//! Unsigned integers of one width as a string of bits, most significant bit first: what PostgreSQL's `bit varying`
//! holds, so that plain SQL can take the integers out again with `substring`.

use super::bits::width_of;
use super::groups::{self, MostFirst};

/// A string of bits. Bits of the last byte beyond `len` are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitString {
    pub bytes: Vec<u8>,
    pub len: u32,
}

impl BitString {
    /// Packs `integers` in the width the largest needs. Zeros alone take no bits.
    pub fn pack(integers: &[u64]) -> Self {
        let width = width_of(integers.iter().fold(0, |all, integer| all | integer));
        let bits = integers.len() * width as usize;
        let mut bytes = Vec::with_capacity(bits.div_ceil(8));
        if width > 0 {
            groups::pack::<MostFirst, u64>(integers, |integer| integer, width, &mut bytes);
        }
        Self { bytes, len: bits as u32 }
    }

    /// Fills `out` with the integers as their 64 bits; `None` when the bits are no `out.len()` integers of one width.
    pub fn unpack(&self, out: &mut [i64]) -> Option<()> {
        match self.width(out.len())? {
            0 => out.fill(0),
            width => groups::unpack::<MostFirst>(&self.bytes, width, out),
        }
        Some(())
    }

    /// Of `count` integers; zero, with which they are all zero, when there are no bits.
    fn width(&self, count: usize) -> Option<u32> {
        let bits = self.len as usize;
        if bits == 0 {
            return Some(0);
        }
        let is_whole = count > 0 && bits.is_multiple_of(count) && self.bytes.len() == bits.div_ceil(8);
        u32::try_from(bits / count.max(1)).ok().filter(|width| is_whole && *width <= u64::BITS)
    }
}

#[cfg(test)]
impl BitString {
    /// `count` integers, bit by bit: what the others are compared with.
    pub(super) fn as_sql_reads_it(&self, count: usize) -> Vec<u64> {
        let width = self.len as usize / count.max(1);
        let bit = |place: usize| u64::from(self.bytes[place / 8] >> (7 - place % 8) & 1);
        let substring = |start: usize| (start..start + width).fold(0, |integer, place| integer << 1 | bit(place));
        (0..count).map(|place| substring(place * width)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_integer_is_in_the_first_bits() {
        let packed = BitString::pack(&[5, 1, 7]);
        assert_eq!(packed, BitString { bytes: vec![0b1010_0111, 0b1000_0000], len: 9 });
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back_at_every_width(width in 0_u32..=64, seeds in prop::collection::vec(any::<u64>(), 1..300)) {
            let mask = if width == 0 { 0 } else { u64::MAX >> (64 - width) };
            let integers: Vec<u64> = seeds.iter().map(|seed| seed & mask).collect();
            let packed = BitString::pack(&integers);
            prop_assert_eq!(&packed.as_sql_reads_it(integers.len()), &integers);
            let integers: Vec<i64> = integers.into_iter().map(|integer| integer as i64).collect();
            let mut unpacked = vec![7; integers.len()];
            prop_assert_eq!(packed.unpack(&mut unpacked), Some(()));
            prop_assert_eq!(unpacked, integers);
        }

        #[test]
        fn any_bits_are_unpacked_or_refused_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..100), len in 0_u32..1000, count in 0_usize..100,
        ) {
            BitString { bytes, len }.unpack(&mut vec![0; count]);
        }
    }
}
