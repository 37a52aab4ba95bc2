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

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Sees to it that nothing runs in the cluster. The caller holds the directory's lock, so a server with our socket has
/// lost its owner. Returns whether the cluster was left without a shutdown.
pub(super) async fn clear(directory: &Directory) -> Result<bool, EmbeddedError> {
    let cluster = directory.cluster();
    let pid_file = cluster.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&pid_file) else { return Ok(false) };
    let Some(server) = text.lines().next().and_then(|line| line.trim().parse().ok()) else { return Ok(true) };
    // The fifth line is the socket directory.
    let ours = text.lines().nth(4) == Some(&*directory.sockets.to_string_lossy());
    if !ours && at_work(server, &cluster).contains(&server) {
        return Err(EmbeddedError::Held { directory: cluster, pid: server.to_string() });
    }
    end_all(server, &cluster).await?;
    if pid_file.exists() && has_proc() && is_alive(server) {
        // The number is an unrelated process by now, at which PostgreSQL would refuse to start. The file may only be
        // removed because nothing is at work: it is also PostgreSQL's own protection against that.
        fs::remove_file(&pid_file).map_err(EmbeddedError::io("remove", &pid_file))?;
        return Ok(true);
    }
    Ok(pid_file.exists())
}

async fn end_all(server: i32, cluster: &Path) -> Result<(), EmbeddedError> {
    for (signal, patience) in STEPS {
        let begun = Instant::now();
        let pids = at_work(server, cluster);
        if let (Some(signal), false) = (signal, pids.is_empty()) {
            tracing::warn!(postgres.pids = ?pids, %signal, "ending a PostgreSQL whose owner is gone");
            pids.iter().for_each(|pid| signal_to(*pid, signal));
        }
        while begun.elapsed() < patience {
            if at_work(server, cluster).is_empty() {
                return Ok(());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
    Err(EmbeddedError::OrphanStays { pid: server })
}

/// The processes of PostgreSQL in `cluster`, the server and what it started: all of them work in that directory. Where
/// the system does not show that, the server counts while its number is alive, as it does for PostgreSQL itself.
fn at_work(server: i32, cluster: &Path) -> Vec<i32> {
    if !has_proc() {
        return if is_alive(server) { vec![server] } else { Vec::new() };
    }
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
