//! Why the local cluster cannot be used. Names what to do about it where the reader can do something.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use super::binaries::{VERSION_MAX, VERSION_MIN};

#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error(
        "no PostgreSQL {VERSION_MIN} to {VERSION_MAX} on this machine{}; install one or say where its binaries are",
        listed(.rejected)
    )]
    NoBinaries { rejected: Vec<String> },
    #[error(
        "{} was made by PostgreSQL {version}, whose binaries are not on this machine{}",
        .directory.display(), listed(.rejected)
    )]
    NoBinariesOfVersion { directory: PathBuf, version: u32, rejected: Vec<String> },
    #[error("{} is in use by process {pid}", .directory.display())]
    Held { directory: PathBuf, pid: String },
    #[error("{} exists and is no PostgreSQL cluster: it has no PG_VERSION", .directory.display())]
    NotACluster { directory: PathBuf },
    #[error("{} is not empty, so it is not removed at the end of a throw-away cluster", .directory.display())]
    NotEmpty { directory: PathBuf },
    #[error("{} is not a directory that only PostgreSQL's user can enter", .directory.display())]
    NotPrivate { directory: PathBuf },
    #[error("{} belongs to someone else; choose a data directory of your own, or give it to {user}", .directory.display())]
    Foreign { directory: PathBuf, user: String },
    #[error("{} is not a plain file of one name, so it is not written to", .path.display())]
    NotALock { path: PathBuf },
    #[error("PostgreSQL cannot run as root, and there is neither a user postgres nor a user nobody to run it as")]
    NoUser,
    #[error(
        "PostgreSQL runs as {user}, who cannot enter {}; choose a data directory that user can reach",
        .directory.display()
    )]
    Unreachable { user: String, directory: PathBuf },
    #[error("cannot {action} {}", .path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{} failed ({status}): {output}", .program.display())]
    Program { program: PathBuf, status: ExitStatus, output: String },
    #[error("PostgreSQL ended while it started ({status}): {log}")]
    EndedAtStart { status: String, log: String },
    #[error("PostgreSQL did not accept connections within {waited:?}: {log}")]
    NotReady { waited: Duration, log: String },
    #[error("process {pid}, the PostgreSQL of an owner that is gone, does not end")]
    OrphanStays { pid: i32 },
    #[error("PostgreSQL did not stop within {waited:?} and was ended at once; it recovers when started again")]
    StoppedAtOnce { waited: Duration },
    #[error("PostgreSQL ended {times} times in a row and is not started again")]
    KeepsEnding { times: u32 },
    #[error("the local PostgreSQL did not answer within {waited:?}")]
    Silent { waited: Duration },
    #[error("the local PostgreSQL refused a statement")]
    Statement(#[source] tokio_postgres::Error),
    #[error("starting the local PostgreSQL was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl EmbeddedError {
    /// For `map_err`: what was being done to which path.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

fn listed(rejected: &[String]) -> String {
    if rejected.is_empty() { String::new() } else { format!(" (found {})", rejected.join(", ")) }
}
