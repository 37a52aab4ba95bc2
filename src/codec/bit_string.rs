//! Unsigned integers of one width as a string of bits, most significant bit first: what PostgreSQL's `bit varying`
//! holds, so that plain SQL can take the integers out again with `substring`.

use super::bits::width_of;

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
        let mut bytes = Vec::with_capacity(bits.div_ceil(8) + 8);
        let (mut gathered, mut gathered_bits) = (0_u64, 0);
        for &integer in integers {
            if width == 0 {
                break;
            }
            let room = u64::BITS - gathered_bits;
            if width < room {
                gathered |= integer << (room - width);
                gathered_bits += width;
            } else {
                // What does not fit begins the next word; a shift by the whole width would overflow.
                let spilled = width - room;
                bytes.extend_from_slice(&(gathered | integer >> spilled).to_be_bytes());
                gathered = if spilled == 0 { 0 } else { integer << (u64::BITS - spilled) };
                gathered_bits = spilled;
            }
        }
        bytes.extend_from_slice(&gathered.to_be_bytes()[..gathered_bits.div_ceil(8) as usize]);
        Self { bytes, len: bits as u32 }
    }

    /// Fills `out`; `None` when the bits are no `out.len()` integers of one width.
    pub fn unpack(&self, out: &mut [u64]) -> Option<()> {
        let bits = self.len as usize;
        if bits == 0 {
            out.fill(0);
            return Some(());
        }
        if out.is_empty() || !bits.is_multiple_of(out.len()) || self.bytes.len() != bits.div_ceil(8) {
            return None;
        }
        let width = bits / out.len();
        if width > u64::BITS as usize {
            return None;
        }
        for (place, integer) in out.iter_mut().enumerate() {
            *integer = take(&self.bytes, place * width, width);
        }
        Some(())
    }
}

/// The `width` bits from bit `start` on, 1 to 64 of them, which must lie within `bytes`.
#[inline]
fn take(bytes: &[u8], start: usize, width: usize) -> u64 {
    let (first, shift) = (start / 8, start % 8);
    let window = match bytes.get(first..first + 8) {
        Some(window) => u64::from_be_bytes(window.try_into().unwrap_or_default()),
        None => {
            let mut window = [0; 8];
            let rest = &bytes[first..];
            window[..rest.len()].copy_from_slice(rest);
            u64::from_be_bytes(window)
        }
    };
    let high = (window << shift) >> (u64::BITS as usize - width);
    let spilled = (shift + width).saturating_sub(64);
    // An integer of up to 64 bits that starts within a byte spans up to nine bytes.
    if spilled == 0 { high } else { high | u64::from(bytes[first + 8] >> (8 - spilled)) }
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
