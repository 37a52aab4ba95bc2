//! Series by number, for those who print or filter samples. Holds what this process has met, at most every series
//! there is, which the catalog's limits bound.

use std::sync::Arc;

use dashmap::DashMap;

use crate::model::{Series, SeriesId, ServerKey};

#[derive(Debug, Default)]
pub(super) struct Directory(DashMap<SeriesId, Arc<Series>, foldhash::fast::RandomState>);

impl Directory {
    pub(super) fn get(&self, id: SeriesId) -> Option<Arc<Series>> {
        self.0.get(&id).map(|series| Arc::clone(&series))
    }

    pub(super) fn add(&self, series: Arc<Series>) {
        self.0.insert(series.id, series);
    }

    pub(super) fn forget_server(&self, server: ServerKey) {
        self.0.retain(|_, series| series.server != server);
    }
}
