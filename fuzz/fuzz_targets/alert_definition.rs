//! Any JSON at all, as the definition of an alert rule: `cargo +nightly fuzz run alert_definition`.
//!
//! Nothing may panic. A definition that is taken says the same once it was written and read again, and what it defines
//! is a rule or a list of what is wrong.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::alert::definition::{Definition, Head};
use millrace::model::Reach;
use millrace::model::alert::RuleId;

fuzz_target!(|text: &[u8]| {
    let Ok(definition) = serde_json::from_slice::<Definition>(text) else { return };
    let written = serde_json::to_vec(&definition).expect("a definition can be written");
    assert_eq!(serde_json::from_slice::<Definition>(&written).expect("what was written can be read"), definition);
    let head = Head { id: RuleId(1), version: 1, name: "a".to_owned(), reach: Reach::everything() };
    if let Err(faults) = definition.rule(head) {
        assert!(!faults.is_empty());
    }
});
