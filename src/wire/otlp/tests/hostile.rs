//! Requests that claim much, nest deeply or unfold far: refused within the memory that was given.

use super::spelling::{attribute, fixed, gauge, part, request};
use super::*;
use crate::wire::json::Syntax;

#[test]
fn a_length_of_a_gigabyte_is_not_believed() {
    let mut body = vec![1 << 3 | 2];
    message::put_varint(&mut body, 1 << 30);
    assert_eq!(decode_within(&body, UNBOUNDED).unwrap_err(), Unread::Message(message::Malformed::Truncated));
    let longest = [&[1 << 3 | 2][..], &[0xff; 9], &[1]].concat();
    assert_eq!(decode_within(&longest, UNBOUNDED).unwrap_err(), Unread::Message(message::Malformed::Truncated));
    let too_long = [&[1 << 3 | 2][..], &[0xff; 11]].concat();
    assert_eq!(decode_within(&too_long, UNBOUNDED).unwrap_err(), Unread::Message(message::Malformed::LongNumber));
}

#[test]
fn groups_and_field_zero_and_other_types_are_no_otlp() {
    for (body, expected) in [
        (&[1 << 3 | 3][..], message::Malformed::WireType(3)),
        (&[2], message::Malformed::FieldZero),
        (&[1 << 3, 1], message::Malformed::OtherType { number: 1 }),
    ] {
        assert_eq!(decode_within(body, UNBOUNDED).unwrap_err(), Unread::Message(expected));
    }
}

#[test]
fn a_million_attributes_refuse_their_point_alone() {
    let attributes: Vec<u8> = (0..1_000_000).flat_map(|_| part(7, &attribute("a", ""))).collect();
    let bad = [attributes, fixed(3, TIME), fixed(4, 0)].concat();
    let good = [fixed(3, TIME), fixed(4, 0)].concat();
    let decoded = of_protobuf(&request("h", &[gauge("m", &[bad, good])]));
    assert_eq!(decoded.refusals(), ["0 invalid_labels m: 1000000 labels, at most 64 are allowed"]);
    assert_eq!(decoded.samples(), ["h gauge m{} 0.0"]);
    assert!(decoded.text.len() < 1_000);
}

#[test]
fn a_long_resource_with_many_small_points_stops_at_the_room_it_was_given() {
    const BYTES_MAX: usize = 4 << 20;
    let labels: Vec<u8> =
        (0..8).flat_map(|place| part(1, &attribute(&format!("service.{place}"), &"x".repeat(1_000)))).collect();
    let points: Vec<Vec<u8>> = (0..10_000).map(|_| [fixed(3, TIME), fixed(4, 0)].concat()).collect();
    let metrics = part(2, &part(2, &gauge("m", &points)));
    let body = part(1, &[part(1, &labels), metrics].concat());
    let mut decoded = Decoded::default();
    let mut asked = 0;
    let mut hold = |bytes: usize| {
        asked = asked.max(bytes);
        true
    };
    let Decoded { text, intake } = &mut decoded;
    let room = &mut Room::new(BYTES_MAX, &mut hold);
    let outcome = decode(&body, &Reading::default(), (text, intake), room);
    assert_eq!(outcome, Err(Unread::TooLarge { bytes_max: BYTES_MAX }));
    assert!(text.len() <= BYTES_MAX && asked <= BYTES_MAX + (1 << 20), "{} {asked}", text.len());
    let mut refuse = |_| false;
    text.clear();
    intake.clear();
    let room = &mut Room::new(BYTES_MAX, &mut refuse);
    assert_eq!(decode(&body, &Reading::default(), (text, intake), room), Err(Unread::NoRoom));
}

#[test]
fn a_hundred_thousand_levels_of_json_are_refused_at_the_sixty_fourth() {
    let deep = |beginning: &str| {
        let body = format!("{beginning}{}", r#"{"arrayValue":{"values":["#.repeat(100_000));
        match json_to_protobuf(&body, UNBOUNDED) {
            Err(Unread::Document(fault)) => fault.syntax,
            other => panic!("{other:?}"),
        }
    };
    let attribute = r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"a","value":"#;
    assert_eq!(deep(attribute), Syntax::TooDeep);
    assert_eq!(deep(r#"{"unknown":"#), Syntax::TooDeep);
}

#[test]
fn json_of_many_small_things_takes_no_more_than_its_room() {
    let body = format!(r#"{{"resourceMetrics":[{}{{}}]}}"#, "{},".repeat(1_000_000));
    assert_eq!(json_to_protobuf(&body, 5 << 20), Err(Unread::TooLarge { bytes_max: 5 << 20 }));
}

#[test]
fn ten_million_buckets_are_counted_and_not_kept() {
    let counts = part(2, &vec![1; 10_000_000]);
    for (scale, refused) in [(0_u8, true), (40, false)] {
        // Zigzag: 40 is scale 20, of whose buckets a million make one power of two.
        let point = [fixed(3, TIME), vec![6 << 3, scale], part(8, &counts)].concat();
        let data = [part(1, &point), vec![2 << 3, 2]].concat();
        let decoded = of_protobuf(&request("h", &[[part(1, b"m"), part(10, &data)].concat()]));
        assert_eq!(decoded.intake.verdicts.items() == 1, refused, "{:?}", decoded.refusals());
        assert!(decoded.intake.points.len() < 20, "{}", decoded.intake.points.len());
    }
}

#[test]
fn json_of_other_types_is_refused_with_its_place() {
    for (body, what) in [
        ("[]", "an object was expected"),
        (r#"{"resourceMetrics":{}}"#, "a list was expected"),
        (r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":1}]}]}]}"#, "a text was expected"),
        (
            r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{"asInt":1.5}]}}]}]}]}"#,
            "an integer was expected",
        ),
    ] {
        assert!(matches!(json_to_protobuf(body, UNBOUNDED), Err(Unread::Shape { what: told, .. }) if told == what));
    }
}
