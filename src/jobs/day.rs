//! Days that are closed, hour by hour into `rollup_1h`, in slices of series, each slice one transaction.
//!
//! A day is closed when every hour of it is. A run that ends half way begins its day again, and writes the same: what is
//! stored of a day is counted, and only buckets that differ are written. Late samples that are moved meanwhile correct
//! the day themselves, as soon as it is closed.

use std::time::Duration;

use super::damage::{self, Finder};
use super::months::{DAY_MICROS, Months};
use super::rollups::Rollups;
use super::worker::off_worker;
use super::{Context, JobError, moving};
use crate::codec::samples_row;
use crate::model::{Micros, Resolution, SeriesId};
use crate::rollup;
use crate::store::levels::days::{self, DayRows};
use crate::store::levels::keyed::Key;
use crate::store::levels::progress;
use crate::store::levels::samples::{StoredSamples, WINDOW_MICROS};
use crate::store::partitions::Monthly;
use crate::store::{Client, Transaction};

/// Series of one transaction.
pub const SLICE_SERIES_MAX: usize = 2_000;
/// Series that are asked at once for the first of their rows.
const FIRST_SERIES_MAX: usize = 1_000;

/// Rolls up the days that were closed since the last time. `force` has it wait longer for its turn, and nothing else: an
/// hour that is not closed would have to be counted again. Answers the rows written.
///
/// # Errors
/// [`JobError::Elsewhere`] when another node is at it. What was committed before an error stays, and the next run goes
/// on from there.
pub async fn run(context: &Context, force: bool) -> Result<u64, JobError> {
    run_days(context, Terms { series_max: SLICE_SERIES_MAX, turn_wait: moving::turn_wait(force) }).await
}

/// As [`run`], so many series a transaction.
///
/// # Errors
/// As [`run`].
pub async fn run_with(context: &Context, series_max: usize) -> Result<u64, JobError> {
    run_days(context, Terms { series_max, turn_wait: moving::TURN_WAIT }).await
}

/// How a run goes about it.
#[derive(Clone, Copy)]
struct Terms {
    /// Series of one transaction.
    series_max: usize,
    /// How long each transaction waits for its turn.
    turn_wait: Duration,
}

async fn run_days(context: &Context, terms: Terms) -> Result<u64, JobError> {
    let mut client = context.database.client().await?;
    let finder = Finder { context, name: "day", turn_wait: terms.turn_wait };
    let progress = progress::read(&client).await?;
    let closed_to = rollup::start(progress.sealed_to, DAY_MICROS);
    let (mut months, mut rows, mut done_to) = (Months::default(), 0, progress.days_to);
    while done_to < closed_to {
        match first_day(&mut client, done_to, terms).await?.filter(|day| *day < closed_to) {
            Some(day) => {
                months.make(&client, &[(Monthly::Hours, day)]).await?;
                rows += roll_up(&mut client, day, terms, finder).await?;
                done_to = Micros(day.0.saturating_add(DAY_MICROS));
            }
            None => done_to = closed_to,
        }
        let transaction = moving::begin(&mut client, terms.turn_wait).await?;
        progress::days_done(&transaction, done_to).await?;
        moving::commit(transaction).await?;
    }
    Ok(rows)
}

/// The first day at `from` or later that has samples.
async fn first_day(client: &mut Client, from: Micros, terms: Terms) -> Result<Option<Micros>, JobError> {
    let transaction = moving::begin(client, terms.turn_wait).await?;
    let (mut first, mut after): (Option<Micros>, _) = (None, None);
    while let Some((last, start)) = days::first_row(&transaction, after, from, FIRST_SERIES_MAX).await? {
        let day = rollup::start(start, DAY_MICROS);
        first = Some(first.map_or(day, |first| first.min(day)));
        if day == from {
            break;
        }
        after = Some(last);
    }
    Ok(first)
}

async fn roll_up(client: &mut Client, day: Micros, terms: Terms, finder: Finder<'_>) -> Result<u64, JobError> {
    let (mut rows, mut after) = (0, None);
    loop {
        let slice = roll_up_next(client, after, day, terms).await;
        match finder.settle(client, slice).await? {
            Some(Some((written, last))) => {
                rows += written;
                after = Some(last);
            }
            Some(None) => return Ok(rows),
            // Again, without a row that was damaged.
            None => {}
        }
    }
}

/// The series after `after`, as many as a transaction takes. Answers the rows written and the last of them.
async fn roll_up_next(
    client: &mut Client,
    after: Option<SeriesId>,
    day: Micros,
    terms: Terms,
) -> Result<Option<(u64, SeriesId)>, JobError> {
    let transaction = moving::begin(client, terms.turn_wait).await?;
    let series = days::series(&transaction, after, day, terms.series_max).await?;
    let Some(last) = series.last() else { return Ok(None) };
    let rows = roll_up_slice(&transaction, &series, day).await?;
    moving::commit(transaction).await?;
    Ok(Some((rows, *last)))
}

async fn roll_up_slice(transaction: &Transaction<'_>, series: &[SeriesId], day: Micros) -> Result<u64, JobError> {
    let keys: Vec<Key> = series.iter().map(|series| (*series, day)).collect();
    let mut rollups = Rollups::read(transaction, Resolution::Hour, &keys).await?;
    let stored = DayRows::open(transaction, series, day).await?;
    let mut hour = Hour::default();
    loop {
        let some = stored.next().await?;
        if some.is_empty() {
            break;
        }
        off_worker(|| some.iter().try_for_each(|stored| hour.add(stored, day, &mut rollups)))?;
    }
    hour.put(day, &mut rollups);
    rollups.write(transaction).await
}

/// The hour of a series whose samples are being gathered.
#[derive(Debug, Default)]
struct Hour {
    key: Option<Key>,
    times: Vec<Micros>,
    values: Vec<f64>,
}

impl Hour {
    /// Adds a row; the hour before is counted when it begins another.
    fn add(&mut self, stored: &StoredSamples, day: Micros, rollups: &mut Rollups) -> Result<(), JobError> {
        let key = (stored.series, rollup::start(stored.row.start, WINDOW_MICROS));
        if self.key != Some(key) {
            self.put(day, rollups);
            self.key = Some(key);
        }
        samples_row::decode(&stored.row, &mut self.times, &mut self.values).map_err(damage::of_samples(stored))
    }

    /// Counts it and begins anew. Hours of which no samples are stored keep the bucket they have.
    fn put(&mut self, day: Micros, rollups: &mut Rollups) {
        if let Some((series, start)) = self.key.take() {
            rollups.put((series, day), start, rollup::bucket(start, &self.values));
        }
        self.times.clear();
        self.values.clear();
    }
}
