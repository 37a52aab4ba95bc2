//! Runs that end half way: given up between any two statements, or with their connection gone. Nothing is lost, and the
//! next run does the rest.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use millrace::jobs::seal::Terms;
use millrace::jobs::{Context, JobError, day, seal};
use millrace::model::Micros;

use super::levels::{DAY, HOUR, Levels, MINUTE, Model, reached, time};

const NOW: &str = "2028-03-01T00:30:00Z";
/// Far more than a run takes.
pub(super) const POLLS_MAX: usize = 2_000;

/// Polls a future so many times. `None` when it was not done by then.
pub(super) async fn polled<F: Future>(mut future: Pin<&mut F>, times: usize) -> Option<F::Output> {
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

fn terms() -> Terms<'static> {
    Terms { slice_samples_max: 40, slice_parts_max: 4, ..Terms::default() }
}

/// Samples of the last two days and some of the month before, each a little different from time to time.
fn arrivals(round: usize) -> Vec<(u32, i64, f64)> {
    let now = time(NOW);
    let backs = [MINUTE, HOUR, 30 * HOUR, 40 * DAY];
    let mut samples = Vec::new();
    for series in 1..=3 {
        for back in backs {
            let first = now - back + (round as i64 % 7) * MINUTE;
            samples.extend(
                (0..10).map(|place| (series, first + place * 13 * Micros::PER_SECOND, (round as i64 + place) as f64)),
            );
        }
    }
    samples
}

/// Levels on which everything has run once, and what they hold.
async fn with_everything_done() -> (Levels, Model) {
    let mut levels = Levels::create(time(NOW)).await;
    let mut model = Model::new();
    fold(&mut levels, &mut model, 0).await;
    assert!(seal::run(&levels.context, true).await.unwrap() > 0);
    assert!(day::run(&levels.context, true).await.unwrap() > 0);
    (levels, model)
}

async fn fold(levels: &mut Levels, model: &mut Model, round: usize) {
    let samples = arrivals(round);
    model.extend(samples.iter().map(|(series, time, value)| ((*series, *time), value.to_bits())));
    levels.fold(&samples).await;
}

async fn check(levels: &Levels, model: &Model, after: usize) {
    assert_eq!(levels.union().await, *model, "cut after {after} polls");
    levels.check_hours().await;
}

#[tokio::test]
async fn a_seal_that_is_given_up_anywhere_leaves_every_sample_in_one_place() {
    let (mut levels, mut model) = with_everything_done().await;
    for polls in 1..POLLS_MAX {
        fold(&mut levels, &mut model, polls).await;
        let context = levels.context.clone();
        let done = polled(pin!(seal::run_with(&context, true, &terms())), polls).await;
        check(&levels, &model, polls).await;
        levels.until_nobody_moves_data().await;
        if let Some(outcome) = done {
            outcome.unwrap();
            assert!(polls > 20, "a run has more statements than that");
            return;
        }
    }
    panic!("a run takes more than {POLLS_MAX} polls");
}

#[tokio::test]
async fn a_day_that_is_given_up_anywhere_is_done_by_the_next_run() {
    let (mut levels, mut model) = with_everything_done().await;
    for (round, polls) in (1..POLLS_MAX).enumerate() {
        let now = time(NOW) + round as i64 * DAY;
        levels.clock.set(Micros(now));
        let samples: Vec<_> = (1..=4).map(|series| (series, now - HOUR, round as f64)).collect();
        model.extend(samples.iter().map(|(series, time, value)| ((*series, *time), value.to_bits())));
        levels.fold(&samples).await;
        seal::run(&levels.context, true).await.unwrap();
        let context = levels.context.clone();
        let done = polled(pin!(day::run_with(&context, 2)), polls).await;
        levels.check_hours().await;
        levels.until_nobody_moves_data().await;
        if done.is_none() {
            day::run(&levels.context, false).await.unwrap();
            check(&levels, &model, polls).await;
        } else if let Some(outcome) = done {
            outcome.unwrap();
            assert!(polls > 20, "a run has more statements than that");
            return;
        }
    }
    panic!("a run takes more than {POLLS_MAX} polls");
}

#[tokio::test]
async fn a_connection_that_breaks_anywhere_loses_nothing() {
    let (mut levels, mut model) = with_everything_done().await;
    // The connection that is in the midst of a transaction, and waited for.
    let kill = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'";
    let killer = levels.test.connect().await;
    let mut broken = 0;
    for polls in (1..POLLS_MAX).step_by(3) {
        fold(&mut levels, &mut model, polls).await;
        // A pool of its own, as the broken connection goes back to it.
        let context = Context { database: reached(&levels.test), ..levels.context.clone() };
        let terms = terms();
        let mut run = pin!(seal::run_with(&context, true, &terms));
        if polled(run.as_mut(), polls).await.is_some() {
            assert!(broken > 5, "the connection broke {broken} times");
            return;
        }
        killer.batch_execute(kill).await.unwrap();
        match run.await {
            Err(JobError::Store(error)) if error.is_unavailable() => broken += 1,
            outcome => drop(outcome.unwrap()),
        }
        check(&levels, &model, polls).await;
        seal::run(&levels.context, true).await.unwrap();
        assert_eq!(levels.samples().await, model);
    }
    panic!("a run takes more than {POLLS_MAX} polls");
}
