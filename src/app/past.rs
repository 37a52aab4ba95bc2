//! Stored samples for live sessions: live asks in its words, the query engine answers in its own.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::live::{Replay, ReplayError, ReplayFuture, ReplayRange};
use crate::model::Sample;
use crate::query::replay::Past;
use crate::query::{self, QueryError};
use crate::store::journal::Mark;

#[derive(Debug)]
pub(super) struct StoredSamples(pub(super) Arc<query::Engine>);

impl Replay for StoredSamples {
    fn replay(&self, range: ReplayRange, into: mpsc::Sender<Vec<Sample>>) -> ReplayFuture<'_> {
        Box::pin(async move {
            let low = |origin| range.after.as_ref().and_then(|after| after.get(origin)).unwrap_or(0);
            let marks = range.up_to.iter().map(|(origin, high)| Mark { origin, low: low(origin), high }).collect();
            let past = Past { since: range.since, marks, wanted: &|series| range.filter.matches(series) };
            let replayed = self.0.replay(past, &into).await;
            replayed.map_err(|error| match error {
                QueryError::TimedOut { .. } => ReplayError::Busy(Box::new(error)),
                error => ReplayError::Store(Box::new(error)),
            })
        })
    }
}
