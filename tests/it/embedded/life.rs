//! Start, stop, and what stays between them.

use std::fs;
use std::os::unix::fs::MetadataExt;

use millrace::embedded::{Cluster, Settings};
use millrace::shutdown::Tasks;
use nix::unistd::getpgid;
use tokio_postgres::NoTls;

use super::{DEADLINE, Scratch, connect, until};
use crate::harness::{TestCluster, TestDatabase};

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
async fn a_running_server_can_be_started_anew_and_is_found_in_the_same_place() {
    let mut cluster = TestCluster::own().await;
    let config = cluster.config("postgres");
    cluster.restart().await.unwrap();
    drop(config.connect(NoTls).await.unwrap());
    cluster.stop(DEADLINE).await.unwrap();
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
async fn each_test_database_is_empty_and_its_own() {
    let (one, two) = (TestDatabase::create().await, TestDatabase::create().await);
    one.connect().await.batch_execute("CREATE TABLE t ()").await.unwrap();
    two.connect().await.batch_execute("CREATE TABLE t ()").await.unwrap();
    assert_ne!(one.config().get_dbname(), two.config().get_dbname());
}

#[tokio::test]
async fn a_signal_from_the_terminal_does_not_reach_the_server() {
    let scratch = Scratch::new();
    let cluster = scratch.start().await;
    assert_ne!(getpgid(Some(scratch.server())).unwrap(), getpgid(None).unwrap());
    cluster.stop(DEADLINE).await.unwrap();
}
