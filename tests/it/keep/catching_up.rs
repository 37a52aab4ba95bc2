//! Much at once: after a long time without a run, cut off again and again, by two at once; and what must not go yet.

use std::pin::Pin;
use std::time::Duration;

use millrace::jobs::JobError;
use millrace::jobs::keep::run;
use millrace::model::Micros;
use millrace::store::partitions::Monthly;

use super::model::Model;
use super::{DAY, HOUR, SERIES, World, micros};

const FIRST_DAY: &str = "2028-01-25T00:00:00Z";
const NOW: &str = "2028-03-20T10:20:30Z";
/// No run is given longer than this before it is cut off.
const MILLIS_MAX: u64 = 2_000;

/// Eight weeks of samples that nobody has looked through, every third hour.
async fn neglected() -> (World, Model) {
    let world = World::at(FIRST_DAY).await;
    world.keep().await;
    let (mut model, first, now) = (Model::default(), micros(FIRST_DAY).0, micros(NOW));
    for hour in (first..now.0).step_by(3 * HOUR as usize) {
        for place in 0..SERIES.len() {
            let value = (hour / HOUR % 50) as f64;
            model.add(&world, place, hour, &[(7, value), (59, value + 1.0), (90_000_000, value / 7.0)]).await;
        }
    }
    world.clock.set(now);
    (world, model)
}

/// A run as whoever runs jobs holds it: on any thread.
fn forced(world: &World) -> Pin<Box<dyn Future<Output = Result<u64, JobError>> + Send + '_>> {
    Box::pin(run(&world.context, &world.policy, true))
}

fn midnight(time: Micros) -> Micros {
    Micros(time.0.div_euclid(DAY) * DAY)
}

#[tokio::test]
async fn a_long_neglected_database_is_caught_up_by_two_at_once_however_often_they_are_cut_off() {
    let (world, mut model) = neglected().await;
    let now = micros(NOW);
    world.days_done_to(midnight(now)).await;
    model.keep(now, midnight(now));
    let mut cut_off = 0;
    // A little longer each time, so that every stage is cut off and the last run gets to the end. One that was cut off
    // may be at its statement for a moment yet, and in the way of the next one.
    let is_done = |ended: &Result<u64, JobError>| matches!(ended, Ok(_) | Err(JobError::Elsewhere));
    for millis in (4..MILLIS_MAX).step_by(4) {
        let both = futures_util::future::join(forced(&world), forced(&world));
        match tokio::time::timeout(Duration::from_millis(millis), both).await {
            Ok((left, right)) if is_done(&left) && is_done(&right) => break,
            _ => cut_off += 1,
        }
    }
    assert!(cut_off > 3, "{cut_off}");
    run(&world.context, &world.policy, true).await.unwrap();
    assert_eq!(Model::stored(&world).await, model);
    assert_eq!(world.months(Monthly::Samples).await.first().map(String::as_str), Some("2028-02"));
}

#[tokio::test]
async fn samples_stay_until_their_day_is_rolled_up() {
    let (world, mut model) = neglected().await;
    assert!(world.keep().await > 0, "months were made");
    assert_eq!(Model::stored(&world).await, model, "no day is done");

    let days_to = micros("2028-02-05T00:00:00Z");
    world.days_done_to(days_to).await;
    assert_eq!(world.keep().await, 0, "once an hour is enough");
    run(&world.context, &world.policy, true).await.unwrap();
    model.keep(micros(NOW), days_to);
    assert_eq!(Model::stored(&world).await, model);
    assert!(model.samples.keys().any(|(place, time)| *place == 0 && *time == days_to.0 + 7));
}

#[tokio::test]
async fn samples_of_deleted_servers_go_with_their_month() {
    let (world, mut model) = neglected().await;
    let now = micros(NOW);
    world.days_done_to(midnight(now)).await;
    world.test.connect().await.batch_execute("DELETE FROM servers WHERE hostname = 'web-1'").await.unwrap();
    world.keep().await;
    model.keep(now, midnight(now));
    model.samples.retain(|(place, _), _| SERIES[*place].2 != "web-1");
    let left: i64 = world.count("SELECT count(DISTINCT series) FROM samples").await;
    assert_eq!(left, 4, "those of March and the end of February have no series any more");
    assert_eq!(
        world.months(Monthly::Samples).await,
        ["2028-02", "2028-03", "2028-04", "2028-05"],
        "January had some too"
    );
}

#[tokio::test]
async fn an_hour_of_more_rows_than_a_slice_looks_at_is_rolled_up_whole() {
    let world = World::at(FIRST_DAY).await;
    world.keep().await;
    let mut model = Model::default();
    for minute in 0..60 {
        // Rows of a counter that cross the edges of minutes: cut in two, its increase would be another.
        let offsets: Vec<(i64, f64)> =
            (0..6).map(|tenth| ((minute * 6 + tenth) * 9_999_999, (minute * 6 + tenth) as f64)).collect();
        model.add(&world, 1, micros(FIRST_DAY).0, &offsets).await;
    }
    world.clock.set(micros(NOW));
    world.days_done_to(midnight(micros(NOW))).await;
    model.keep(micros("2028-02-20T00:00:00Z"), midnight(micros(NOW)));
    world.clock.set(micros("2028-02-20T00:00:00Z"));
    world.keep().await;
    assert_eq!(Model::stored(&world).await, model);
    assert_eq!(model.minutes.len(), 60);
}

#[tokio::test]
async fn a_damaged_row_that_has_expired_is_set_aside_and_the_others_become_minutes() {
    let world = World::at("2028-01-20T00:00:00Z").await;
    world.keep().await;
    let hour = micros("2028-01-20T00:00:00Z").0;
    let mut model = Model::default();
    model.add(&world, 0, hour, &[(0, 1.0), (7, 2.0)]).await;
    model.add(&world, 1, hour, &[(0, 3.0)]).await;
    let damage = format!("UPDATE samples SET count = -1 WHERE series = {}", world.series[0].0);
    world.test.connect().await.batch_execute(&damage).await.unwrap();
    let now = micros("2028-02-05T00:00:00Z");
    world.clock.set(now);
    world.days_done_to(now).await;
    world.keep().await;
    assert_eq!(world.count("SELECT count(*) FROM samples").await, 0);
    assert_eq!(world.count("SELECT count(*) FROM rollup_1m").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM set_aside WHERE level = 'samples' AND found_by = 'keep'").await, 1);
}
