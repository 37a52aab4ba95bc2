//! What has left the journal: recent and samples, hour by hour from where the page begins, until it is full.
//!
//! An hour is read from the top down, parts before rows, so what is moved meanwhile is met at least once. Hours without
//! rows are passed over by asking the indexes for the next one; hours with few are taken several at a time. Rows are
//! decoded as they come, so memory is that of the page. Newest first and of many series, parts come in the order of how
//! late they reach, and reading ends where they cannot be on the page any more. The other way round an hour costs a part
//! or row for each series and fold.

mod newest; // parts of many series, those that reach latest first

use std::collections::HashSet;
use std::pin::pin;

use futures_util::{Stream, StreamExt};

use super::best::{Best, Version};
use super::page::Waiting;
use super::selection::{Selection, Standing};
use super::{Engine, QueryError};
use crate::codec::samples_row;
use crate::model::{Micros, SeriesId};
use crate::store::StoreError;
use crate::store::journal::BlockOrder;
use crate::store::levels::samples::{StoredSamples, WINDOW_MICROS};
use crate::store::levels::windows::{self, Folds, Window, hour};

/// Most hours read at once: a month.
const HOURS_MAX: i64 = 31 * 24;
/// A range of at most as many hours is read without asking first where there are rows.
const HOURS_DIRECT_MAX: i64 = 4;

/// Which rows count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    pub(super) folds: Folds,
    pub(super) with_samples: bool,
}

impl Scope {
    pub(super) const ALL: Self = Self { folds: Folds::ALL, with_samples: true };
}

/// What reading needs beside what it reads.
pub(super) struct Reading<'a> {
    pub(super) engine: &'a Engine,
    pub(super) waiting: Waiting<'a>,
    pub(super) scope: Scope,
}

/// Offers all rows that can be among the best.
pub(super) async fn read(reading: &Reading<'_>, selection: &mut Selection, best: &mut Best) -> Result<(), QueryError> {
    let mut walk = Walk::new(best);
    loop {
        if !(reading.waiting)() {
            return Err(QueryError::Abandoned);
        }
        best.settle_when_full();
        let Some(mut window) = walk.window(best) else { return Ok(()) };
        if walk.asks_first {
            let Some(next) = next_hour(reading, selection, best, walk.rest(best)).await? else { return Ok(()) };
            walk.go_to(next);
            let Some(next) = walk.window(best) else { return Ok(()) };
            window = next;
        }
        let before = best.offered();
        read_window(reading, window, selection, best).await?;
        walk.advance(window, best.offered() - before, best);
    }
}

async fn next_hour(
    reading: &Reading<'_>,
    selection: &Selection,
    best: &Best,
    (from, to): (Micros, Micros),
) -> Result<Option<Micros>, QueryError> {
    let client = reading.engine.database.client().await?;
    // Of many, an hour that only others have rows in is sooner read in vain than each of them is looked up.
    let series = selection.ids().filter(|_| !selection.is_wide());
    let range = Window { series, from, to, start_max: to, reach_min: from };
    Ok(windows::next_hour(&client, best.order(), &range, reading.scope.folds, reading.scope.with_samples).await?)
}

/// Reads some hours; of series that are met for the first time in a second go.
async fn read_window(
    reading: &Reading<'_>,
    (from, to): (Micros, Micros),
    selection: &mut Selection,
    best: &mut Best,
) -> Result<(), QueryError> {
    let (reach_min, start_max) = best.range();
    let listed = selection.unless_most(reading.engine);
    let window = Window { series: listed.as_deref(), from, to, start_max, reach_min };
    // Those that begin after the page would be stepped over one by one: of series that are known others are not met.
    let by_reach = listed.is_none() || start_max >= to;
    let unmet = if best.order() == BlockOrder::Newest && selection.is_wide() && by_reach {
        newest::read(reading, &window, selection, best).await?;
        best.settle_when_full();
        let window = Window { reach_min: best.range().0, ..window };
        read_samples(reading, &window, selection, best).await?
    } else {
        read_rows(reading, &window, selection, best).await?
    };
    if !unmet.is_empty() {
        selection.meet(reading.engine, &unmet).await?;
        read_rows(reading, &Window { series: Some(&unmet), ..window }, selection, best).await?;
    }
    Ok(())
}

/// Offers the rows of a window, and answers the series that are not known yet, whose rows were passed over.
async fn read_rows(
    reading: &Reading<'_>,
    window: &Window<'_>,
    selection: &mut Selection,
    best: &mut Best,
) -> Result<Vec<SeriesId>, QueryError> {
    let Reading { engine, waiting, scope } = reading;
    let client = engine.database.client().await?;
    windows::prepare(&client).await?;
    let mut rows = Rows::new(engine, selection, best);
    // Both are on their way before the first answers; the order in which they are sent is the one they are run in. The
    // second has no answer before the first is read to its end.
    let recent = async {
        let mut recent = pin!(windows::recent(&client, window, scope.folds).await?);
        while let Some(part) = recent.next().await {
            let (fold, stored) = part?;
            // To the end all the same: a connection goes back to the pool with nothing running on it.
            if waiting() {
                rows.offer(Version::Recent { fold }, &stored)?;
            }
            tokio::task::consume_budget().await;
        }
        Ok::<(), QueryError>(())
    };
    let samples =
        async { if scope.with_samples { windows::samples(&client, window).await.map(Some) } else { Ok(None) } };
    let (recent, samples) = tokio::join!(biased; recent, samples);
    recent?;
    if let Some(samples) = samples? {
        rows.offer_all(samples, *waiting).await?;
    }
    if waiting() { Ok(rows.into_unmet()) } else { Err(QueryError::Abandoned) }
}

