//! PostgreSQL goes away under a whole server, or the server itself goes, while agents send.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use millrace::clock::SystemClock;
use serde_json::json;

use super::{lock, stored};
use crate::harness::agents::metric;
use crate::harness::{Agents, TestCluster, TestDatabase, TestServer, eventually, export};

const TIME_US: i64 = 1_763_632_800_000_000;
/// What a request may take beside the wait for its commit, on a machine that is busy with other tests.
const LEEWAY: Duration = Duration::from_secs(10);

async fn register(server: &TestServer, agents: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..agents {
        ids.push(server.register(&format!("host{number}")).await);
    }
    ids
}

#[tokio::test]
async fn what_is_acknowledged_survives_kills_and_restarts_of_postgresql_exactly_once() {
    let mut cluster = TestCluster::own().await;
    let config = cluster.config("postgres");
    let server = TestServer::start_on(&config, &[("journal.commit_wait", "500ms")], Arc::new(SystemClock)).await;
    let agents = Agents::start(server.address, &register(&server, 4).await).await;
    cluster.kill();
    cluster.exited().await;
    agents.until_refused().await;
    // Stopped by the operator a few times, which ends every connection wherever it is.
    for _ in 0..4 {
        cluster.restart().await.unwrap();
        agents.until_acknowledged().await;
    }
    let told = agents.stop().await;
    let found = export(server.address).await;
    told.check(&found);
    told.check_refusals();
    assert!(!told.refusals.is_empty());
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let counting = async {
        let stored = stored(&client).await;
        drop(client);
        stored.len()
    };
    let (stored, _) = tokio::join!(counting, connection);
    assert_eq!(stored, found.len(), "no flush was written twice");
    server.stop().await.unwrap();
    cluster.stop(LEEWAY).await.unwrap();
}

