//! The runner with jobs of the test's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use millrace::clock::SystemClock;
use millrace::jobs::fold::Trigger;
use millrace::jobs::runner::{Outcome, RunError, Runner, Running, State, Status};
use millrace::jobs::{Context, Job, JobError};
use millrace::model::{Batch, CommitListener, Committed, Micros, Origin, SeriesId};
use millrace::shutdown::Tasks;
use millrace::store::database::PoolConfig;
use millrace::store::{Database, StoreError, migrations, nodes};
use millrace::telemetry::Metrics;
use tokio::sync::Notify;

use crate::harness::{TestDatabase, eventually};

const NEVER: Duration = Duration::from_secs(3600);

/// A node with one job.
struct Node {
    runner: Arc<Runner>,
    metrics: Arc<Metrics>,
    tasks: Tasks,
}

impl Node {
    async fn start(test: &TestDatabase, job: Job) -> Self {
        // One connection, so that a run that needed two at a time would not come to its end.
        let pool = PoolConfig { connections_max: 1, ..PoolConfig::default() };
        let database = Database::new(test.config(), pool).unwrap();
        migrations::migrate(&database).await.unwrap();
        let number = nodes::register(&database.client().await.unwrap(), "test").await.unwrap().id;
        let (metrics, tasks) = (Arc::new(Metrics::new()), Tasks::default());
        let context = Context { database, clock: Arc::new(SystemClock) };
        let (runner, workers) = Runner::new(vec![job], context, number, Arc::clone(&metrics));
        for worker in workers {
            tasks.spawn(worker.name(), worker.run(tasks.clone()));
        }
        Self { runner, metrics, tasks }
    }

    async fn run_now(&self) -> Result<Outcome, RunError> {
        self.runner.run_now("job", false).await
    }

    async fn status(&self) -> Status {
        self.runner.statuses().await.unwrap().pop().unwrap()
    }
}

/// A job that counts its runs and ends the n-th as `outcome` says.
fn counting(interval: Duration, outcome: fn(u64) -> Result<u64, JobError>) -> (Job, Arc<AtomicU64>) {
    let runs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    let job = Job::new("job", interval, move |_, _| -> Running<'_> {
        let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move { outcome(number) })
    });
    (job, runs)
}

#[tokio::test]
async fn a_job_runs_by_itself_again_and_again() {
    let test = TestDatabase::create().await;
    let (job, runs) = counting(Duration::from_millis(5), Ok);
    let node = Node::start(&test, job).await;
    eventually("it ran a few times", async || runs.load(Ordering::SeqCst) >= 3).await;
    node.tasks.stop(NEVER).await.unwrap();
    let page = node.metrics.render().unwrap();
    let counted = page.lines().find(|line| line.starts_with("millrace_job_runs_total{job=\"job\"} ")).unwrap();
    assert_eq!(counted.rsplit(' ').next(), Some(runs.load(Ordering::SeqCst).to_string().as_str()));
}

#[tokio::test]
async fn a_job_that_is_woken_does_not_wait_for_its_interval() {
    let test = TestDatabase::create().await;
    let (wake, (job, runs)) = (Arc::new(Notify::new()), counting(NEVER, Ok));
    let node = Node::start(&test, job.woken_by(Arc::clone(&wake))).await;
    for number in 1..=3 {
        wake.notify_one();
        eventually("it ran", async || runs.load(Ordering::SeqCst) == number).await;
    }
    node.tasks.stop(NEVER).await.unwrap();
}

