//! Any document at all, transcoded to protobuf and decoded: `cargo +nightly fuzz run otlp_json`.
//!
//! Nothing may panic, and nothing may take more than its room. What is transcoded is protobuf, and what is not JSON to
//! serde_json is none here either.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace::model::Intake;
use millrace::wire::otlp::{LOGS, METRICS, Reading, Room, decode, decode_logs, transcode};

const BYTES_MAX: usize = 8 << 20;

fuzz_target!(|body: &[u8]| {
    for message in [&METRICS, &LOGS] {
        let (mut out, mut hold) = (Vec::new(), |_: usize| true);
        if transcode(body, message, &mut out, &mut Room::new(BYTES_MAX, &mut hold)).is_err() {
            continue;
        }
        assert!(serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok());
        let (mut text, mut intake, mut hold) = (Vec::new(), Intake::default(), |_: usize| true);
        let mut room = Room::new(BYTES_MAX, &mut hold);
        if std::ptr::eq(message, &METRICS) {
            let read = decode(&out, &Reading::default(), (&mut text, &mut intake), &mut room);
            assert!(!matches!(read, Err(millrace::wire::otlp::Unread::Message(_))), "{read:?}");
        } else {
            let read = decode_logs(&out, &Reading::default(), &mut intake, &mut room);
            assert!(!matches!(read, Err(millrace::wire::otlp::Unread::Message(_))), "{read:?}");
        }
    }
});
