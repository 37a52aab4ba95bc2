//! `since=`: what is stored first, then what comes, with neither a gap nor anything twice.

use std::sync::Arc;

use millrace::clock::{Clock, SystemClock};
use millrace::shutdown::Tasks;
use serde_json::{Value, json};

use super::socket::Socket;
use crate::harness::agents::{Samples, metric, rfc3339, sample_of};
use crate::harness::{Agents, TestServer, export};

pub(super) const TIME_US: i64 = 1_763_632_800_000_000;
pub(super) const END: &str = "end";

/// Room for all that these tests send, so that nothing is dropped however busy the machine is.
pub(super) const SETTINGS: [(&str, &str); 2] =
    [("live.queue_frames_max", "1000000"), ("live.queue_bytes_max", "256MiB")];

/// Every metric up to the one named [`END`], in the order of arrival.
pub(super) async fn until_end(mut socket: Socket) -> Vec<((String, String, i64), f64)> {
    let mut samples = Vec::new();
    loop {
        let text = socket.text().await.expect("the stream goes on");
        let data = text.strip_prefix(r#"{"type":"metric","data":"#).and_then(|text| text.strip_suffix('}'));
        let sample = sample_of(data.unwrap_or_else(|| panic!("{text}")));
        if sample.0.1 == END {
            return samples;
        }
        samples.push(sample);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_begin_while_four_agents_send_get_every_sample_exactly_once() {
    let server = TestServer::start_with(&SETTINGS, Arc::new(SystemClock)).await;
    let (mut ids, tasks) = (Vec::new(), Tasks::default());
    for number in 0..4 {
        ids.push(server.register(&format!("host{number}")).await);
    }
    let agents = Agents::start(server.address, &ids).await;
    let (everything, one_server) = (String::new(), format!("&server_id={}", ids[2]));
    let mut streams = Vec::new();
    for filter in [&everything, &one_server, &everything, &everything, &one_server] {
        let query = format!("since=2000-01-01T00:00:00Z{filter}");
        let socket = Socket::open(server.address, &query, None).await;
        streams.push((filter, tasks.spawn("stream", until_end(socket))));
        agents.until_acknowledged().await;
    }
    let told = agents.stop().await;
    assert_eq!(told.refusals, []);
    let stored = export(server.address).await;
    told.check(&stored);
    for id in &ids {
        // Later than all of them, so that it is the last also of a replay.
        server.ingest(id, &json!([metric(END, SystemClock.now().0, 0.0)])).await;
    }
    for (filter, stream) in streams {
        // Every sample was acknowledged, and so handed on, before the first end was sent.
        let received = stream.await.unwrap();
        let all: Samples = received.iter().cloned().collect();
        assert_eq!(received.len(), all.len(), "something came twice");
        let expected: Samples =
            stored.clone().into_iter().filter(|((id, _, _), _)| filter.is_empty() || *id == ids[2]).collect();
        assert!(all == expected, "{} of {} samples came", all.len(), expected.len());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_replay_begins_at_its_time_and_goes_on_after_a_restart_of_the_server() {
    let database = crate::harness::TestDatabase::create().await;
    let mut id = String::new();
    for life in 0..2 {
        let server = TestServer::start_on(&database.config(), &SETTINGS, Arc::new(SystemClock)).await;
        id = server.register("host").await;
        let metrics: Vec<Value> = (0..10).map(|time| metric("m", TIME_US + life * 10 + time, time as f64)).collect();
        server.ingest(&id, &json!(metrics)).await;
        server.stop().await.unwrap();
    }
    let server = TestServer::start_on(&database.config(), &SETTINGS, Arc::new(SystemClock)).await;
    let mut socket = Socket::open(server.address, &format!("since={}", rfc3339(TIME_US + 5)), None).await;
    for time in 5..20 {
        assert_eq!(socket.json().await["data"]["timestamp"], rfc3339(TIME_US + time));
    }
    // Live frames do not ask for `since`: what comes late is news all the same.
    server.ingest(&id, &json!([metric("m", TIME_US - 1, 1.0)])).await;
    assert_eq!(socket.json().await["data"]["timestamp"], rfc3339(TIME_US - 1));
    drop(socket);
    server.stop().await.unwrap();
}
