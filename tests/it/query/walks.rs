//! Page by page while agents go on sending.

use std::sync::Arc;

use millrace::clock::SystemClock;

use crate::harness::agents::sample_of;
use crate::harness::{Agents, TestServer, export};

#[tokio::test]
async fn a_walk_over_pages_sees_what_was_there_before_it_exactly_once_whatever_comes_meanwhile() {
    let server = TestServer::start_with(&[], Arc::new(SystemClock)).await;
    let ids = [server.register("one").await, server.register("two").await];
    let agents = Agents::start(server.address, &ids).await;
    for order in ["asc", "desc"] {
        let before = export(server.address).await;
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer = server.get(&format!("/api/v1/metrics?order={order}&limit=40&cursor={cursor}")).await;
            let printed = answer.text().split("{\"id\":").skip(1);
            seen.extend(printed.map(|text| {
                let end = text.find("Z\"}").unwrap() + "Z\"}".len();
                sample_of(&format!("{{\"id\":{}", &text[..end]))
            }));
            let of_before = seen.iter().filter(|(place, _)| before.contains_key(place)).count();
            match answer.json()["next_cursor"].as_str() {
                // Upwards there is always more as long as the agents send.
                Some(next) if of_before < before.len() => next.clone_into(&mut cursor),
                _ => break,
            }
        }
        let mut known: Vec<_> = seen.into_iter().filter(|(place, _)| before.contains_key(place)).collect();
        known.sort_by(|left, right| left.0.cmp(&right.0));
        assert_eq!(known, before.into_iter().collect::<Vec<_>>(), "{order}");
    }
    drop(agents.stop().await);
    server.stop().await.unwrap();
}
