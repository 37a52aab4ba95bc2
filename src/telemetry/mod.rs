//! What the server tells about itself: logs for people, metrics for machines.
//!
//! Stages are handed an `Arc<Metrics>` and update it per batch, never per sample. Knows `config`'s log settings, the
//! clock and `model`'s refusal codes; knows no stage.

pub mod ingest_log;
pub mod logs;
pub mod machine;
pub mod metrics;

mod process;
pub mod scrub;

pub use ingest_log::IngestLog;
pub use machine::Machine;
pub use metrics::Metrics;
