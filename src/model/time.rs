//! Points in time: whole microseconds since the Unix epoch, in UTC, the resolution PostgreSQL keeps.
//!
//! Reads and writes RFC 3339 by hand, because every sample carries a timestamp and because the general libraries
//! accept more than the format does. Knows no time zone but a fixed offset and reads no clock.

use std::fmt;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

const SECONDS_PER_DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01 in the proleptic Gregorian calendar.
const DAYS_TO_EPOCH: i64 = 719_468;
/// The calendar repeats itself after this many days, which are 400 years.
const DAYS_PER_ERA: i64 = 146_097;

/// As RFC 3339, in UTC.
impl fmt::Display for Micros {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(32);
        self.write_rfc3339(&mut text);
        formatter.write_str(&String::from_utf8_lossy(&text))
    }
}

impl Micros {
    pub const PER_SECOND: i64 = 1_000_000;
    /// The first and the last time that RFC 3339 can spell, in the years 0001 and 9999.
    pub const FIRST: Self = Self(-62_135_596_800_000_000);
    pub const LAST: Self = Self(253_402_300_799_999_999);

    /// Reads `YYYY-MM-DDTHH:MM:SS[.fraction](Z|+hh:mm|-hh:mm)` of the years 0001 to 9999. `t`, `z` and a space instead
    /// of the `T` are accepted; digits of the fraction past the microsecond are cut off. A leap second (`:60`) is
    /// refused, since no system here could tell it from the second that follows.
    #[inline]
    pub fn parse_rfc3339(text: &[u8]) -> Option<Self> {
        let (clock, tail) = text.split_first_chunk::<19>()?;
        let separated = clock[4] == b'-' && clock[7] == b'-' && clock[13] == b':' && clock[16] == b':';
        if !separated || !matches!(clock[10], b'T' | b't' | b' ') {
            return None;
        }
        let year = pair(clock[0], clock[1])? * 100 + pair(clock[2], clock[3])?;
        let (month, day) = (pair(clock[5], clock[6])?, pair(clock[8], clock[9])?);
        let (hour, minute, second) =
            (pair(clock[11], clock[12])?, pair(clock[14], clock[15])?, pair(clock[17], clock[18])?);
        let on_calendar = year >= 1 && (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
        if !on_calendar || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (fraction_micros, zone) = fraction(tail)?;
        let seconds =
            days_from_civil(year, month, day) * SECONDS_PER_DAY + i64::from(hour * 3600 + minute * 60 + second);
        let time = Self((seconds - offset_seconds(zone)?) * Self::PER_SECOND + fraction_micros);
        // An offset can carry the ends of the calendar beyond them.
        (Self::FIRST..=Self::LAST).contains(&time).then_some(time)
    }

    /// Appends the time in UTC with a `Z`: the fraction without trailing zeros, and none when it is zero. Years past
    /// 9999 and before 0000, which RFC 3339 cannot express and [`Micros::parse_rfc3339`] never returns, are written
    /// with as many digits as they have and a minus.
    pub fn write_rfc3339(self, out: &mut Vec<u8>) {
        let seconds = self.0.div_euclid(Self::PER_SECOND);
        let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY) as u32;
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
        write_year(out, year);
        let [hour, minute, second] = [second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60];
        for (mark, number) in [(b'-', month), (b'-', day), (b'T', hour), (b':', minute), (b':', second)] {
            out.extend_from_slice(&[mark, b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
        }
        write_fraction(out, self.0.rem_euclid(Self::PER_SECOND) as u32);
        out.push(b'Z');
    }
}

/// The number two decimal digits stand for.
#[inline]
fn pair(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// The microseconds of an optional fraction, and what follows it.
#[inline]
fn fraction(tail: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = tail.strip_prefix(b".") else { return Some((0, tail)) };
    let count = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    if count == 0 {
        return None;
    }
    let (digits, zone) = digits.split_at(count);
    let kept = digits.iter().chain(b"000000").take(6);
    Some((kept.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0')), zone))
}

/// How far the local time of a zone is ahead of UTC.
#[inline]
fn offset_seconds(zone: &[u8]) -> Option<i64> {
    match *zone {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), hour_tens, hour_ones, b':', minute_tens, minute_ones] => {
            let (hours, minutes) = (pair(hour_tens, hour_ones)?, pair(minute_tens, minute_ones)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = i64::from(hours * 3600 + minutes * 60);
            Some(if sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

#[inline]
fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch. Years are counted from March, so that the leap day is the last of its year and a month's
/// first day is a linear function of the month.
#[inline]
pub(super) fn days_from_civil(year: u32, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (century, month_from_march) = (year / 100, (month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    i64::from(year * 365 + year / 4 - century + century / 4 + day_of_year) - DAYS_TO_EPOCH
}

/// The inverse of [`days_from_civil`], for any day: (year, month, day).
pub(super) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + DAYS_TO_EPOCH;
    let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / (DAYS_PER_ERA - 1);
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u32;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn write_year(out: &mut Vec<u8>, year: i64) {
    if year < 0 {
        out.push(b'-');
    }
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(year.unsigned_abs()).as_bytes();
    out.extend_from_slice(&b"0000"[digits.len().min(4)..]);
    out.extend_from_slice(digits);
}

fn write_fraction(out: &mut Vec<u8>, micros: u32) {
    if micros == 0 {
        return;
    }
    out.push(b'.');
    let (mut left, mut unit) = (micros, 100_000);
    while left > 0 {
        out.push(b'0' + (left / unit) as u8);
        (left, unit) = (left % unit, unit / 10);
    }
}

#[cfg(test)]
mod tests;
