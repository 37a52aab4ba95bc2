//! Jobs that move the same data: who waits for whom, how long, and what else others may hold.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use millrace::clock::{Clock, ManualClock, SystemClock};
use millrace::model::Micros;
use millrace::shutdown::Tasks;
use millrace::store::Database;
use millrace::store::database::PoolConfig;
use millrace::store::journal::SLOTS;
use millrace::store::locks::{self, Moving};
use serde_json::json;

use crate::harness::agents::metric;
use crate::harness::{TestDatabase, TestServer, eventually};

const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

fn reached(test: &TestDatabase) -> Database {
    Database::new(test.config(), PoolConfig::default()).unwrap()
}

async fn waiting(test: &TestDatabase) -> i64 {
    test.connect().await.query_one(WAITING, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_somebody_insists_on_waits_for_its_turn() {
    let server = TestServer::start().await;
    let mut client = reached(server.database()).client().await.unwrap();
    let holder = client.transaction().await.unwrap();
    assert!(locks::try_lock(&holder, Moving::Levels).await.unwrap());
    let asked = async { server.post("/api/v1/jobs/seal/run?force=true", &json!({})).await };
    let released = async {
        eventually("it waits in line", async || waiting(server.database()).await > 0).await;
        holder.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(asked, released);
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn who_works_in_many_transactions_does_not_keep_out_who_waits() {
    let test = TestDatabase::create().await;
    let database = reached(&test);
    let mut client = database.client().await.unwrap();
    let first = locks::begin(&mut client, Moving::Levels, || false).await.unwrap().unwrap();
    let tasks = Tasks::default();
    let waiter = tasks.spawn("waiter", {
        let database = database.clone();
        async move {
            let mut client = database.client().await.unwrap();
            let begun = locks::begin(&mut client, Moving::Levels, || true).await.unwrap();
            begun.unwrap().commit().await.unwrap();
        }
    });
    eventually("the other one waits in line", async || waiting(&test).await > 0).await;
    first.commit().await.unwrap();
    // It has the lock already, or is about to: either way this one comes after it.
    let second = locks::begin(&mut client, Moving::Levels, || true).await.unwrap().unwrap();
    tokio::time::timeout(Duration::from_secs(60), waiter).await.unwrap().unwrap();
    second.commit().await.unwrap();
}

#[tokio::test]
async fn who_has_waited_long_enough_is_told_so_and_leaves_nothing_behind() {
    let test = TestDatabase::create().await;
    let database = reached(&test);
    let mut holding = database.client().await.unwrap();
    let holder = locks::begin(&mut holding, Moving::Levels, || false).await.unwrap().unwrap();
    let mut client = database.client().await.unwrap();
    let mut rounds = 0;
    let goes_on = || {
        rounds += 1;
        rounds < 3
    };
    assert!(locks::begin(&mut client, Moving::Levels, goes_on).await.unwrap().is_none());
    holder.commit().await.unwrap();
    let begun = locks::begin(&mut client, Moving::Levels, || false).await.unwrap();
    assert!(begun.is_some(), "the connection is as good as new");
    assert_eq!(rounds, 3);
}

#[tokio::test]
async fn a_process_that_stands_still_in_a_transaction_does_not_keep_its_locks_for_ever() {
    let test = TestDatabase::create().await;
    let client = reached(&test).client().await.unwrap();
    let row = client.query_one("SHOW idle_in_transaction_session_timeout", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "1min");
}

#[tokio::test]
async fn while_the_clock_is_behind_what_it_was_the_ring_of_the_journal_turns_all_the_same() {
    const SLOT_SECONDS: i64 = 30;
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let server = TestServer::start_with(&[], Arc::<ManualClock>::clone(&clock)).await;
    let id = server.register("host").await;
    let time = clock.now().0;
    server.ingest(&id, &json!([metric("a", time, 0.0)])).await;
    clock.set(Micros(time - 3600 * Micros::PER_SECOND));
    for turn in 1..=SLOTS {
        clock.set(Micros(clock.now().0 + SLOT_SECONDS * Micros::PER_SECOND));
        server.ingest(&id, &json!([metric("a", clock.now().0, turn as f64)])).await;
    }
    let client = server.database().connect().await;
    let slots = "SELECT count(DISTINCT slot) FROM journal ";
    assert_eq!(client.query_one(slots, &[]).await.unwrap().get::<_, i64>(0), SLOTS);
    server.stop().await.unwrap();
}
