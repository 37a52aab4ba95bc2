//! What this process keeps of stored things, as the journal's follower sees it.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::journal::{Coherence, CoherenceFuture};
use crate::model::SeriesId;
use crate::query::LatestSamples;
use crate::store::Database;

#[derive(Debug)]
pub(super) struct Kept {
    pub(super) database: Database,
    pub(super) catalog: Arc<Catalog>,
    pub(super) latest: Arc<LatestSamples>,
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
}
