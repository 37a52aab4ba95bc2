//! Any JSON at all, as the definition of an alert rule: `cargo +nightly fuzz run alert_definition`.
//!
//! Nothing may panic. What a definition defines is a rule or a list of what is wrong. Written and read again it is
//! written as before and defines the same; only texts that are empty, which say nothing, may be left out.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::alert::definition::{Definition, Head};
use millrace::model::Reach;
use millrace::model::alert::RuleId;

fuzz_target!(|text: &[u8]| {
    let Ok(definition) = serde_json::from_slice::<Definition>(text) else { return };
    let written = serde_json::to_vec(&definition).expect("a definition can be written");
    let again: Definition = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(serde_json::to_vec(&again).expect("it can be written again"), written);
    let head = Head { id: RuleId(1), version: 1, name: "a".to_owned(), reach: Reach::everything() };
    let defined = definition.rule(head.clone());
    assert!(defined.as_ref().err().is_none_or(|faults| !faults.is_empty()));
    assert_eq!(again.rule(head), defined);
});
