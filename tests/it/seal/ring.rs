//! Tables of the ring that are emptied, other nodes at work, and what comes meanwhile.

use millrace::jobs::seal::GRACE_MICROS;
use millrace::jobs::{JobError, day, seal};
use millrace::model::Micros;
use millrace::shutdown::Tasks;
use millrace::store::levels::recent;
use millrace::store::locks::{self, Moving};

use super::levels::{DAY, HOUR, Levels, MINUTE, time};
use crate::harness::eventually;

const NOW: &str = "2027-12-31T22:30:00Z";

async fn bytes(levels: &Levels, slot: i16) -> i64 {
    let size = format!("SELECT pg_relation_size('recent_{slot}')");
    levels.test.connect().await.query_one(&size, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn an_hour_moves_when_its_grace_is_over_and_not_before() {
    let now = time(NOW);
    let mut levels = Levels::create(now).await;
    let end = now + 30 * MINUTE;
    levels.fold(&[(1, now, 1.0), (1, end, 2.0)]).await;
    for (clock, left) in [(now, 2), (end, 2), (end + GRACE_MICROS - 1, 2), (end + GRACE_MICROS, 1)] {
        levels.clock.set(Micros(clock));
        seal::run(&levels.context, false).await.unwrap();
        assert_eq!(levels.parts().await.len(), left, "at {}", Micros(clock));
    }
    assert_eq!(levels.progress().await.sealed_to, Micros(end));
    levels.clock.set(Micros(now - DAY));
    seal::run(&levels.context, false).await.unwrap();
    assert_eq!(levels.progress().await.sealed_to, Micros(end), "a clock that is set back takes nothing back");
}

#[tokio::test]
async fn what_comes_to_an_hour_that_was_closed_by_force_moves_with_the_next_run() {
    let now = time("2028-01-01T00:01:00Z");
    let mut levels = Levels::create(now).await;
    levels.fold(&[(1, now - HOUR, 1.0)]).await;
    seal::run(&levels.context, true).await.unwrap();
    assert_eq!(levels.progress().await.sealed_to, Micros(now - MINUTE));
    levels.fold(&[(1, now - HOUR + 1, 1.0), (1, now, 1.0)]).await;
    seal::run(&levels.context, false).await.unwrap();
    assert_eq!((levels.samples().await.len(), levels.parts().await.len()), (2, 1));
}

#[tokio::test]
async fn a_table_of_the_ring_is_emptied_once_no_row_is_left_and_nobody_reads_it() {
    let now = time(NOW);
    let mut levels = Levels::create(now).await;
    let slot = millrace::store::levels::recent::slot(Micros(now));
    levels.fold(&[(1, now, 1.0), (2, now + HOUR, 1.0)]).await;
    seal::run(&levels.context, true).await.unwrap();
    assert_eq!(bytes(&levels, slot).await, 0, "the one that folds write to, too");
    levels.fold(&[(1, now, 1.0), (2, now + 2 * HOUR, 1.0)]).await;
    levels.clock.set(Micros(now + HOUR));
    seal::run(&levels.context, false).await.unwrap();
    assert!(bytes(&levels, slot).await > 0, "a row is left");
    levels.clock.set(Micros(now + 3 * HOUR));
    let mut reader = levels.test.connect().await;
    let reading = reader.transaction().await.unwrap();
    reading.batch_execute("SELECT FROM recent LIMIT 1").await.unwrap();
    seal::run(&levels.context, false).await.unwrap();
    assert!(bytes(&levels, slot).await > 0, "someone reads it, and nobody waits for that");
    reading.commit().await.unwrap();
    seal::run(&levels.context, false).await.unwrap();
    assert_eq!(bytes(&levels, slot).await, 0);
    assert_eq!(levels.union().await.len(), 3);
}

/// Whether someone waits for a lock on that table.
async fn is_waited_for(levels: &Levels, table: &str) -> bool {
    let query = format!("SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted");
    levels.test.connect().await.query_one(&query, &[]).await.unwrap().get::<_, i64>(0) > 0
}

#[tokio::test]
async fn what_is_committed_while_a_table_is_being_emptied_stays_whatever_isolation_the_database_is_set_to() {
    let mut levels = Levels::create(time(NOW)).await;
    let isolation = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = %L',
        current_database(), 'repeatable read'); END $$";
    levels.test.connect().await.batch_execute(isolation).await.unwrap();
    levels.context.database = super::levels::reached(&levels.test);
    let slot = recent::slot(Micros(time(NOW)));
    let (other, tasks) = (levels.test.connect().await, Tasks::default());
    for round in 0..3 {
        levels.fold(&[(1, time(NOW), 1.0)]).await;
        other.batch_execute("CREATE TABLE IF NOT EXISTS kept AS TABLE recent; DELETE FROM recent").await.unwrap();
        other.batch_execute("BEGIN; INSERT INTO recent SELECT * FROM kept LIMIT 1").await.unwrap();
        let client = levels.client().await;
        let emptying = tasks.spawn("empties", async move { recent::empty(&client, slot).await });
        let table = format!("recent_{slot}");
        // Under much load it may have given up before anyone saw it wait.
        let is_at_it = async || emptying.is_finished() || is_waited_for(&levels, &table).await;
        eventually("it waits for the table", is_at_it).await;
        other.batch_execute("COMMIT").await.unwrap();
        // Either it was too late for this time, or it looked again.
        assert!(!matches!(emptying.await.unwrap(), Ok(true)), "round {round}");
        assert_eq!(levels.parts().await.len(), 1, "round {round}");
    }
}

#[tokio::test]
async fn while_another_node_moves_data_nothing_is_done_and_nothing_is_wrong() {
    let now = time(NOW);
    let mut levels = Levels::create(now + DAY).await;
    levels.fold(&[(1, now, 1.0)]).await;
    let mut other = levels.client().await;
    let transaction = other.transaction().await.unwrap();
    assert!(locks::try_lock(&transaction, Moving::Levels).await.unwrap());
    assert!(matches!(seal::run(&levels.context, false).await, Err(JobError::Elsewhere)));
    transaction.commit().await.unwrap();
    assert_eq!(seal::run(&levels.context, false).await.unwrap(), 1);
    let transaction = other.transaction().await.unwrap();
    assert!(locks::try_lock(&transaction, Moving::Levels).await.unwrap());
    assert!(matches!(day::run(&levels.context, false).await, Err(JobError::Elsewhere)));
    transaction.commit().await.unwrap();
    assert_eq!(day::run(&levels.context, false).await.unwrap(), 1);
}

#[tokio::test]
async fn runs_can_be_tasks_of_their_own() {
    let levels = Levels::create(time(NOW)).await;
    let (context, tasks) = (levels.context.clone(), Tasks::default());
    let sealed = tasks.spawn("seal", async move { seal::run(&context, false).await });
    assert_eq!(sealed.await.unwrap().unwrap(), 0);
    let context = levels.context.clone();
    let rolled_up = tasks.spawn("day", async move { day::run(&context, false).await });
    assert_eq!(rolled_up.await.unwrap().unwrap(), 0);
}
