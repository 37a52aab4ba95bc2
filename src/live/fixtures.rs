//! Flushes and frames for the tests of this folder.

use std::sync::Arc;

use crate::model::{Batch, Committed, Micros, Origin, SeriesId};

/// A flush of one sample a series, whose value is the series number and whose time is the sequence.
pub(super) fn flush(origin: Origin, sequence: u64, series: &[u32]) -> Arc<Committed> {
    let mut batch = Batch::with_capacity(series.len());
    for id in series {
        batch.push(SeriesId(*id), Micros(sequence as i64), f64::from(*id));
    }
    Arc::new(Committed { origin, sequence, committed_at: Micros(sequence as i64), batch })
}

/// The payloads of back-to-back text frames of a server.
pub(super) fn payloads(mut bytes: &[u8]) -> Vec<String> {
    let mut payloads = Vec::new();
    while !bytes.is_empty() {
        assert_eq!(bytes[0], 0x81);
        let (header, length) = match bytes[1] {
            126 => (4, u64::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
            127 => (10, u64::from_be_bytes(bytes[2..10].try_into().unwrap())),
            short => (2, u64::from(short)),
        };
        let end = header + length as usize;
        payloads.push(String::from_utf8(bytes[header..end].to_vec()).unwrap());
        bytes = &bytes[end..];
    }
    payloads
}
