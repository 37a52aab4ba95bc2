//! Times and spans of time as people ask for them: `2025-11-20T12:00:00Z`, `now`, `-1h`, `5m`.

use crate::model::Micros;

/// A unit's name and its length in microseconds.
pub type Unit = (&'static str, i64);

const SECOND: i64 = Micros::PER_SECOND;
/// The units of spans and relative times. None is longer than a week, as longer ones differ in length.
pub const UNITS: [Unit; 5] =
    [("s", SECOND), ("m", 60 * SECOND), ("h", 3_600 * SECOND), ("d", 86_400 * SECOND), ("w", 604_800 * SECOND)];

/// A whole number of one unit, more than none, in microseconds.
pub fn span(text: &str, units: &[Unit]) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, name) = text.split_at(digits);
    let (_, micros) = units.iter().find(|(unit, _)| *unit == name)?;
    number.parse::<i64>().ok()?.checked_mul(*micros).filter(|span| *span > 0)
}

/// `now`, or a span before it: `-1h`, `now-1h`.
pub fn relative(text: &str, now: Micros, units: &[Unit]) -> Option<Micros> {
    let before = text.strip_prefix("now").unwrap_or(text);
    if before.is_empty() {
        return text.starts_with("now").then_some(now);
    }
    let time = Micros(now.0.checked_sub(span(before.strip_prefix('-')?, units)?)?);
    (time >= Micros::FIRST).then_some(time)
}

/// An RFC 3339 time, or one relative to now.
pub fn time(text: &str, now: Micros, units: &[Unit]) -> Option<Micros> {
    // A `+` that was not escaped arrives as a space, and the offset is the only place where a time has one at its end.
    let with_plus = || text.rsplit_once(' ').map(|(clock, offset)| format!("{clock}+{offset}"));
    relative(text, now, units)
        .or_else(|| Micros::parse_rfc3339(text.as_bytes()))
        .or_else(|| Micros::parse_rfc3339(with_plus()?.as_bytes()))
}

/// A span as it would be asked for, in the largest unit that divides it.
pub fn spelt(micros: i64) -> String {
    let unit = UNITS.iter().rev().find(|(_, unit)| micros % unit == 0);
    unit.map_or_else(|| format!("{micros}us"), |(name, unit)| format!("{}{name}", micros / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_763_640_000_000_000);

    #[test]
    fn a_time_may_be_told_by_how_long_ago_it_was() {
        for (text, seconds_ago) in [("now", 0), ("-90s", 90), ("now-5m", 300), ("-1h", 3_600), ("-2w", 1_209_600)] {
            assert_eq!(time(text, NOW, &UNITS), Some(Micros(NOW.0 - seconds_ago * SECOND)), "{text}");
        }
        assert_eq!(time("2025-11-20T13:00:00 01:00", NOW, &UNITS), Some(NOW), "the plus of an offset came as a space");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "-", "1h", "-h", "-0s", "+1h", "-1y", "-1.5h", "now+1h", "nowhere", "-99999999999999999999s"] {
            assert_eq!(time(text, NOW, &UNITS), None, "{text}");
        }
    }

    #[test]
    fn spans_are_spelt_as_they_are_read() {
        for text in ["30s", "1m", "90m", "1h", "1d", "2w"] {
            assert_eq!(spelt(span(text, &UNITS).unwrap()), text);
        }
    }
}
