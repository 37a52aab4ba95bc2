//! What is told of jobs: what their rows say, and when this node tries next.

use std::time::{Duration, Instant};

use super::{Door, Runner};
use crate::model::Micros;
use crate::store::StoreError;
use crate::store::jobs::{self, JobRow};
use crate::store::set_aside::{self, SetAside};

/// Damaged rows that are told one by one; all others are counted.
const SET_ASIDE_LISTED_MAX: i64 = 10;

/// What was set aside and is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAsideRows {
    pub rows: u64,
    /// The last ones, the very last first.
    pub newest: Vec<SetAside>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Running,
    Idle,
    /// The last run failed. It is tried again.
    Failed,
}

/// What is known of one job, on whichever node it ran.
#[derive(Clone, Debug)]
pub struct Status {
    pub name: &'static str,
    pub state: State,
    /// When the last run that has ended began, how long it took, the rows it wrote or removed, and why it failed.
    pub last_run: Option<Micros>,
    pub duration: Option<Duration>,
    pub rows: u64,
    pub error: Option<String>,
    /// Where the job runs, or ran last.
    pub node: Option<u32>,
    /// How long ago the last run that did not fail began: what had to be done then is done.
    pub lag: Option<Duration>,
    /// When this node tries next, unless another one does before.
    pub next_run: Option<Micros>,
}

impl Runner {
    /// The state of every job.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn statuses(&self) -> Result<Vec<Status>, StoreError> {
        let rows = jobs::list(&self.context.database.client().await?).await?;
        let now = self.context.clock.now();
        let row = |door: &Door| rows.iter().find(|row| row.name == door.name).cloned().unwrap_or_default();
        Ok(self.doors.iter().map(|door| status(door, row(door), now)).collect())
    }

    /// Damaged rows that jobs have set aside.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn set_aside(&self) -> Result<SetAsideRows, StoreError> {
        let client = self.context.database.client().await?;
        let newest = set_aside::list(&client, SET_ASIDE_LISTED_MAX).await?;
        Ok(SetAsideRows { rows: set_aside::count(&client).await?, newest })
    }

    /// What is written of one job.
    pub(super) async fn row(&self, name: &str) -> Result<Option<JobRow>, StoreError> {
        let rows = jobs::list(&self.context.database.client().await?).await?;
        Ok(rows.into_iter().find(|row| row.name == name))
    }
}

fn status(door: &Door, row: JobRow, now: Micros) -> Status {
    let state = match (row.running_since, &row.error) {
        (Some(_), _) => State::Running,
        (None, Some(_)) => State::Failed,
        (None, None) => State::Idle,
    };
    let until = |instant: Instant| instant.saturating_duration_since(Instant::now());
    Status {
        name: door.name,
        state,
        last_run: row.started_at,
        duration: row.started_at.zip(row.ended_at).map(|(start, end)| between(start, end)),
        rows: row.rows,
        error: row.error,
        node: row.running_on.or(row.node),
        lag: row.succeeded_at.map(|succeeded_at| between(succeeded_at, now)),
        next_run: door.known().next_run.map(|next| Micros(now.0.saturating_add(until(next).as_micros() as i64))),
    }
}

/// Nothing when the clock was set back in between.
fn between(start: Micros, end: Micros) -> Duration {
    Duration::from_micros(u64::try_from(end.0.saturating_sub(start.0)).unwrap_or(0))
}
