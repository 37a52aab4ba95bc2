//! Some series over a range of time, piece by piece, from the levels the plan says. Memory is one piece.
//!
//! Data move while they are read. Read from the top down nothing is missed, and samples met twice count once. Only where
//! samples are added to buckets could some count twice: there everything is read again until the buckets stand still.

use std::collections::{BTreeMap, BTreeSet};

use super::mixed::{Buckets, Mixed, Piece, Stored, mix};
use super::plan::{Gone, Plan, Tier};
use crate::codec::rollup_row;
use crate::model::{Bucket, Micros, Resolution, SeriesId};
use crate::query::page::Waiting;
use crate::query::{Engine, QueryError, levels, unfolded};
use crate::rollup;
use crate::store::levels::rollups::{self, StoredRollup};
use crate::store::levels::samples;
use crate::store::sizes;

const HOUR: i64 = Resolution::Hour.micros();
/// Samples read at once, unless an hour of one series has more.
const READ_SAMPLES_MAX: u64 = 500_000;
/// Rows of stored hours read at once; each holds a day.
const READ_ROWS_MAX: u64 = 2_048;
/// How often what moves away meanwhile is read again.
const TRIES_MAX: usize = 5;

/// Takes pieces of series; those of one series come in order of time.
pub(super) type Take<'a> = &'a mut (dyn FnMut(SeriesId, Piece) -> Result<(), QueryError> + Send);

/// Some series, sorted, over `[from, to)`.
#[derive(Clone, Copy, Debug)]
struct Stretch<'a> {
    series: &'a [SeriesId],
    from: Micros,
    to: Micros,
}

pub(super) struct Reader<'a> {
    engine: &'a Engine,
    plan: &'a Plan,
    waiting: Waiting<'a>,
    /// `rollup_1h` holds every day before this. Nothing later has expired.
    days_to: Micros,
    samples_left: u64,
    gone: Gone,
}

impl<'a> Reader<'a> {
    pub(super) fn new(engine: &'a Engine, plan: &'a Plan, days_to: Micros, waiting: Waiting<'a>) -> Self {
        let samples_left = engine.config.samples_max as u64;
        Self { engine, plan, waiting, days_to, samples_left, gone: Gone::default() }
    }

    /// Up to where finer data were found to be gone.
    pub(super) fn gone(&self) -> Gone {
        self.gone
    }

    /// Reads all that the plan wants of `series`, which are sorted.
    pub(super) async fn read(&mut self, series: &[SeriesId], take: Take<'_>) -> Result<(), QueryError> {
        let [(old_from, old_to), (new_from, new_to)] = self.plan.split(self.days_to);
        let old = Stretch { series, from: old_from, to: old_to };
        if self.plan.tier == Tier::Hour {
            self.hours(old, take).await?;
        } else {
            self.finer(old, true, take).await?;
        }
        self.finer(Stretch { series, from: new_from, to: new_to }, false, take).await
    }

