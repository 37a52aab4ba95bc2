//! `since=` while what is replayed moves from level to level.

use std::sync::Arc;

use millrace::clock::{Clock, SystemClock};
use millrace::shutdown::Tasks;
use serde_json::{Value, json};

use super::replay::{END, SETTINGS, TIME_US, until_end};
use super::socket::Socket;
use crate::harness::agents::{Samples, metric, rfc3339};
use crate::harness::{Agents, Moves, TestDatabase, TestServer, export};

/// More than a replay reads at once, and more than lies between the server and a client that does not read.
const MANY: i64 = 60_000;
const REQUEST: i64 = 10_000;

/// Folds again and again until it is asked to stop.
async fn fold_on(config: tokio_postgres::Config, tasks: Tasks) {
    let moves = Moves::of(config);
    while !tasks.is_stopping() {
        moves.fold(4).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_begin_while_all_that_comes_is_folded_at_once_get_every_sample_exactly_once() {
    let server = TestServer::start_with(&SETTINGS, Arc::new(SystemClock)).await;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(server.register(&format!("host{number}")).await);
    }
    let agents = Agents::start(server.address, &ids).await;
    let (folding, tasks) = (Tasks::default(), Tasks::default());
    let folded = folding.spawn("fold", fold_on(server.database().config(), folding.clone()));
    let (everything, one_server) = (String::new(), format!("&server_id={}", ids[1]));
    let mut streams = Vec::new();
    for filter in [&everything, &one_server, &everything, &one_server] {
        let socket = Socket::open(server.address, &format!("since=2000-01-01T00:00:00Z{filter}"), None).await;
        streams.push((filter, tasks.spawn("stream", until_end(socket))));
        agents.until_acknowledged().await;
    }
    let told = agents.stop().await;
    folding.ask_to_stop();
    folded.await.unwrap();
    let stored = export(server.address).await;
    told.check(&stored);
    for id in &ids {
        server.ingest(id, &json!([metric(END, SystemClock.now().0, 0.0)])).await;
    }
    for (filter, stream) in streams {
        let received = stream.await.unwrap();
        let all: Samples = received.iter().cloned().collect();
        assert_eq!(received.len(), all.len(), "something came twice");
        let expected: Samples =
            stored.clone().into_iter().filter(|((id, _, _), _)| filter.is_empty() || *id == ids[1]).collect();
        assert!(all == expected, "{} of {} samples came", all.len(), expected.len());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_replay_of_what_has_left_the_journal_with_its_writers_is_whole_and_in_order() {
    let database = TestDatabase::create().await;
    let moves = Moves::of(database.config());
    let mut id = String::new();
    for life in 0..3 {
        let server = TestServer::start_on(&database.config(), &SETTINGS, Arc::new(SystemClock)).await;
        id = server.register("host").await;
        let metrics: Vec<Value> = (0..10).map(|time| metric("m", TIME_US + life * 10 + time, time as f64)).collect();
        server.ingest(&id, &json!(metrics)).await;
        // What is sent again changes nothing but the value.
        server.ingest(&id, &json!([metric("m", TIME_US + 3, life as f64)])).await;
        server.stop().await.unwrap();
        if life < 2 {
            moves.fold(4).await;
            moves.empty_journal().await;
        }
        if life < 1 {
            moves.seal(|_, _| true).await;
        }
    }
    let server = TestServer::start_on(&database.config(), &SETTINGS, Arc::new(SystemClock)).await;
    let mut socket = Socket::open(server.address, &format!("since={}", rfc3339(TIME_US)), None).await;
    for time in 0..20 {
        let data = socket.json().await["data"].take();
        assert_eq!(data["timestamp"], rfc3339(TIME_US + time));
        assert_eq!(data["value"], if time == 3 { 1.0 } else { (time % 10) as f64 });
    }
    let mut rest: Vec<String> = Vec::new();
    for _ in 20..31 {
        rest.push(socket.json().await["data"]["timestamp"].as_str().unwrap().to_owned());
    }
    rest.sort_unstable();
    let mut expected: Vec<String> = std::iter::once(3).chain(20..30).map(|time| rfc3339(TIME_US + time)).collect();
    expected.sort_unstable();
    assert_eq!(rest, expected, "the flush that is only in the journal, after what was folded");
    server.ingest(&id, &json!([metric("m", TIME_US - 1, 1.0)])).await;
    assert_eq!(socket.json().await["data"]["timestamp"], rfc3339(TIME_US - 1));
    drop(socket);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_replay_that_a_seal_overtakes_is_told_to_begin_again() {
    let server = TestServer::start_with(&SETTINGS, Arc::new(SystemClock)).await;
    let moves = Moves::of(server.database().config());
    let id = server.register("host").await;
    for request in 0..MANY / REQUEST {
        let times = request * REQUEST..(request + 1) * REQUEST;
        let metrics: Vec<Value> = times.map(|time| metric(&"m".repeat(200), TIME_US + time * 1_000, 1.0)).collect();
        server.ingest(&id, &json!(metrics)).await;
    }
    moves.fold(4).await;
    let query = format!("since={}", rfc3339(TIME_US));
    let mut slow = Socket::open(server.address, &query, Some(4096)).await;
    slow.json().await;
    // The first page is under way, and there is no room for it as long as nobody reads.
    moves.seal(|_, _| true).await;
    assert_eq!(slow.close_code().await, Some(1012));
    let mut again = Socket::open(server.address, &query, None).await;
    for time in 0..MANY {
        assert_eq!(again.json().await["data"]["timestamp"], rfc3339(TIME_US + time * 1_000));
    }
    drop(again);
    server.stop().await.unwrap();
}
