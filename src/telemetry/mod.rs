//! What the server tells about itself: logs for people, metrics for machines.
//!
//! Stages are handed an `Arc<Metrics>` and update it per batch, never per sample. Knows `config`'s log settings, the
//! clock and `model`'s refusal codes; knows no stage.

pub mod logs;
pub mod metrics;

mod process;
pub mod scrub;

pub use metrics::Metrics;
