//! The time of a line: an integer in the unit the request names.

use super::decode::{Options, ends_line};
use super::fields::skip_blanks;
use super::refusal::Refusal;
use crate::model::{Micros, Span};
use crate::wire::decimal::{EXACT_DIGITS_MAX, digits};

/// The unit of timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// What is finer than a microsecond is cut off.
    #[default]
    Nanosecond,
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    /// By size: the unit in which the number lies nearest to our time.
    Auto,
}

/// Up to which magnitude a number is taken for seconds, milliseconds and microseconds.
const AUTO_SECONDS: u64 = 5_000_000_000;
const AUTO_MILLIS: u64 = AUTO_SECONDS * 1_000;
const AUTO_MICROS: u64 = AUTO_MILLIS * 1_000;

impl Precision {
    /// All the names InfluxDB has for its units, in any of its versions.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "ns" | "n" | "nanosecond" => Self::Nanosecond,
            "us" | "u" | "µ" | "µs" | "microsecond" => Self::Microsecond,
            "ms" | "millisecond" => Self::Millisecond,
            "s" | "second" => Self::Second,
            "m" | "minute" => Self::Minute,
            "h" | "hour" => Self::Hour,
            "auto" => Self::Auto,
            _ => return None,
        })
    }

    fn by_size(magnitude: u64) -> Self {
        if magnitude < AUTO_SECONDS {
            Self::Second
        } else if magnitude < AUTO_MILLIS {
            Self::Millisecond
        } else if magnitude < AUTO_MICROS {
            Self::Microsecond
        } else {
            Self::Nanosecond
        }
    }

    #[inline(always)]
    fn micros(self, number: i64) -> Option<Micros> {
        let scaled = |unit: i64| number.checked_mul(unit).map(Micros);
        match self {
            Self::Nanosecond => Some(Micros(number.div_euclid(1_000))),
            Self::Microsecond => Some(Micros(number)),
            Self::Millisecond => scaled(1_000),
            Self::Second => scaled(Micros::PER_SECOND),
            Self::Minute => scaled(60 * Micros::PER_SECOND),
            Self::Hour => scaled(3_600 * Micros::PER_SECOND),
            Self::Auto => Self::by_size(number.unsigned_abs()).micros(number),
        }
    }
}

/// Reads the time that may stand at `at`, behind the fields, and answers it with the end of the line.
#[inline(always)]
pub(super) fn read(body: &[u8], at: usize, options: &Options) -> Result<(usize, Micros), Refusal> {
    let start = skip_blanks(body, at);
    if ends_line(body, start) {
        return Ok((start, options.now));
    }
    let negative = body[start] == b'-';
    let first = start + usize::from(negative);
    let mut magnitude = 0;
    let count = digits(body.get(first..).unwrap_or_default(), &mut magnitude);
    let end = skip_blanks(body, first + count);
    let bad = || Refusal::BadTimestamp { start: start as u32 };
    if count == 0 || count > EXACT_DIGITS_MAX || !ends_line(body, end) {
        return Err(bad());
    }
    let number = i64::try_from(magnitude).map_err(|_| bad())?;
    let time = options.precision.micros(if negative { -number } else { number }).ok_or_else(bad)?;
    if !(Micros::FIRST..=Micros::LAST).contains(&time) {
        return Err(Refusal::TimestampOutOfRange { word: Span::new(start, first + count) });
    }
    Ok((end, time))
}
