//! Numbers: `1.5`, `-3e4`, integers `7i` and `7u`.

use super::refusal::Refusal;
use crate::model::Span;
use crate::wire::decimal::{
    Decimal, EXACT_DIGITS_MAX, EXACT_INTEGER_MAX, EXPONENT_MAX, digits, nearest, short as short_decimal,
};

const NOT_FINITE: [&str; 3] = ["nan", "inf", "infinity"];

/// A short decimal at `at` and where its field ends: what nearly all values are. `None` is for [`read`] to look at.
#[inline(always)]
pub(super) fn short(body: &[u8], at: usize) -> Option<(f64, usize)> {
    let negative = body.get(at) == Some(&b'-');
    let at = at + usize::from(negative);
    let (value, length) = short_decimal(body.get(at..)?)?;
    let end = at + length;
    matches!(body.get(end), Some(b',' | b' ' | b'\n')).then_some((if negative { -value } else { value }, end))
}

/// The number at `at` and where it ends; `None` when there is none. A number that a sample cannot hold is refused.
#[inline(always)]
pub(super) fn read(body: &[u8], at: usize) -> Option<(Result<f64, Refusal>, usize)> {
    let start = at;
    let first = *body.get(at)?;
    let negative = first == b'-';
    let at = at + usize::from(negative || first == b'+');
    let mut mantissa = 0;
    let integer_digits = digits(body.get(at..)?, &mut mantissa);
    let mut end = at + integer_digits;
    let mut decimal = Decimal { negative, mantissa, digits: integer_digits, exponent: 0 };
    match body.get(end) {
        Some(b'i' | b'u') if integer_digits > 0 => return Some((integer(body, start, decimal), end + 1)),
        Some(b'.') => {
            let fraction = body.get(end + 1..)?;
            let fraction_digits = digits(fraction, &mut decimal.mantissa);
            decimal.digits += fraction_digits;
            decimal.exponent = -(fraction_digits as i64);
            end += 1 + fraction_digits;
        }
        _ => {}
    }
    if decimal.digits == 0 {
        return None;
    }
    if matches!(body.get(end), Some(b'e' | b'E')) {
        let (exponent, exponent_end) = exponent(body, end + 1)?;
        decimal.exponent += exponent;
        end = exponent_end;
    }
    let value = decimal.exact().unwrap_or_else(|| nearest(&body[start..end]));
    let word = Span::new(start, end);
    Some((if value.is_finite() { Ok(value) } else { Err(Refusal::OutOfRange { word }) }, end))
}

/// A 64-bit float holds integers up to 2^53 only; one beyond would come back as another number.
#[inline(always)]
fn integer(body: &[u8], start: usize, decimal: Decimal) -> Result<f64, Refusal> {
    let end = start + usize::from(!body[start].is_ascii_digit()) + decimal.digits;
    let word = Span::new(start, end + 1);
    if decimal.negative && body[end] == b'u' {
        return Err(Refusal::NegativeUnsigned { word });
    }
    if decimal.digits > EXACT_DIGITS_MAX || decimal.mantissa > EXACT_INTEGER_MAX {
        return Err(Refusal::InexactInteger { word });
    }
    let magnitude = decimal.mantissa as i64;
    Ok((if decimal.negative { -magnitude } else { magnitude }) as f64)
}

#[inline(never)]
fn exponent(body: &[u8], at: usize) -> Option<(i64, usize)> {
    let negative = body.get(at) == Some(&b'-');
    let at = at + usize::from(matches!(body.get(at), Some(b'-' | b'+')));
    let count = digits(body.get(at..)?, &mut 0);
    let sum =
        body[at..at + count].iter().fold(0, |sum: i64, digit| (sum * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX));
    (count > 0).then_some((if negative { -sum } else { sum }, at + count))
}

/// What programs print for numbers that are none.
pub(super) fn is_not_finite(word: &[u8]) -> bool {
    let unsigned = word.strip_prefix(b"-").or_else(|| word.strip_prefix(b"+")).unwrap_or(word);
    NOT_FINITE.iter().any(|name| unsigned.eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = String> {
        prop_oneof!["-?[0-9]{1,9}(\\.[0-9]{0,9})?[,i \n]x{8}", "[-+0-9.,e \ni/:\u{80}]{0,12}"]
    }

    proptest! {
        #[test]
        fn short_numbers_are_what_all_numbers_are(text in number()) {
            if let Some((value, end)) = short(text.as_bytes(), 0) {
                let (expected, expected_end) = read(text.as_bytes(), 0).unwrap();
                prop_assert_eq!((value.to_bits(), end), (expected.unwrap().to_bits(), expected_end));
            }
        }
    }

    #[test]
    fn most_numbers_are_short() {
        let check = |text: &str, expected| assert_eq!(short(text.as_bytes(), 0), expected, "{text}");
        check("45.20,usage", Some((45.2, 5)));
        check("-7,usage_x", Some((-7.0, 2)));
        check("1234567,x", Some((1_234_567.0, 7)));
        check("12345.6 x", Some((12_345.6, 7)));
        check("12345678,", None);
        check("7i,usage_x", None);
        check(".5,usage_x", None);
        check("1e5,usage_x", None);
        check("5,", None);
    }
}
