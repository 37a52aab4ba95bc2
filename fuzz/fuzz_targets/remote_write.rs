//! Any message at all, into the decoders of remote write: `cargo +nightly fuzz run remote_write_1` and `remote_write_2`.
//!
//! Nothing may panic. All columns are as long as each other, no more is decoded than there is room for, a series is one
//! item, and each sample's server and identity have an answer, the same one twice. A message behind an empty series is read
//! as it is alone.

use millrace::model::Intake;
use millrace::wire::prometheus::{Fault, Naming, Room};

pub type Decode = fn(&mut Vec<u8>, &mut Vec<u8>, Room, &mut Intake) -> Result<(), Fault>;

const ROOM: Room = Room { points: 1_000, text_bytes: 64 << 10 };

pub fn check(message: &[u8], empty_series: &[u8], decode: Decode) {
    let Some((text, intake)) = decoded(message, decode) else { return };
    let points = &intake.points;
    for lengths in [points.items.len(), points.servers.len(), points.times.len(), points.identities.len()] {
        assert_eq!(lengths, points.values.len());
    }
    assert!(points.len() <= ROOM.points);
    assert!(points.items.is_sorted() && points.items.iter().all(|item| *item < intake.items));
    let naming = Naming::default();
    for raw in &points.identities {
        let (host, identity) = (naming.host(&text, *raw), naming.identity(&text, *raw));
        if let Ok(host) = &host {
            assert!(!host.is_empty() && identity.is_ok());
        }
        assert_eq!(identity, naming.identity(&text, *raw));
    }
    let (_, behind) = decoded(&[empty_series, message].concat(), decode).expect("what can be read alone can be read");
    assert_eq!(behind.items, intake.items + 1);
    assert_eq!(behind.points.len(), points.len());
    assert_eq!(behind.verdicts.total(), intake.verdicts.total());
}

fn decoded(message: &[u8], decode: Decode) -> Option<(Vec<u8>, Intake)> {
    let (mut body, mut text, mut intake) = (message.to_vec(), Vec::new(), Intake::default());
    decode(&mut body, &mut text, ROOM, &mut intake).ok()?;
    Some((body, intake))
}
