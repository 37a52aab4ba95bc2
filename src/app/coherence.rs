//! The catalog as the journal's follower sees it.

use crate::catalog::Catalog;
use crate::journal::{Coherence, CoherenceFuture};
use crate::model::SeriesId;

impl Coherence for Catalog {
    fn load<'a>(&'a self, series: &'a [SeriesId]) -> CoherenceFuture<'a> {
        Box::pin(Self::load(self, series))
    }

    fn forget_deleted(&self) -> CoherenceFuture<'_> {
        Box::pin(Self::forget_deleted(self))
    }
}
