//! From spellings to canonical identities.

use super::*;
use crate::model::{Identity, RawIdentity, Span};

/// The identity of an item whose labels are spelt `labels`.
fn of_labels(labels: &str) -> Result<Identity, (Code, String)> {
    first_identity(&with_items(&item_with("labels", labels)))
}

fn first_identity(body: &str) -> Result<Identity, (Code, String)> {
    identity(body.as_bytes(), decoded(body).points.identities[0])
}

fn pairs(identity: &Identity) -> Vec<(&str, &str)> {
    identity.labels().iter().collect()
}

#[test]
fn spellings_of_one_series_are_one_identity() {
    let canonical = of_labels(r#"{"a":"1","b":"é"}"#).unwrap();
    assert_eq!((canonical.metric_type(), canonical.metric_name()), ("cpu", "usage"));
    assert_eq!(pairs(&canonical), [("a", "1"), ("b", "é")]);
    for labels in [r#"{"b":"é","a":"1"}"#, r#"{ "\u0061" : "\u0031" , "b":"\u00e9" }"#] {
        assert_eq!(of_labels(labels).unwrap(), canonical, "{labels}");
    }
    let escaped =
        with_items(&item_with("metric_type", r#""c\u0070u""#).replace(r#"{"core":"0"}"#, r#"{"a":"1","b":"é"}"#));
    assert_eq!(first_identity(&escaped).unwrap(), canonical);
    assert_eq!(of_labels("null").unwrap(), of_labels(" { } ").unwrap());
}

#[test]
fn a_null_label_is_an_empty_one() {
    assert_eq!(pairs(&of_labels(r#"{"a":null}"#).unwrap()), [("a", "")]);
}

#[test]
fn labels_that_cannot_be_kept_are_refused_by_name() {
    let check = |labels: &str, code, message: &str| assert_eq!(of_labels(labels), Err((code, message.to_owned())));
    check(r#"{"a":"1","core":0}"#, Code::InvalidLabels, "label \"core\" must be a string, got a number");
    check(r#"{"a":{"b":1}}"#, Code::InvalidLabels, "label \"a\" must be a string, got an object");
    check(r#"{"a":"1","\u0061":"1"}"#, Code::InvalidLabels, "label \"a\" appears twice");
    check(r#"{"":"1"}"#, Code::InvalidText, "label name is empty");
    check(r#"{"a":"\u0000"}"#, Code::InvalidText, "label value holds a NUL character");
    check(r#"{"a":"\ud800"}"#, Code::InvalidText, "label value holds a lone surrogate");
    let many: Vec<_> = (0..65).map(|name| format!("\"{name}\":\"\"")).collect();
    check(&format!("{{{}}}", many.join(",")), Code::InvalidLabels, "65 labels, at most 64 are allowed");
}

#[test]
fn names_that_cannot_be_kept_are_refused() {
    let check = |spelling: &str, message: &str| {
        let body = with_items(&item_with("metric_name", spelling));
        assert_eq!(first_identity(&body), Err((Code::InvalidText, message.to_owned())));
    };
    check(r#""""#, "metric_name is empty");
    check(r#""\udc00""#, "metric_name holds a lone surrogate");
    check(&format!("\"{}\"", "x".repeat(257)), "metric_name is 257 bytes long, at most 256 are allowed");
}

proptest::proptest! {
    #[test]
    fn spans_no_decoder_has_checked_have_an_answer(body: Vec<u8>, at: [u8; 6]) {
        let span = |start: u8, end: u8| Span { start: u32::from(start), end: u32::from(end) };
        let raw = RawIdentity {
            metric_type: span(at[0], at[1]),
            metric_name: span(at[2], at[3]),
            labels: span(at[4], at[5]),
        };
        let _any_answer = identity(&body, raw);
    }
}
