//! Frames as they go over the wire: encoded once, put together into runs that sockets share.
//!
//! A [`Frame`] is the scratch space one message is encoded into. A [`RunBuilder`] gathers the frames of one flush for
//! all the subscribers that asked for the same, and its [`Run`]s are written to every socket as they are: server
//! frames are not masked, so the bytes are the same for all. Knows nothing of queues or sockets.

use bytes::Bytes;

use crate::model::{Micros, Series};
use crate::wire::native::write_metric;

/// A run is closed before it would grow beyond this, unless a single message is larger.
pub(super) const RUN_BYTES_MAX: usize = 16 * 1024;
/// The longest frame header a server sends: two bytes and a 64-bit length.
const HEADER_BYTES_MAX: usize = 10;
const FINAL_TEXT: u8 = 0x81;

/// Ready-made WebSocket frames, back to back, for everyone who asked for them.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) bytes: Bytes,
    /// How many messages it holds: what a client misses when the run is dropped.
    pub(super) messages: u32,
}

/// One encoded message, with room for its header in front of it.
#[derive(Debug)]
pub(super) struct Frame {
    bytes: Vec<u8>,
    start: usize,
}

/// Gathers messages into runs, single or as arrays.
#[derive(Debug)]
pub(super) struct RunBuilder {
    batch: bool,
    bytes: Vec<u8>,
    messages: u32,
}

