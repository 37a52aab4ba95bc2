//! Any lines at all, as StatsD, and the flush behind them: `cargo +nightly fuzz run statsd`.
//!
//! Nothing may panic, every value is finite, the memory is within its bound, and a second flush has nothing to say.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::model::{Intake, Micros};
use millrace::wire::otlp::{host, identity};
use millrace::wire::statsd::{Aggregate, BYTES_MAX};

fuzz_target!(|lines: &[u8]| {
    let (mut aggregate, mut intake) = (Aggregate::new("h".to_owned()), Intake::default());
    aggregate.add(lines, &mut intake);
    assert!(intake.verdicts.items() <= intake.items && aggregate.bytes() <= BYTES_MAX + (1 << 20));
    let (mut text, mut flushed) = (Vec::new(), Intake::default());
    aggregate.flush(Micros(1), &mut text, &mut flushed);
    assert!(flushed.points.values.iter().all(|value| value.is_finite()));
    for raw in &flushed.points.identities {
        let _ = (host(&text, *raw), identity(&text, *raw));
    }
    let points = flushed.points.len();
    aggregate.flush(Micros(2), &mut text, &mut flushed);
    assert_eq!(flushed.points.len(), points);
});
