//! Short texts compared without a call: names of fields are looked at once a sample, and a call costs more than they do.

/// The longest texts that are compared in place.
const SHORT_BYTES_MAX: usize = 16;

/// Whether both are the same bytes.
#[inline(always)]
pub fn is_same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() || left.len() > SHORT_BYTES_MAX {
        return left == right;
    }
    // The first and the last bytes of such a text meet or overlap.
    let ends = (left.first_chunk::<8>(), left.last_chunk::<8>(), right.first_chunk::<8>(), right.last_chunk::<8>());
    match ends {
        (Some(first), Some(last), Some(other_first), Some(other_last)) => first == other_first && last == other_last,
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_any_byte_or_in_length_are_not_the_same() {
        for length in 0..40 {
            let text: Vec<u8> = (0..length).collect();
            assert!(is_same(&text, &text.clone()));
            for place in 0..text.len() {
                let mut other = text.clone();
                other[place] ^= 0x80;
                assert!(!is_same(&text, &other), "{place} of {length}");
                assert!(!is_same(&text, &text[..place]));
            }
        }
    }
}
