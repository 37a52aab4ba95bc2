//! One running server process: its signals, its end and its log.
//!
//! The task that waits for the process is the only one that signals it, so a signal never reaches a stranger who was
//! given the same process id.

use std::collections::VecDeque;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::{mpsc, watch};

use super::error::EmbeddedError;
use super::installation::Installation;
use super::machine::Machine;
use super::settings::settings;
use crate::shutdown::Tasks;

/// Signals that wait to be sent; more are dropped, as the ones before say it all.
const SIGNALS_WAITING_MAX: usize = 4;
/// The last lines of the log, kept to say why a start failed.
const LOG_LINES_KEPT: usize = 12;
/// A longer line of the log is taken as several.
const LOG_LINE_BYTES_MAX: u64 = 4096;

#[derive(Debug)]
pub(super) struct Postmaster {
    signals: mpsc::Sender<Signal>,
    /// How it ended, `None` while it runs.
    ended: watch::Receiver<Option<String>>,
    log: LogTail,
    _tasks: Tasks,
}

impl Postmaster {
    pub(super) fn launch(installation: &Installation) -> Result<Self, EmbeddedError> {
        let mut process = spawn(installation)?;
        let (signals, signals_waiting) = mpsc::channel(SIGNALS_WAITING_MAX);
        let (ended_sender, ended) = watch::channel(None);
        let log = LogTail::default();
        let tasks = Tasks::default();
        if let Some(stderr) = process.stderr.take() {
            tasks.spawn("postgres log", forward_log(stderr, log.clone()));
        }
        tasks.spawn("postgres", async move {
            let ending = attend(process, signals_waiting).await;
            // Nobody listens when the cluster was dropped; the guard ends the server then.
            ended_sender.send_replace(Some(ending));
        });
        Ok(Self { signals, ended, log, _tasks: tasks })
    }

    /// Sends a signal, unless the process has ended.
    pub(super) fn signal(&self, signal: Signal) {
        if let Err(error) = self.signals.try_send(signal) {
            tracing::debug!(%signal, %error, "signal not sent to PostgreSQL");
        }
    }

    /// Resolves with how the process ended, once it has.
    pub(super) async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        let ending = ended.wait_for(Option::is_some).await;
        // The task holds the other end until it has said how; only the end of the whole runtime can cut it short.
        ending.ok().and_then(|ending| ending.clone()).unwrap_or_else(|| "unknown".into())
    }

    /// The last lines of the log.
    pub(super) fn log_tail(&self) -> String {
        self.log.text()
    }
}

fn spawn(installation: &Installation) -> Result<Child, EmbeddedError> {
    let cluster = installation.directory.cluster();
    // Standard output leads to the guard, which must know the process before it is PostgreSQL.
    let script = r#"echo $$; exec "$@" >/dev/null"#;
    let mut command = installation.run_as.command(Path::new("/bin/sh"), &cluster);
    command.args(["-c", script, "sh"]).arg(installation.binaries.postgres()).arg("-D").arg(&cluster);
    let all = settings(Machine::detect(), installation.durable, &installation.directory.sockets);
    for (name, value) in all {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    let mut command = Command::from(command);
    // A group of its own: Ctrl-C in the terminal reaches the owner, who stops PostgreSQL when nothing needs it any more.
    command.process_group(0).stdout(installation.guard.announcements()?).stderr(std::process::Stdio::piped());
    command.spawn().map_err(EmbeddedError::io("run", &installation.binaries.postgres()))
}

/// Waits for the end of the process and signals it meanwhile.
async fn attend(mut process: Child, mut signals: mpsc::Receiver<Signal>) -> String {
    loop {
        tokio::select! {
            status = process.wait() => return describe(status),
            Some(signal) = signals.recv() => send(&process, signal),
        }
    }
}

fn send(process: &Child, signal: Signal) {
    let Some(pid) = process.id().and_then(|pid| i32::try_from(pid).ok()) else { return };
    if let Err(error) = kill(Pid::from_raw(pid), signal) {
        tracing::warn!(postgres.pid = pid, %signal, %error, "cannot signal PostgreSQL");
    }
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}

async fn forward_log(stderr: ChildStderr, tail: LogTail) {
    let mut reader = BufReader::new(stderr);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read = (&mut reader).take(LOG_LINE_BYTES_MAX).read_until(b'\n', &mut bytes).await;
        if !matches!(read, Ok(1..)) {
            return;
        }
        let text = String::from_utf8_lossy(&bytes);
        let line = text.trim_end();
        // What a client did wrong is the client's to report; only what concerns the server itself is said aloud.
        if line.starts_with("PANIC:") {
            tracing::error!(target: "postgres", "{line}");
        } else if line.starts_with("WARNING:") {
            tracing::warn!(target: "postgres", "{line}");
        } else {
            tracing::debug!(target: "postgres", "{line}");
        }
        tail.push(line);
    }
}

#[derive(Clone, Debug, Default)]
struct LogTail(Arc<Mutex<VecDeque<String>>>);

impl LogTail {
    fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
    }
}
