//! Times as the systems write them: text with or without a zone, or seconds since 1970 with a fraction.

use crate::model::Micros;
use crate::wire::tree::Value;

const MICROS_PER_SECOND: f64 = 1e6;
/// Beyond this a float no longer tells microseconds apart; far outside every window that samples are taken in.
const SECONDS_MAX: f64 = 9e9;

/// The time that `value` says: text (without a zone it is UTC) or seconds.
pub(super) fn of(value: Value<'_>) -> Option<Micros> {
    match value.text() {
        Some(text) => of_text(&text),
        None => of_seconds(value.number()?),
    }
}

fn of_seconds(seconds: f64) -> Option<Micros> {
    (seconds.abs() <= SECONDS_MAX).then(|| Micros((seconds * MICROS_PER_SECOND).round() as i64))
}

fn of_text(text: &str) -> Option<Micros> {
    let text = text.trim().replacen(' ', "T", 1);
    Micros::parse_rfc3339(text.as_bytes()).or_else(|| Micros::parse_rfc3339(format!("{text}Z").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tree::{Leniency, Tree};

    fn check(document: &str, expected: Option<i64>) {
        let tree = Tree::read(document.as_bytes(), Leniency::Strict).unwrap();
        assert_eq!(of(tree.root()).map(|time| time.0), expected, "{document}");
    }

    #[test]
    fn times_are_read_however_the_systems_write_them() {
        check(r#""2024-01-20T12:34:56.123456789+05:00""#, Some(1_705_736_096_123_456));
        check(r#""2025-12-23T20:15:00Z""#, Some(1_766_520_900_000_000));
        check(r#""2025-12-23T20:15:00""#, Some(1_766_520_900_000_000));
        check(r#""2025-12-23 20:15:00.5""#, Some(1_766_520_900_500_000));
        check("1764558249.12", Some(1_764_558_249_120_000));
        check("1766520900", Some(1_766_520_900_000_000));
        check("1e300", None);
        check(r#""yesterday""#, None);
        check("null", None);
    }
}