#[tokio::test]
async fn a_job_goes_on_after_failures_and_panics_and_tells_of_the_last_run_alone() {
    let test = TestDatabase::create().await;
    let (job, _) = counting(NEVER, |number| match number {
        1 => Ok(41),
        2 => Err(StoreError::Unreadable("a secret".to_owned()).into()),
        3 => panic!("on purpose"),
        number => Ok(number),
    });
    let node = Node::start(&test, job).await;
    let status = node.status().await;
    assert_eq!((status.state, status.last_run, status.lag), (State::Idle, None, None));
    assert!(status.next_run.is_some());

    assert_eq!(node.run_now().await.unwrap().rows, 41);
    assert_eq!((node.status().await.state, node.status().await.rows), (State::Idle, 41));
    assert!(matches!(node.run_now().await, Err(RunError::Failed(JobError::Store(_)))));
    let status = node.status().await;
    assert_eq!((status.state, status.rows), (State::Failed, 0));
    assert!(status.error.is_some() && status.lag.is_some(), "{status:?}");
    assert!(matches!(node.run_now().await, Err(RunError::Failed(JobError::Panicked))));
    assert_eq!(node.run_now().await.unwrap().rows, 4);
    let status = node.status().await;
    assert_eq!((status.state, status.error), (State::Idle, None));
    let page = node.metrics.render().unwrap();
    assert!(page.contains("millrace_job_failures_total{job=\"job\"} 2\n"), "{page}");
    node.tasks.stop(NEVER).await.unwrap();
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_long_before_its_interval_is_over() {
    let test = TestDatabase::create().await;
    let (job, runs) = counting(NEVER, |number| if number < 2 { Err(JobError::Panicked) } else { Ok(number) });
    let node = Node::start(&test, job).await;
    assert!(node.run_now().await.is_err());
    eventually("it was tried again", async || runs.load(Ordering::SeqCst) == 2).await;
    eventually("it is fine", async || node.status().await.state == State::Idle).await;
    node.tasks.stop(NEVER).await.unwrap();
}

#[tokio::test]
async fn what_another_node_is_at_is_no_failure_and_changes_nothing_that_is_told() {
    let test = TestDatabase::create().await;
    let (job, _) = counting(NEVER, |number| if number == 1 { Ok(5) } else { Err(JobError::Elsewhere) });
    let node = Node::start(&test, job).await;
    node.run_now().await.unwrap();
    assert!(matches!(node.run_now().await, Err(RunError::Failed(JobError::Elsewhere))));
    let status = node.status().await;
    assert_eq!((status.state, status.rows, status.error), (State::Idle, 5, None));
    node.tasks.stop(NEVER).await.unwrap();
}

#[tokio::test]
async fn what_one_node_has_just_run_another_does_not_run_again_and_tells_of() {
    const INTERVAL: Duration = Duration::from_secs(2);
    let test = TestDatabase::create().await;
    let (one, _) = counting(NEVER, Ok);
    let one = Node::start(&test, one).await;
    let (two, runs) = counting(INTERVAL, Ok);
    let two = Node::start(&test, two).await;
    let seen_by_two = async || {
        one.run_now().await.unwrap();
        two.runner.measure();
        two.metrics.render().unwrap().contains("millrace_job_lag_seconds{job=\"job\"} ")
    };
    eventually("the other node has looked", seen_by_two).await;
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    let (told, own) = (two.status().await, one.status().await);
    assert_eq!((told.node, told.rows, told.last_run), (own.node, own.rows, own.last_run));
    eventually("it is due", async || runs.load(Ordering::SeqCst) > 0).await;
    one.tasks.stop(NEVER).await.unwrap();
    two.tasks.stop(NEVER).await.unwrap();
}

#[tokio::test]
async fn a_run_that_goes_on_is_told_and_is_given_up_some_time_after_the_stop() {
    let test = TestDatabase::create().await;
    let job = Job::new("job", NEVER, |_, _| Box::pin(std::future::pending()));
    let node = Node::start(&test, job).await;
    let asked = node.tasks.spawn("asks", {
        let runner = Arc::clone(&node.runner);
        async move { runner.run_now("job", true).await }
    });
    eventually("it runs", async || node.status().await.state == State::Running).await;
    node.tasks.stop(Duration::from_secs(60)).await.unwrap();
    assert!(matches!(asked.await.unwrap(), Err(RunError::Stopping)));
    assert!(matches!(node.run_now().await, Err(RunError::Stopping)));
}

#[tokio::test]
async fn only_so_many_may_wait_for_a_run() {
    let test = TestDatabase::create().await;
    let job = Job::new("job", NEVER, |_, _| Box::pin(std::future::pending()));
    let node = Node::start(&test, job).await;
    let asking = Tasks::default();
    let is_busy = async || {
        let runner = Arc::clone(&node.runner);
        let asked = asking.spawn("asks", async move { runner.run_now("job", false).await });
        tokio::task::yield_now().await;
        asked.is_finished() && matches!(asked.await.unwrap(), Err(RunError::Busy))
    };
    eventually("there is no more room", is_busy).await;
    assert!(matches!(node.runner.run_now("other", false).await, Err(RunError::Unknown)));
    node.tasks.stop(Duration::from_secs(60)).await.unwrap();
}

#[tokio::test]
async fn much_that_is_committed_wakes_the_fold_and_little_does_not() {
    let trigger = Trigger::default();
    let mut batch = Batch::with_capacity(100_000);
    (0..100_000).for_each(|number| batch.push(SeriesId(1), Micros(number), 1.0));
    let flush = Arc::new(Committed { origin: Origin::default(), sequence: 1, committed_at: Micros(0), batch });
    let is_woken = async |trigger: &Trigger| {
        let woken = tokio::time::timeout(Duration::ZERO, trigger.wake().notified()).await;
        woken.is_ok()
    };
    for _ in 0..2 {
        (0..39).for_each(|_| trigger.committed(&flush));
        assert!(!is_woken(&trigger).await);
        trigger.committed(&flush);
        assert!(is_woken(&trigger).await);
    }
}
