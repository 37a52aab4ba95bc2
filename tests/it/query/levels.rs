//! Pages over long stretches of time, most of which is empty.

use std::sync::Arc;

use millrace::clock::SystemClock;
use serde_json::{Value, json};

use crate::harness::agents::{metric, rfc3339};
use crate::harness::{Moves, TestServer};

const DAY_US: i64 = 86_400_000_000;
/// 2020-01-01, and then days after it that lie years, months, one day and one microsecond apart.
const BEGIN_US: i64 = 1_577_836_800_000_000;
const DAYS: [i64; 7] = [0, 1, 59, 60, 366, 1_800, 1_801];

#[tokio::test]
async fn a_walk_passes_over_years_without_samples_in_either_order() {
    let server = TestServer::start_with(&[("retention.hours", "3650d")], Arc::new(SystemClock)).await;
    let moves = Moves::of(server.database().config());
    let ids = [server.register("one").await, server.register("two").await];
    let mut times = Vec::new();
    for (place, day) in DAYS.into_iter().enumerate() {
        // The last of an hour and the first of the next.
        let pair = [BEGIN_US + day * DAY_US - 1, BEGIN_US + day * DAY_US];
        let metrics: Vec<Value> = pair.iter().map(|time| metric("m", *time, place as f64)).collect();
        server.ingest(&ids[place % 2], &json!(metrics)).await;
        times.extend(pair);
        match place % 3 {
            0 => moves.fold(4).await,
            1 => moves.seal(|_, _| true).await,
            _ => {}
        }
    }
    for (filter, expected) in [
        (String::new(), times.clone()),
        (format!("server_id={}", ids[1]), times.chunks(2).skip(1).step_by(2).flatten().copied().collect()),
        (format!("from={}", rfc3339(BEGIN_US + DAY_US)), times[3..].to_vec()),
        (format!("to={}", rfc3339(BEGIN_US + DAY_US - 1)), times[..3].to_vec()),
    ] {
        for order in ["asc", "desc"] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("/api/v1/metrics?{filter}&order={order}&limit=3&cursor={cursor}");
                let page = server.get(&path).await.json();
                let rows = page["metrics"].as_array().unwrap();
                seen.extend(rows.iter().map(|row| row["timestamp"].as_str().unwrap().to_owned()));
                let Some(next) = page["next_cursor"].as_str() else { break };
                next.clone_into(&mut cursor);
            }
            let mut expected: Vec<String> = expected.iter().copied().map(rfc3339).collect();
            if order == "desc" {
                expected.reverse();
            }
            assert_eq!(seen, expected, "{filter} {order}");
        }
    }
    server.stop().await.unwrap();
}
