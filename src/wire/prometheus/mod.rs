//! Prometheus: remote write 1.0 and 2.0, and the text that exporters show and clients push.
//!
//! Whatever a series came in, it is spelt as remote write 1.0 spells it: its labels, the name among them, as protobuf
//! fields one after the other. A body of 1.0 holds exactly that in one piece, so nothing is copied; from the others it
//! is put together. The catalog therefore meets one spelling of a series, and [`Naming`] reads only that one, once for
//! each spelling. What a histogram has beyond its labels stands where other dialects have the metric name.
//!
//! Invariants: a series or line that is refused never touches its neighbours; a body whose frame is broken is refused
//! whole; every value is kept bit for bit, stale markers included. Nothing recurses, and no length is believed before
//! the bytes are there.
//!
//! Bounds: [`KEY_BYTES_MAX`], [`LINE_BYTES_MAX`], [`BUCKETS_MAX`], the [`Room`] that the caller has, and those of every
//! series in [`crate::model::series`].

mod protobuf; // the wire format
mod spelling; // labels as remote write 1.0 has them
mod sink; // where decoded samples go
mod refusal; // why something is not taken
mod naming; // labels to server and series
mod sample; // value and time
mod histogram; // native histograms
mod buckets; // the same as classic ones
mod write1; // remote write 1.0
mod write2; // remote write 2.0
mod spans; // where series stand in a body
mod exposition; // text, line by line
mod text_labels; // names and labels of a line
mod text_numbers; // value and time of a line
mod grouping; // labels in the path of a push

pub use exposition::{Exposition, TextTimes};
pub use grouping::{Grouping, GroupingError};
pub use naming::Naming;
pub use refusal::Fault;
pub use sink::{Room, ends_histogram, is_of_histogram};
pub use spans::{of_write1, of_write2};
pub use write1::decode as decode_write1;
pub use write2::decode as decode_write2;

/// All labels of a series together, as they are spelt.
pub const KEY_BYTES_MAX: usize = 32 * 1024;
/// Longest line of text.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// Buckets of one native histogram.
pub const BUCKETS_MAX: usize = 1_000;
