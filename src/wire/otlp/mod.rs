//! OpenTelemetry metrics and logs (OTLP), in both forms a request has: protobuf and JSON.
//!
//! ```text
//! JSON ──transcode──▶ protobuf ──▶ decode ──▶ points over a composed text   (see `composed`)
//! ```
//!
//! One number of a data point is one sample. The kind of the metric is the metric type, so that nobody takes a delta for
//! a total; the server is named by an attribute of the resource. What each kind becomes is said in `decode` and `buckets`.
//!
//! Invariants: a data point that is refused never touches its neighbours; a body that is no OTLP is refused whole, before
//! anything of it is kept; text and points take no more than the [`Room`] that the caller gives.

pub mod message; // the protobuf wire format
mod refusal; // why a data point is refused
mod room; // memory, asked for as it grows
pub mod schema; // the messages as JSON spells them
mod transcode; // JSON to protobuf
mod attributes; // values of any kind to texts
mod origin; // resource and scope: the server and the common labels
mod emit; // data points to points
mod decode; // a request to its metrics
mod numbers; // gauges and sums
mod buckets; // histograms and summaries
mod logs; // a request to its log records
pub mod answer; // what is said back

pub use decode::decode;
pub use logs::{Record, decode_logs};
pub use origin::Reading;
pub use room::{Room, Unread};
pub use schema::{LOGS, METRICS};
pub use transcode::transcode;

/// The server, the type, the name and the labels of a point, as [`super::composed`] reads them.
pub use super::composed::{host, identity};

/// Buckets of one data point. Powers of two reach from 2^-1074 to 2^1024, so every exponential histogram fits.
pub const BUCKETS_MAX: usize = 2_100;
/// How deep the lists and maps of an attribute may stand in each other.
pub const NESTING_MAX: usize = 8;
/// Largest attribute that is no plain string, in bytes as it is sent: it is written as JSON, which takes more.
pub const NESTED_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests;
