//! Any body at all, into the native decoder: `cargo +nightly fuzz run native_json`.
//!
//! Nothing may panic. A body is JSON to us exactly when it is to `serde_json`, apart from the tokens for numbers that
//! are not finite and from the limit of nesting. Each item ends as a sample or as a verdict, and each sample's identity
//! has an answer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::model::Intake;
use millrace::wire::json::Syntax;
use millrace::wire::native::{DocumentError, Problem, decode, identity};
use serde::de::IgnoredAny;

fuzz_target!(|body: &[u8]| {
    let mut intake = Intake::default();
    let decoded = decode(body, &mut intake);
    let is_json = std::str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    match decoded {
        Ok(()) => {
            assert!(is_json || may_hold_not_finite(body), "accepted what is not JSON");
            assert_eq!(intake.items, intake.points.len() as u32 + intake.verdicts.total());
            check_points(body, &intake);
        }
        Err(DocumentError { offset, problem: Problem::Syntax(syntax) }) => {
            assert!(offset <= body.len());
            assert!(!is_json || syntax == Syntax::TooDeep, "refused JSON: {syntax}");
        }
        Err(DocumentError { offset, .. }) => assert!(offset <= body.len()),
    }
});

/// Whether a token such as NaN may be what makes `body` good.
fn may_hold_not_finite(body: &[u8]) -> bool {
    body.windows(3).any(|letters| letters.eq_ignore_ascii_case(b"nan") || letters.eq_ignore_ascii_case(b"inf"))
}

fn check_points(body: &[u8], intake: &Intake) {
    for (index, raw) in intake.points.identities.iter().enumerate() {
        assert!((intake.points.servers[index] as usize) < intake.servers().len());
        assert!(intake.points.values[index].is_finite());
        let _any_answer = identity(body, *raw);
    }
}
