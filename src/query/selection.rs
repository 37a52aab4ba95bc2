//! Which series a query is about, and what they are called.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Engine, QueryError};
use crate::model::{Series, SeriesDirectory, SeriesId};
use crate::store::series::{self, SeriesFilter};

/// The selected series, by number. `None` in the map: looked for and not there, as its server was deleted.
#[derive(Debug)]
pub(super) struct Selection {
    known: HashMap<SeriesId, Option<Arc<Series>>, foldhash::fast::RandomState>,
    /// Whether series that are not in the map yet are selected too, if they exist.
    open: bool,
}

impl Selection {
    /// Looks the filter up. Without a condition nothing is looked up before it is met.
    pub(super) async fn of(engine: &Engine, filter: &SeriesFilter) -> Result<Self, QueryError> {
        let mut selection = Self { known: HashMap::default(), open: filter.is_open() };
        if selection.open {
            return Ok(selection);
        }
        let series_max = engine.config.series_max;
        let client = engine.database.client().await?;
        let found = series::find(&client, filter, SeriesId(0), series_max + 1).await?;
        if found.len() > series_max as usize {
            return Err(QueryError::TooManySeries { series_max });
        }
        selection.known.extend(found.into_iter().map(|series| (series.id, Some(Arc::new(series)))));
        Ok(selection)
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.open && self.known.is_empty()
    }

    /// The smallest and the largest selected number.
    pub(super) fn range(&self) -> (SeriesId, SeriesId) {
        if self.open {
            return (SeriesId(0), SeriesId(u32::MAX));
        }
        let smallest = self.known.keys().min().copied().unwrap_or_default();
        (smallest, self.known.keys().max().copied().unwrap_or_default())
    }

    /// Gets to know the series of a block, given sorted by series.
    pub(super) async fn meet(&mut self, engine: &Engine, block: &[SeriesId]) -> Result<(), QueryError> {
        if !self.open {
            return Ok(());
        }
        let mut new: Vec<SeriesId> = block.iter().copied().filter(|id| !self.known.contains_key(id)).collect();
        new.dedup();
        engine.catalog.load(&new).await?;
        self.known.extend(new.into_iter().map(|id| (id, engine.catalog.series(id))));
        Ok(())
    }

    pub(super) fn get(&self, id: SeriesId) -> Option<&Arc<Series>> {
        self.known.get(&id)?.as_ref()
    }
}
