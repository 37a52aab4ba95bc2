//! What was committed, as it is handed on to those who look at samples after the commit.

use std::fmt::Debug;
use std::sync::Arc;

use super::points::Batch;
use super::time::Micros;

/// One writer of the journal: a lane of a node. A node takes a new number each time it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    pub node: u32,
    pub lane: u16,
}

/// One committed flush. Flushes of one origin are handed on in `sequence` order. A number is missing only
/// when PostgreSQL refused its flush for good.
#[derive(Debug)]
pub struct Committed {
    pub origin: Origin,
    pub sequence: u64,
    /// The writer's clock. Of two samples with the same series and time the later flush wins.
    pub committed_at: Micros,
    /// Sorted by (series, time); of two samples with the same series and time in one flush only the later one is left.
    pub batch: Batch,
}

/// Looks at committed samples.
///
/// Called from the lane between a commit and its acknowledgement, so it must return at once: it hands the batch to its
/// own bounded queue and decides there what a full queue costs, never the lane.
pub trait CommitListener: Debug + Send + Sync {
    fn committed(&self, flush: &Arc<Committed>);
}
