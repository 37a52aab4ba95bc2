//! Months of the calendar, in UTC: what large tables are parted by.

use std::fmt;

use super::time::{Micros, civil_from_days, days_from_civil};

const MONTHS: i32 = 12;
const MICROS_PER_DAY: i64 = 86_400 * Micros::PER_SECOND;

/// Counts months from January of the year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

/// As RFC 3339 begins: `2028-02`.
impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year(), self.number())
    }
}

impl Month {
    /// The month that `time` is in. A time that RFC 3339 cannot spell counts as the nearest that it can.
    pub fn of(time: Micros) -> Self {
        let time = time.clamp(Micros::FIRST, Micros::LAST);
        let (year, month, _) = civil_from_days(time.0.div_euclid(MICROS_PER_DAY));
        Self(year as i32 * MONTHS + month as i32 - 1)
    }

    /// Its first moment.
    pub fn start(self) -> Micros {
        Micros(days_from_civil(self.year(), self.number(), 1) * MICROS_PER_DAY)
    }

    /// The first moment after it.
    pub fn end(self) -> Micros {
        self.plus(1).start()
    }

    /// So many months later.
    #[must_use]
    pub const fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    pub const fn year(self) -> u32 {
        self.0.div_euclid(MONTHS).unsigned_abs()
    }

    /// From 1 to 12.
    pub const fn number(self) -> u32 {
        self.0.rem_euclid(MONTHS).unsigned_abs() + 1
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn month(text: &str) -> Month {
        Month::of(Micros::parse_rfc3339(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_month_ends_where_the_next_one_begins() {
        for (time, shown, end) in [
            ("2028-02-29T23:59:59.999999Z", "2028-02", "2028-03-01T00:00:00Z"),
            ("2027-02-28T00:00:00Z", "2027-02", "2027-03-01T00:00:00Z"),
            ("2027-12-31T12:00:00Z", "2027-12", "2028-01-01T00:00:00Z"),
            ("2028-01-01T00:00:00Z", "2028-01", "2028-02-01T00:00:00Z"),
        ] {
            assert_eq!((month(time).to_string(), month(time).end().to_string()), (shown.to_owned(), end.to_owned()));
        }
        assert_eq!(month("2027-11-30T00:00:00Z").plus(3), month("2028-02-01T00:00:00Z"));
    }

    #[test]
    fn times_beyond_the_calendar_are_in_its_first_and_its_last_month() {
        assert_eq!(Month::of(Micros(i64::MIN)).to_string(), "0001-01");
        assert_eq!(Month::of(Micros(i64::MAX)).to_string(), "9999-12");
    }

    proptest! {
        #[test]
        fn jiff_agrees_on_the_month_of_a_time(micros in -62_135_596_800_000_000_i64..253_402_200_000_000_000) {
            let date = Timestamp::from_microsecond(micros).unwrap().to_zoned(TimeZone::UTC).date();
            let month = Month::of(Micros(micros));
            prop_assert_eq!((month.year() as i16, month.number() as i8), (date.year(), date.month()));
            prop_assert!(month.start() <= Micros(micros) && Micros(micros) < month.end());
        }
    }
}
