//! From recent to samples: hours that are closed, in slices, each slice one transaction.
//!
//! A slice takes the next parts by series, hour and fold, so of one hour earlier folds never leave recent after later
//! ones: recent always wins over samples, wherever a slice ends. It deletes exactly the parts it has read.
//!
//! An hour is closed some minutes after its end. What comes later is late and moves with the next run. Late samples of a
//! day that has been rolled up correct its hour in `rollup_1h` in the same transaction: see `late`.
//!
//! Memory is what one slice holds, whatever waits: [`SLICE_SAMPLES_MAX`] samples, and the rows that [`PORTION_WINDOWS`]
//! hours of series have where new samples touch them. Late samples of a closed day need all samples of their hour.

mod slice; // what moves in one transaction
mod portion; // some of its hours, put together with what is stored
mod late; // rollups that must follow

use std::fmt;
use std::time::Duration;

use slice::Slice;

use super::damage::Finder;
use super::months::{Months, Need};
use super::{Context, JobError, moving};
use crate::model::{Micros, SeriesId};
use crate::rollup;
use crate::store::levels::progress;
use crate::store::levels::recent::{self, Position};
use crate::store::levels::samples::WINDOW_MICROS;
use crate::store::partitions::Monthly;
use crate::store::{Client, Timestamp};

/// How long after its end an hour is closed.
pub const GRACE_MICROS: i64 = 5 * 60 * Micros::PER_SECOND;
/// Samples of a slice; at most one part more.
pub const SLICE_SAMPLES_MAX: usize = 1 << 20;
/// Parts of a slice.
pub const SLICE_PARTS_MAX: usize = 1 << 18;
/// Hours of series that are put together at once.
pub const PORTION_WINDOWS: usize = 512;

/// From when on the samples of a series are kept.
pub type RawFrom<'a> = dyn Fn(SeriesId) -> Micros + Send + Sync + 'a;

/// How a run goes about it.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// Samples of earlier hours also count as gone when there are none stored of the hour, so that what comes too late to
    /// be kept is rolled up at once.
    pub raw_from: &'a RawFrom<'a>,
    pub slice_samples_max: usize,
    pub slice_parts_max: usize,
    /// How long each slice waits for its turn; none as long as is usual.
    pub turn_wait: Option<Duration>,
}

impl Default for Terms<'_> {
    fn default() -> Self {
        let raw_from = &|_| Micros(i64::MIN);
        Self { raw_from, slice_samples_max: SLICE_SAMPLES_MAX, slice_parts_max: SLICE_PARTS_MAX, turn_wait: None }
    }
}

impl fmt::Debug for Terms<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Terms").field("slice_samples_max", &self.slice_samples_max).finish_non_exhaustive()
    }
}

/// Moves every hour that is closed; with `force` everything there is. Answers the rows written.
///
/// # Errors
/// [`JobError::Elsewhere`] when another node is at it. What was committed before an error stays, and the next run goes
/// on from there.
pub async fn run(context: &Context, force: bool) -> Result<u64, JobError> {
    run_with(context, force, &Terms::default()).await
}

/// # Errors
/// As [`run`].
pub async fn run_with(context: &Context, force: bool, terms: &Terms<'_>) -> Result<u64, JobError> {
    let now = context.clock.now();
    let grace_micros = if force { 0 } else { GRACE_MICROS };
    let over_to = rollup::start(Micros(now.0.saturating_sub(grace_micros)), WINDOW_MICROS);
    let mut client = context.database.client().await?;
    // An hour that was closed stays closed, though it was by force or the clock has been set back since.
    let closed_to = over_to.max(progress::read(&client).await?.sealed_to);
    let turn_wait = terms.turn_wait.unwrap_or(moving::turn_wait(force));
    let work = Work { before: if force { Timestamp::AFTER_ALL.0 } else { closed_to }, closed_to, terms, turn_wait };
    let mut months = Months::default();
    months.make(&client, &[(Monthly::Samples, Micros(closed_to.0.saturating_sub(WINDOW_MICROS)))]).await?;
    let finder = Finder { context, name: "seal", turn_wait };
    let (mut rows, mut next) = (0, Some(Position::FIRST));
    while let Some(from) = next {
        let step = move_slice(&mut client, &work, from, &months).await;
        match finder.settle(&mut client, step).await? {
            Some(Step::Moved { rows: written, next: after }) => {
                rows += written;
                next = after;
            }
            // Each time there are fewer left, and the door lets only so many years in.
            Some(Step::MonthsMissing(missing)) => months.make(&client, &missing).await?,
            // Again, without a row that was damaged.
            None => {}
        }
    }
    empty_slots(&client).await?;
    Ok(rows)
}

/// What a run is about.
struct Work<'a> {
    /// Parts that begin before this move.
    before: Micros,
    /// Hours before this are closed afterwards.
    closed_to: Micros,
    terms: &'a Terms<'a>,
    turn_wait: Duration,
}

enum Step {
    Moved {
        rows: u64,
        next: Option<Position>,
    },
    /// Nothing was moved, as these are to be made first.
    MonthsMissing(Vec<Need>),
}

async fn move_slice(client: &mut Client, work: &Work<'_>, from: Position, months: &Months) -> Result<Step, JobError> {
    let transaction = moving::begin(client, work.turn_wait).await?;
    let progress = progress::read(&transaction).await?;
    // A day that is closed but not rolled up yet counts as rolled up: its run may be half way through.
    let days_to = progress.sealed_to.max(progress.days_to);
    let slice = Slice::read(&transaction, from, work).await?;
    let missing = months.missing(slice.needs(days_to));
    if !missing.is_empty() {
        return Ok(Step::MonthsMissing(missing));
    }
    let Slice { windows, moved, next, .. } = slice;
    let mut windows: Vec<_> = windows.into_iter().collect();
    let mut rows = 0;
    for some in windows.chunks_mut(PORTION_WINDOWS) {
        rows += portion::put_together(&transaction, some, days_to, work.terms.raw_from).await?;
    }
    recent::delete(&transaction, &moved).await?;
    progress::sealed(&transaction, next.is_none().then_some(work.closed_to)).await?;
    moving::commit(transaction).await?;
    Ok(Step::Moved { rows, next })
}

/// Gives back the space of tables of the ring that have no rows left. Each is one statement and no transaction of ours, so
/// whoever writes to it waits for PostgreSQL alone, and not at all when the table is not free at once.
async fn empty_slots(client: &Client) -> Result<(), JobError> {
    for slot in 0..recent::SLOTS as i16 {
        match recent::empty(client, slot).await {
            Ok(_) => {}
            // Someone is reading it: the next run tries again.
            Err(error) if error.is_unavailable() => tracing::debug!(recent.slot = slot, "not emptied now"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
