//! Values and times of a line of text.

use super::exposition::TextTimes;
use super::refusal::Refusal;
use crate::model::Micros;

const MICROS_PER_MILLI: i64 = 1_000;
/// Digits of a second that are kept.
const FRACTION_DIGITS: usize = 6;

/// A value: a decimal number, or one of the words for what is none, in any case.
pub(super) fn value(word: &[u8]) -> Result<f64, Refusal> {
    let refused = || Refusal::Value { text: word.to_vec() };
    let value: f64 = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok()).ok_or_else(refused)?;
    // Digits never mean infinity.
    if value.is_infinite() && word.iter().any(u8::is_ascii_digit) { Err(refused()) } else { Ok(value) }
}

/// A time: whole numbers in the unit of the text, others in seconds, cut off after a microsecond.
pub(super) fn time(word: &[u8], times: TextTimes) -> Result<Micros, Refusal> {
    let refused = || Refusal::Timestamp { text: word.to_vec() };
    let text = std::str::from_utf8(word).map_err(|_| refused())?;
    let micros = match (text.parse::<i64>(), times) {
        (Ok(millis), TextTimes::Millis) => millis.checked_mul(MICROS_PER_MILLI),
        (Ok(seconds), TextTimes::Seconds) => seconds.checked_mul(Micros::PER_SECOND),
        (Err(_), _) => seconds(text),
    };
    let time = Micros(micros.ok_or_else(refused)?);
    if (Micros::FIRST..=Micros::LAST).contains(&time) { Ok(time) } else { Err(refused()) }
}

/// Seconds with a fraction, exact to the microsecond where they are written as a plain decimal.
fn seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.')?;
    if fraction.bytes().all(|byte| byte.is_ascii_digit()) && !fraction.is_empty() {
        let digits: String = fraction.chars().chain("000000".chars()).take(FRACTION_DIGITS).collect();
        let fraction: i64 = digits.parse().ok()?;
        let is_negative = whole.starts_with('-');
        let whole = whole.parse::<i64>().ok()?.checked_mul(Micros::PER_SECOND)?;
        return if is_negative { whole.checked_sub(fraction) } else { whole.checked_add(fraction) };
    }
    let seconds: f64 = text.parse().ok()?;
    let micros = (seconds * Micros::PER_SECOND as f64).round();
    // Far past any time that is accepted.
    (micros.abs() < 1e18).then_some(micros as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_exporters_write_them() {
        for (word, expected) in [
            ("1", 1.0),
            ("-0", -0.0),
            ("1.7560473e+07", 17_560_473.0),
            ("+Inf", f64::INFINITY),
            ("-inf", f64::NEG_INFINITY),
            ("NaN", f64::NAN),
            ("18446744073709551615", 18_446_744_073_709_551_615.0),
        ] {
            assert_eq!(value(word.as_bytes()).unwrap().to_bits(), expected.to_bits(), "{word}");
        }
        for word in ["1e400", "0x1", "1_0", "one", "1,5"] {
            assert!(value(word.as_bytes()).is_err(), "{word}");
        }
    }

    #[test]
    fn times_are_milliseconds_or_seconds() {
        let check = |word: &str, times, micros: i64| {
            assert_eq!(time(word.as_bytes(), times).unwrap(), Micros(micros), "{word}");
        };
        check("1700000000123", TextTimes::Millis, 1_700_000_000_123_000);
        check("1700000000", TextTimes::Seconds, 1_700_000_000_000_000);
        check("1700000000.1234567", TextTimes::Millis, 1_700_000_000_123_456);
        check("1.7e+09", TextTimes::Seconds, 1_700_000_000_000_000);
        check("-1.5", TextTimes::Seconds, -1_500_000);
        for word in ["9223372036854775807", "1e30", "1.x", "soon", "1.7e300"] {
            assert!(time(word.as_bytes(), TextTimes::Seconds).is_err(), "{word}");
        }
    }
}
