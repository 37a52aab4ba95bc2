//! Any document at all, into the tree and every reader on it: `cargo +nightly fuzz run tree`.
//!
//! Nothing may panic. A document that is read strictly is JSON to `serde_json` too, apart from the limits of nesting and
//! size; each sample of a report is finite, and its identity has an answer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::model::{Intake, Micros};
use millrace::wire::composed::{host, identity};
use millrace::wire::systems::{fleet, richardops, statusmonitor, syncpulse, write_samples};
use millrace::wire::tree::{Leniency, Tree};
use serde::de::IgnoredAny;

fuzz_target!(|body: &[u8]| {
    let _ = Tree::read(body, Leniency::PrintedNan).map(|tree| fleet::check(tree.root()).is_ok());
    let Ok(tree) = Tree::read(body, Leniency::Strict) else { return };
    assert!(std::str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok()));
    let root = tree.root();
    for rules in [fleet::RULES, richardops::RULES, statusmonitor::RULES, syncpulse::RULES] {
        let (mut text, mut intake) = (Vec::new(), Intake::default());
        write_samples((root, rules), ("h", Micros(0)), &mut text, &mut intake);
        let points = &intake.points;
        for (raw, value) in points.identities.iter().zip(&points.values) {
            assert!(value.is_finite());
            let _ = (host(&text, *raw), identity(&text, *raw));
        }
    }
    let _ = (fleet::head(root), fleet::is_agent_report(root), fleet::translate(root));
    let _ = (richardops::read(root), statusmonitor::time(root), syncpulse::device(root), syncpulse::time(root));
});
