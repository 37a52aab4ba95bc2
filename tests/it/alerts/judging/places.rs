//! Who judges: one node at a time, and the next one where it ended.

use super::ground::{BEFORE_NOW_SECONDS, Ground, above};
use crate::harness::client::Client;
use crate::harness::eventually;

/// A few more than wait to be judged at most.
const FLUSHES: usize = 1_040;
/// What the connection of the node that judges has a lock on.
const LOCK: &str = "SELECT pg_try_advisory_lock(x'6d696c6c'::integer, 3)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(x'6d696c6c'::integer, 3)";
const HANG_UP: &str = "SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND objid = 3 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

#[tokio::test]
async fn what_was_stored_while_nobody_judged_is_judged_by_who_takes_over() {
    let ground = Ground::new().await;
    ground.rule(above(90)).await;
    ground.samples("before", &[(1, 95.0)]).await;
    ground.happens(&["firing"]).await;
    // The place is taken from it, by somebody who does not judge.
    eventually("it judges no more", async || {
        ground.sql.batch_execute(HANG_UP).await.unwrap();
        ground.sql.query_one(LOCK, &[]).await.unwrap().get::<_, bool>(0)
    })
    .await;
    eventually("it knows", async || ground.server().gauge("alert_leading").await == 0).await;
    ground.samples("before", &[(2, 96.0)]).await;
    ground.samples("meanwhile", &[(900, 95.0), (901, 96.0)]).await;
    ground.samples("over", &[(900, 95.0), (901, 50.0)]).await;
    ground.happens(&["firing"]).await;
    ground.sql.batch_execute(UNLOCK).await.unwrap();
    ground.judges(ground.server()).await;
    ground.happens(&["firing", "firing", "firing", "resolved"]).await;
    assert_eq!(ground.one("SELECT count(*)::integer FROM alert_states WHERE phase = 'firing'").await, 2);
    let events = ground.events().await;
    assert!(events.iter().any(|event| event.title.contains("cpu/meanwhile of web-1 is 95 ")), "{events:?}");
    ground.stop().await;
}

#[tokio::test]
async fn after_a_restart_nothing_fires_again_and_what_fires_is_over_when_it_is() {
    let mut ground = Ground::new().await;
    ground.rule(above(90)).await;
    let mut pending = above(90);
    pending["for"] = "60s".into();
    ground.rule(pending).await;
    ground.samples("usage", &[(500, 50.0), (510, 95.0)]).await;
    ground.happens(&["firing"]).await;
    ground.end().await;
    ground.begin_again().await;
    ground.happens(&["firing"]).await;
    ground.samples("usage", &[(570, 96.0)]).await;
    ground.happens(&["firing", "firing"]).await;
    ground.end().await;
    ground.begin_again().await;
    ground.samples("usage", &[(580, 10.0)]).await;
    ground.happens(&["firing", "firing", "resolved", "resolved"]).await;
    ground.stop().await;
}

#[tokio::test]
async fn a_window_holds_after_a_restart_what_it_held_before() {
    let mut ground = Ground::new().await;
    let mut average = above(50);
    average["window"] = serde_json::json!({ "agg": "avg", "over": "10m" });
    ground.rule(average).await;
    ground.samples("usage", &[(500, 0.0), (510, 0.0)]).await;
    ground.end().await;
    ground.begin_again().await;
    ground.samples("usage", &[(520, 100.0)]).await;
    ground.samples("usage", &[(530, 101.0)]).await;
    ground.happens(&["firing"]).await;
    let event = &ground.events().await[0];
    assert_eq!((event.value, event.at_second), (Some(201.0 / 4.0), Some(530)));
    ground.stop().await;
}

#[tokio::test]
async fn of_two_nodes_one_judges_what_both_take_in_and_the_other_goes_on_when_it_is_gone() {
    let mut ground = Ground::new().await;
    ground.rule(above(90)).await;
    let other = ground.another().await;
    ground.samples("a", &[(1, 95.0)]).await;
    ground.samples_to(&other, "b", &[(1, 95.0)]).await;
    ground.happens(&["firing", "firing"]).await;
    ground.samples_to(&other, "a", &[(2, 10.0)]).await;
    ground.happens(&["firing", "firing", "resolved"]).await;
    assert_eq!(other.gauge("alert_leading").await, 0);
    ground.end().await;
    ground.samples_to(&other, "b", &[(2, 96.0)]).await;
    ground.judges(&other).await;
    ground.samples_to(&other, "b", &[(3, 10.0)]).await;
    ground.happens(&["firing", "firing", "resolved", "resolved"]).await;
    other.stop().await.unwrap();
}

#[tokio::test]
async fn samples_that_come_faster_than_they_are_judged_are_judged_from_what_is_stored() {
    let ground = Ground::new().await;
    ground.rule(above(90)).await;
    // Just now: what is older is late for who could not keep up.
    let now = BEFORE_NOW_SECONDS - 5;
    ground.samples("usage", &[(now, 50.0)]).await;
    // Nothing can be written of what is found, nor looked at, until this lets go.
    ground.sql.batch_execute("BEGIN; LOCK TABLE alert_progress IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let waits_for_lock = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'alert_progress'::regclass";
    eventually("whoever judges waits", async || {
        ground.sql.query_one(waits_for_lock, &[]).await.unwrap().get::<_, i64>(0) > 0
    })
    .await;
    // One after the other, so that each is a flush; more of them than wait to be judged.
    let mut client = Client::connect(ground.server().address).await;
    for place in 0..FLUSHES {
        let body = ground.request("usage", &[(now + 1, 50.0 + place as f64 / 100.0)]);
        let answer = client.post("/api/v1/ingest", "content-type: application/json\r\n", body.as_bytes()).await;
        assert_eq!(answer.status, 200);
    }
    ground.samples("usage", &[(now + 2, 99.0)]).await;
    assert!(ground.server().gauge("alert_flushes_dropped").await > 0);
    ground.sql.batch_execute("COMMIT").await.unwrap();
    eventually("the last sample is judged", async || {
        ground.events().await.last().is_some_and(|event| event.value == Some(99.0))
    })
    .await;
    // Once when it began, and once for this; counted when the last of it is written.
    eventually("it began anew", async || ground.server().gauge("alert_catch_ups").await >= 2).await;
    ground.stop().await;
}

#[tokio::test]
async fn a_node_that_does_not_judge_keeps_nothing() {
    let ground = Ground::new().await;
    let other = ground.another().await;
    ground.samples_to(&other, "a", &[(1, 95.0)]).await;
    assert_eq!(other.gauge("alert_waiting_bytes").await, 0);
    other.stop().await.unwrap();
    ground.stop().await;
}
