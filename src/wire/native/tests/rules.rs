//! One table a rule.

use super::*;
use crate::model::Micros;

#[test]
fn the_readme_example_is_one_sample() {
    let body = with_items(&item_with("", ""));
    let intake = decoded(&body);
    assert_eq!((intake.items, intake.points.len(), intake.verdicts.total()), (1, 1, 0));
    assert_eq!(intake.servers(), [SERVER.parse::<uuid::Uuid>().unwrap()]);
    let raw = intake.points.identities[0];
    assert_eq!(raw.metric_type.of(body.as_bytes()), b"cpu");
    assert_eq!(raw.metric_name.of(body.as_bytes()), b"usage");
    assert_eq!(raw.labels.of(body.as_bytes()), br#"{"core":"0"}"#);
    assert_eq!(intake.points.times, [Micros(1_763_632_800_000_000)]);
    assert_eq!(intake.points.values, [45.2]);
}

#[test]
fn documents_without_samples_are_good() {
    for body in [
        format!(r#"{{"server_id":"{SERVER}"}}"#),
        format!(r#"{{"server_id":"{SERVER}","metrics":null}}"#),
        with_items(""),
        r#"{"metrics":[]}"#.to_owned(),
        r#" { "metrics" : [ ] , "more" : { "a" : [ 1 , true , null , "x" ] } } "#.to_owned(),
        r#"{"server_id":null}"#.to_owned(),
        r#"{"server_id":"","metrics":null}"#.to_owned(),
    ] {
        assert_eq!(decoded(&body).items, 0, "{body}");
    }
}

#[test]
fn documents_that_are_refused_say_where_and_why() {
    let check = |body: &str, expected: &str| assert_eq!(document_error(body), expected, "{body}");
    check("", "the document ends too early at byte 0");
    check("[]", "the document must be an object, got an array at byte 0");
    check(" 5", "the document must be an object, got a number at byte 1");
    check("x", "expected an object at byte 0");
    check("{}", "server_id or metrics is required at byte 2");
    check(r#"{"a":1}"#, "server_id or metrics is required at byte 7");
    check(r#"{"metrics":{}}"#, "metrics must be an array, got an object at byte 11");
    check(r#"{"metrics":[],"metrics":[]}"#, "metrics appears twice at byte 14");
    check(r#"{"server_id":null,"server_id":null}"#, "server_id appears twice at byte 18");
    check(r#"{"server_id":7}"#, "server_id must be a string, got a number at byte 13");
    check(r#"{"server_id":"x-1"}"#, "server_id must be a UUID, got \"x-1\" at byte 13");
    check(r#"{"metrics":[]} x"#, "expected the end of the document at byte 15");
    check(r#"{"metrics":[],}"#, "expected a quoted name at byte 14");
    check(r#"{"metrics":[1,]}"#, "expected a value at byte 14");
    check(r#"{"metrics":[{]}"#, "expected a quoted name at byte 13");
    check(r#"{"metrics":[{"value":1,}]}"#, "expected a quoted name at byte 23");
    check(r#"{"metrics":[{"value":01}]}"#, "expected a comma or a closing brace at byte 22");
    check(r#"{"metrics":[{"value":nul}]}"#, "expected null at byte 24");
    check(r#"{"metrics":[{"value":Nope}]}"#, "expected a value at byte 21");
    check(r#"{"metrics":[{"value":-x}]}"#, "expected a digit at byte 22");
    check(r#"{"metrics":[{"value":Infinit}]}"#, "expected a value at byte 21");
    check(r#"{"metrics":[{"other":NaN}]}"#, "expected a value at byte 21");
    check(r#"{"metrics":[{"labels":{"a":NaN}}]}"#, "expected a value at byte 27");
    check("{\"metrics\":[{\"metric_type\":\"a\nb\"}]}", "control character in a string at byte 29");
    check(r#"{"metrics":[{"metric_type":"\q"}]}"#, "invalid escape in a string at byte 29");
    assert_eq!(document_error(b"{\"metrics\":[\"\xc3\"]}"), "not UTF-8 at byte 13");
}

#[test]
fn nesting_counts_from_the_document_on() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let at_top = |depth| format!(r#"{{"metrics":[],"x":{}}}"#, nested(depth));
    assert_eq!(decoded(&at_top(63)).items, 0);
    assert_eq!(document_error(at_top(64)), "nested deeper than 64 levels at byte 81");
    assert_eq!(decoded(&with_items(&item_with("x", &nested(61)))).points.len(), 1);
    assert!(document_error(with_items(&item_with("x", &nested(62)))).starts_with("nested deeper"));
    assert_eq!(decoded(&with_items(&nested(62))).verdicts.total(), 1);
    assert!(document_error(with_items(&nested(63))).starts_with("nested deeper"));
}

#[test]
fn an_item_that_is_refused_never_touches_its_neighbours() {
    let check = |item: &str, code, message: &str| assert_eq!(verdict(item), (code, message.to_owned()), "{item}");
    for (item, got) in
        [("1", "a number"), ("null", "null"), ("\"x\"", "a string"), ("[{}]", "an array"), ("true", "a boolean")]
    {
        check(item, Code::InvalidType, &format!("an item must be an object, got {got}"));
    }
    check("{}", Code::MissingField, "metric_type is required");
    for field in ["metric_type", "metric_name", "value", "timestamp"] {
        for spelling in ["", "null"] {
            check(&item_with(field, spelling), Code::MissingField, &format!("{field} is required"));
        }
        let expected = if field == "value" { "a number" } else { "a string" };
        for (spelling, got) in [("true", "a boolean"), ("[1]", "an array"), (r#"{"a":1}"#, "an object")] {
            let message = format!("{field} must be {expected}, got {got}");
            check(&item_with(field, spelling), Code::InvalidType, &message);
        }
    }
    check(&item_with("value", r#""45.2""#), Code::InvalidType, "value must be a number, got a string");
    check(&item_with("timestamp", "1763632800"), Code::InvalidType, "timestamp must be a string, got a number");
    check(&item_with("labels", "[]"), Code::InvalidLabels, "labels must be an object, got an array");
    check(&item_with("labels", r#""a=b""#), Code::InvalidLabels, "labels must be an object, got a string");
    check(&item_with("server_id", "7"), Code::InvalidType, "server_id must be a string, got a number");
    check(&item_with("server_id", r#""x""#), Code::InvalidServerId, "server_id must be a UUID, got \"x\"");
    check(&item_with("timestamp", r#""soon""#), Code::InvalidTimestamp, "timestamp must be RFC 3339, got \"soon\"");
    let long = format!("timestamp must be RFC 3339, got \"{}...\"", "é".repeat(64));
    check(&item_with("timestamp", &format!("\"{}\"", "é".repeat(500))), Code::InvalidTimestamp, &long);
}

#[test]
fn a_field_that_appears_twice_refuses_the_item() {
    for field in ["metric_type", "metric_name", "value", "labels", "timestamp"] {
        let twice = item_with("", "").replace('}', "").replace("\"0\"", "\"0\"}") + &format!(",\"{field}\":null}}");
        assert_eq!(verdict(&twice), (Code::DuplicateField, format!("{field} appears twice")), "{twice}");
    }
    let servers = item_with("server_id", &format!("\"{SERVER}\",\"server_id\":\"{SERVER}\""));
    assert_eq!(verdict(&servers).0, Code::DuplicateField);
    let unknown = item_with("x", "1,\"x\":2");
    assert_eq!(decoded(&with_items(&unknown)).points.len(), 1, "only known fields count");
}

#[test]
fn numbers_that_are_not_finite_refuse_only_their_item() {
    for token in ["NaN", "nan", "-nan", "Infinity", "-Infinity", "inf", "-inf", "infinity", "-NaN"] {
        let expected = (Code::NotFinite, format!("value must be finite, got {token}"));
        assert_eq!(verdict(&item_with("value", token)), expected);
    }
    let expected = (Code::NumberOutOfRange, "value -1e400 is too large for a 64-bit float".to_owned());
    assert_eq!(verdict(&item_with("value", "-1e400")), expected);
}

#[test]
fn values_are_kept_bit_for_bit() {
    for text in ["-0.0", "-0", "5e-324", "9007199254740993", "0.30000000000000004", "1.7976931348623157e308", "1e-400"]
    {
        let expected: f64 = text.parse().unwrap();
        assert_eq!(value(&item_with("value", text)).to_bits(), expected.to_bits(), "{text}");
    }
}

#[test]
fn absent_labels_are_an_empty_span() {
    for spelling in ["", "null"] {
        let intake = decoded(&with_items(&item_with("labels", spelling)));
        assert_eq!(intake.points.identities[0].labels, crate::model::Span::default());
    }
}

#[test]
fn an_item_takes_the_server_of_the_document_wherever_that_stands() {
    let nil = format!("\"{}\"", uuid::Uuid::nil());
    for spelling in ["", "null", "\"\"", nil.as_str()] {
        let item = item_with("server_id", spelling);
        let own = item_with("server_id", &format!("\"{OTHER_SERVER}\""));
        for body in [
            format!(r#"{{"server_id":"{SERVER}","metrics":[{item},{own},{item}]}}"#),
            format!(r#"{{"metrics":[{item},{own},{item}],"server_id":"{SERVER}"}}"#),
        ] {
            let intake = decoded(&body);
            let servers = intake.points.servers.iter().map(|place| intake.servers()[*place as usize].to_string());
            assert_eq!(servers.collect::<Vec<_>>(), [SERVER, OTHER_SERVER, SERVER], "{body}");
        }
    }
}

#[test]
fn items_without_any_server_are_refused_and_the_others_kept() {
    let (item, own) = (item_with("", ""), item_with("server_id", &format!("\"{OTHER_SERVER}\"")));
    for server in ["", r#","server_id":null"#, r#","server_id":"""#] {
        let intake = decoded(&format!(r#"{{"metrics":[{item},{own},7,{item}]{server}}}"#));
        assert_eq!((intake.items, intake.points.items.as_slice()), (4, [1].as_slice()));
        assert_eq!(intake.servers()[intake.points.servers[0] as usize].to_string(), OTHER_SERVER);
        let verdicts: Vec<_> = intake.verdicts.listed().iter().map(|verdict| (verdict.index, verdict.code)).collect();
        assert_eq!(verdicts, [(2, Code::InvalidType), (0, Code::MissingField), (3, Code::MissingField)]);
        assert_eq!(intake.verdicts.listed()[1].message, "server_id is required, in the item or beside metrics");
    }
}

#[test]
fn escapes_in_names_of_fields_and_in_their_texts_change_nothing() {
    let body = format!(
        r#"{{"\u0073erver_id":"7b0c7a52\u002d5c1e-4b0e-9d8f-6f8b7f0f9a11","m\u0065trics":[{}]}}"#,
        item_with("timestamp", r#""2025-11-20T10:00:00\u005a""#).replace("value", "valu\\u0065")
    );
    let intake = decoded(&body);
    assert_eq!(intake.points.values, [45.2]);
    assert_eq!(intake.points.times, [Micros(1_763_632_800_000_000)]);
    assert_eq!(intake.servers(), [SERVER.parse::<uuid::Uuid>().unwrap()]);
    let lone = item_with("timestamp", r#""\ud800""#);
    assert_eq!(verdict(&lone).0, Code::InvalidTimestamp);
}

#[test]
fn what_repeats_from_item_to_item_is_not_mistaken_for_what_only_begins_alike() {
    let times = ["2025-11-20T10:00:00Z", "2025-11-20T10:00:00Z", "2025-11-20T10:00:00.5Z", "2025-11-20T10:00:00Z"];
    let labels = [r#"{"a":"1"}"#, r#"{"a":"1"}"#, r#"{"a":"1","b":"2"}"#, r#"{"a":"1"}"#];
    let items = times
        .iter()
        .zip(labels)
        .map(|(time, labels)| item_with("labels", labels).replace("2025-11-20T10:00:00Z", time));
    let body = with_items(&items.collect::<Vec<_>>().join(","));
    let intake = decoded(&body);
    let kept = intake.points.identities.iter().map(|raw| raw.labels.of(body.as_bytes()));
    assert!(kept.eq(labels.map(str::as_bytes)));
    let base = 1_763_632_800_000_000;
    assert_eq!(intake.points.times, [base, base, base + 500_000, base].map(Micros));
}

#[test]
fn every_truncation_of_a_good_document_is_an_error_at_its_end() {
    let body = with_items(&format!(
        "{},7,{}",
        item_with("value", "-1.5e+3"),
        item_with("x", r#"[true,"\u00e9é",{"a":null}]"#)
    ));
    assert_eq!(decoded(&body).items, 3);
    for end in 0..body.len() {
        let error = decode(&body.as_bytes()[..end], &mut Intake::default()).expect_err(&body[..end.min(1)]);
        let in_character = std::str::from_utf8(&body.as_bytes()[..end]).is_err();
        assert!(error.offset == end || in_character, "{error}, {end}");
    }
}
