//! The connection breaks in the midst of a commit, at each of the moments that matter.

use std::sync::Arc;

use millrace::clock::SystemClock;

use super::{Running, Sample, one, single_lane, stored};
use crate::harness::{Agents, ChaosProxy, Mishap, TestDatabase, TestServer, eventually, export};

/// A trigger that fires when everything of a flush but the commit itself is done, and runs `action` the first time.
fn at_the_first_commit(action: &str) -> String {
    format!(
        "CREATE SEQUENCE commits;
         CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN IF nextval('commits') = 1 THEN {action}; END IF; RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION at_commit()"
    )
}

async fn through_proxy(mishap: Mishap) -> (Vec<Sample>, Running) {
    let database = TestDatabase::create().await;
    let proxy = ChaosProxy::start(&database.config());
    let way = proxy.config(&database.config());
    let running = Running::start_through(single_lane(), database, way).await;
    running.commit(&one(1), 0).await.unwrap();
    proxy.plan(mishap);
    running.commit(&one(2), 0).await.unwrap();
    assert!(proxy.has_happened());
    running.commit(&one(3), 0).await.unwrap();
    (running.stored().await, running)
}

#[tokio::test]
async fn a_flush_that_never_arrived_is_sent_again() {
    let (stored, running) = through_proxy(Mishap::LoseRequest).await;
    assert_eq!(stored, [one(1)[0], one(2)[0], one(3)[0]]);
    assert_eq!(running.witness.samples(), stored);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_flush_that_was_committed_without_an_answer_is_not_written_twice() {
    let (stored, running) = through_proxy(Mishap::LoseAnswer).await;
    assert_eq!(stored, [one(1)[0], one(2)[0], one(3)[0]]);
    assert_eq!(running.witness.samples(), stored);
    running.stop().await.unwrap();
}

/// As when PostgreSQL is shut down while it commits: it has announced the rows by then, and says goodbye behind that.
#[tokio::test]
async fn a_flush_whose_connection_ends_at_the_commit_itself_is_sent_again() {
    let running = Running::start(single_lane()).await;
    let client = running.database.connect().await;
    client.batch_execute(&at_the_first_commit("PERFORM pg_terminate_backend(pg_backend_pid())")).await.unwrap();
    running.commit(&one(1), 0).await.unwrap();
    assert_eq!(running.stored().await, one(1));
    running.commit(&one(2), 0).await.unwrap();
    assert_eq!(running.stored().await, [one(1)[0], one(2)[0]]);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_flush_that_postgresql_refuses_at_the_commit_itself_is_not_acknowledged() {
    let running = Running::start(single_lane()).await;
    let client = running.database.connect().await;
    client.batch_execute(&at_the_first_commit("RAISE EXCEPTION 'not this one'")).await.unwrap();
    assert_eq!(running.commit(&one(1), 0).await, Err(millrace::journal::CommitError::Refused));
    assert!(running.stored().await.is_empty() && running.witness.flushes().is_empty());
    running.commit(&one(2), 0).await.unwrap();
    assert_eq!(running.stored().await, one(2), "the lane goes on");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_flush_that_postgresql_refuses_costs_no_later_one() {
    let running = Running::start(single_lane()).await;
    let client = running.database.connect().await;
    client.batch_execute("ALTER TABLE journal ADD CONSTRAINT c CHECK (time_max < '2000-01-01')").await.unwrap();
    let too_late = one(i64::MAX / 1000);
    assert_eq!(running.commit(&too_late, 0).await, Err(millrace::journal::CommitError::Refused));
    running.commit(&one(1), 0).await.unwrap();
    assert_eq!(running.stored().await, one(1));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn connections_that_break_again_and_again_under_a_whole_server_lose_and_double_nothing() {
    let database = TestDatabase::create().await;
    let proxy = ChaosProxy::start(&database.config());
    let server = TestServer::start_on(&proxy.config(&database.config()), &[], Arc::new(SystemClock)).await;
    let ids = [server.register("one").await, server.register("two").await, server.register("three").await];
    let agents = Agents::start(server.address, &ids).await;
    for round in 0..20 {
        proxy.plan(if round % 2 == 0 { Mishap::LoseAnswer } else { Mishap::LoseRequest });
        eventually("the connection breaks", async || proxy.has_happened()).await;
    }
    agents.until_acknowledged().await;
    let told = agents.stop().await;
    assert_eq!(told.refusals, [], "a broken connection is nothing a client has to know of");
    let found = export(server.address).await;
    told.check(&found);
    assert_eq!(stored(&database.connect().await).await.len(), found.len(), "no flush was written twice");
    server.stop().await.unwrap();
}
