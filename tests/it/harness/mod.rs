//! What every integration test stands on: real PostgreSQL, thrown away afterwards. Nothing has to be set up before, and
//! nothing stays behind, not even when the test process is killed.

pub(crate) mod cluster;
pub(crate) mod database;
pub(crate) mod live;
pub(crate) mod server;

pub(crate) use cluster::TestCluster;
pub(crate) use database::TestDatabase;
pub(crate) use live::LiveClient;
pub(crate) use server::TestServer;
