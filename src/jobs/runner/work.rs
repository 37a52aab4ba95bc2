//! One job's task: waits, runs, tells.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::mpsc;

use super::turns::Turns;
use super::{Door, Job, JobError, Outcome, Request, Runner};
use crate::jobs::moving::FORCED_TURN_WAIT;
use crate::model::Micros;
use crate::shutdown::Tasks;
use crate::store::jobs::EndedRun;
use crate::store::{StoreError, jobs};

/// How long a run that was asked for waits for another node to be done, and one that somebody insists on.
const ELSEWHERE_MAX: Duration = Duration::from_secs(5);
const FORCED_ELSEWHERE_MAX: Duration = FORCED_TURN_WAIT;
const ELSEWHERE_PAUSE: Duration = Duration::from_millis(100);
/// A run that goes on when the server stops has this long to end. Then its transaction is rolled back.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// A run that says for longer that it goes on was killed.
const KILLED_AFTER: Duration = Duration::from_secs(600);

/// One job's task, not started.
#[derive(Debug)]
pub struct Worker {
    runner: Arc<Runner>,
    index: usize,
    job: Job,
    requests: mpsc::Receiver<Request>,
}

impl Worker {
    pub(super) fn new(runner: Arc<Runner>, index: usize, job: Job, requests: mpsc::Receiver<Request>) -> Self {
        Self { runner, index, job, requests }
    }

    /// The name of its job.
    pub fn name(&self) -> &'static str {
        self.job.name
    }

    /// Runs the job again and again until `tasks` are asked to stop.
    pub async fn run(mut self, tasks: Tasks) {
        let mut turns = Turns::new(self.job.interval);
        loop {
            let next_run = Instant::now() + turns.pause();
            self.door().learn(|known| known.next_run = Some(next_run));
            let (is_due, request) = tokio::select! {
                () = tasks.stopping() => return,
                Some(request) = self.requests.recv() => (false, Some(request)),
                () = self.job.wake.notified() => (false, None),
                () = tokio::time::sleep_until(next_run.into()) => (true, None),
            };
            let stopped = async {
                tasks.stopping().await;
                tokio::time::sleep(STOP_GRACE).await;
            };
            tokio::select! {
                () = self.turn(&mut turns, is_due, request) => {}
                () = stopped => return tracing::warn!(job = self.job.name, "given up at the stop"),
            }
        }
    }

    /// One run, unless it was only due by the clock and another node has run it meanwhile.
    async fn turn(&self, turns: &mut Turns, is_due: bool, request: Option<Request>) {
        if is_due && let Some(left) = self.left_by_others().await {
            return turns.others_ran(left);
        }
        // Who asked may have gone away while others were before it.
        if request.as_ref().is_some_and(|request| request.answer.is_closed()) {
            return;
        }
        let asked_at = Instant::now();
        let force = request.as_ref().is_some_and(|request| request.force);
        let wait_max = if force { FORCED_ELSEWHERE_MAX } else { ELSEWHERE_MAX };
        let outcome = loop {
            let outcome = self.run_once(force).await;
            let may_wait = request.is_some() && asked_at.elapsed() < wait_max;
            if !(may_wait && matches!(outcome, Err(JobError::Elsewhere))) {
                break outcome;
            }
            tokio::time::sleep(ELSEWHERE_PAUSE).await;
        };
        match &outcome {
            Ok(_) => turns.succeeded(),
            Err(JobError::Elsewhere) => turns.elsewhere(),
            Err(error) => {
                tracing::error!(job = self.job.name, error = error as &dyn std::error::Error, "job failed");
                self.runner.metrics.jobs.failed(self.job.name);
                turns.failed();
            }
        }
        if let Some(request) = request {
            request.answer.send(outcome).ok();
        }
    }

    /// How long another node's last run leaves nothing to do; none when it is time.
    async fn left_by_others(&self) -> Option<Duration> {
        let row = self.runner.row(self.job.name).await.ok().flatten()?;
        self.door().learn(|known| known.succeeded_at = known.succeeded_at.max(row.succeeded_at));
        if row.node == Some(self.runner.node) || row.error.is_some() {
            return None;
        }
        let since = self.runner.context.clock.now().0.checked_sub(row.started_at?.0)?;
        let since = Duration::from_micros(u64::try_from(since).ok()?);
        self.job.interval.checked_sub(since).filter(|left| !left.is_zero())
    }

    /// One try, and what is told of it.
    async fn run_once(&self, force: bool) -> Result<Outcome, JobError> {
        let (runner, name, started) = (&self.runner, self.job.name, Instant::now());
        let started_at = runner.context.clock.now();
        let killed_before = Micros(started_at.0.saturating_sub(KILLED_AFTER.as_micros() as i64));
        jobs::begin(&runner.context.database.client().await?, name, runner.node, started_at, killed_before).await?;
        let running = (self.job.run)(&runner.context, force);
        let outcome = AssertUnwindSafe(running).catch_unwind().await.unwrap_or(Err(JobError::Panicked));
        let duration = started.elapsed();
        if matches!(outcome, Err(JobError::Elsewhere)) {
            jobs::leave(&runner.context.database.client().await?, name, runner.node).await?;
            return Err(JobError::Elsewhere);
        }
        if let Ok(rows) = outcome {
            runner.metrics.jobs.succeeded(name, rows, duration, started_at);
            self.door().learn(|known| known.succeeded_at = Some(started_at));
        }
        let told = EndedRun {
            name,
            node: runner.node,
            started_at,
            ended_at: runner.context.clock.now(),
            outcome: outcome.as_ref().copied().map_err(ToString::to_string),
        };
        // The work is done, or not, whether or not this can be said.
        if let Err(error) = self.tell(&told).await {
            tracing::warn!(job = name, error = &error as &dyn std::error::Error, "end of a run not written down");
        }
        outcome.map(|rows| Outcome { rows, duration })
    }

    async fn tell(&self, told: &EndedRun<'_>) -> Result<(), StoreError> {
        jobs::end(&self.runner.context.database.client().await?, told).await
    }

    fn door(&self) -> &Door {
        &self.runner.doors[self.index]
    }
}
