//! What this process keeps of stored things, as the journal's follower sees it.

use std::sync::Arc;

use crate::alert::{Alerts, Intake};
use crate::catalog::Catalog;
use crate::journal::{Coherence, CoherenceFuture};
use crate::live::Hub;
use crate::model::SeriesId;
use crate::query::LatestSamples;
use crate::store::{Database, StoreError};

#[derive(Debug)]
pub(super) struct Kept {
    pub(super) database: Database,
    pub(super) catalog: Arc<Catalog>,
    pub(super) latest: Arc<LatestSamples>,
    pub(super) hub: Arc<Hub>,
    pub(super) judging: Arc<Intake>,
}

impl Kept {
    pub(super) fn of(
        database: &Database,
        catalog: &Arc<Catalog>,
        latest: &Arc<LatestSamples>,
        hub: &Arc<Hub>,
        alerts: &Alerts,
    ) -> Arc<Self> {
        Arc::new(Self {
            database: database.clone(),
            catalog: Arc::clone(catalog),
            latest: Arc::clone(latest),
            hub: Arc::clone(hub),
            judging: Arc::clone(&alerts.intake),
        })
    }
}

impl Coherence for Kept {
    fn load<'a>(&'a self, series: &'a [SeriesId]) -> CoherenceFuture<'a> {
        Box::pin(self.catalog.load(series))
    }

    fn forget_deleted(&self) -> CoherenceFuture<'_> {
        Box::pin(async {
            // First, so that it is forgotten however the rest goes: the revision is looked at once only.
            self.latest.begin_anew(&self.database).await?;
            self.catalog.forget_deleted().await
        })
    }

    fn judge_anew(&self, after: i64) -> CoherenceFuture<'_> {
        Box::pin(async move {
            let judged = self.catalog.judge_anew(after).await?;
            // The catalog first: the others ask it.
            self.judging.servers_moved(&judged);
            self.hub.judge_anew(judged).await.map_err(StoreError::unavailable)
        })
    }
}
