//! What is not touched: directories in use, of someone else, or out of reach.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use millrace::embedded::{Cluster, EmbeddedError, Settings};
use nix::sys::signal::{Signal, kill};

use super::{DEADLINE, Scratch, until};

#[tokio::test]
async fn a_directory_in_use_is_refused_by_the_name_of_its_owner() {
    let scratch = Scratch::new();
    let cluster = scratch.start().await;
    let error = Cluster::start(scratch.settings()).await.unwrap_err();
    assert!(matches!(&error, EmbeddedError::Held { pid, .. } if *pid == std::process::id().to_string()), "{error}");
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
async fn a_throw_away_cluster_is_never_made_where_something_is() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.0.join("precious")).unwrap();
    let settings = Settings { throw_away: true, ..scratch.settings() };
    let error = Cluster::start(settings).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NotEmpty { .. }), "{error}");
    assert!(scratch.0.join("precious").exists());
}

#[tokio::test]
async fn a_lock_that_leads_elsewhere_is_not_followed() {
    let (scratch, precious) = (Scratch::new(), Scratch::new());
    fs::create_dir_all(&scratch.0).unwrap();
    fs::write(&precious.0, "dear").unwrap();
    std::os::unix::fs::symlink(&precious.0, scratch.0.join("millrace.lock")).unwrap();
    let error = Cluster::start(scratch.settings()).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::Io { .. }), "{error}");
    fs::remove_file(scratch.0.join("millrace.lock")).unwrap();
    fs::hard_link(&precious.0, scratch.0.join("millrace.lock")).unwrap();
    let error = Cluster::start(scratch.settings()).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NotALock { .. }), "{error}");
    assert_eq!(fs::read_to_string(&precious.0).unwrap(), "dear");
    fs::remove_file(&precious.0).unwrap();
}

#[tokio::test]
async fn a_directory_of_someone_else_is_not_used() {
    const SOMEONE_ELSE: u32 = 54_321;
    let scratch = Scratch::new();
    fs::create_dir_all(&scratch.0).unwrap();
    if std::os::unix::fs::chown(&scratch.0, Some(SOMEONE_ELSE), None).is_err() {
        return; // only root gives directories away
    }
    let error = Cluster::start(scratch.settings()).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::Foreign { .. }), "{error}");
    assert!(!scratch.0.join("millrace.lock").exists());
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
async fn a_server_that_someone_started_by_hand_is_left_alone() {
    let scratch = Scratch::new();
    let cluster = scratch.start().await;
    let Ok(program) = fs::read_link(format!("/proc/{}/exe", scratch.server())) else { return };
    cluster.stop(DEADLINE).await.unwrap();
    let data = scratch.0.join("postgres");
    let user = fs::metadata(&data).unwrap();
    let mut by_hand = Command::new(program);
    by_hand.arg("-D").arg(&data).args(["-c", "listen_addresses=", "-c", "unix_socket_directories=."]);
    by_hand.uid(user.uid()).gid(user.gid()).current_dir(&data).stderr(Stdio::null());
    let mut by_hand = by_hand.spawn().unwrap();
    until("it is up", || fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|text| text.contains("ready")))
        .await;

    let error = Cluster::start(scratch.settings()).await.unwrap_err();
    assert!(matches!(&error, EmbeddedError::Held { pid, .. } if *pid == by_hand.id().to_string()), "{error}");
    assert!(by_hand.try_wait().unwrap().is_none());
    kill(scratch.server(), Signal::SIGQUIT).unwrap();
    by_hand.wait().unwrap();
}
