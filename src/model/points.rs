//! Samples as columns, before and after their series are known.
//!
//! A decoder fills [`Points`], whose identities are spans of the request body: nothing is copied and nothing is
//! allocated per sample. The catalog turns them into a [`Batch`], which owns all it holds. All columns of one value
//! always have the same length.

use super::series::SeriesId;
use super::time::Micros;

/// A byte range of the request body. Bodies are capped far below 4 GiB, so 32 bits are enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end && end <= u32::MAX as usize, "a span lies within a capped body");
        Self { start: start as u32, end: end as u32 }
    }

    /// The bytes this span stands for; empty when the span does not lie within `body`.
    pub fn of(self, body: &[u8]) -> &[u8] {
        body.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// What names a series, as the agent spelt it: not unescaped, not sorted, not checked.
///
/// Two spellings of one series are two raw identities; the catalog maps both to the same series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawIdentity {
    pub metric_type: Span,
    pub metric_name: Span,
    pub labels: Span,
}

/// Decoded samples whose series are still spans of the request body.
#[derive(Debug, Default)]
pub struct Points {
    /// 0-based position of the item in the request that carried the sample.
    pub items: Vec<u32>,
    /// Index into [`super::Intake::servers`].
    pub servers: Vec<u32>,
    pub identities: Vec<RawIdentity>,
    pub times: Vec<Micros>,
    pub values: Vec<f64>,
}

impl Points {
    /// What a point takes in all columns together.
    pub const POINT_BYTES: usize =
        2 * size_of::<u32>() + size_of::<RawIdentity>() + size_of::<Micros>() + size_of::<f64>();

    pub fn push(&mut self, item: u32, server: u32, identity: RawIdentity, time: Micros, value: f64) {
        self.items.push(item);
        self.servers.push(server);
        self.identities.push(identity);
        self.times.push(time);
        self.values.push(value);
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Takes back what was added after the first `length` points.
    pub fn truncate(&mut self, length: usize) {
        self.items.truncate(length);
        self.servers.truncate(length);
        self.identities.truncate(length);
        self.times.truncate(length);
        self.values.truncate(length);
    }

    /// Takes the first `length` points out, or all when there are fewer.
    #[must_use]
    pub fn split_off_first(&mut self, length: usize) -> Self {
        fn first<T>(column: &mut Vec<T>, length: usize) -> Vec<T> {
            let rest = column.split_off(length.min(column.len()));
            std::mem::replace(column, rest)
        }
        Self {
            items: first(&mut self.items, length),
            servers: first(&mut self.servers, length),
            identities: first(&mut self.identities, length),
            times: first(&mut self.times, length),
            values: first(&mut self.values, length),
        }
    }

    /// Empties every column and keeps the memory.
    pub fn clear(&mut self) {
        self.items.clear();
        self.servers.clear();
        self.identities.clear();
        self.times.clear();
        self.values.clear();
    }
}

/// Samples whose series are known: what the journal writes and what is handed on after the commit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    pub series: Vec<SeriesId>,
    pub times: Vec<Micros>,
    pub values: Vec<f64>,
}

impl Batch {
    pub fn with_capacity(samples: usize) -> Self {
        Self {
            series: Vec::with_capacity(samples),
            times: Vec::with_capacity(samples),
            values: Vec::with_capacity(samples),
        }
    }

    pub fn push(&mut self, series: SeriesId, time: Micros, value: f64) {
        self.series.push(series);
        self.times.push(time);
        self.values.push(value);
    }

    /// Empties it and keeps the memory.
    pub fn clear(&mut self) {
        self.series.clear();
        self.times.clear();
        self.values.clear();
    }

    pub fn len(&self) -> usize {
        self.series.len()
    }

    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}
