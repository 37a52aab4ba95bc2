//! The local cluster: what it keeps, what it refuses, and what becomes of it when one of the two processes dies.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use millrace::embedded::{Cluster, EmbeddedError, Settings, supervise};
use millrace::shutdown::Tasks;
use tokio_postgres::{Client, Config, NoTls};

use crate::harness::cluster::fresh_directory;
use crate::harness::{TestCluster, TestDatabase};

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

/// The server's process, from the file it writes about itself.
fn server_pid(data_dir: &Path) -> i32 {
    let text = fs::read_to_string(data_dir.join("postgres/postmaster.pid")).unwrap();
    text.lines().next().unwrap().trim().parse().unwrap()
}

/// A process that has ended may stay listed when nobody collects it, but it has no memory then.
fn is_running(pid: i32) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

#[tokio::test]
async fn a_second_start_finds_what_the_first_one_kept() {
    let scratch = Scratch::new();
    let tasks = Tasks::default();
    let cluster = scratch.start().await;
    cluster.ensure_database("kept").await.unwrap();
    cluster.ensure_database("kept").await.unwrap();
    let client = connect(&cluster.config("kept"), &tasks).await;
    client.batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (42)").await.unwrap();
    cluster.stop(DEADLINE).await.unwrap();
    assert!(!scratch.0.join("postgres/postmaster.pid").exists(), "a stop is a clean shutdown");

    let cluster = scratch.start().await;
    let client = connect(&cluster.config("kept"), &tasks).await;
    let row = client.query_one("SELECT n FROM t", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 42);
    cluster.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_directory_in_use_is_refused_by_the_name_of_its_owner() {
    let scratch = Scratch::new();
    let cluster = scratch.start().await;
    let error = Cluster::start(scratch.settings()).await.unwrap_err();
    assert!(matches!(&error, EmbeddedError::Held { pid, .. } if *pid == std::process::id().to_string()), "{error}");
    cluster.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_was_committed_survives_the_death_of_the_server() {
    let mut cluster = TestCluster::own().await;
    let tasks = Tasks::default();
    let client = connect(&cluster.config("postgres"), &tasks).await;
    client.batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (42)").await.unwrap();
    cluster.kill();
    let status = cluster.exited().await;
    assert!(status.contains('9'), "{status}");
    cluster.restart().await.unwrap();
    let client = connect(&cluster.config("postgres"), &tasks).await;
    assert_eq!(client.query_one("SELECT n FROM t", &[]).await.unwrap().get::<_, i32>(0), 42);
    cluster.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_supervised_server_comes_back_and_stops_when_asked() {
    let scratch = Scratch::new();
    let cluster = scratch.start().await;
    let tasks = Tasks::default();
    let config = cluster.config("postgres");
    let first = server_pid(&scratch.0);
    let supervisor = tasks.spawn("supervisor", supervise(cluster, tasks.stopping(), DEADLINE));
    let killed = Command::new("kill").args(["-9", &first.to_string()]).status().unwrap();
    assert!(killed.success());
    until("the server is not the first one", || {
        let text = fs::read_to_string(scratch.0.join("postgres/postmaster.pid")).unwrap_or_default();
        text.lines().next().is_some_and(|pid| pid.trim() != first.to_string()) && text.contains("ready")
    })
    .await;
    drop(config.connect(NoTls).await.unwrap());
    tasks.stop(DEADLINE).await.unwrap();
    supervisor.await.unwrap().unwrap();
    assert!(!scratch.0.join("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn a_throw_away_cluster_is_removed_when_it_stops_and_when_it_is_dropped() {
    let stopped = Scratch::new();
    let settings = Settings { throw_away: true, ..stopped.settings() };
    Cluster::start(settings).await.unwrap().stop(DEADLINE).await.unwrap();
    assert!(!stopped.0.exists());

    let dropped = Scratch::new();
    let settings = Settings { throw_away: true, ..dropped.settings() };
    drop(Cluster::start(settings).await.unwrap());
    until("the directory is gone", || !dropped.0.exists()).await;
}

#[tokio::test]
async fn a_throw_away_cluster_is_never_made_where_something_is() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.0.join("precious")).unwrap();
    let settings = Settings { throw_away: true, ..scratch.settings() };
    let error = Cluster::start(settings).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NotEmpty { .. }), "{error}");
    assert!(scratch.0.join("precious").exists());
}

#[tokio::test]
async fn a_half_made_cluster_is_made_again() {
    let scratch = Scratch::new();
    let half_made = scratch.0.join("postgres.making.1");
    fs::create_dir_all(half_made.join("base")).unwrap();
    fs::write(half_made.join("PG_VERSION"), "15\n").unwrap();
    let cluster = scratch.start().await;
    assert!(!half_made.exists());
    cluster.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_directory_that_is_no_cluster_is_not_touched() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.0.join("postgres")).unwrap();
    fs::write(scratch.0.join("postgres/letter"), "dear").unwrap();
    let error = Cluster::start(scratch.settings()).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NotACluster { .. }), "{error}");
    assert!(scratch.0.join("postgres/letter").exists());
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_still_works() {
    let scratch = Scratch::new();
    let data_dir = scratch.0.join("d".repeat(120));
    let settings = Settings { data_dir, throw_away: true, ..scratch.settings() };
    let cluster = Cluster::start(settings).await.unwrap();
    drop(cluster.config("postgres").connect(NoTls).await.unwrap());
    cluster.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_server_does_not_run_as_root() {
    let scratch = Scratch::new();
    let cluster = scratch.start().await;
    let server = fs::metadata(scratch.0.join("postgres/postmaster.pid")).unwrap();
    assert_ne!(server.uid(), 0);
    cluster.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn root_is_told_which_directory_the_server_cannot_enter() {
    let scratch = Scratch::new();
    let closed = scratch.0.join("closed");
    fs::create_dir_all(&closed).unwrap();
    if fs::metadata(&closed).unwrap().uid() != 0 {
        return; // only root changes users
    }
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let settings = Settings { data_dir: closed.join("data"), ..scratch.settings() };
    let error = Cluster::start(settings).await.unwrap_err();
    assert!(matches!(&error, EmbeddedError::Unreachable { directory, .. } if *directory == closed), "{error}");
}

#[tokio::test]
async fn the_server_of_a_killed_owner_goes_and_leaves_the_data() {
    let scratch = Scratch::new();
    let mut owner = start_owner(&scratch, "keep").await;
    let server = server_pid(&scratch.0);
    owner.kill().unwrap();
    owner.wait().unwrap();
    until("the server has ended", || !is_running(server)).await;
    assert!(!scratch.0.join("postgres/postmaster.pid").exists(), "it was shut down, not killed");
    scratch.start().await.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_next_owner_takes_over_at_once_from_a_killed_one() {
    let scratch = Scratch::new();
    let mut owner = start_owner(&scratch, "keep").await;
    owner.kill().unwrap();
    owner.wait().unwrap();
    let cluster = scratch.start().await;
    drop(cluster.config("postgres").connect(NoTls).await.unwrap());
    cluster.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_throw_away_cluster_of_a_killed_owner_is_removed() {
    let scratch = Scratch::new();
    let mut owner = start_owner(&scratch, "throw away").await;
    let server = server_pid(&scratch.0);
    owner.kill().unwrap();
    owner.wait().unwrap();
    until("server and directory are gone", || !is_running(server) && !scratch.0.exists()).await;
}

/// This test program again, running only the test below, as the owner of a cluster that the caller may kill.
async fn start_owner(scratch: &Scratch, fate: &str) -> std::process::Child {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "embedded::plays_the_owner_when_told_to", "--nocapture"]);
    command.env("MILLRACE_TEST_OWNER_OF", &scratch.0).env("MILLRACE_TEST_FATE", fate);
    let mut owner = command.stdout(Stdio::piped()).spawn().unwrap();
    let stdout = BufReader::new(owner.stdout.take().unwrap());
    let ready = tokio::task::spawn_blocking(move || stdout.lines().map_while(Result::ok).any(|line| line == "ready"));
    assert!(ready.await.unwrap(), "the owner started its cluster");
    owner
}

#[tokio::test]
async fn plays_the_owner_when_told_to() {
    let Some(data_dir) = std::env::var_os("MILLRACE_TEST_OWNER_OF") else { return };
    let throw_away = std::env::var_os("MILLRACE_TEST_FATE").is_some_and(|fate| fate == "throw away");
    let settings = Settings { data_dir: data_dir.into(), durable: true, binaries: None, throw_away };
    let _cluster = Cluster::start(settings).await.unwrap();
    println!("\nready");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn each_test_database_is_empty_and_its_own() {
    let (one, two) = (TestDatabase::create().await, TestDatabase::create().await);
    one.connect().await.batch_execute("CREATE TABLE t ()").await.unwrap();
    two.connect().await.batch_execute("CREATE TABLE t ()").await.unwrap();
    assert_ne!(one.config().get_dbname(), two.config().get_dbname());
}
