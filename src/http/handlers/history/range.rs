//! Start, stop and interval of a question for history, and the bucket that the source system would have read. Pure.

use crate::model::Micros;
use crate::query::when::{self, Unit};

const SECOND: i64 = Micros::PER_SECOND;
const DAY: i64 = 86_400 * SECOND;
/// Months and years as long as they mostly are.
const UNITS: [Unit; 7] = [
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("d", DAY),
    ("w", 7 * DAY),
    ("mo", 30 * DAY),
    ("y", 365 * DAY),
];
const RANGE_DAYS_MAX: i64 = 365;
/// Parts of a span such as `1h30m`.
const PARTS_MAX: usize = 8;

/// A bucket of the source system: how far back it goes, its name, the interval asked of it when none is given, and how
/// long its windows are.
struct Bucket {
    age_max: i64,
    name: &'static str,
    interval: &'static str,
    step_micros: i64,
}

const BUCKETS: [Bucket; 3] = [
    Bucket { age_max: DAY, name: "metrics_raw", interval: "1m", step_micros: 60 * SECOND },
    Bucket { age_max: 7 * DAY, name: "metrics_1m", interval: "5m", step_micros: 60 * SECOND },
    Bucket { age_max: i64::MAX, name: "metrics_1h", interval: "1h", step_micros: 3_600 * SECOND },
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: Micros,
    pub(super) stop: Micros,
    pub(super) start_text: String,
    pub(super) stop_text: String,
    pub(super) step_micros: i64,
    pub(super) interval: String,
    pub(super) bucket: &'static str,
    /// How long the windows are that the bucket holds.
    pub(super) bucket_step_micros: i64,
    /// Whether the bucket holds samples instead.
    pub(super) counts_samples: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RangeError {
    #[error("Invalid start: give a time such as -1h or 2025-12-01T00:00:00Z")]
    Start,
    #[error("Invalid stop: give now(), or a time such as -1h or 2025-12-01T00:00:00Z")]
    Stop,
    #[error("Invalid interval: give a span such as 30s, 5m or 1h")]
    Interval,
    #[error("Invalid range: start must be before stop")]
    Empty,
    #[error("Invalid range: at most {RANGE_DAYS_MAX} days")]
    TooLong,
}

impl Range {
    pub(super) fn parse<'a>(
        get: impl Fn(&str) -> Option<&'a str>,
        start_default: &'static str,
        interval_default: Option<&'static str>,
        now: Micros,
    ) -> Result<Self, RangeError> {
        let given = |name| get(name).filter(|text| !text.is_empty());
        let start_text = given("start").unwrap_or(start_default);
        let stop_text = given("stop").unwrap_or("now()");
        let start = time(start_text, now).ok_or(RangeError::Start)?;
        let stop = time(stop_text, now).ok_or(RangeError::Stop)?;
        if start >= stop {
            return Err(RangeError::Empty);
        }
        if stop.0 - start.0 > RANGE_DAYS_MAX * DAY {
            return Err(RangeError::TooLong);
        }
        let age = now.0.saturating_sub(start.0);
        let bucket = BUCKETS.iter().find(|bucket| age <= bucket.age_max).unwrap_or(&BUCKETS[2]);
        let interval = given("interval").unwrap_or(interval_default.unwrap_or(bucket.interval));
        let step_micros = span(interval).filter(|step| *step <= RANGE_DAYS_MAX * DAY).ok_or(RangeError::Interval)?;
        Ok(Self {
            start,
            stop,
            start_text: start_text.to_owned(),
            stop_text: stop_text.to_owned(),
            step_micros,
            interval: interval.to_owned(),
            bucket: bucket.name,
            bucket_step_micros: bucket.step_micros,
            counts_samples: bucket.age_max == DAY,
        })
    }
}

fn time(text: &str, now: Micros) -> Option<Micros> {
    if text == "now()" {
        return Some(now);
    }
    if let Some(before) = text.strip_prefix('-') {
        let time = Micros(now.0.checked_sub(span(before)?)?);
        return (time >= Micros::FIRST).then_some(time);
    }
    when::time(text, now, &UNITS)
}

/// Numbers with units, one after the other: `1h30m`.
fn span(text: &str) -> Option<i64> {
    let (mut rest, mut micros) = (text, 0_i64);
    for _ in 0..PARTS_MAX {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_lowercase).count();
        let (part, next) = rest.split_at(digits + letters);
        micros = micros.checked_add(when::span(part, &UNITS)?)?;
        rest = next;
        if rest.is_empty() {
            return Some(micros);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_763_640_000_000_000);

    fn parse(query: &[(&'static str, &'static str)]) -> Result<Range, RangeError> {
        let get = |name: &str| query.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        Range::parse(get, "-1h", None, NOW)
    }

    #[test]
    fn the_bucket_and_its_interval_follow_how_far_back_the_start_is() {
        for (start, bucket, interval) in [
            ("-24h", "metrics_raw", "1m"),
            ("-1d1s", "metrics_1m", "5m"),
            ("-7d", "metrics_1m", "5m"),
            ("-2w", "metrics_1h", "1h"),
            ("-1mo", "metrics_1h", "1h"),
            ("-1y", "metrics_1h", "1h"),
        ] {
            let range = parse(&[("start", start)]).unwrap();
            assert_eq!((range.bucket, range.interval.as_str()), (bucket, interval), "{start}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused_with_its_reason() {
        for (query, error) in [
            (("start", "yesterday"), RangeError::Start),
            (("start", "-1h;drop"), RangeError::Start),
            (("stop", "later"), RangeError::Stop),
            (("interval", "0m"), RangeError::Interval),
            (("interval", "1x"), RangeError::Interval),
            (("stop", "-2h"), RangeError::Empty),
            (("start", "-366d"), RangeError::TooLong),
        ] {
            assert_eq!(parse(&[query]), Err(error), "{query:?}");
        }
    }
}