/// The same without those of recent.
async fn read_samples(
    reading: &Reading<'_>,
    window: &Window<'_>,
    selection: &mut Selection,
    best: &mut Best,
) -> Result<Vec<SeriesId>, QueryError> {
    let Reading { engine, waiting, scope } = reading;
    if !scope.with_samples {
        return Ok(Vec::new());
    }
    let client = engine.database.client().await?;
    let mut rows = Rows::new(engine, selection, best);
    rows.offer_all(windows::samples(&client, window).await?, *waiting).await?;
    if waiting() { Ok(rows.into_unmet()) } else { Err(QueryError::Abandoned) }
}

/// Takes rows in.
struct Rows<'a> {
    engine: &'a Engine,
    selection: &'a mut Selection,
    best: &'a mut Best,
    unmet: HashSet<SeriesId>,
    times: Vec<Micros>,
    values: Vec<f64>,
}

impl<'a> Rows<'a> {
    fn new(engine: &'a Engine, selection: &'a mut Selection, best: &'a mut Best) -> Self {
        Self { engine, selection, best, unmet: HashSet::new(), times: Vec::new(), values: Vec::new() }
    }

    /// Offers rows of samples, to the last one also when nobody waits any more.
    async fn offer_all(
        &mut self,
        samples: impl Stream<Item = Result<StoredSamples, StoreError>>,
        waiting: Waiting<'_>,
    ) -> Result<(), QueryError> {
        let mut samples = pin!(samples);
        while let Some(stored) = samples.next().await {
            let stored = stored?;
            if waiting() {
                self.offer(Version::Samples, &stored)?;
            }
            tokio::task::consume_budget().await;
        }
        Ok(())
    }

    fn offer(&mut self, version: Version, stored: &StoredSamples) -> Result<(), QueryError> {
        match self.selection.standing(self.engine, stored.series) {
            Standing::Not => return Ok(()),
            Standing::Unmet => {
                self.unmet.insert(stored.series);
                return Ok(());
            }
            Standing::Selected => {}
        }
        self.times.clear();
        self.values.clear();
        samples_row::decode(&stored.row, &mut self.times, &mut self.values)?;
        self.best.offer(version, stored.series, &self.times, &self.values);
        Ok(())
    }

    fn into_unmet(self) -> Vec<SeriesId> {
        self.unmet.into_iter().collect()
    }
}

/// Where a walk over the hours is. Hours are told by their beginning.
struct Walk {
    order: BlockOrder,
    /// The next hour to be read.
    next: Micros,
    hours: i64,
    /// Whether there may be much to pass over before the next rows.
    asks_first: bool,
}

impl Walk {
    fn new(best: &Best) -> Self {
        let (from, to) = best.range();
        let (first, last) = (hour(from), hour(to));
        let next = match best.order() {
            BlockOrder::Newest => last,
            BlockOrder::Oldest => first,
        };
        let hours = last.0.saturating_sub(first.0) / WINDOW_MICROS + 1;
        let asks_first = hours > HOURS_DIRECT_MAX;
        Self { order: best.order(), next, hours: if asks_first { 1 } else { hours.max(1) }, asks_first }
    }

    /// The hours to be read next, as their first and last moment; none when nothing behind can be among the best.
    fn window(&self, best: &Best) -> Option<(Micros, Micros)> {
        let (from, to) = best.range();
        let others = (self.hours - 1) * WINDOW_MICROS;
        let (low, high) = match self.order {
            BlockOrder::Newest => (Micros(self.next.0.saturating_sub(others)), self.next),
            BlockOrder::Oldest => (self.next, Micros(self.next.0.saturating_add(others))),
        };
        let (low, high) = (low.max(hour(from)), high.min(hour(to)));
        (low <= high).then_some((low, last_moment(high)))
    }

    /// The hours that are left, as their first and last moment. Whole ones: a part that begins in the range may reach
    /// beyond it, and is looked for by how far it reaches.
    fn rest(&self, best: &Best) -> (Micros, Micros) {
        let (from, to) = best.range();
        let (first, last) = match self.order {
            BlockOrder::Newest => (hour(from), hour(to).min(self.next)),
            BlockOrder::Oldest => (hour(from).max(self.next), hour(to)),
        };
        (first, last_moment(last))
    }

    fn go_to(&mut self, hour: Micros) {
        (self.next, self.asks_first) = (hour, false);
    }

    /// Goes on behind a window in which so many samples were found.
    fn advance(&mut self, (low, high): (Micros, Micros), found: u64, best: &Best) {
        self.next = match self.order {
            BlockOrder::Newest => Micros(low.0.saturating_sub(WINDOW_MICROS)),
            BlockOrder::Oldest => Micros(high.0.saturating_add(1)),
        };
        self.asks_first = found == 0;
        let rows_max = best.rows_max() as u64;
        if found < rows_max {
            self.hours = (self.hours * 2).min(HOURS_MAX);
        } else if found > 2 * rows_max {
            self.hours = 1;
        }
    }
}

fn last_moment(hour: Micros) -> Micros {
    Micros(hour.0.saturating_add(WINDOW_MICROS - 1))
}
