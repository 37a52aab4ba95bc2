//! Series, flushes and queries for the tests of this folder.

use std::sync::Arc;

use uuid::Uuid;

use crate::model::series::SeriesDirectory;
use crate::model::{Batch, Belonging, Committed, Identity, Labels, Micros, Origin, Reach, Series, SeriesId, ServerKey};

pub(super) fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn series(id: u32, server: u8, metric_type: &str, name: &str, labels: &[(&str, &str)]) -> Series {
    let labels = labels.iter().map(|(key, value)| (Box::from(*key), Box::from(*value))).collect();
    let identity = Identity::new(metric_type, name, Labels::new(labels).unwrap()).unwrap();
    let server_id = Uuid::from_u128(u128::from(server));
    Series { id: SeriesId(id), server: ServerKey(i32::from(server)), server_id, identity }
}

/// A directory of series numbered by their place.
#[derive(Debug)]
pub(super) struct Directory(pub(super) Vec<Arc<Series>>);

impl SeriesDirectory for Directory {
    fn series(&self, id: SeriesId) -> Option<Arc<Series>> {
        self.0.get(id.0 as usize).cloned()
    }

    /// They are all the fleet's.
    fn is_within(&self, server_id: Uuid, reach: &Reach) -> bool {
        reach.covers(server_id, &Belonging::default())
    }
}

/// Ten servers with the four series `cpu/user`, `cpu/idle`, `disk/used`, `disk/free` each.
pub(super) fn directory() -> Directory {
    let of = |number: u32| {
        let (metric_type, name) =
            [("cpu", "user"), ("cpu", "idle"), ("disk", "used"), ("disk", "free")][number as usize % 4];
        Arc::new(series(
            number,
            (number / 4) as u8,
            metric_type,
            name,
            &[("parity", ["even", "odd"][number as usize % 2])],
        ))
    };
    Directory((0..40).map(of).collect())
}

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
