//! What every integration test stands on: real PostgreSQL, thrown away afterwards. Nothing has to be set up before, and
//! nothing stays behind, not even when the test process is killed.

pub(crate) mod agents;
pub(crate) mod callers;
pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod database;
pub(crate) mod proxy;
pub(crate) mod identity;
pub(crate) mod live;
pub(crate) mod moves;
pub(crate) mod remote_write;
pub(crate) mod server;

pub(crate) use agents::{Agents, export};
pub(crate) use cluster::TestCluster;
pub(crate) use database::TestDatabase;
pub(crate) use live::LiveClient;
pub(crate) use moves::Moves;
pub(crate) use proxy::{ChaosProxy, Mishap};
pub(crate) use server::TestServer;

use std::time::Duration;

/// Looks at a condition again and again until it holds, at most for [`client::PATIENCE`].
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(client::PATIENCE, looking).await;
    assert!(in_time.is_ok(), "not within {:?}: {what}", client::PATIENCE);
}
