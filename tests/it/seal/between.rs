//! What others do between two statements of a run: folds that add parts, seals between two slices of a day.

use std::pin::pin;
use std::time::Duration;

use millrace::jobs::seal::Terms;
use millrace::jobs::{JobError, day, seal};
use millrace::model::Micros;

use super::cuts::{POLLS_MAX, polled};
use super::levels::{DAY, HOUR, Levels, MINUTE, Model, SERIES, time};

const NOW: &str = "2028-03-01T00:30:00Z";

async fn fold(levels: &mut Levels, model: &mut Model, samples: &[(u32, i64, f64)]) {
    model.extend(samples.iter().map(|(series, time, value)| ((*series, *time), value.to_bits())));
    levels.fold(samples).await;
}

/// A sample of each series at the same time.
fn of_each(time: i64, value: f64) -> Vec<(u32, i64, f64)> {
    (1..=SERIES).map(|series| (series, time, value)).collect()
}

#[tokio::test]
async fn what_is_folded_in_the_midst_of_a_seal_stays_and_wins() {
    let now = time(NOW);
    let mut levels = Levels::create(now).await;
    let mut model = Model::new();
    for polls in 1..POLLS_MAX {
        fold(&mut levels, &mut model, &of_each(now - MINUTE, polls as f64)).await;
        let context = levels.context.clone();
        let mut run = pin!(seal::run(&context, true));
        if let Some(outcome) = polled(run.as_mut(), polls).await {
            outcome.unwrap();
            assert!(polls > 10, "a run has more statements than that");
            return;
        }
        fold(&mut levels, &mut model, &of_each(now - MINUTE, -(polls as f64))).await;
        run.await.unwrap();
        assert_eq!(levels.union().await, model, "folded after {polls} polls");
    }
    panic!("a run takes more than {POLLS_MAX} polls");
}

#[tokio::test]
async fn what_is_sealed_between_two_slices_of_a_day_is_in_its_hours() {
    let mut levels = Levels::create(time(NOW)).await;
    let mut model = Model::new();
    let mut in_between = 0;
    // The run that has the lock waits for this one.
    let terms = Terms { turn_wait: Some(Duration::ZERO), ..Terms::default() };
    for round in 1..POLLS_MAX {
        let now = time(NOW) + round as i64 * DAY;
        levels.clock.set(Micros(now));
        fold(&mut levels, &mut model, &of_each(now - HOUR, 1.0)).await;
        seal::run(&levels.context, false).await.unwrap();
        let context = levels.context.clone();
        let mut run = pin!(day::run_with(&context, 1));
        if let Some(outcome) = polled(run.as_mut(), round).await {
            outcome.unwrap();
            break;
        }
        fold(&mut levels, &mut model, &of_each(now - HOUR - MINUTE, 2.0)).await;
        match seal::run_with(&levels.context, false, &terms).await {
            Ok(_) => in_between += 1,
            Err(JobError::Elsewhere) => {}
            Err(error) => panic!("{error:?}"),
        }
        run.await.unwrap();
        seal::run(&levels.context, false).await.unwrap();
        assert_eq!(levels.samples().await, model);
        levels.check_hours().await;
    }
    assert!(in_between > 5, "only {in_between} seals found a gap");
}

#[tokio::test]
async fn late_samples_of_a_day_that_is_closed_and_not_yet_rolled_up_are_counted_by_either_run() {
    let now = time(NOW);
    let mut levels = Levels::create(now).await;
    fold(&mut levels, &mut Model::new(), &of_each(now - HOUR, 1.0)).await;
    seal::run(&levels.context, false).await.unwrap();
    fold(&mut levels, &mut Model::new(), &of_each(now - 2 * HOUR, 2.0)).await;
    seal::run(&levels.context, false).await.unwrap();
    day::run(&levels.context, false).await.unwrap();
    levels.check_hours().await;
}
