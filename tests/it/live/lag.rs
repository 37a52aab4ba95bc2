//! A client that does not read loses frames and is told how many; one that reads loses none because of it.

use std::sync::Arc;

use millrace::clock::SystemClock;
use serde_json::{Value, json};

use super::socket::Socket;
use crate::harness::TestServer;
use crate::harness::agents::metric;

const TIME_US: i64 = 1_763_632_800_000_000;
const SAMPLES: usize = 2_000;
/// Far more than what lies between the server and a client that does not read.
const ROUNDS_MAX: usize = 60;

#[tokio::test]
async fn a_slow_client_is_told_the_exact_number_it_lost_and_a_fast_one_gets_all() {
    // The queue has room for a round, which the fast client takes before the next one is sent.
    let settings = [("live.queue_frames_max", "2500"), ("live.queue_bytes_max", "4MiB")];
    let server = TestServer::start_with(&settings, Arc::new(SystemClock)).await;
    let id = server.register("host").await;
    let mut fast = Socket::subscribe(&server, "").await;
    let mut slow = Socket::open(server.address, "", Some(4096)).await;
    crate::harness::eventually("both are subscribed", async || server.gauge("live_sessions").await == 2).await;
    let mut sent = 0;
    while server.gauge("live_frames_dropped").await == 0 {
        assert!(sent < ROUNDS_MAX * SAMPLES, "the slow client loses something in the end");
        let name = "x".repeat(200);
        let times = sent..sent + SAMPLES;
        let metrics: Vec<Value> = times.clone().map(|time| metric(&name, TIME_US + time as i64, time as f64)).collect();
        server.ingest(&id, &json!(metrics)).await;
        for time in times {
            let frame = fast.json().await;
            assert_eq!(frame["data"]["value"], time as f64, "{frame}");
        }
        sent += SAMPLES;
    }
    server.ingest(&id, &json!([metric("end", TIME_US, -1.0)])).await;
    assert_eq!(fast.name().await, "end");
    let (mut received, mut lost, mut notices, mut last) = (0, 0, 0, -1.0);
    loop {
        let frame = slow.json().await;
        if frame["type"] == "lagged" {
            lost += frame["dropped"].as_u64().unwrap() as usize;
            notices += 1;
            continue;
        }
        if frame["data"]["metric_name"] == "end" {
            break;
        }
        let value = frame["data"]["value"].as_f64().unwrap();
        assert!(value > last, "in order, and none twice");
        (received, last) = (received + 1, value);
    }
    assert!(lost > 0);
    assert_eq!(received + lost, sent);
    assert_eq!(server.gauge("live_frames_dropped").await, lost as u64);
    assert_eq!(server.gauge("live_lagged").await, notices);
    drop((fast, slow));
    server.stop().await.unwrap();
}
