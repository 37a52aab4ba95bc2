//! Several servers on one database: what one commits, all know.

mod follower; // the reader of other nodes' flushes, step by step
mod killed; // a node that ends in the middle of a commit

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::SystemClock;
use serde_json::{Value, json};

use crate::harness::eventually;
use crate::harness::server::PATIENCE;
use crate::harness::{LiveClient, TestCluster, TestDatabase, TestServer};

/// Sockets are to get everything, and requests to be committed once, whatever the pace of the machine.
const SETTINGS: &[(&str, &str)] =
    &[("live.queue_frames_max", "1000000"), ("live.queue_bytes_max", "1GiB"), ("journal.commit_wait", "60s")];
const BEGIN: &str = "2026-01-01T00:00:00Z";
const SAMPLES_A_REQUEST: u32 = 25;

async fn start(database: &TestDatabase) -> TestServer {
    TestServer::start_on(&database.config(), SETTINGS, Arc::new(SystemClock)).await
}

/// Samples whose values count up from `first`, each a microsecond and a series after the one before, a hundred series.
fn samples(first: u32) -> Value {
    let one = |number: u32| {
        json!({
            "metric_type": "cpu", "metric_name": format!("core{}", number % 100), "value": number,
            "timestamp": format!("2026-01-01T00:00:00.{number:06}Z"),
        })
    };
    (first..first + SAMPLES_A_REQUEST).map(one).collect()
}

/// One sample that is unlike all others.
fn end() -> Value {
    json!([{ "metric_type": "end", "metric_name": "end", "value": -1, "timestamp": BEGIN }])
}

/// Sends the samples with the values of `range`, one request after the other.
async fn ingest(server: &TestServer, server_id: &str, range: std::ops::Range<u32>) {
    for first in range.step_by(SAMPLES_A_REQUEST as usize) {
        let answer = server.ingest(server_id, &samples(first)).await;
        assert_eq!(answer["inserted"], SAMPLES_A_REQUEST);
    }
}

