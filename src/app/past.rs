//! Stored samples for live sessions and for those who judge rules: they ask in their words, the query engine answers in
//! its own.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::alert::{self, PastError, PastFuture, PastRange, Reached};
use crate::catalog::Catalog;
use crate::live::{Marks, Replay, ReplayError, ReplayFuture, ReplayRange};
use crate::model::{Reach, Sample, SeriesId};
use crate::query::replay::Past;
use crate::query::{self, QueryError};
use crate::store::{Database, StoreError, nodes};

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

/// Stored samples for those who judge rules.
#[derive(Debug)]
pub(super) struct JudgedSamples {
    pub(super) query: Arc<query::Engine>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) database: Database,
}

impl JudgedSamples {
    /// How far each writer has got by now.
    async fn marks(&self) -> Result<Reached, StoreError> {
        Ok(nodes::news(&self.database.client().await?).await?.writers)
    }
}

impl alert::Past for JudgedSamples {
    fn know<'a>(&'a self, series: &'a [SeriesId]) -> PastFuture<'a, ()> {
        Box::pin(async { self.catalog.load(series).await.map_err(|error| PastError::Store(Box::new(error))) })
    }

    fn read(&self, range: PastRange, into: mpsc::Sender<Vec<Sample>>) -> PastFuture<'_, Reached> {
        Box::pin(async move {
            let marks = self.marks().await.map_err(|error| PastError::Store(Box::new(error)))?;
            let past = Past {
                since: range.since,
                after: range.after.map(|after| after.into_iter().collect()),
                up_to: marks.into_iter().collect(),
                servers: &[],
                reach: &Reach::everything(),
                is_everything: false,
                wanted: &*range.wanted,
            };
            let reached = self.query.replay(&past, &into).await;
            reached.map(|reached| reached.into_iter().collect()).map_err(|error| match error {
                QueryError::TimedOut { .. } => PastError::Busy(Box::new(error)),
                QueryError::Moved => PastError::Moved,
                error => PastError::Store(Box::new(error)),
            })
        })
    }
}