#[tokio::test]
async fn while_postgresql_is_away_requests_are_told_when_to_come_back_and_later_succeed() {
    let mut cluster = TestCluster::own().await;
    let settings = [("journal.commit_wait", "300ms"), ("database.wait_timeout", "300ms")];
    let server = TestServer::start_on(&cluster.config("postgres"), &settings, Arc::new(SystemClock)).await;
    let id = server.register("host").await;
    server.ingest(&id, &json!([metric("known", TIME_US, 1.0)])).await;
    cluster.kill();
    cluster.exited().await;
    let known = json!({ "server_id": id, "metrics": [metric("known", TIME_US + 1, 2.0)] });
    // The processes that serve connections outlive the one that was killed by a moment.
    eventually("nobody is left to commit", async || {
        server.post("/api/v1/ingest", &known).await.status == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    let new = json!({ "server_id": id, "metrics": [metric("new", TIME_US, 3.0)] });
    for (body, code) in [(&known, "commit_timeout"), (&new, "database_unavailable")] {
        let begun = Instant::now();
        let answer = server.post("/api/v1/ingest", body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        assert!(answer.text().contains(code) || answer.json()["error"].is_string(), "{answer:?}");
        assert!(begun.elapsed() < LEEWAY);
    }
    let query = server.get("/api/v1/metrics").await;
    assert_eq!((query.status, query.header("retry-after").is_some()), (StatusCode::SERVICE_UNAVAILABLE, true));
    assert_eq!(server.get("/-/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.get("/-/healthy").await.status, StatusCode::OK);
    cluster.restart().await.unwrap();
    for body in [&known, &new] {
        eventually("the same request succeeds", async || {
            server.post("/api/v1/ingest", body).await.status == StatusCode::OK
        })
        .await;
    }
    let found = export(server.address).await;
    let mut values: Vec<f64> = found.into_values().collect();
    values.sort_by(f64::total_cmp);
    assert_eq!(values, [1.0, 2.0, 3.0]);
    server.stop().await.unwrap();
    cluster.stop(LEEWAY).await.unwrap();
}

#[tokio::test]
async fn bodies_beyond_the_bytes_in_flight_are_refused_and_the_others_are_stored() {
    let settings =
        [("http.body_bytes_max", "512KiB"), ("http.inflated_bytes_max", "1MiB"), ("http.in_flight_bytes_max", "1MiB")];
    let server = TestServer::start_with(&settings, Arc::new(SystemClock)).await;
    let id = server.register("host").await;
    server.ingest(&id, &json!([metric("m", TIME_US, 0.0)])).await;
    let client = server.database().connect().await;
    lock(&client).await;
    // Two of these have room, three have not.
    let padding = " ".repeat(400 << 10);
    let body = |time: i64| {
        format!("{padding}{}", json!({ "server_id": id, "metrics": [metric("m", TIME_US + time, time as f64)] }))
    };
    let (one, two) = (body(1), body(2));
    let waiting =
        async { tokio::join!(server.post_text("/api/v1/ingest", &one), server.post_text("/api/v1/ingest", &two)) };
    let refused = async {
        eventually("two bodies are in memory", async || server.gauge("in_flight_bytes").await >= 2 * (400 << 10)).await;
        let refusal = server.post_text("/api/v1/ingest", &"x".repeat(400 << 10)).await;
        client.batch_execute("COMMIT").await.unwrap();
        refusal
    };
    let ((one, two), refusal) = tokio::join!(waiting, refused);
    assert_eq!((one.status, two.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(refusal.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refusal.header("retry-after").is_some());
    assert_eq!(export(server.address).await.len(), 3);
    server.ingest(&id, &json!([metric("m", TIME_US + 3, 3.0)])).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_while_agents_send_keeps_every_promise_made() {
    let database = TestDatabase::create().await;
    let server = TestServer::start_on(&database.config(), &[], Arc::new(SystemClock)).await;
    let agents = Agents::start(server.address, &register(&server, 4).await).await;
    server.stop().await.unwrap();
    let told = agents.stop().await;
    told.check_refusals();
    let server = TestServer::start_on(&database.config(), &[], Arc::new(SystemClock)).await;
    told.check(&export(server.address).await);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_without_its_postgresql_answers_what_it_accepted_and_stops_all_the_same() {
    let cluster = TestCluster::own().await;
    let settings = [("journal.commit_wait", "300ms")];
    let server = TestServer::start_on(&cluster.config("postgres"), &settings, Arc::new(SystemClock)).await;
    let agents = Agents::start(server.address, &register(&server, 2).await).await;
    cluster.kill();
    cluster.exited().await;
    agents.until_refused().await;
    let begun = Instant::now();
    let stopped = server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(45), "{:?}", begun.elapsed());
    assert!(stopped.unwrap_err().to_string().contains("journal lane"), "what could not be committed is named");
    agents.stop().await.check_refusals();
    cluster.stop(LEEWAY).await.unwrap();
}

#[tokio::test]
async fn clients_that_hang_up_give_back_what_they_held_and_their_neighbours_are_stored() {
    let server = TestServer::start_with(&[], Arc::new(SystemClock)).await;
    let id = server.register("host").await;
    server.ingest(&id, &json!([metric("known", TIME_US, 1.0)])).await;
    let client = server.database().connect().await;
    client.batch_execute("BEGIN; LOCK TABLE journal; LOCK TABLE series IN SHARE MODE").await.unwrap();
    let body = |name: &str, time| json!({ "server_id": id, "metrics": [metric(name, TIME_US + time, 2.0)] });
    let (mut impatient, mut bytes) = (Vec::new(), 0);
    for time in 1..20 {
        // Some wait for their commit, some for their series, some for the one that makes its series.
        let name = if time % 2 == 0 { "known".to_owned() } else { format!("new{time}") };
        let body = body(&name, time);
        bytes += body.to_string().len() as u64;
        impatient.push(server.begin_ingest(&body).await);
    }
    eventually("all of them wait", async || server.gauge("in_flight_bytes").await == bytes).await;
    drop(impatient);
    client.batch_execute("COMMIT").await.unwrap();
    // A lane lets go of what nobody waits for when it comes to it.
    eventually("nothing of them is left", async || server.gauge("in_flight_bytes").await == 0).await;
    let all = json!([metric("known", TIME_US + 50, 3.0), metric("new1", TIME_US + 50, 3.0)]);
    assert_eq!(server.ingest(&id, &all).await["inserted"], 2);
    server.stop().await.unwrap();
}
