//! The line protocol of InfluxDB: `measurement,tag=value field=1.5,other=2i 1700000000000000000`, a line a point.
//!
//! The measurement becomes the metric type, the name of a field the metric name, one tag the server's host name and the
//! other tags the labels. Every number of a line is one sample.
//!
//! Invariants: a line that is refused never touches its neighbours; reading a sample copies nothing and allocates
//! nothing. What stands before the fields is only delimited here; [`Naming`] reads it, once for each spelling.
//!
//! Bounds: [`LINE_BYTES_MAX`] and [`KEY_BYTES_MAX`], and those of every series in [`crate::model::series`].

mod decode;
mod fields;
mod naming;
mod number;
mod refusal;
mod timestamp;

pub use decode::{Options, Strings, decode};
pub use naming::Naming;
pub use refusal::ShownLines;
pub use timestamp::Precision;

/// Longest line; a longer one is refused.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// Measurement and tags of a line together, as they are spelt.
pub const KEY_BYTES_MAX: usize = 32 * 1024;

#[cfg(test)]
mod tests;
