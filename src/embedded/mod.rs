//! The local PostgreSQL cluster: behind `millrace serve --dev` and behind every test.
//!
//! Invariants: PostgreSQL listens on a unix socket in a private directory and nowhere else; it never runs as root; it
//! does not outlive its owner, not even when the owner is killed; one data directory has one owner at a time. What
//! a durable cluster has committed survives the death of either process.
//!
//! Knows neither tables nor the pool: it hands out a [`tokio_postgres::Config`] and that is all the others see.

mod binaries; // where the machine keeps PostgreSQL
mod cluster; // the handle: start, stop, kill, restart
mod directory; // the data directory, its lock and its sockets
mod error;
mod guard; // the process that ends PostgreSQL when the owner is gone
mod initdb; // an empty directory becomes a cluster
mod installation; // what is ready before a process runs: binaries, directory, guard
mod machine; // memory and cores
mod orphan; // the server of an owner that is gone
mod postmaster; // one running server process and its log
mod ready; // wait until it answers
mod run_as; // the user PostgreSQL runs as
mod settings; // what PostgreSQL is told, from what the machine has
mod supervise; // start it again when it ends by itself

use std::path::PathBuf;

pub use cluster::Cluster;
pub use error::EmbeddedError;
pub use supervise::supervise;

/// What a cluster is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Made when it does not exist. Holds the lock, the cluster and, if the path is short enough, the socket.
    pub data_dir: PathBuf,
    /// Whether a commit is on disk when it is acknowledged. `false` is for tests only: a crash may lose everything.
    pub durable: bool,
    /// The folder with `postgres` and `initdb`; searched for when not given.
    pub binaries: Option<PathBuf>,
    /// Whether `data_dir` is removed when the cluster ends, however it ends.
    pub throw_away: bool,
}
