//! Programs started by this one: their end, their memory, their CPU time, read from `/proc`.
//!
//! Nothing is ever ended that was not started here: a signal goes to a child by its handle, or to a process whose
//! working directory lies in a directory made for this run.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::clock;

/// What `/proc` counts CPU time in; Linux has told user space 100 a second on every architecture for decades.
const TICKS_PER_S: f64 = 100.0;
const POLL_INTERVAL: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    #[error("cannot start {program}")]
    Start { program: String, source: io::Error },
    #[error("{program} ended early with {status}; see {log}", log = log.display())]
    Ended { program: String, status: std::process::ExitStatus, log: PathBuf },
    #[error("{program} was not ready within {wait_s} s; see {log}", log = log.display())]
    NotReady { program: String, wait_s: u64, log: PathBuf },
    #[error("process {pid} was not started by this run and is left alone")]
    NotOurs { pid: u32 },
    #[error("cannot signal process {pid}")]
    Signal { pid: u32, source: io::Error },
}

/// A program that runs until it is stopped; killed when dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command` with its output in `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self, ProcessError> {
        let name = command.get_program().to_string_lossy().into_owned();
        let start = || {
            let file = std::fs::File::options().create(true).append(true).open(log)?;
            command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()
        };
        let child = { start }().map_err(|source| ProcessError::Start { program: name.clone(), source })?;
        Ok(Self { name, child, log: log.to_owned() })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks `ready` again and again until it says yes.
    pub(crate) fn wait_until_ready(
        &mut self,
        wait: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), ProcessError> {
        let deadline = Instant::now() + wait;
        while !ready() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(ProcessError::Ended { program: self.name.clone(), status, log: self.log.clone() });
            }
            if Instant::now() > deadline {
                let (program, log) = (self.name.clone(), self.log.clone());
                return Err(ProcessError::NotReady { program, wait_s: wait.as_secs(), log });
            }
            clock::wait_until(Instant::now() + POLL_INTERVAL);
        }
        Ok(())
    }

    /// Sends `signal`, waits, and kills what is still there. True when it ended by itself.
    pub(crate) fn stop(&mut self, signal: &str, wait: Duration) -> Result<bool, ProcessError> {
        if self.is_running() {
            send(signal, self.pid())?;
        }
        let deadline = Instant::now() + wait;
        while self.is_running() && Instant::now() < deadline {
            clock::wait_until(Instant::now() + POLL_INTERVAL);
        }
        let ended = !self.is_running();
        self.kill();
        Ok(ended)
    }

    /// Ends the program at once, as a power failure would.
    pub(crate) fn kill(&mut self) {
        // Both fail only for a process that has already ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills a process whose working directory lies in `dir`, and no other.
///
/// # Errors
/// When the process is not there or is not one of this run.
pub(crate) fn kill_within(pid: u32, dir: &Path) -> Result<(), ProcessError> {
    if !works_in(pid, dir) {
        return Err(ProcessError::NotOurs { pid });
    }
    send("KILL", pid)
}

/// True while a process with this number works in `dir`.
pub(crate) fn works_in(pid: u32, dir: &Path) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(dir))
}

/// Resident memory of one process.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// CPU seconds used so far by a process, all that descend from it and all that work in `dir`, ended ones included.
pub(crate) fn cpu_seconds(pid: u32, dir: &Path) -> f64 {
    let stats: Vec<Stat> = all_pids().into_iter().filter_map(Stat::read).collect();
    let mut family: HashSet<u32> = HashSet::from([pid]);
    family.extend(stats.iter().map(|stat| stat.pid).filter(|pid| works_in(*pid, dir)));
    loop {
        let known = family.len();
        let children: Vec<u32> =
            stats.iter().filter(|stat| family.contains(&stat.parent)).map(|stat| stat.pid).collect();
        family.extend(children);
        if family.len() == known {
            break;
        }
    }
    let ticks: u64 = stats.iter().filter(|stat| family.contains(&stat.pid)).map(|stat| stat.ticks).sum();
    ticks as f64 / TICKS_PER_S
}

/// The limit on open files of this process, which those it starts inherit.
pub(crate) fn open_files_max() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Tries to raise that limit and returns what it is then.
pub(crate) fn raise_open_files(wanted: u64) -> u64 {
    let own = std::process::id().to_string();
    if open_files_max().unwrap_or(0) < wanted {
        let limit = format!("--nofile={wanted}:{wanted}");
        // Without the right to do so the limit stays as it is, and the caller is told.
        drop(Command::new("prlimit").args(["--pid", &own, &limit]).stderr(Stdio::null()).status());
    }
    open_files_max().unwrap_or(0)
}

/// True when this process is root, which PostgreSQL refuses to run as.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|facts| facts.uid() == 0)
}

#[derive(Debug)]
struct Stat {
    pid: u32,
    parent: u32,
    ticks: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        Self::parse(pid, &std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The second field is a name in parentheses that may itself hold spaces and parentheses.
    fn parse(pid: u32, text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>()).sum::<Result<u64, _>>().ok()?;
        Some(Self { pid, parent: fields.get(1)?.parse().ok()?, ticks })
    }
}

fn all_pids() -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn send(signal: &str, pid: u32) -> Result<(), ProcessError> {
    let kill = Command::new("kill").args(["-s", signal, &pid.to_string()]).stderr(Stdio::null()).status();
    kill.map(drop).map_err(|source| ProcessError::Signal { pid, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::WorkDir;

    #[test]
    fn a_stat_line_is_read_past_a_name_with_parentheses() {
        let text = "7 (a (b) c) S 3 7 7 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 1 0 5 0 0";
        let stat = Stat::parse(7, text).unwrap();
        assert_eq!((stat.parent, stat.ticks), (3, 110));
        assert!(Stat::parse(7, "nonsense").is_none());
    }

    #[test]
    fn a_process_is_stopped_and_one_of_others_is_left_alone() {
        let dir = WorkDir::new(None).unwrap();
        let mut command = Command::new("sleep");
        command.arg("60").current_dir(dir.path());
        let mut daemon = Daemon::start(command, &dir.path().join("log")).unwrap();
        assert!(works_in(daemon.pid(), dir.path()));
        assert!(resident_bytes(daemon.pid()).is_some());
        assert!(matches!(kill_within(std::process::id(), dir.path()), Err(ProcessError::NotOurs { .. })));
        assert!(daemon.stop("TERM", Duration::from_secs(10)).unwrap());
    }

    #[test]
    fn a_program_that_ends_before_it_is_ready_is_reported_with_its_log() {
        let dir = WorkDir::new(None).unwrap();
        let mut daemon = Daemon::start(Command::new("false"), &dir.path().join("log")).unwrap();
        let outcome = daemon.wait_until_ready(Duration::from_secs(10), || false);
        assert!(matches!(outcome, Err(ProcessError::Ended { .. })));
    }

    #[test]
    fn own_limits_and_cpu_time_are_known() {
        assert!(open_files_max().is_some_and(|limit| limit > 0));
        assert!(cpu_seconds(std::process::id(), Path::new("/nonexistent")) >= 0.0);
    }
}
