//! Integers in as few bytes as they need: seven bits a byte, least significant first, the top bit set in all but the
//! last. Signed ones are folded first, so that small ones of either sign are short.

/// Seven bits each: as many bytes as 64 bits can take.
const BYTES_MAX: usize = 10;

/// Appends an integer.
pub(super) fn put(mut integer: u64, out: &mut Vec<u8>) {
    while integer >= 0x80 {
        out.push(integer as u8 | 0x80);
        integer >>= 7;
    }
    out.push(integer as u8);
}

/// Takes an integer off the front of `bytes`; `None` when it is cut short or larger than 64 bits.
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut integer = 0;
    for place in 0..BYTES_MAX {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << (7 * place) >> (7 * place) != bits {
            return None;
        }
        integer |= bits << (7 * place);
        if byte < 0x80 {
            return Some(integer);
        }
    }
    None
}

pub(super) fn put_signed(integer: i64, out: &mut Vec<u8>) {
    put(fold(integer), out);
}

pub(super) fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    take(bytes).map(unfold)
}

/// 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.
pub(super) fn fold(integer: i64) -> u64 {
    (integer << 1 ^ integer >> 63) as u64
}

pub(super) fn unfold(folded: u64) -> i64 {
    (folded >> 1) as i64 ^ -((folded & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_integers_of_either_sign_take_a_byte() {
        let mut out = Vec::new();
        for integer in [0, -1, 63, -64] {
            put_signed(integer, &mut out);
        }
        assert_eq!(out, [0, 1, 126, 127]);
    }

    proptest! {
        #[test]
        fn every_integer_comes_back(integer in any::<i64>(), shift in 0..64) {
            let integer = integer >> shift;
            let mut out = Vec::new();
            put_signed(integer, &mut out);
            let mut bytes = out.as_slice();
            prop_assert_eq!(take_signed(&mut bytes), Some(integer));
            prop_assert!(bytes.is_empty());
            prop_assert_eq!(take(&mut &out[..out.len() - 1]), None);
        }

        #[test]
        fn any_bytes_are_taken_or_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            take(&mut bytes.as_slice());
        }
    }
}