impl Frame {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; HEADER_BYTES_MAX], start: HEADER_BYTES_MAX }
    }

    pub(super) fn metric(&mut self, series: &Series, time: Micros, value: f64) {
        self.encode(|out| {
            out.extend_from_slice(br#"{"type":"metric","data":"#);
            write_metric(out, 0, series, time, value);
            out.push(b'}');
        });
    }

    /// `data` is JSON. Text frames must be UTF-8, so a byte that is not becomes a replacement character.
    pub(super) fn event(&mut self, kind: &'static str, data: &[u8]) {
        self.encode(|out| {
            out.extend_from_slice(br#"{"type":""#);
            out.extend_from_slice(kind.as_bytes());
            out.extend_from_slice(br#"","data":"#);
            out.extend_from_slice(String::from_utf8_lossy(data).as_bytes());
            out.push(b'}');
        });
    }

    /// A text that is sent as it is.
    pub(super) fn verbatim(&mut self, text: &[u8]) {
        self.encode(|out| out.extend_from_slice(String::from_utf8_lossy(text).as_bytes()));
    }

    pub(super) fn lagged(&mut self, dropped: u64) {
        self.encode(|out| {
            out.extend_from_slice(br#"{"type":"lagged","dropped":"#);
            out.extend_from_slice(itoa::Buffer::new().format(dropped).as_bytes());
            out.push(b'}');
        });
    }

    /// A run of this message alone, as an array of one for `batch`.
    pub(super) fn alone(&self, batch: bool) -> Run {
        let mut builder = RunBuilder::new(batch);
        builder.push(self);
        builder.close()
    }

    fn encode(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.truncate(HEADER_BYTES_MAX);
        write(&mut self.bytes);
        self.start = put_header(&mut self.bytes);
    }

    fn framed(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    fn payload(&self) -> &[u8] {
        &self.bytes[HEADER_BYTES_MAX..]
    }
}

impl RunBuilder {
    pub(super) fn new(batch: bool) -> Self {
        Self { batch, bytes: Vec::new(), messages: 0 }
    }

    /// Adds a message and returns the run before it when the two would be too long together.
    pub(super) fn push(&mut self, frame: &Frame) -> Option<Run> {
        let too_long = self.messages > 0 && self.bytes.len() + frame.framed().len() > RUN_BYTES_MAX;
        let full = if too_long { self.finish() } else { None };
        if self.batch {
            if self.messages == 0 {
                self.bytes.resize(HEADER_BYTES_MAX, 0);
            }
            self.bytes.push(if self.messages == 0 { b'[' } else { b',' });
            self.bytes.extend_from_slice(frame.payload());
        } else {
            self.bytes.extend_from_slice(frame.framed());
        }
        self.messages += 1;
        full
    }

    /// The run gathered so far, if any. Leaves the builder empty and without memory of its own.
    pub(super) fn finish(&mut self) -> Option<Run> {
        (self.messages > 0).then(|| self.close())
    }

    fn close(&mut self) -> Run {
        let mut start = 0;
        if self.batch {
            self.bytes.push(b']');
            start = put_header(&mut self.bytes);
        }
        let bytes = std::mem::take(&mut self.bytes).into_boxed_slice();
        let messages = std::mem::take(&mut self.messages);
        Run { bytes: Bytes::from(bytes).slice(start..), messages }
    }
}

/// Writes the header of the payload behind the first [`HEADER_BYTES_MAX`] bytes right in front of it, and returns
/// where it starts.
fn put_header(bytes: &mut [u8]) -> usize {
    let payload_bytes = bytes.len() - HEADER_BYTES_MAX;
    let (start, length) = match payload_bytes {
        0..=125 => (HEADER_BYTES_MAX - 2, payload_bytes as u8),
        126..=0xFFFF => (HEADER_BYTES_MAX - 4, 126),
        _ => (0, 127),
    };
    bytes[start] = FINAL_TEXT;
    bytes[start + 1] = length;
    let extended = (payload_bytes as u64).to_be_bytes();
    let room = HEADER_BYTES_MAX - start - 2;
    bytes[start + 2..HEADER_BYTES_MAX].copy_from_slice(&extended[8 - room..]);
    start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::fixtures::payloads;
    use crate::matching::fixtures::series;

    fn event_of(payload_bytes: usize) -> Frame {
        let mut frame = Frame::new();
        let around = r#"{"type":"e","data":""}"#.len();
        frame.event("e", format!("\"{}\"", "x".repeat(payload_bytes - around)).as_bytes());
        frame
    }

    #[test]
    fn a_metric_frame_is_what_system_002_sends() {
        let mut frame = Frame::new();
        let series = series(9, 1, "cpu_usage", "a\"b", &[("core", "0")]);
        frame.metric(&series, Micros(1_763_632_800_500_000), 45.2);
        let json: serde_json::Value = serde_json::from_slice(frame.payload()).unwrap();
        let expected = serde_json::json!({"type": "metric", "data": {
            "id": 0, "server_id": "00000000-0000-0000-0000-000000000001", "metric_type": "cpu_usage",
            "metric_name": "a\"b", "value": 45.2, "labels": {"core": "0"}, "timestamp": "2025-11-20T10:00:00.5Z"}});
        assert_eq!(json, expected);
    }

    #[test]
    fn the_header_tells_the_length_at_every_size_class() {
        for bytes in [25, 125, 126, 65_535, 65_536] {
            let found = payloads(event_of(bytes).framed());
            assert_eq!(found.iter().map(String::len).collect::<Vec<_>>(), [bytes]);
        }
    }

    #[test]
    fn a_run_holds_single_frames_or_one_array() {
        let (mut single, mut batch, mut frame) = (RunBuilder::new(false), RunBuilder::new(true), Frame::new());
        for dropped in 1..=2 {
            frame.lagged(dropped);
            assert!(single.push(&frame).is_none() && batch.push(&frame).is_none());
        }
        let (one, two) = (r#"{"type":"lagged","dropped":1}"#, r#"{"type":"lagged","dropped":2}"#);
        let single = single.finish().unwrap();
        assert_eq!((payloads(&single.bytes), single.messages), (vec![one.to_owned(), two.to_owned()], 2));
        let run = batch.finish().unwrap();
        assert_eq!((payloads(&run.bytes), run.messages), (vec![format!("[{one},{two}]")], 2));
        assert!(batch.finish().is_none());
        assert_eq!(payloads(&frame.alone(false).bytes), [two]);
        assert_eq!((payloads(&frame.alone(true).bytes), frame.alone(true).messages), (vec![format!("[{two}]")], 1));
    }

    #[test]
    fn a_run_is_split_before_it_grows_too_long_and_loses_nothing() {
        for batch in [false, true] {
            let mut builder = RunBuilder::new(batch);
            let mut runs: Vec<Run> = (0..100).filter_map(|_| builder.push(&event_of(1000))).collect();
            runs.extend(builder.finish());
            assert!(runs.len() > 5 && runs.iter().all(|run| run.bytes.len() <= RUN_BYTES_MAX + 16));
            assert_eq!(runs.iter().map(|run| run.messages).sum::<u32>(), 100);
            let texts = runs.iter().flat_map(|run| payloads(&run.bytes));
            assert_eq!(texts.count(), if batch { runs.len() } else { 100 });
        }
    }

    #[test]
    fn a_message_longer_than_a_run_travels_alone() {
        let mut builder = RunBuilder::new(false);
        builder.push(&event_of(100));
        let before = builder.push(&event_of(70_000)).unwrap();
        assert_eq!(before.messages, 1);
        let run = builder.finish().unwrap();
        assert_eq!((run.messages, payloads(&run.bytes)[0].len()), (1, 70_000));
    }
}
