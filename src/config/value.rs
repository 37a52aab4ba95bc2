//! Sizes and spans of time as people write them: `32MiB`, `90s`. A span needs a unit; a bare size is in bytes.

use std::time::Duration;

const SIZES: [(&str, usize); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];
/// In milliseconds. `ms` stands before `s`, which it ends with.
const SPANS_MS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

pub(super) fn parse_bytes(text: &str) -> Option<usize> {
    let (number, unit) = SIZES
        .iter()
        .find_map(|(name, unit)| text.strip_suffix(name).map(|number| (number.trim_end(), *unit)))
        .unwrap_or((text, 1));
    parse_count(number)?.checked_mul(unit)
}

pub(super) fn parse_span(text: &str) -> Option<Duration> {
    let (number, unit) =
        SPANS_MS.iter().find_map(|(name, unit)| text.strip_suffix(name).map(|number| (number.trim_end(), *unit)))?;
    Some(Duration::from_millis(u64::try_from(parse_count(number)?).ok()?.checked_mul(unit)?))
}

/// Digits, with `_` between them where that reads better. No sign.
pub(super) fn parse_count(text: &str) -> Option<usize> {
    let starts_with_digit = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
    starts_with_digit.then(|| text.replace('_', "").parse().ok())?
}

pub(super) fn write_bytes(bytes: usize) -> String {
    let unit = SIZES.iter().rev().skip(1).find(|(_, unit)| bytes != 0 && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes}B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

pub(super) fn write_span(span: Duration) -> String {
    let ms = span.as_millis() as u64;
    let unit = SPANS_MS.iter().rev().find(|(_, unit)| ms != 0 && ms.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{ms}ms"), |(name, unit)| format!("{}{name}", ms / unit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_and_spans_are_read_with_their_units() {
        assert_eq!(parse_bytes("32MiB"), Some(32 << 20));
        assert_eq!(parse_bytes("1 GiB"), Some(1 << 30));
        assert_eq!(parse_bytes("65_536"), Some(65_536));
        assert_eq!(parse_span("1500ms"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_span("2h"), Some(Duration::from_secs(7200)));
        assert_eq!(parse_count("10_000"), Some(10_000));
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for text in ["", "MiB", "-1", "+1", "1.5MiB", "32MB", "1kib", "99999999999GiB", "_1"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
        for text in ["", "10", "s", "-1s", "1.5s", "1w", "99999999999999999999d"] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bytes in any::<usize>(), ms in 0..u64::from(u32::MAX)) {
            prop_assert_eq!(parse_bytes(&write_bytes(bytes)), Some(bytes));
            let span = Duration::from_millis(ms);
            prop_assert_eq!(parse_span(&write_span(span)), Some(span));
        }
    }
}
