//! Months ahead, retention behind: what will be written has a place, and what has expired goes.
//!
//! - Samples that have expired become rows of minutes, unless their minutes have expired too; then minutes and hours go
//!   when their time comes. A month in which nothing is left, or all of which has expired, is dropped whole.
//! - Samples stay until `day` has rolled their day up to hours, whatever their retention says.
//! - Row by row is in slices: bounded in rows and memory, each a transaction of its own under the lock of who moves data.
//!   What a slice has done is not there any more, so the next run goes on where this one was cut off.
//! - What belongs to no series any more (its server was deleted) goes with its month.
//! - Nobody who reads or writes waits for keep: its statements give up when they have to wait, and are tried again.

mod ahead; // months before they are needed
mod behind; // months that nobody wants
mod cut; // expired rows to slices
mod minutes; // hours of samples to rows of minutes
mod pages; // all series, some at a time
mod patience; // trying again
mod raw; // samples that have expired
mod rolled_up; // minutes and hours that have expired
mod watch; // whether the months are there

use std::time::Duration;

use super::damage::Finder;
use super::retention::Policy;
use super::{Context, JobError, moving};
use crate::model::{Micros, Resolution};
use crate::rollup;
use crate::store::levels::progress;

pub use ahead::{MONTHS_AHEAD, make_months};
pub use behind::drop_months;
pub use watch::MonthsWatch;

/// What all steps of a run share.
#[derive(Clone, Copy, Debug)]
struct Turn<'a> {
    context: &'a Context,
    policy: &'a Policy,
    now: Micros,
    /// How long each transaction waits for its turn to move data.
    wait_max: Duration,
}

impl<'a> Turn<'a> {
    fn finder(self) -> Finder<'a> {
        Finder { context: self.context, name: "keep", turn_wait: self.wait_max }
    }
}

/// Makes months and takes away what has expired; the latter once an hour, unless `force`. Answers how many rows were
/// removed, a dropped or made month being one.
///
/// # Errors
/// When PostgreSQL is not available, or one of the steps had to wait for too long. The others are done all the same.
pub async fn run(context: &Context, policy: &Policy, force: bool) -> Result<u64, JobError> {
    let now = context.clock.now();
    let made = make_months(context).await;
    let turn_wait = moving::turn_wait(force);
    let resumed = behind::finish(context, turn_wait).await;
    let expired = expire(context, policy, now, force).await;
    Ok(made? + resumed? + expired?)
}

async fn expire(context: &Context, policy: &Policy, now: Micros, force: bool) -> Result<u64, JobError> {
    let hour = rollup::start(now, Resolution::Hour.micros());
    let progress = progress::read(&context.database.client().await?).await?;
    if progress.kept_at == hour && !force {
        return Ok(0);
    }
    let turn = Turn { context, policy, now, wait_max: moving::turn_wait(force) };
    let raw = raw::expire(turn, progress.days_to).await;
    let minutes = rolled_up::expire(turn, Resolution::Minute).await;
    let hours = rolled_up::expire(turn, Resolution::Hour).await;
    let rows = raw? + minutes? + hours?;
    let client = context.database.client().await?;
    progress::gone_to(&client, policy.earliest(now).kept_from()).await?;
    progress::kept_at(&client, hour).await?;
    Ok(rows)
}
