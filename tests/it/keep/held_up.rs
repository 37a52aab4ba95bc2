//! Locks that others hold: keep gives up, nobody waits for it, and the next run goes on.

use std::sync::Arc;

use millrace::clock::ManualClock;
use millrace::jobs::keep::run;
use millrace::jobs::retention::Policy;
use millrace::jobs::{Context, JobError};
use millrace::store::Database;
use millrace::store::database::PoolConfig;
use millrace::store::partitions::{self, Monthly};
use serde_json::json;

use super::model::Model;
use super::{HOUR, World, micros};
use crate::harness::TestServer;

fn gave_up(ended: &Result<u64, JobError>) -> bool {
    matches!(ended, Err(JobError::Store(error)) if error.is_unavailable())
}

#[tokio::test]
async fn a_locked_table_makes_keep_give_up_while_ingest_goes_on() {
    let clock = Arc::new(ManualClock::at(micros("2028-02-29T12:00:00Z")));
    let server = TestServer::start_with(&[], Arc::<ManualClock>::clone(&clock)).await;
    let id = server.register("web-1").await;
    let database = Database::new(server.database().config(), PoolConfig::default()).unwrap();
    let context = Context { database, clock: Arc::<ManualClock>::clone(&clock) };
    let mut other = server.database().connect().await;
    let lock = other.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE samples IN ACCESS EXCLUSIVE MODE").await.unwrap();
    clock.set(micros("2028-03-01T00:00:00Z"));

    let policy = Policy::default();
    let ingest = async {
        for second in 0..10 {
            let time = format!("2028-02-29T11:00:0{second}Z");
            let metric = json!({ "metric_type": "cpu", "metric_name": "usage", "value": 1, "timestamp": time });
            assert_eq!(server.ingest(&id, &json!([metric])).await["inserted"], 1);
        }
    };
    let (ended, ()) = tokio::join!(run(&context, &policy, false), ingest);
    assert!(gave_up(&ended), "{ended:?}");
    lock.commit().await.unwrap();

    run(&context, &policy, false).await.unwrap();
    let months = partitions::list(&context.database.client().await.unwrap(), Monthly::Samples).await.unwrap();
    assert_eq!(months.last().map(|stored| stored.month.to_string()).as_deref(), Some("2028-05"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_month_that_someone_reads_is_dropped_once_they_are_done() {
    let world = World::at("2028-01-20T00:00:00Z").await;
    world.keep().await;
    Model::default().add(&world, 0, micros("2028-01-20T00:00:00Z").0, &[(0, 1.0)]).await;
    let now = micros("2028-04-01T00:00:00Z");
    world.clock.set(now);
    world.days_done_to(now).await;
    let mut other = world.test.connect().await;
    let reader = other.transaction().await.unwrap();
    assert_eq!(reader.query("SELECT FROM samples", &[]).await.unwrap().len(), 1);

    let ended = run(&world.context, &world.policy, false).await;
    assert!(gave_up(&ended), "{ended:?}");
    assert_eq!(world.count("SELECT count(*) FROM months WHERE is_leaving AND is_expired").await, 1);
    let expected = ["2028-02", "2028-03", "2028-04", "2028-05", "2028-06"];
    assert_eq!(world.months(Monthly::Samples).await, expected, "it is not read any more, and others were made");
    let hours = "2028-01-20T00:00:00Z";
    Model::default().add(&world, 0, micros(hours).0 + 40 * 24 * HOUR, &[(0, 1.0)]).await;
    reader.commit().await.unwrap();

    world.keep().await;
    assert_eq!(world.months(Monthly::Samples).await, ["2028-03", "2028-04", "2028-05", "2028-06"]);
    assert_eq!(world.count("SELECT count(*) FROM pg_class WHERE relname = 'samples_2028_01'").await, 0);
}

#[tokio::test]
async fn a_month_that_was_detached_and_not_dropped_before_a_crash_is_dropped_by_the_next_run() {
    let world = World::at("2028-01-20T00:00:00Z").await;
    world.keep().await;
    let client = world.test.connect().await;
    client.batch_execute("SELECT expire_month('samples', '2028-01-01Z')").await.unwrap();
    client.batch_execute("ALTER TABLE samples DETACH PARTITION samples_2028_01 CONCURRENTLY").await.unwrap();
    world.clock.set(micros("2028-02-01T00:00:00Z"));
    assert_eq!(world.keep().await as usize, 1 + Monthly::ALL.len(), "one is dropped, April is made for each table");
    assert_eq!(world.count("SELECT count(*) FROM pg_class WHERE relname = 'samples_2028_01'").await, 0);
}

#[tokio::test]
async fn a_month_that_was_taken_out_by_hand_is_left_alone_and_told() {
    let world = World::at("2028-01-20T00:00:00Z").await;
    world.keep().await;
    let client = world.test.connect().await;
    client.batch_execute("ALTER TABLE samples DETACH PARTITION samples_2028_02").await.unwrap();
    let ended = run(&world.context, &world.policy, true).await;
    let Err(JobError::Store(error)) = ended else { panic!("{ended:?}") };
    let told = std::error::Error::source(&error).and_then(std::error::Error::source).map(ToString::to_string);
    assert!(
        told.as_ref().is_some_and(|told| told.contains("samples_2028_02 is there but no part of samples")),
        "{told:?}"
    );
    assert_eq!(world.count("SELECT count(*) FROM pg_class WHERE relname = 'samples_2028_02'").await, 1);
}

#[tokio::test]
async fn while_others_move_data_keep_says_that_they_do() {
    let world = World::at("2028-01-20T00:00:00Z").await;
    world.keep().await;
    Model::default().add(&world, 0, micros("2028-01-20T00:00:00Z").0, &[(0, 1.0)]).await;
    world.clock.set(micros("2028-01-28T00:00:00Z"));
    world.days_done_to(micros("2028-01-28T00:00:00Z")).await;
    let mut client = world.context.database.client().await.unwrap();
    let moving = client.transaction().await.unwrap();
    assert!(millrace::store::locks::try_lock(&moving, millrace::store::locks::Moving::Levels).await.unwrap());
    let ended = run(&world.context, &world.policy, false).await;
    assert!(matches!(ended, Err(JobError::Elsewhere)), "{ended:?}");
    moving.commit().await.unwrap();
    assert_eq!(world.keep().await, 1);
}
