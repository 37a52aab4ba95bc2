//! One of the processes is killed: the server, the owner, or the owner and its guard.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use millrace::embedded::{Cluster, Settings, supervise};
use millrace::shutdown::Tasks;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_postgres::NoTls;

use super::{DEADLINE, Scratch, connect, is_running, until};
use crate::harness::TestCluster;

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
    let first = scratch.server();
    let supervisor = tasks.spawn("supervisor", supervise(cluster, tasks.stopping(), DEADLINE));
    kill(first, Signal::SIGKILL).unwrap();
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
async fn the_server_of_a_killed_owner_goes_and_leaves_the_data() {
    let scratch = Scratch::new();
    let mut owner = start_owner(&scratch, "keep").await;
    let server = scratch.server();
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
    let server = scratch.server();
    owner.kill().unwrap();
    owner.wait().unwrap();
    until("server and directory are gone", || !is_running(server) && !scratch.0.exists()).await;
}

#[tokio::test]
async fn the_server_of_an_owner_killed_with_its_guard_is_ended_by_the_next_owner() {
    let scratch = Scratch::new();
    let mut owner = start_owner(&scratch, "keep").await;
    let server = scratch.server();
    let Some(guard) = guard_of(&scratch) else { return };
    kill(guard, Signal::SIGKILL).unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(is_running(server), "nobody is left to end it");
    let cluster = scratch.start().await;
    assert!(!is_running(server));
    cluster.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_number_in_the_pid_file_that_is_someone_elses_by_now_is_no_obstacle() {
    let scratch = Scratch::new();
    scratch.start().await.stop(DEADLINE).await.unwrap();
    // A killed server leaves its file behind, and after a restart of the machine its number is given to another.
    let stale = format!("{}\n{}\n1\n5432\n\n\n", std::process::id(), scratch.0.join("postgres").display());
    fs::write(scratch.0.join("postgres/postmaster.pid"), stale).unwrap();
    scratch.start().await.stop(DEADLINE).await.unwrap();
}

/// This test program again, running only the test below, as the owner of a cluster that the caller may kill.
async fn start_owner(scratch: &Scratch, fate: &str) -> std::process::Child {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "embedded::deaths::plays_the_owner_when_told_to", "--nocapture"]);
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

/// The guard's process, where the system shows it.
fn guard_of(scratch: &Scratch) -> Option<Pid> {
    let guards = |pid: i32| {
        let arguments = String::from_utf8(fs::read(format!("/proc/{pid}/cmdline")).ok()?).ok()?;
        let ours = arguments.contains("millrace-guard") && arguments.contains(&*scratch.0.to_string_lossy());
        ours.then(|| Pid::from_raw(pid))
    };
    let pids = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(guards).next()
}
