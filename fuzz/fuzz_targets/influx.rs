//! Any body at all, into the decoder of Influx lines: `cargo +nightly fuzz run influx`.
//!
//! Nothing may panic. Each line ends as samples, as verdicts or as values left out, every value is finite, and each
//! sample's server and identity have an answer. A good line in front of anything is read as it is alone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::model::{Intake, Micros};
use millrace::wire::influx::{Naming, Options, Precision, Strings, decode, ShownLines};

const GOOD: &[u8] = b"cpu,host=a user=1.5,system=2i 1700000000000000000\n";

fuzz_target!(|body: &[u8]| {
    let options = Options { precision: Precision::Auto, now: Micros(1), strings: Strings::Count };
    let intake = decoded(body, &options);
    check(body, &intake);
    let behind = decoded(&[GOOD, body].concat(), &options);
    assert_eq!(behind.points.len(), intake.points.len() + 2);
    assert_eq!(behind.items, intake.items + 1);
    assert_eq!(behind.verdicts.total(), intake.verdicts.total());
});

fn decoded(body: &[u8], options: &Options) -> Intake {
    let mut intake = Intake::default();
    decode(body, options, &mut intake);
    intake
}

fn check(body: &[u8], intake: &Intake) {
    let (points, naming) = (&intake.points, Naming::default());
    let told = points.len() as u32 + intake.verdicts.total() + intake.left_out.values;
    assert!(told >= intake.items, "a line got lost");
    for lengths in [points.items.len(), points.servers.len(), points.times.len(), points.identities.len()] {
        assert_eq!(lengths, points.values.len());
    }
    assert!(points.values.iter().all(|value| value.is_finite()));
    for raw in &points.identities {
        let named = naming.host(body, *raw);
        let identity = naming.identity(body, *raw);
        assert!(named.is_ok() || identity.is_err() || identity.is_ok_and(|identity| !identity.metric_type().is_empty()));
    }
    let mut lines = ShownLines::of(body);
    for verdict in intake.verdicts.listed() {
        assert!(lines.show(verdict.index).len() <= 512);
    }
}
