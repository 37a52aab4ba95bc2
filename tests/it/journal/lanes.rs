//! Order, bounds and closing of lanes.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use millrace::journal::{CommitError, Config};

use super::{Running, batch, lock, one, permit, single_lane};
use crate::harness::eventually;

/// A flush for each batch, so that the lane is done with gathering once it has taken one.
fn one_by_one() -> Config {
    Config { flush_samples_max: 1, ..single_lane() }
}

#[tokio::test]
async fn flushes_of_every_lane_are_numbered_from_one_without_a_hole_and_hold_all_samples() {
    let running = Running::start(Config { lanes: 3, flush_samples_max: 7, ..Config::default() }).await;
    let outcomes = join_all((0..300).map(|time| {
        let sample = one(time);
        let running = &running;
        async move { running.commit(&sample, time.unsigned_abs() % 5).await }
    }));
    assert!(outcomes.await.into_iter().all(|outcome| outcome.is_ok()));
    let client = running.database.connect().await;
    let rows = client.query("SELECT DISTINCT lane, sequence FROM journal ORDER BY lane, sequence", &[]).await.unwrap();
    let mut lanes: BTreeMap<i16, Vec<i64>> = BTreeMap::new();
    rows.iter().for_each(|row| lanes.entry(row.get(0)).or_default().push(row.get(1)));
    assert_eq!(lanes.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    for (lane, sequences) in lanes {
        assert_eq!(sequences, (1..=sequences.len() as i64).collect::<Vec<_>>(), "lane {lane}");
        let handed_on: Vec<i64> = running
            .witness
            .flushes()
            .iter()
            .filter(|flush| flush.origin.lane == lane as u16)
            .map(|flush| flush.sequence as i64)
            .collect();
        assert_eq!(handed_on, sequences, "listeners see the flushes of lane {lane} in their order");
    }
    let mut times: Vec<i64> = running.stored().await.iter().map(|(_, time, _)| *time).collect();
    times.sort_unstable();
    assert_eq!(times, (0..300).collect::<Vec<_>>());
    running.stop().await.unwrap();
}

#[tokio::test]
async fn whoever_is_acknowledged_finds_that_the_listeners_know() {
    let running = Running::start(single_lane()).await;
    for time in 0..50 {
        running.commit(&one(time), 0).await.unwrap();
        assert_eq!(running.witness.samples().last(), Some(&one(time)[0]));
        assert_eq!(running.witness.samples().len(), time as usize + 1);
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_batch_nobody_waits_for_any_more_is_not_written() {
    let running = Running::start(one_by_one()).await;
    let client = running.database.connect().await;
    lock(&client).await;
    let mut in_flight = running.commit(&one(1), 0);
    assert!(futures_util::poll!(&mut in_flight).is_pending());
    eventually("the lane has taken the first batch", async || running.journal.waiting() == 0).await;
    let (mut given_up, mut patient) = (running.commit(&one(2), 0), running.commit(&one(3), 0));
    assert!(futures_util::poll!(&mut given_up).is_pending());
    assert!(futures_util::poll!(&mut patient).is_pending());
    drop(given_up);
    client.batch_execute("COMMIT").await.unwrap();
    in_flight.await.unwrap();
    patient.await.unwrap();
    assert_eq!(running.stored().await, [one(1)[0], one(3)[0]]);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_batch_that_was_sent_before_its_requester_gave_up_is_written_once() {
    // Long enough for a commit that nobody holds up, on a busy machine too.
    let waited = Duration::from_secs(2);
    let running = Running::start(Config { commit_wait: waited, ..single_lane() }).await;
    let client = running.database.connect().await;
    lock(&client).await;
    let timed_out = running.commit(&one(1), 0).await;
    assert_eq!(timed_out, Err(CommitError::TimedOut { waited }));
    client.batch_execute("COMMIT").await.unwrap();
    eventually("the batch is written", async || running.stored().await == one(1)).await;
    running.commit(&one(2), 0).await.unwrap();
    assert_eq!(running.stored().await, [one(1)[0], one(2)[0]]);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_full_lane_refuses_at_once_and_keeps_what_it_has() {
    let running = Running::start(Config { queue_batches_max: 2, ..one_by_one() }).await;
    let client = running.database.connect().await;
    lock(&client).await;
    let mut in_flight = running.commit(&one(1), 0);
    assert!(futures_util::poll!(&mut in_flight).is_pending());
    eventually("the lane has taken the first batch", async || running.journal.waiting() == 0).await;
    let mut waiting: Vec<_> = (2..4).map(|time| running.commit(&one(time), 0)).collect();
    for commit in &mut waiting {
        assert!(futures_util::poll!(commit).is_pending());
    }
    assert_eq!(running.commit(&one(4), 0).await, Err(CommitError::QueueFull));
    client.batch_execute("COMMIT").await.unwrap();
    in_flight.await.unwrap();
    assert!(join_all(waiting).await.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!(running.stored().await, [one(1)[0], one(2)[0], one(3)[0]]);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_waits_when_the_journal_closes_is_committed_and_what_comes_later_is_refused() {
    let running = Running::start(single_lane()).await;
    let client = running.database.connect().await;
    lock(&client).await;
    let mut commits: Vec<_> = (0..20).map(|time| running.commit(&one(time), 0)).collect();
    for commit in &mut commits {
        assert!(futures_util::poll!(commit).is_pending());
    }
    running.journal.close();
    client.batch_execute("COMMIT").await.unwrap();
    assert!(join_all(commits).await.into_iter().all(|outcome| outcome.is_ok()));
    eventually("the lane has ended", async || {
        let outcome = running.commit(&one(99), 0).await;
        assert!(matches!(outcome, Ok(()) | Err(CommitError::Closing)), "nobody is left to wait for: {outcome:?}");
        outcome.is_err()
    })
    .await;
    assert!(running.stored().await.iter().filter(|(_, time, _)| *time < 99).count() == 20);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_lane_that_cannot_commit_by_the_deadline_ends_and_acknowledges_nothing() {
    let Running { journal, lanes, witness, database } = Running::start(single_lane()).await;
    let client = database.connect().await;
    lock(&client).await;
    let in_flight = journal.commit(batch(&one(1)), 0, permit());
    let closing = async {
        eventually("the lane has taken the batch", async || journal.waiting() == 0).await;
        journal.close();
        lanes.stop(Duration::from_millis(100)).await
    };
    assert_eq!(tokio::join!(biased; in_flight, closing), (Err(CommitError::Closing), Err(1)));
    assert!(witness.flushes().is_empty());
}
