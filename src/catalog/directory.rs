//! Series by number, for those who print or filter samples. Holds what this process has met, at most every series
//! there is, which the catalog's limits bound.

use std::collections::HashSet;
use std::sync::Arc;

use dashmap::DashMap;
use uuid::Uuid;

use crate::model::{Series, SeriesId};

#[derive(Debug, Default)]
pub(super) struct Directory(DashMap<SeriesId, Arc<Series>, foldhash::fast::RandomState>);

impl Directory {
    pub(super) fn get(&self, id: SeriesId) -> Option<Arc<Series>> {
        self.0.get(&id).map(|series| Arc::clone(&series))
    }

    pub(super) fn add(&self, series: Arc<Series>) {
        self.0.insert(series.id, series);
    }

    /// The servers that have a series here.
    pub(super) fn server_ids(&self) -> HashSet<Uuid> {
        self.0.iter().map(|series| series.server_id).collect()
    }

    /// The series that are here.
    pub(super) fn ids(&self) -> Vec<SeriesId> {
        self.0.iter().map(|series| series.id).collect()
    }

    /// Lets go of a series and answers whose it was.
    pub(super) fn forget(&self, id: SeriesId) -> Option<Uuid> {
        self.0.remove(&id).map(|(_, series)| series.server_id)
    }

    pub(super) fn forget_servers(&self, server_ids: &HashSet<Uuid>) {
        self.0.retain(|_, series| !server_ids.contains(&series.server_id));
    }
}
