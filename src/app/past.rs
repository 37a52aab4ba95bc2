//! Stored samples for live sessions: live asks in its words, the query engine answers in its own.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::live::{Marks, Replay, ReplayError, ReplayFuture, ReplayRange};
use crate::model::Sample;
use crate::query::replay::Past;
use crate::query::{self, QueryError};

#[derive(Debug)]
pub(super) struct StoredSamples(pub(super) Arc<query::Engine>);

impl Replay for StoredSamples {
    fn replay(&self, range: ReplayRange, into: mpsc::Sender<Vec<Sample>>) -> ReplayFuture<'_> {
        Box::pin(async move {
            let marks = |marks: &Marks| marks.iter().collect();
            let past = Past {
                since: range.since,
                after: range.after.as_ref().map(marks),
                up_to: marks(&range.up_to),
                servers: range.filter.servers(),
                reach: range.filter.reach(),
                is_everything: range.filter.is_unconditional(),
                wanted: &|series| range.filter.matches(series),
            };
            let replayed = self.0.replay(&past, &into).await;
            replayed.map(|reached| reached.into_iter().collect()).map_err(|error| match error {
                QueryError::TimedOut { .. } => ReplayError::Busy(Box::new(error)),
                QueryError::Moved => ReplayError::Moved,
                error => ReplayError::Store(Box::new(error)),
            })
        })
    }
}
