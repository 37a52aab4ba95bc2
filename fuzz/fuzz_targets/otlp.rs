//! Any body at all, into the decoders of OpenTelemetry in protobuf: `cargo +nightly fuzz run otlp`.
//!
//! Nothing may panic, and nothing may take more than its room. Each data point ends as samples, as a verdict or as left
//! out, every value is finite, and each sample's server and identity have an answer. A good request behind any other
//! that is read adds what it adds alone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::model::Intake;
use millrace::wire::otlp::message::{put_bytes, put_fixed64};
use millrace::wire::otlp::{Reading, Room, decode, decode_logs, host, identity};

const BYTES_MAX: usize = 8 << 20;

fuzz_target!(|body: &[u8]| {
    let Some(intake) = check(body) else { return };
    let behind = check(&[body, &good()].concat()).expect("a good request behind a good one is one");
    assert_eq!(behind.items, intake.items + 1);
    assert_eq!(behind.points.len(), intake.points.len() + 1);
});

fn check(body: &[u8]) -> Option<Intake> {
    let (mut text, mut intake, mut held) = (Vec::new(), Intake::default(), 0);
    let mut hold = |bytes: usize| {
        held = held.max(bytes);
        true
    };
    let (mut logs, mut hold_logs) = (Intake::default(), |_: usize| true);
    let _ = decode_logs(body, &Reading::default(), &mut logs, &mut Room::new(BYTES_MAX, &mut hold_logs));
    let read = decode(body, &Reading::default(), (&mut text, &mut intake), &mut Room::new(BYTES_MAX, &mut hold));
    assert!(text.len() <= held.max(1) && held <= BYTES_MAX + (1 << 20));
    read.ok()?;
    let points = &intake.points;
    let told = points.len() as u32 + intake.verdicts.items() + intake.left_out.values;
    assert!(told >= intake.items, "a data point got lost");
    assert!(points.values.iter().all(|value| value.is_finite()));
    for raw in &points.identities {
        let named = host(&text, *raw);
        assert!(named.is_err() || identity(&text, *raw).is_ok_and(|one| !one.metric_name().is_empty()) || identity(&text, *raw).is_err());
    }
    Some(intake)
}

/// One resource, scope, gauge and data point.
fn good() -> Vec<u8> {
    let within = |number: u32, inner: &[u8]| {
        let mut out = Vec::new();
        put_bytes(&mut out, number, inner);
        out
    };
    let mut point = Vec::new();
    put_fixed64(&mut point, 3, 1_763_640_000_000_000_000);
    put_fixed64(&mut point, 4, 1.5_f64.to_bits());
    let metric = [within(1, b"m"), within(5, &within(1, &point))].concat();
    within(1, &within(2, &within(2, &metric)))
}
