//! Any bytes at all: never a panic, and a document is JSON to us exactly when it is JSON to `serde_json`.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;

/// Whether we refuse `body` because it is not JSON, rather than for what it says.
fn is_not_json(body: &[u8]) -> bool {
    matches!(decode(body, &mut Intake::default()), Err(DocumentError { problem: Problem::Syntax(_), .. }))
}

fn they_accept(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Whether the documented extension, tokens such as NaN as the value of an item, may be what makes `body` good.
fn may_hold_not_finite(body: &[u8]) -> bool {
    body.windows(3).any(|letters| letters.eq_ignore_ascii_case(b"nan") || letters.eq_ignore_ascii_case(b"inf"))
}

fn check(body: &[u8]) -> Result<(), TestCaseError> {
    if they_accept(body) {
        prop_assert!(!is_not_json(body), "refused: {}", String::from_utf8_lossy(body));
    } else {
        let refused = decode(body, &mut Intake::default()).is_err();
        prop_assert!(refused || may_hold_not_finite(body), "accepted: {}", String::from_utf8_lossy(body));
    }
    Ok(())
}

/// Bytes that matter to the grammar, so that a mutation often leaves something nearly good.
fn bytes() -> impl Strategy<Value = u8> {
    prop_oneof![
        proptest::sample::select(b"{}[],:\"\\ 0123456789.-+eEunltrafsNaI\x00\x1f\x7f\xc3\xa9".as_slice()),
        any::<u8>()
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_mutated_document_is_json_to_both_or_to_neither(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), bytes(), 0..3u8), 1..4),
    ) {
        let good = with_items(&format!("{}, null,{}", item_with("x", r#"["\u00e9é\n",{"a":null}]"#), item_with("value", "-1.5e+3")));
        let mut body = good.into_bytes();
        for (place, byte, edit) in edits {
            let place = place.index(body.len());
            match edit {
                0 => body[place] = byte,
                1 => body.insert(place, byte),
                _ => drop(body.remove(place)),
            }
        }
        check(&body)?;
    }

    #[test]
    fn random_bytes_are_json_to_both_or_to_neither(body in proptest::collection::vec(bytes(), 0..40)) {
        check(&body)?;
        let mut within = br#"{"metrics":[{"value":"#.to_vec();
        within.extend_from_slice(&body);
        check(&within)?;
    }
}
