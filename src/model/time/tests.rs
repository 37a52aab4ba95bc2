//! What RFC 3339 text is accepted, and that reading and writing agree with an independent calendar.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Option<i64> {
    Micros::parse_rfc3339(text.as_bytes()).map(|time| time.0)
}

fn write(time: Micros) -> String {
    let mut out = Vec::new();
    time.write_rfc3339(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn every_spelling_of_one_instant_is_the_same_instant() {
    for text in [
        "2025-11-20T10:00:00Z",
        "2025-11-20t10:00:00z",
        "2025-11-20 10:00:00Z",
        "2025-11-20T10:00:00.0Z",
        "2025-11-20T10:00:00.0000009Z",
        "2025-11-20T10:00:00.000000000000000000001Z",
        "2025-11-20T10:00:00+00:00",
        "2025-11-20T10:00:00-00:00",
        "2025-11-20T15:30:00+05:30",
        "2025-11-19T22:01:00-11:59",
    ] {
        assert_eq!(parse(text), Some(1_763_632_800_000_000), "{text}");
    }
    assert_eq!(parse("2025-11-20T10:00:00.5Z"), Some(1_763_632_800_500_000));
    assert_eq!(parse("2025-11-20T10:00:00.123456789+00:00"), Some(1_763_632_800_123_456));
    assert_eq!(parse("1969-12-31T23:59:59.999999Z"), Some(-1));
    assert_eq!(parse("0001-01-01T00:00:00Z"), Some(-62_135_596_800_000_000));
    assert_eq!(parse("9999-12-31T23:59:59.999999Z"), Some(253_402_300_799_999_999));
}

#[test]
fn what_is_not_rfc_3339_or_not_on_the_calendar_is_refused() {
    for text in [
        "",
        "now",
        "2025-11-20",
        "2025-11-20T10:00:00",
        "2025-11-20T10:00Z",
        "2025-11-20T10:00:00.Z",
        "2025-11-20T10:00:00.5",
        "2025-11-20T10:00:00,5Z",
        "2025-11-20T10:00:00Z ",
        " 2025-11-20T10:00:00Z",
        "2025-11-20T10:00:00+0000",
        "2025-11-20T10:00:00+24:00",
        "2025-11-20T10:00:00+00:60",
        "2025-11-20T10:00:00*00:00",
        "2025-11-20T10:00:60Z",
        "2025-11-20T10:60:00Z",
        "2025-11-20T24:00:00Z",
        "2025-11-31T10:00:00Z",
        "2025-11-00T10:00:00Z",
        "2025-13-20T10:00:00Z",
        "2025-00-20T10:00:00Z",
        "2025-02-29T10:00:00Z",
        "1900-02-29T10:00:00Z",
        "0000-01-01T00:00:00Z",
        "2025/11/20T10:00:00Z",
        "2025-11-20_10:00:00Z",
        "2025-1a-20T10:00:00Z",
        "1763632800",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
    assert!(parse("2024-02-29T10:00:00Z").is_some());
    assert!(parse("2000-02-29T10:00:00Z").is_some());
}

#[test]
fn the_fraction_is_written_without_trailing_zeros() {
    assert_eq!(write(Micros(1_763_632_800_000_000)), "2025-11-20T10:00:00Z");
    assert_eq!(write(Micros(1_763_632_800_500_000)), "2025-11-20T10:00:00.5Z");
    assert_eq!(write(Micros(1_763_632_800_000_010)), "2025-11-20T10:00:00.00001Z");
    assert_eq!(write(Micros(-1)), "1969-12-31T23:59:59.999999Z");
    assert_eq!(write(Micros(-62_135_596_800_000_001)), "0000-12-31T23:59:59.999999Z");
}

#[test]
fn any_number_of_microseconds_can_be_written() {
    assert_eq!(write(Micros(i64::MAX)), "294247-01-10T04:00:54.775807Z");
    assert_eq!(write(Micros(i64::MIN)), "-290308-12-21T19:59:05.224192Z");
}

#[test]
fn every_day_of_the_calendar_is_read_and_written_alike() {
    let first = parse("0001-01-01T00:00:00Z").unwrap() / (SECONDS_PER_DAY * Micros::PER_SECOND);
    let last = parse("9999-12-31T00:00:00Z").unwrap() / (SECONDS_PER_DAY * Micros::PER_SECOND);
    for day in first..=last {
        let time = Micros(day * SECONDS_PER_DAY * Micros::PER_SECOND);
        assert_eq!(Micros::parse_rfc3339(write(time).as_bytes()), Some(time), "day {day}");
    }
}

proptest! {
    #[test]
    fn jiff_reads_and_writes_the_same(micros in -62_135_596_800_000_000_i64..253_402_200_000_000_000) {
        let theirs = Timestamp::from_microsecond(micros).unwrap();
        prop_assert_eq!(write(Micros(micros)), theirs.to_string());
        prop_assert_eq!(parse(&theirs.to_string()), Some(micros));
    }

    #[test]
    fn jiff_agrees_on_offsets_and_fractions(
        date in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]",
        clock in "[0-2][0-9]:[0-5][0-9]:[0-5][0-9]",
        fraction in "(\\.[0-9]{1,9})?",
        offset in "(Z|[+-](0[0-9]|1[0-9]|2[0-3]):[0-5][0-9])",
    ) {
        let text = format!("{date}T{clock}{fraction}{offset}");
        let theirs = text.parse::<Timestamp>().ok().map(|time| time.as_nanosecond().div_euclid(1000) as i64);
        let expected = if date.starts_with("0000") { None } else { theirs };
        prop_assert_eq!(parse(&text), expected, "{}", text);
    }

    #[test]
    fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..48)) {
        let _any_answer = Micros::parse_rfc3339(&text);
    }
}
