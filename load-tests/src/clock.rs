//! Time for the generator: the wall clock, waiting for an instant, and RFC 3339 in both directions.
//!
//! The wall clock only chooses the timestamps of samples; every duration is measured with `Instant`.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Width of what [`rfc3339_ms`] writes.
pub(crate) const RFC3339_MS_BYTES: usize = 24;

const MS_PER_DAY: i64 = 86_400_000;

/// Milliseconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "a separate program; this is its one place that reads the wall clock")]
pub(crate) fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// Returns once `due` has come; at once when it is past.
pub(crate) fn wait_until(due: Instant) {
    // A parked thread may wake early, so the condition is asked again.
    while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

/// `2026-11-20T10:15:11.000Z`, always the same width. The years 0 to 9999 are covered.
pub(crate) fn rfc3339_ms(time_ms: i64) -> [u8; RFC3339_MS_BYTES] {
    let (year, month, day) = civil_from_days(time_ms.div_euclid(MS_PER_DAY));
    let of_day = time_ms.rem_euclid(MS_PER_DAY);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    write_digits(&mut text[0..4], year);
    write_digits(&mut text[5..7], month);
    write_digits(&mut text[8..10], day);
    write_digits(&mut text[11..13], of_day / 3_600_000);
    write_digits(&mut text[14..16], of_day / 60_000 % 60);
    write_digits(&mut text[17..19], of_day / 1000 % 60);
    write_digits(&mut text[20..23], of_day % 1000);
    text
}

/// The same as text.
pub(crate) fn rfc3339_text(time_ms: i64) -> String {
    String::from_utf8_lossy(&rfc3339_ms(time_ms)).into_owned()
}

/// Microseconds since the epoch; digits beyond the sixth of a fraction are dropped.
pub(crate) fn parse_rfc3339_us(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || bytes[4] != b'-' || bytes[10] != b'T' || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let days = days_from_civil(digits(&bytes[0..4])?, digits(&bytes[5..7])?, digits(&bytes[8..10])?);
    let seconds = digits(&bytes[11..13])? * 3600 + digits(&bytes[14..16])? * 60 + digits(&bytes[17..19])?;
    let mut rest = &bytes[19..];
    let mut fraction_us = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let width = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let kept = width.min(6);
        fraction_us = digits(&fraction[..kept])? * 10_i64.pow(6 - u32::try_from(kept).ok()?);
        rest = &fraction[width..];
    }
    Some((days * 86_400 + seconds - offset_seconds(rest)?) * 1_000_000 + fraction_us)
}

fn offset_seconds(text: &[u8]) -> Option<i64> {
    match text {
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let seconds = digits(&[*h1, *h2])? * 3600 + digits(&[*m1, *m2])? * 60;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// Writes `number` right-aligned with leading zeros over the whole of `to`.
pub(crate) fn write_digits(to: &mut [u8], mut number: i64) {
    for place in to.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// Days since the epoch to year, month, day in the proleptic Gregorian calendar; a year is taken to begin in March,
/// so that the leap day is its last.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(time_ms in 0_i64..253_402_300_799_999) {
            proptest::prop_assert_eq!(parse_rfc3339_us(&rfc3339_text(time_ms)), Some(time_ms * 1000));
        }
    }

    #[test]
    fn known_instants_have_their_known_spelling() {
        assert_eq!(rfc3339_text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339_text(1_709_210_096_789), "2024-02-29T12:34:56.789Z");
    }

    #[test]
    fn offsets_and_fractions_are_understood_and_nonsense_is_not() {
        assert_eq!(parse_rfc3339_us("1970-01-01T01:00:00.25+01:00"), Some(250_000));
        assert_eq!(parse_rfc3339_us("1970-01-01T00:00:00.123456789Z"), Some(123_456));
        assert_eq!(parse_rfc3339_us("1970-01-01 00:00:00"), None);
        assert_eq!(parse_rfc3339_us("1970-01-01T00:00:00.Z?"), None);
    }

    #[test]
    fn waiting_for_a_past_instant_returns_at_once() {
        let start = Instant::now();
        wait_until(start);
        assert!(start.elapsed().as_secs() < 1);
    }
}
