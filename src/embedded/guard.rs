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
        let shell = Path::new("/bin/sh");
        let (orders, life) = pipe().map_err(EmbeddedError::io("open a pipe to", shell))?;
        let mut command = Command::new(shell);
        command.args(["-c", SCRIPT, "millrace-guard"]).arg(cluster);
        command.arg(if remove.is_empty() { "fast" } else { "immediate" }).args(remove);
        // A group of its own, so that Ctrl-C in the terminal does not reach it; no output, so that whoever reads the
        // owner's output does not wait for the guard.
        command.process_group(0).current_dir("/").stdin(orders).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().map_err(EmbeddedError::io("run", shell))?;
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
