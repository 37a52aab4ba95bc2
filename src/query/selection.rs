//! Which series a query is about, and what they are called.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Engine, QueryError};
use crate::model::{Reach, Series, SeriesDirectory, SeriesId, ServerKey};
use crate::store::series::{self, SeriesFilter};
use crate::store::servers;

/// The selected series, by number. `None` in the map: looked for and not there, as its server was deleted.
#[derive(Debug)]
pub(super) struct Selection {
    known: HashMap<SeriesId, Option<Arc<Series>>, foldhash::fast::RandomState>,
    /// The selected ones in order; without, all that exist are, and each is looked up when it is first met.
    ids: Option<Vec<SeriesId>>,
    /// Those of other servers are as if they did not exist; `None` does not restrict.
    servers: Option<HashSet<ServerKey>>,
}

/// More series than this are not looked up one by one where reading by time may be done after a few rows.
const FEW_SERIES_MAX: usize = 256;
/// A selection of at least one in this many series is in most blocks and hours.
const MOST_SERIES: u64 = 4;

/// What a selection has to say about a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Selected,
    Not,
    /// Nothing before it was looked up, see [`Selection::meet`].
    Unmet,
}

impl Selection {
    /// Looks the filter up. Without a condition nothing is looked up before it is met, unless few can be reached.
    pub(super) async fn of(engine: &Engine, filter: &SeriesFilter) -> Result<Self, QueryError> {
        if filter.is_open() {
            return Ok(Self::everything());
        }
        match Self::listing(engine, filter).await {
            Err(QueryError::TooManySeries { .. }) if filter.is_unconditional() => {
                Self::within(engine, &filter.reach).await
            }
            listed => listed,
        }
    }

    /// Everything of the servers that can be reached.
    pub(super) async fn within(engine: &Engine, reach: &Reach) -> Result<Self, QueryError> {
        if reach.is_everything() {
            return Ok(Self::everything());
        }
        let keys = servers::within(&engine.database.client().await?, reach).await?;
        Ok(Self { servers: Some(keys.into_iter().collect()), ..Self::everything() })
    }

    /// Looks the filter up, whether or not it has a condition.
    pub(super) async fn listing(engine: &Engine, filter: &SeriesFilter) -> Result<Self, QueryError> {
        let series_max = engine.config.series_max;
        let client = engine.database.client().await?;
        let found = series::find_ids(&client, filter, series_max.saturating_add(1)).await?;
        drop(client);
        if found.len() > series_max as usize {
            return Err(QueryError::TooManySeries { series_max });
        }
        Self::listed(engine, found).await
    }

    pub(super) fn everything() -> Self {
        Self { known: HashMap::default(), ids: None, servers: None }
    }

    /// Those of `ids` that exist.
    pub(super) async fn listed(engine: &Engine, mut ids: Vec<SeriesId>) -> Result<Self, QueryError> {
        ids.sort_unstable();
        engine.catalog.load(&ids).await?;
        let known: HashMap<_, _, _> = ids.iter().map(|id| (*id, engine.catalog.series(*id))).collect();
        ids.retain(|id| known.get(id).is_some_and(Option::is_some));
        Ok(Self { known, ids: Some(ids), servers: None })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.as_ref().is_some_and(Vec::is_empty)
    }

    /// The selected numbers in order; `None` when all are.
    pub(super) fn ids(&self) -> Option<&[SeriesId]> {
        self.ids.as_deref()
    }

    /// Whether so many are selected that they are sooner met going through all than looked up one by one.
    pub(super) fn is_wide(&self) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.len() > FEW_SERIES_MAX)
    }

    /// The selected numbers, unless most of all series are selected: then what is read is better told afterwards.
    pub(super) fn unless_most(&self, engine: &Engine) -> Option<Vec<SeriesId>> {
        let series = engine.catalog.series_count();
        self.ids.clone().filter(|ids| (ids.len() as u64).saturating_mul(MOST_SERIES) < series)
    }

    /// The smallest and the largest selected number.
    pub(super) fn range(&self) -> (SeriesId, SeriesId) {
        let ends = self.ids.as_ref().map(|ids| (ids.first().copied(), ids.last().copied()));
        match ends {
            None => (SeriesId(0), SeriesId(u32::MAX)),
            Some((first, last)) => (first.unwrap_or_default(), last.unwrap_or_default()),
        }
    }

    /// What is known of a series without asking PostgreSQL.
    pub(super) fn standing(&mut self, engine: &Engine, id: SeriesId) -> Standing {
        let known = match self.known.get(&id) {
            Some(known) => known.is_some(),
            None if self.ids.is_some() => false,
            None => {
                let Some(series) = engine.catalog.series(id) else { return Standing::Unmet };
                let series = self.reached(series);
                let is_there = series.is_some();
                self.known.insert(id, series);
                is_there
            }
        };
        if known { Standing::Selected } else { Standing::Not }
    }

    /// Gets to know series that were unmet. Takes a connection, so the caller must hold none.
    pub(super) async fn meet(&mut self, engine: &Engine, unmet: &[SeriesId]) -> Result<(), QueryError> {
        engine.catalog.load(unmet).await?;
        for id in unmet {
            let series = engine.catalog.series(*id).and_then(|series| self.reached(series));
            self.known.insert(*id, series);
        }
        Ok(())
    }

    fn reached(&self, series: Arc<Series>) -> Option<Arc<Series>> {
        Some(series).filter(|series| self.servers.as_ref().is_none_or(|servers| servers.contains(&series.server)))
    }

    pub(super) fn get(&self, id: SeriesId) -> Option<&Arc<Series>> {
        self.known.get(&id)?.as_ref()
    }
}
