//! When jobs run, and what they say of it. Each job is a task that ends with the server only: it runs when its interval
//! is over, when it is woken, and when somebody asks.
//!
//! Every node tries. Who gains the job's lock does the work, the others hear [`JobError::Elsewhere`], which is no
//! failure. What a run was like stands in PostgreSQL, so any node tells it, and none runs what another one has just run.

mod status; // what is told of jobs
mod turns; // when the next run is due
mod work; // one job's task

pub use status::{SetAsideRows, State, Status};
pub use work::Worker;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot};

use super::{Context, JobError};
use crate::model::Micros;
use crate::telemetry::Metrics;

/// Who asks for a run may have this many before it; further ones are refused.
const REQUESTS_MAX: usize = 16;

pub type Running<'a> = Pin<Box<dyn Future<Output = Result<u64, JobError>> + Send + 'a>>;
type Run = dyn for<'a> Fn(&'a Context, bool) -> Running<'a> + Send + Sync;

/// Something to be done again and again.
pub struct Job {
    name: &'static str,
    interval: Duration,
    wake: Arc<Notify>,
    run: Box<Run>,
}

impl Job {
    /// `run` is handed whether the run is forced, and answers how many rows it wrote or removed.
    pub fn new(
        name: &'static str,
        interval: Duration,
        run: impl for<'a> Fn(&'a Context, bool) -> Running<'a> + Send + Sync + 'static,
    ) -> Self {
        Self { name, interval, wake: Arc::default(), run: Box::new(run) }
    }

    /// Has it run whenever `wake` is notified, too.
    #[must_use]
    pub fn woken_by(self, wake: Arc<Notify>) -> Self {
        Self { wake, ..self }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Job").field("name", &self.name).field("interval", &self.interval).finish_non_exhaustive()
    }
}

/// A run that somebody asked for.
#[derive(Debug)]
struct Request {
    force: bool,
    answer: oneshot::Sender<Result<Outcome, JobError>>,
}

/// How a run that was asked for went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub rows: u64,
    pub duration: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("there is no such job")]
    Unknown,
    #[error("too many have asked for this job already")]
    Busy,
    #[error("the server is shutting down")]
    Stopping,
    #[error(transparent)]
    Failed(#[from] JobError),
}

/// The way to the jobs of this node.
#[derive(Debug)]
pub struct Runner {
    context: Context,
    node: u32,
    metrics: Arc<Metrics>,
    doors: Vec<Door>,
}

/// The way to one job.
#[derive(Debug)]
struct Door {
    name: &'static str,
    requests: mpsc::Sender<Request>,
    known: Mutex<Known>,
}

/// What this node knows of a job without asking.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    next_run: Option<Instant>,
    succeeded_at: Option<Micros>,
}

impl Runner {
    /// Makes the runner and a worker for each job. Nothing runs before the workers do.
    pub fn new(jobs: Vec<Job>, context: Context, node: u32, metrics: Arc<Metrics>) -> (Arc<Self>, Vec<Worker>) {
        let channels: Vec<_> = jobs.iter().map(|_| mpsc::channel(REQUESTS_MAX)).collect();
        let door = |(job, (requests, _)): (&Job, &(mpsc::Sender<Request>, _))| Door {
            name: job.name,
            requests: requests.clone(),
            known: Mutex::default(),
        };
        let doors = jobs.iter().zip(&channels).map(door).collect();
        let runner = Arc::new(Self { context, node, metrics, doors });
        let worker = |(index, (job, (_, requests)))| Worker::new(Arc::clone(&runner), index, job, requests);
        let workers = jobs.into_iter().zip(channels).enumerate().map(worker).collect();
        (runner, workers)
    }

    /// Runs a job on this node now, behind what it is at, and waits for the outcome. It goes on when nobody waits any
    /// more.
    ///
    /// # Errors
    /// See [`RunError`]; [`JobError::Elsewhere`] when another node is at it for longer than we can wait.
    pub async fn run_now(&self, name: &str, force: bool) -> Result<Outcome, RunError> {
        let door = self.doors.iter().find(|door| door.name == name).ok_or(RunError::Unknown)?;
        let (answer, answered) = oneshot::channel();
        door.requests.try_send(Request { force, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => RunError::Busy,
            mpsc::error::TrySendError::Closed(_) => RunError::Stopping,
        })?;
        Ok(answered.await.map_err(|_| RunError::Stopping)??)
    }

    /// Sets the numbers that grow while nothing happens.
    pub fn measure(&self) {
        let now = self.context.clock.now();
        for door in &self.doors {
            if let Some(succeeded_at) = door.known().succeeded_at {
                self.metrics.jobs.lag(door.name, now.0.saturating_sub(succeeded_at.0) / Micros::PER_SECOND);
            }
        }
    }
}

impl Door {
    fn known(&self) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
