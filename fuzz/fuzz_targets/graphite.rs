//! Any lines at all, as Graphite: `cargo +nightly fuzz run graphite`.
//!
//! Nothing may panic. Each line is one sample or one verdict, and a good line behind any other is read as it is alone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::model::{Intake, Micros};
use millrace::wire::graphite::decode;
use millrace::wire::otlp::{host, identity};

fuzz_target!(|lines: &[u8]| {
    let (mut text, mut intake) = (Vec::new(), Intake::default());
    decode(lines, ("h", Micros(1)), &mut text, &mut intake);
    assert_eq!(intake.points.len() as u32 + intake.verdicts.items(), intake.items);
    let before = intake.points.len();
    decode(b"\na.b;host=x 1.5 1700000000\n", ("h", Micros(1)), &mut text, &mut intake);
    assert_eq!(intake.points.len(), before + 1);
    assert!(intake.points.values.iter().all(|value| value.is_finite()));
    for raw in &intake.points.identities {
        let _ = (host(&text, *raw), identity(&text, *raw));
    }
    assert_eq!(host(&text, intake.points.identities[before]).as_deref(), Ok("x"));
});
