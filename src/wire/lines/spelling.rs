//! Floats that are no numbers: `NaN`, `+Inf`, `-Inf`, and the bits of all other NaNs in hexadecimal, as some systems
//! tell things by them (a stale marker is one). In NDJSON they are strings.

const PLAIN_NAN: u64 = 0x7ff8_0000_0000_0000;
const HEX_DIGITS: usize = 16;

/// Appends the spelling of a float that is not finite.
pub fn write(value: f64, out: &mut Vec<u8>) {
    let bits = value.to_bits();
    if value.is_nan() && bits != PLAIN_NAN {
        out.extend_from_slice(format!("0x{bits:016x}").as_bytes());
        return;
    }
    let text: &[u8] = if value.is_nan() {
        b"NaN"
    } else if value > 0.0 {
        b"+Inf"
    } else {
        b"-Inf"
    };
    out.extend_from_slice(text);
}

/// What [`write()`] wrote, and the ways others write the same.
pub fn read(text: &[u8]) -> Option<f64> {
    match text {
        b"NaN" | b"nan" => Some(f64::from_bits(PLAIN_NAN)),
        b"+Inf" | b"Inf" | b"+inf" | b"inf" | b"Infinity" | b"+Infinity" => Some(f64::INFINITY),
        b"-Inf" | b"-inf" | b"-Infinity" => Some(f64::NEG_INFINITY),
        _ => {
            let digits = text.strip_prefix(b"0x").filter(|digits| digits.len() == HEX_DIGITS)?;
            let digit = |bits: u64, digit: &u8| Some(bits << 4 | u64::from((*digit as char).to_digit(16)?));
            digits.iter().try_fold(0, digit).map(f64::from_bits)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_float_that_is_no_number_comes_back_bit_for_bit(bits in any::<u64>(), is_negative: bool) {
            let value = f64::from_bits(bits | 0x7ff0_0000_0000_0000 | u64::from(is_negative) << 63);
            let mut text = Vec::new();
            write(value, &mut text);
            prop_assert_eq!(read(&text).map(f64::to_bits), Some(value.to_bits()));
        }
    }

    #[test]
    fn what_is_spelt_otherwise_is_none() {
        for text in ["", "1", "0x", "0x7ff", "0x7ff800000000000g", "0x+ff8000000000000", "NAN"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
