//! The last value of each series that matches: from memory, and from PostgreSQL for series not asked for before.

mod cache; // what is known of each series

pub use cache::LatestSamples;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::page::Waiting;
use super::selection::Selection;
use super::{Engine, QueryError, unfolded};
use crate::codec::samples_row;
use crate::model::{Micros, Sample, SeriesId};
use crate::query::best::Version;
use crate::store::levels::windows;
use crate::store::series::SeriesFilter;
use crate::store::{Database, StoreError};
use cache::Newest;

/// Series looked up at once, each with the rows of an hour at most.
const LOAD_SERIES: usize = 1_000;

impl Engine {
    /// The newest sample of each series that matches, by type, name and labels.
    ///
    /// Reading is a task of its own, as that of a page.
    ///
    /// # Errors
    /// When more series match than a query may select; see [`QueryError`].
    pub async fn latest(self: &Arc<Self>, filter: &SeriesFilter) -> Result<Vec<Sample>, QueryError> {
        let timeout = self.config.timeout;
        let reading = async {
            let turn = self.turn().await?;
            let (answer, answered) = oneshot::channel();
            let (engine, filter) = (Arc::clone(self), filter.clone());
            drop(self.tasks.spawn("query", async move {
                let latest = read(&engine, &filter, &|| !answer.is_closed()).await;
                drop(turn);
                answer.send(latest).ok();
            }));
            answered.await.map_err(StoreError::unavailable)?
        };
        tokio::time::timeout(timeout, reading).await.map_err(|_| QueryError::TimedOut { timeout })?
    }

    /// Lets go of the last values in memory, as stored ones were removed.
    pub fn forget_latest(&self) {
        self.latest.forget();
    }
}

impl LatestSamples {
    /// Lets go of everything, and finds out since when what comes in is later than all that is stored.
    ///
    /// # Errors
    /// When PostgreSQL is not available; then series are looked up one by one.
    pub async fn begin_anew(&self, database: &Database) -> Result<(), StoreError> {
        self.forget();
        let generation = self.generation();
        let newest = windows::newest_time(&database.client().await?).await?;
        self.began_after(generation, newest);
        Ok(())
    }
}

async fn read(engine: &Engine, filter: &SeriesFilter, waiting: Waiting<'_>) -> Result<Vec<Sample>, QueryError> {
    let selection = Selection::listing(engine, filter).await?;
    let ids = selection.ids().unwrap_or_default();
    let generation = engine.latest.generation();
    let known = engine.latest.get(ids);
    let mut newest: HashMap<SeriesId, Option<Newest>> = HashMap::with_capacity(ids.len());
    let mut unknown = Vec::new();
    for (id, known) in ids.iter().zip(known) {
        match known {
            Some(known) => drop(newest.insert(*id, known)),
            None => unknown.push(*id),
        }
    }
    for series in unknown.chunks(LOAD_SERIES) {
        if !waiting() {
            return Err(QueryError::Abandoned);
        }
        let stored = load(engine, series, waiting).await?;
        engine.latest.complete(generation, &stored);
        newest.extend(stored);
    }
    let sample = |(id, newest): (SeriesId, Option<Newest>)| {
        let (newest, series) = (newest?, Arc::clone(selection.get(id)?));
        Some(Sample { series, time: newest.time, value: newest.value })
    };
    let mut samples: Vec<Sample> = newest.into_iter().filter_map(sample).collect();
    samples.sort_unstable_by(|left, right| {
        let key = |sample: &'_ Sample| (sample.series.server_id, sample.series.id);
        left.series.identity.cmp(&right.series.identity).then_with(|| key(left).cmp(&key(right)))
    });
    Ok(samples)
}

/// Reads the newest sample of each of `series` from the top down: of the journal what was not folded, of the rest the
/// rows that the newest can be in.
async fn load(
    engine: &Engine,
    series: &[SeriesId],
    waiting: Waiting<'_>,
) -> Result<Vec<(SeriesId, Option<Newest>)>, QueryError> {
    let client = engine.database.client().await?;
    let mut written: HashMap<SeriesId, (Micros, Version, f64)> = HashMap::new();
    let mut take = |(series, time, version, value): unfolded::Met| {
        let known = written.entry(series).or_insert((time, version, value));
        if (time, version) > (known.0, known.1) {
            *known = (time, version, value);
        }
    };
    let all_times = (Micros(i64::MIN), Micros(i64::MAX));
    unfolded::visit(&client, series, all_times, waiting, &mut take).await?;
    let (parts, rows) = windows::latest(&client, series).await?;
    drop(client);
    let mut newest: HashMap<SeriesId, Newest> = HashMap::new();
    let mut take = |series: SeriesId, sample: Newest| {
        let known = newest.entry(series).or_insert(sample);
        if (sample.time, sample.committed_at) >= (known.time, known.committed_at) {
            *known = sample;
        }
    };
    let (mut times, mut values) = (Vec::new(), Vec::new());
    // Of the same time later parts count before earlier ones, and before rows: they come in this order.
    for stored in rows.iter().chain(&parts) {
        times.clear();
        values.clear();
        samples_row::decode(&stored.row, &mut times, &mut values)?;
        if let (Some(&time), Some(&value)) = (times.last(), values.last()) {
            take(stored.series, Newest { time, committed_at: Micros(i64::MIN), value });
        }
    }
    for (series, (time, version, value)) in written {
        if let Version::Journal { committed_at, .. } = version {
            take(series, Newest { time, committed_at, value });
        }
    }
    Ok(series.iter().map(|id| (*id, newest.get(id).copied())).collect())
}
