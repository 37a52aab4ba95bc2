//! The local cluster: what it keeps, what it refuses, and what becomes of it when one of the two processes dies.

mod deaths; // of the server, of the owner, of the guard
mod life; // start, stop and what stays
mod refusals; // directories that are left alone

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use millrace::embedded::{Cluster, Settings};
use millrace::shutdown::Tasks;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio_postgres::{Client, Config, NoTls};

use crate::harness::cluster::fresh_directory;

const DEADLINE: Duration = Duration::from_secs(30);

/// Removed at the end of the test, as far as the cluster in it has ended.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        Self(fresh_directory())
    }

    fn settings(&self) -> Settings {
        Settings { data_dir: self.0.clone(), durable: true, binaries: None, throw_away: false }
    }

    /// The server's process, from the file it writes about itself.
    fn server(&self) -> Pid {
        let text = fs::read_to_string(self.0.join("postgres/postmaster.pid")).unwrap();
        Pid::from_raw(text.lines().next().unwrap().trim().parse().unwrap())
    }

    async fn start(&self) -> Cluster {
        Cluster::start(self.settings()).await.unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

async fn connect(config: &Config, tasks: &Tasks) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tasks.spawn("test connection", connection);
    client
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A process that has ended may stay listed when nobody collects it; where there is no `/proc` it is collected.
fn is_running(pid: Pid) -> bool {
    let is_dead = |stat: String| stat.rsplit(')').next().is_some_and(|after_name| after_name.trim().starts_with('Z'));
    let is_zombie = fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(is_dead);
    kill(pid, None).is_ok() && !is_zombie
}
