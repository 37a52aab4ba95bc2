//! Any text at all, into the decoder of what exporters show: `cargo +nightly fuzz run exposition`.
//!
//! Nothing may panic. Each line that is no comment ends as one sample or one verdict, and each sample's server and
//! identity have an answer. A good line in front of anything is read as it is alone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::model::{Intake, Micros};
use millrace::wire::prometheus::{Exposition, Grouping, Naming, Room, TextTimes};

const GOOD: &[u8] = b"up{job=\"a\"} 1 1700000000000\n";
const ROOM: Room = Room { points: 100_000, text_bytes: 1 << 20 };

fuzz_target!(|body: &[u8]| {
    let Some((text, intake)) = decoded(body) else { return };
    let points = &intake.points;
    assert_eq!(points.len() as u32 + intake.verdicts.total(), intake.items, "a line got lost");
    for lengths in [points.items.len(), points.servers.len(), points.times.len(), points.identities.len()] {
        assert_eq!(lengths, points.values.len());
    }
    let naming = Naming::default();
    for raw in &points.identities {
        assert!(naming.host(&text, *raw).is_err() || naming.identity(&text, *raw).is_ok());
    }
    if let Some((_, behind)) = decoded(&[GOOD, body].concat()) {
        assert_eq!(behind.points.len(), points.len() + 1);
        assert_eq!(behind.verdicts.total(), intake.verdicts.total());
    }
});

fn decoded(body: &[u8]) -> Option<(Vec<u8>, Intake)> {
    let grouping = Grouping::of_path("job/instance/web-1:80", false).ok()?;
    let exposition = Exposition { times: TextTimes::Millis, now: Micros(1), grouping: &grouping };
    let (mut body, mut text, mut intake) = (body.to_vec(), Vec::new(), Intake::default());
    exposition.decode(&mut body, &mut text, ROOM, &mut intake).ok()?;
    Some((body, intake))
}