    /// Reads samples, and in days that are done what is left of expired ones, in portions.
    async fn finer(&mut self, stretch: Stretch<'_>, is_done: bool, take: Take<'_>) -> Result<(), QueryError> {
        let mut left = vec![stretch];
        while let Some(stretch) = left.pop() {
            if stretch.from >= stretch.to || stretch.series.is_empty() {
                continue;
            }
            self.check_waiting()?;
            let samples = self.count(stretch).await?;
            let halves = stretch.halves();
            // The earlier half is read first.
            if let Some((first, second)) = halves.filter(|_| samples > READ_SAMPLES_MAX) {
                left.extend([second, first]);
                continue;
            }
            match (self.portion(stretch, is_done).await, halves) {
                // The journal has that many.
                (Err(QueryError::TooManySamples { .. }), Some((first, second))) => left.extend([second, first]),
                (pieces, _) => {
                    let pieces = pieces?;
                    // What is in the journal could not be counted before.
                    let read: u64 = pieces.iter().map(|(_, piece)| piece.len() as u64).sum();
                    self.samples_left = self.left_after(read.max(samples))?;
                    for (series, piece) in pieces {
                        take(series, piece)?;
                        tokio::task::consume_budget().await;
                    }
                    // Ingest goes first.
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(())
    }

    async fn portion(&mut self, stretch: Stretch<'_>, is_done: bool) -> Result<Vec<(SeriesId, Piece)>, QueryError> {
        if !is_done {
            let samples = levels::read(self.engine, stretch.series, stretch.from, stretch.last(), self.waiting).await?;
            let piece =
                |samples: levels::SeriesSamples| (samples.series, Piece::Samples(samples.times, samples.values));
            return Ok(samples.into_iter().map(piece).collect());
        }
        let mixed = self.settled(stretch).await?;
        let gone = mixed.gone;
        // What is read from before the windows may be gone.
        if self.plan.needs_samples
            && let Some(before) = gone.samples_to.max(gone.minutes_to).filter(|before| *before > self.plan.from)
        {
            return Err(QueryError::Expired { before });
        }
        self.gone.samples_to = self.gone.samples_to.max(gone.samples_to);
        self.gone.minutes_to = self.gone.minutes_to.max(gone.minutes_to);
        Ok(mixed.pieces)
    }

    /// Samples and buckets that belong together.
    async fn settled(&self, stretch: Stretch<'_>) -> Result<Mixed, QueryError> {
        let hours = Stretch { from: rollup::start(stretch.from, HOUR), to: next_hour(stretch.to), ..stretch };
        let mut before = None;
        for _ in 0..TRIES_MAX {
            self.check_waiting()?;
            let samples = levels::read(self.engine, hours.series, hours.from, hours.last(), self.waiting).await?;
            let client = self.engine.database.client().await?;
            let read =
                async |resolution| rollups::read(&client, resolution, hours.series, hours.from, hours.last()).await;
            let rows = (read(Resolution::Minute).await?, read(Resolution::Hour).await?);
            drop(client);
            let minutes = decoded(&rows.0, Resolution::Minute, hours)?;
            let stored = Stored { samples, minutes, hours: decoded(&rows.1, Resolution::Hour, hours)? };
            let mixed = mix(stored, self.plan.grain, stretch.from, stretch.to);
            if !mixed.added_up || before.as_ref() == Some(&rows) {
                return Ok(mixed);
            }
            before = Some(rows);
        }
        Err(QueryError::Moving)
    }

    /// Reads `rollup_1h`, in portions. Hours that late samples wait for are made anew.
    async fn hours(&mut self, stretch: Stretch<'_>, take: Take<'_>) -> Result<(), QueryError> {
        let whole = Stretch { from: rollup::start(stretch.from, HOUR), to: next_hour(stretch.to), ..stretch };
        let mut left = vec![whole];
        while let Some(portion) = left.pop() {
            if portion.from >= portion.to {
                continue;
            }
            self.check_waiting()?;
            let Stretch { series, from, .. } = portion;
            let client = self.engine.database.client().await?;
            let rows = sizes::hour_rows(&client, series, from, portion.last()).await?;
            drop(client);
            if let Some((first, second)) = portion.halves().filter(|_| rows > READ_ROWS_MAX) {
                left.extend([second, first]);
                continue;
            }
            let late = self.late_hours(portion).await?;
            let client = self.engine.database.client().await?;
            let rows = rollups::read(&client, Resolution::Hour, series, from, portion.last()).await?;
            drop(client);
            let mut hours: BTreeMap<SeriesId, Vec<Bucket>> =
                decoded(&rows, Resolution::Hour, portion)?.into_iter().collect();
            self.samples_left = self.left_after(hours.values().map(|hours| hours.len() as u64).sum())?;
            for (hour, series) in late {
                self.renew(hour, &series, &mut hours).await?;
            }
            for (series, hours) in hours {
                take(series, Piece::Buckets(hours))?;
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// The hours of a stretch that have samples above the level of `samples`, and the series that do.
    async fn late_hours(&self, stretch: Stretch<'_>) -> Result<BTreeMap<Micros, Vec<SeriesId>>, QueryError> {
        let Stretch { series, from, .. } = stretch;
        let client = self.engine.database.client().await?;
        let mut late: BTreeSet<(Micros, SeriesId)> = BTreeSet::new();
        let mut take = |(series, time, ..): unfolded::Met| {
            late.insert((rollup::start(time, HOUR), series));
        };
        unfolded::visit(&client, series, (from, stretch.last()), self.waiting, &mut take).await?;
        let parts = samples::read_recent(&client, series, from, stretch.last(), u64::MAX).await?;
        drop(client);
        late.extend(parts.iter().map(|part| (rollup::start(part.row.start, HOUR), part.series)));
        let mut hours: BTreeMap<Micros, Vec<SeriesId>> = BTreeMap::new();
        late.into_iter().for_each(|(hour, series)| hours.entry(hour).or_default().push(series));
        Ok(hours)
    }

    /// Makes an hour of some series anew from what is finer.
    async fn renew(
        &mut self,
        hour: Micros,
        series: &[SeriesId],
        hours: &mut BTreeMap<SeriesId, Vec<Bucket>>,
    ) -> Result<(), QueryError> {
        let mut renewed: BTreeMap<SeriesId, Vec<Bucket>> = BTreeMap::new();
        let stretch = Stretch { series, from: hour, to: next_hour(Micros(hour.0 + 1)) };
        let mut take = |series, piece| {
            let buckets = renewed.entry(series).or_default();
            match piece {
                Piece::Samples(_, values) => buckets.extend(rollup::bucket(hour, &values)),
                Piece::Buckets(found) => buckets.extend(found),
            }
            Ok(())
        };
        // In the range of hours expired samples are no gap.
        let gone = self.gone;
        self.finer(stretch, true, &mut take).await?;
        self.gone = gone;
        for (series, buckets) in renewed {
            let hours = hours.entry(series).or_default();
            hours.retain(|known| known.start != hour);
            hours.extend(rollup::combine(hour, &buckets));
            hours.sort_by_key(|bucket| bucket.start);
        }
        Ok(())
    }

    async fn count(&self, stretch: Stretch<'_>) -> Result<u64, QueryError> {
        let client = self.engine.database.client().await?;
        let samples = sizes::samples(&client, stretch.series, stretch.from, stretch.last()).await?;
        self.left_after(samples).map(|_| samples)
    }

    fn left_after(&self, samples: u64) -> Result<u64, QueryError> {
        let samples_max = self.engine.config.samples_max;
        self.samples_left.checked_sub(samples).ok_or(QueryError::TooManySamples { samples_max })
    }

    fn check_waiting(&self) -> Result<(), QueryError> {
        if (self.waiting)() { Ok(()) } else { Err(QueryError::Abandoned) }
    }
}

impl<'a> Stretch<'a> {
    /// The last time that is in it.
    fn last(self) -> Micros {
        Micros(self.to.0 - 1)
    }

    /// Two stretches, the earlier one first, of one hour of one series at least.
    fn halves(self) -> Option<(Self, Self)> {
        let middle = rollup::start(Micros(self.from.0 + (self.to.0 - self.from.0) / 2), HOUR);
        if middle > self.from {
            return Some((Self { to: middle, ..self }, Self { from: middle, ..self }));
        }
        let (first, second): (&'a [SeriesId], &'a [SeriesId]) = self.series.split_at(self.series.len() / 2);
        (!first.is_empty()).then_some((Self { series: first, ..self }, Self { series: second, ..self }))
    }
}

fn next_hour(time: Micros) -> Micros {
    rollup::start(Micros(time.0.saturating_add(HOUR - 1)), HOUR)
}

/// The buckets of rows that begin within a stretch.
fn decoded(rows: &[StoredRollup], resolution: Resolution, stretch: Stretch<'_>) -> Result<Buckets, QueryError> {
    let mut all = Buckets::new();
    for stored in rows {
        rollup_row::decode(&stored.row, resolution, all.entry(stored.series).or_default())?;
    }
    for buckets in all.values_mut() {
        buckets.retain(|bucket| (stretch.from..stretch.to).contains(&bucket.start));
    }
    all.retain(|_, buckets| !buckets.is_empty());
    Ok(all)
}
