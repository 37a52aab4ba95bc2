//! What runs in a cluster whose owner, or whose server, is gone: ours is waited for and then ended, the server of
//! anybody else is left alone.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::directory::Directory;
use super::error::EmbeddedError;

/// A dead owner's guard is at work, and the processes of a dead server end by themselves, so at first only wait. Then
/// ask for a fast shutdown, which does no harm when the guard has asked already and which makes a process without its
/// server drop its statement; then for an immediate one.
const STEPS: [(Option<Signal>, Duration); 3] = [
    (None, Duration::from_secs(1)),
    (Some(Signal::SIGINT), Duration::from_secs(60)),
    (Some(Signal::SIGQUIT), Duration::from_secs(10)),
];

/// Where the system does not show what a process is, the dead owner's guard is waited for: it is done by then.
const UNSEEN_PATIENCE: Duration = Duration::from_secs(60);

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Sees to it that nothing runs in the cluster. The caller holds the directory's lock, so a server with our socket has
/// lost its owner. Returns whether the cluster was left without a shutdown.
pub(super) async fn clear(directory: &Directory) -> Result<bool, EmbeddedError> {
    let cluster = directory.cluster();
    let pid_file = cluster.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&pid_file) else { return Ok(false) };
    let Some(server) = server_of(&text) else { return Ok(true) };
    if !has_proc() {
        return match end_of(server, UNSEEN_PATIENCE).await {
            true => Ok(pid_file.exists()),
            false => Err(EmbeddedError::Held { directory: cluster, pid: server.to_string() }),
        };
    }
    // The fifth line is the socket directory.
    let ours = text.lines().nth(4) == Some(&*directory.sockets.to_string_lossy());
    if !ours && at_work(&cluster).contains(&server) {
        return Err(EmbeddedError::Held { directory: cluster, pid: server.to_string() });
    }
    end_all(server, &cluster).await?;
    if pid_file.exists() && is_alive(server) {
        // The number is an unrelated process by now, at which PostgreSQL would refuse to start. The file may only be
        // removed because nothing is at work: it is also PostgreSQL's own protection against that.
        fs::remove_file(&pid_file).map_err(EmbeddedError::io("remove", &pid_file))?;
        return Ok(true);
    }
    Ok(pid_file.exists())
}

/// The process that a pid file names. PostgreSQL writes a negative number where no server runs, and to the system that
/// is a group, as 0 is; 1 is never PostgreSQL.
fn server_of(pid_file: &str) -> Option<i32> {
    pid_file.lines().next()?.trim().parse().ok().filter(|pid| *pid > 1)
}

/// Waits until the process is gone, and signals nobody: the number may be a stranger's by now. `false` when it stays.
async fn end_of(server: i32, patience: Duration) -> bool {
    let gone = async {
        while is_alive(server) {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::time::timeout(patience, gone).await.is_ok()
}

async fn end_all(server: i32, cluster: &Path) -> Result<(), EmbeddedError> {
    for (signal, patience) in STEPS {
        let begun = Instant::now();
        let pids = at_work(cluster);
        if let (Some(signal), false) = (signal, pids.is_empty()) {
            tracing::warn!(postgres.pids = ?pids, %signal, "ending a PostgreSQL whose owner is gone");
            pids.iter().for_each(|pid| signal_to(*pid, signal));
        }
        while begun.elapsed() < patience {
            if at_work(cluster).is_empty() {
                return Ok(());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
    Err(EmbeddedError::OrphanStays { pid: server })
}

/// The processes of PostgreSQL in `cluster`, the server and what it started: all of them work in that directory.
fn at_work(cluster: &Path) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| works_in(*pid, cluster)).collect()
}

fn works_in(pid: i32, cluster: &Path) -> bool {
    let is_postgres = || fs::read(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with(b"postgres"));
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|directory| directory == cluster) && is_postgres()
}

fn has_proc() -> bool {
    Path::new("/proc/self/cwd").exists()
}

fn is_alive(pid: i32) -> bool {
    !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH))
}

fn signal_to(pid: i32, signal: Signal) {
    if let Err(error) = kill(Pid::from_raw(pid), signal) {
        tracing::debug!(postgres.pid = pid, %signal, %error, "cannot signal PostgreSQL");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_that_can_be_a_servers_is_taken_for_one() {
        assert_eq!(server_of("4711\n/data\n"), Some(4711));
        for none in ["", "\n", "rubbish\n", "-4711\n", "0\n", "1\n", "99999999999\n"] {
            assert_eq!(server_of(none), None, "{none:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_cannot_be_looked_at_is_waited_for_and_never_signalled() {
        let mut alive = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let pid = i32::try_from(alive.id()).unwrap();
        assert!(!end_of(pid, UNSEEN_PATIENCE).await);
        assert!(alive.try_wait().unwrap().is_none(), "it was left alone");
        alive.kill().unwrap();
        alive.wait().unwrap();
        assert!(end_of(pid, UNSEEN_PATIENCE).await);
    }
}
