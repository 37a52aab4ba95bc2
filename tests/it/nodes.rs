//! Several servers on one database.

use std::sync::Arc;

use futures_util::future::join_all;
use millrace::clock::SystemClock;
use serde_json::{Value, json};

use crate::harness::agents::metric;
use crate::harness::{Agents, TestDatabase, TestServer, export};

const TIME_US: i64 = 1_763_632_800_000_000;

/// Started at the same moment on an empty database.
async fn start_three(database: &TestDatabase) -> Vec<TestServer> {
    let config = database.config();
    join_all((0..3).map(|_| TestServer::start_on(&config, &[], Arc::new(SystemClock)))).await
}

#[tokio::test]
async fn nodes_that_start_at_once_on_an_empty_database_agree_on_servers_and_series() {
    let database = TestDatabase::create().await;
    let nodes = start_three(&database).await;
    let ids = join_all(nodes.iter().map(|node| node.register("host"))).await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let sending = nodes.iter().zip(0..).map(|(node, time): (_, i64)| {
        let metrics: Vec<Value> =
            (0..100).map(|number| metric(&format!("m{number}"), TIME_US + time, f64::from(number))).collect();
        let id = ids[0].clone();
        async move { node.ingest(&id, &json!(metrics)).await }
    });
    for answer in join_all(sending).await {
        assert_eq!((&answer["inserted"], &answer["failed"]), (&json!(100), &json!(0)));
    }
    for node in &nodes {
        assert_eq!(node.get("/api/v1/series").await.json()["count"], 100);
        assert_eq!(export(node.address).await.len(), 300, "each node answers for all");
    }
    for node in nodes {
        node.stop().await.unwrap();
    }
}

#[tokio::test]
async fn what_one_node_acknowledged_every_node_finds_also_after_the_first_one_stopped() {
    let database = TestDatabase::create().await;
    let mut nodes = start_three(&database).await;
    let mut agents = Vec::new();
    for (place, node) in nodes.iter().enumerate() {
        let id = node.register(&format!("host{place}")).await;
        agents.push(Agents::start(node.address, &[id]).await);
    }
    nodes.remove(0).stop().await.unwrap();
    agents[1].until_acknowledged().await;
    for agents in agents {
        let told = agents.stop().await;
        told.check_refusals();
        for node in &nodes {
            let mut found = export(node.address).await;
            found.retain(|place, _| told.sent.contains_key(place));
            told.check(&found);
        }
    }
    for node in nodes {
        node.stop().await.unwrap();
    }
}