/// Fails unless the next `count` frames bring each value of `0..count` once.
async fn assert_brings_each_once(client: &mut LiveClient, count: u32) {
    let mut values = Vec::new();
    for _ in 0..count {
        values.push(client.value().await as u32);
    }
    values.sort_unstable();
    let expected: Vec<u32> = (0..count).collect();
    assert!(values == expected, "{count} frames, but not each value once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_gets_each_sample_once_on_whichever_node_it_comes_in() {
    let database = TestDatabase::create().await;
    let (one, two) = (start(&database).await, start(&database).await);
    // Servers next to each other go through different lanes.
    let (left, right) = (one.register("left").await, two.register("right").await);
    let mut client = LiveClient::subscribe(&two, "batch=true").await;
    tokio::join!(
        ingest(&one, &left, 0..1000),
        ingest(&two, &left, 1000..2000),
        ingest(&one, &right, 2000..3000),
        ingest(&two, &right, 3000..4000),
    );
    assert_brings_each_once(&mut client, 4000).await;
    // Flushes of a lane come in order, so anything sent twice would come before what its lane commits last.
    for (server, server_id) in [(&one, &left), (&two, &left), (&one, &right), (&two, &right)] {
        server.ingest(server_id, &end()).await;
    }
    for _ in 0..4 {
        assert_eq!(client.value().await, -1.0);
    }
    drop(client);
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_on_another_node_goes_live_without_a_gap_or_a_duplicate() {
    const COUNT: u32 = 2000;
    let database = TestDatabase::create().await;
    let (one, two) = (start(&database).await, start(&database).await);
    let server_id = one.register("left").await;
    let query = format!("since={BEGIN}&server_id={server_id}&batch=true");
    // A session begins whenever this much has come in.
    let has_come = async |begin: u32| {
        let latest = format!("/api/v1/metrics?server_id={server_id}&limit=1");
        eventually("enough has come in", async || {
            let latest = &two.get(&latest).await.json()["metrics"][0]["value"];
            latest.as_f64().is_some_and(|value| value >= f64::from(begin))
        })
        .await;
    };
    let reading = async |begin: u32| {
        has_come(begin).await;
        assert_brings_each_once(&mut LiveClient::open(&two, &query).await, COUNT).await;
    };
    // This node learns at its start what is past to it, while more comes in.
    let reading_on_a_new_node = async {
        has_come(COUNT / 3).await;
        let three = start(&database).await;
        assert_brings_each_once(&mut LiveClient::open(&three, &query).await, COUNT).await;
        three.stop().await.unwrap();
    };
    tokio::join!(
        ingest(&one, &server_id, 0..COUNT),
        reading(0),
        reading(COUNT / 4),
        reading(COUNT / 2),
        reading(COUNT - 1),
        reading_on_a_new_node,
    );
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn what_one_node_acknowledged_another_answers_at_once() {
    let database = TestDatabase::create().await;
    let (one, two) = (start(&database).await, start(&database).await);
    let server_id = one.register("left").await;
    for round in 1..=4 {
        let first = (round - 1) * SAMPLES_A_REQUEST;
        ingest(&one, &server_id, first..first + SAMPLES_A_REQUEST).await;
        let answer = two.get(&format!("/api/v1/metrics?server_id={server_id}&limit=1000")).await.json();
        assert_eq!(answer["count"], round * SAMPLES_A_REQUEST);
    }
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_deleted_through_one_node_is_soon_refused_by_the_others() {
    let database = TestDatabase::create().await;
    let (one, two) = (start(&database).await, start(&database).await);
    let (gone, kept) = (one.register("left").await, one.register("right").await);
    ingest(&two, &gone, 0..SAMPLES_A_REQUEST).await;
    ingest(&two, &kept, 0..SAMPLES_A_REQUEST).await;
    let deleted = one.send(Method::DELETE, &format!("/api/v1/servers/{gone}"), &[], b"").await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    let body = json!({ "server_id": gone, "metrics": samples(0) });
    eventually("the other node refuses it", async || {
        let answer = two.post("/api/v1/ingest", &body).await;
        answer.status == StatusCode::BAD_REQUEST && answer.json()["errors"][0]["code"] == "unknown_server"
    })
    .await;
    // Its samples have no name any more, there as here.
    eventually("the other node has forgotten its series", async || {
        two.get("/api/v1/metrics?limit=1000").await.json()["count"] == SAMPLES_A_REQUEST
    })
    .await;
    ingest(&two, &kept, SAMPLES_A_REQUEST..2 * SAMPLES_A_REQUEST).await;
    // A new registration has another id, which every node accepts.
    let again = one.register("left").await;
    assert_ne!(again, gone);
    ingest(&two, &again, 0..SAMPLES_A_REQUEST).await;
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn the_room_that_a_deleted_server_leaves_is_soon_used_by_others() {
    let database = TestDatabase::create().await;
    let one = start(&database).await;
    let full: &[_] = &[("catalog.series_max", "1"), ("catalog.series_per_server_max", "1")];
    let two = TestServer::start_on(&database.config(), full, Arc::new(SystemClock)).await;
    let (gone, kept) = (one.register("left").await, one.register("right").await);
    two.ingest(&gone, &end()).await;
    let body = json!({ "server_id": kept, "metrics": end() });
    let refused = two.post("/api/v1/ingest", &body).await;
    assert_eq!(refused.json()["errors"][0]["code"], "too_many_series");
    one.send(Method::DELETE, &format!("/api/v1/servers/{gone}"), &[], b"").await;
    eventually("there is room again", async || two.post("/api/v1/ingest", &body).await.status == StatusCode::OK).await;
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_that_comes_later_or_again_is_followed_from_its_first_flush() {
    let database = TestDatabase::create().await;
    let two = start(&database).await;
    let server_id = two.register("left").await;
    let mut client = LiveClient::subscribe(&two, "").await;
    for round in 0..3 {
        let one = start(&database).await;
        let first = round * SAMPLES_A_REQUEST;
        ingest(&one, &server_id, first..first + SAMPLES_A_REQUEST).await;
        let mut values = Vec::new();
        for _ in 0..SAMPLES_A_REQUEST {
            values.push(client.value().await as u32);
        }
        values.sort_unstable();
        assert_eq!(values, (first..first + SAMPLES_A_REQUEST).collect::<Vec<_>>());
        one.stop().await.unwrap();
    }
    drop(client);
    two.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_that_starts_reads_nothing_of_what_is_past_to_it() {
    let database = TestDatabase::create().await;
    let one = start(&database).await;
    let server_id = one.register("left").await;
    ingest(&one, &server_id, 0..10 * SAMPLES_A_REQUEST).await;
    let two = start(&database).await;
    let mut client = LiveClient::subscribe(&two, "").await;
    one.ingest(&server_id, &end()).await;
    assert_eq!(client.value().await, -1.0);
    drop(client);
    let metrics = two.get("/-/metrics").await;
    assert!(metrics.text().contains("millrace_journal_follow_flushes_total 1\n"), "{}", metrics.text());
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn a_restart_of_postgresql_costs_the_subscribers_of_other_nodes_nothing() {
    let mut cluster = TestCluster::own().await;
    let config = cluster.config("postgres");
    let clock = Arc::new(SystemClock);
    let one = TestServer::start_on(&config, SETTINGS, clock.clone()).await;
    let two = TestServer::start_on(&config, SETTINGS, clock).await;
    let server_id = one.register("left").await;
    let mut client = LiveClient::subscribe(&two, "").await;
    for round in 0..2 {
        let first = round * SAMPLES_A_REQUEST;
        eventually("the samples are acknowledged", async || {
            let body = json!({ "server_id": server_id, "metrics": samples(first) });
            one.post("/api/v1/ingest", &body).await.status == StatusCode::OK
        })
        .await;
        if round == 0 {
            cluster.kill();
            cluster.exited().await;
            cluster.restart().await.unwrap();
        }
    }
    assert_brings_each_once(&mut client, 2 * SAMPLES_A_REQUEST).await;
    drop(client);
    one.stop().await.unwrap();
    two.stop().await.unwrap();
    cluster.stop(PATIENCE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_renamed_on_one_node_is_written_to_by_its_new_name_only_on_all() {
    let database = TestDatabase::create().await;
    let (one, two) = (start(&database).await, start(&database).await);
    let new = json!({ "hostname": "old", "machine_id": "6f96" });
    let endpoint = one.post("/api/v1/endpoints", &new).await.json();
    let host_of = async |line: &str| {
        let found = two.get(&format!("/api/v1/latest?metric_name={line}")).await.json();
        found["metrics"][0]["server_id"].clone()
    };
    let send = async |server: &TestServer, host: &str, name: &str| {
        let line = format!("cpu,host={host} {name}=1");
        assert_eq!(server.send(Method::POST, "/write", &[], line.as_bytes()).await.status, 204);
    };
    for server in [&one, &two] {
        send(server, "old", "before").await;
    }
    assert_eq!(host_of("before").await, endpoint["server_id"]);
    let path = format!("/api/v1/endpoints/{}", endpoint["id"]);
    let renamed = one.send(Method::PATCH, &path, &[], json!({ "hostname": "new" }).to_string().as_bytes()).await;
    assert_eq!(renamed.status, StatusCode::OK);
    send(&one, "old", "here").await;
    assert_ne!(host_of("here").await, endpoint["server_id"], "the name is free for another one");
    let mut tries = 0;
    eventually("the other node knows", async || {
        tries += 1;
        let name = format!("there{tries}");
        send(&two, "old", &name).await;
        host_of(&name).await == host_of("here").await
    })
    .await;
    send(&two, "new", "after").await;
    assert_eq!(host_of("after").await, endpoint["server_id"]);
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}
