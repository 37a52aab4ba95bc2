//! The native dialect: the bulk metrics body of `POST /api/v1/ingest`, and metrics as they are answered and pushed.
//!
//! ```json
//! {"server_id": "<uuid>", "metrics": [{"metric_type": "cpu", "metric_name": "usage", "value": 45.2,
//!   "labels": {"core": "0"}, "timestamp": "2025-11-20T10:00:00Z"}]}
//! ```
//!
//! Invariants: an item that is refused never touches its neighbours; a document that is not JSON is refused as a whole,
//! at the byte where that shows; reading a sample copies nothing and allocates nothing.

mod decode;
mod encode;
mod error;
mod field;
mod identity;
mod item;
mod lines;
mod refusal;
mod spans;

pub use decode::decode;
pub use encode::{write_labels, write_metric};
pub use error::{DocumentError, Problem};
pub use identity::identity;
pub use lines::decode_lines;
pub use spans::items as item_spans;

pub use super::json::write::{write_json_number, write_json_string};

#[cfg(test)]
mod tests;
