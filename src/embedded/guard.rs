//! The process that ends PostgreSQL when the owner is gone.
//!
//! A killed owner cannot clean up, so a small shell process does: it reads from a pipe whose write end the owner
//! holds, and the operating system closes that end whenever and however the owner ends. PostgreSQL's launcher writes
//! its process id into the same pipe before it becomes PostgreSQL, so there is no moment at which a server runs that
//! the guard does not know.

use std::io::{PipeWriter, Write, pipe};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::error::EmbeddedError;
use super::run_as::PATH;

const SHELL: &str = "/bin/sh";
const SCRIPT: &str = include_str!("guard.sh");

/// The guard only removes a directory when PostgreSQL has ended already.
const END_DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Guard {
    life: PipeWriter,
    process: Child,
}

impl Guard {
    /// Starts the guard of `cluster`. With `remove` it is a throw-away cluster, whose server is ended at once and whose
    /// directories are removed. Needs a Tokio runtime.
    pub(super) fn start(cluster: &Path, remove: &[PathBuf]) -> Result<Self, EmbeddedError> {
        let (orders, life) = pipe().map_err(EmbeddedError::io("open a pipe to", Path::new(SHELL)))?;
        let mut command = shell(SCRIPT);
        command.arg("millrace-guard").arg(cluster);
        command.arg(if remove.is_empty() { "fast" } else { "immediate" }).args(remove);
        // A group of its own, so that Ctrl-C in the terminal does not reach it; no output, so that whoever reads the
        // owner's output does not wait for the guard.
        command.process_group(0).current_dir("/").stdin(orders).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().map_err(EmbeddedError::io("run", Path::new(SHELL)))?;
        Ok(Self { life, process })
    }

    /// The end of the pipe that the launcher writes its process id to.
    pub(super) fn announcements(&self) -> Result<Stdio, EmbeddedError> {
        let end = self.life.try_clone().map_err(EmbeddedError::io("share the pipe to", Path::new("the guard")))?;
        Ok(Stdio::from(end))
    }

    /// Tells the guard that the server has ended, so that it does not signal whoever gets the number next.
    pub(super) fn server_ended(&mut self) {
        if let Err(error) = self.life.write_all(b"\n") {
            tracing::warn!(%error, "the guard of PostgreSQL is gone");
        }
    }

    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Lets the guard do its work and waits for its end.
    pub(super) async fn finish(self) {
        let Self { life, mut process } = self;
        drop(life);
        if tokio::time::timeout(END_DEADLINE, process.wait()).await.is_err() {
            tracing::warn!("the guard of PostgreSQL is still removing files");
        }
    }
}

/// A shell with nothing of the owner's environment: it may hold secrets, and the guard outlives the owner.
fn shell(script: &str) -> Command {
    let mut command = Command::new(SHELL);
    command.env_clear().env("PATH", PATH).env("LC_ALL", "C").args(["-c", script]);
    command
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::process::ExitStatusExt;
    use std::process;

    use super::*;

    /// Starts a process that heeds nothing but SIGKILL, tells the guard of a cluster that it is the server, and lets the
    /// owner die. Answers whether it lives when the guard has ended.
    fn survives_the_guard(test: &str, pid_file: impl Fn(u32) -> String) -> bool {
        let cluster = std::env::temp_dir().join(format!("millrace-guard-{test}-{}", process::id()));
        fs::create_dir_all(&cluster).unwrap();
        let mut stubborn = process::Command::new("/bin/sh");
        stubborn.args(["-c", "trap '' INT QUIT; echo ready; exec sleep 1000"]).stdout(Stdio::piped());
        let mut stubborn = stubborn.spawn().unwrap();
        std::io::Read::read_exact(stubborn.stdout.as_mut().unwrap(), &mut [0; 6]).unwrap();
        fs::write(cluster.join("postmaster.pid"), pid_file(stubborn.id())).unwrap();

        let mut guard = process::Command::new("/bin/sh");
        // Fewer tenths, so that the test does not take as long.
        let script = SCRIPT.replace("QUIT 100", "QUIT 15").replace("KILL 50", "KILL 1");
        guard.args(["-c", &script, "guard"]).arg(&cluster).arg("immediate").stdin(Stdio::piped());
        let mut guard = guard.spawn().unwrap();
        writeln!(guard.stdin.take().unwrap(), "{}", stubborn.id()).unwrap();
        guard.wait().unwrap();
        fs::remove_dir_all(&cluster).unwrap();
        let survives = stubborn.try_wait().unwrap().is_none();
        stubborn.kill().unwrap();
        assert_eq!(stubborn.wait().unwrap().signal(), Some(9));
        survives
    }

    #[test]
    fn a_server_that_does_not_end_is_killed() {
        assert!(!survives_the_guard("killed", |pid| format!("{pid}\n/data\n")));
    }

    #[test]
    fn a_process_that_the_cluster_does_not_name_is_not_killed() {
        assert!(survives_the_guard("other", |pid| format!("{}\n/data\n", pid + 1)));
    }

    #[tokio::test]
    async fn the_guard_knows_nothing_of_the_owners_environment() {
        let shown = shell("env").output().await.unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        let mut names: Vec<&str> = shown.lines().filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
        names.sort_unstable();
        names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name)); // the shell's own
        assert_eq!(names, ["LC_ALL", "PATH"]);
    }
}
