//! An empty data directory becomes one with a cluster: all of it or nothing.

use std::fs::{self, File};
use std::path::Path;

use super::binaries::Binaries;
use super::directory::{Directory, make_private};
use super::error::EmbeddedError;
use super::run_as::RunAs;

/// The one role of the cluster.
pub(super) const SUPERUSER: &str = "millrace";

/// A directory of this name is a cluster in the making, and rubbish once its maker is gone.
const MAKING_PREFIX: &str = "postgres.making.";

/// Makes the cluster beside its place and renames it, so that a cluster in its place is always complete. What an
/// interrupted attempt left is removed. Each attempt has its own name, because a killed owner's `initdb` may still run.
pub(super) fn make_cluster(
    directory: &Directory,
    binaries: &Binaries,
    run_as: &RunAs,
    durable: bool,
) -> Result<(), EmbeddedError> {
    remove_half_made(&directory.root);
    tracing::info!(postgres.version = binaries.version, "making a PostgreSQL cluster");
    let making = directory.root.join(format!("{MAKING_PREFIX}{}", std::process::id()));
    make_private(&making, run_as)?;
    let initdb = binaries.initdb();
    let mut command = run_as.command(&initdb, &directory.sockets);
    command.arg("--pgdata").arg(&making).args(["--username", SUPERUSER]);
    command.args(["--encoding=UTF8", "--locale=C", "--auth-local=trust", "--auth-host=reject"]);
    // Checksums cost little, as pages are written once and far apart, and turn silent damage into an error.
    command.args(["--data-checksums", "--no-instructions"]);
    if !durable {
        command.arg("--no-sync");
    }
    let output = command.output().map_err(EmbeddedError::io("run", &initdb))?;
    if !output.status.success() {
        let output_text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(EmbeddedError::Program { program: initdb, status: output.status, output: output_text });
    }
    let cluster = directory.cluster();
    fs::rename(&making, &cluster).map_err(EmbeddedError::io("rename to", &cluster))?;
    if durable {
        let synced = File::open(&directory.root).and_then(|root| root.sync_all());
        synced.map_err(EmbeddedError::io("sync", &directory.root))?;
    }
    Ok(())
}

fn remove_half_made(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(MAKING_PREFIX) {
            continue;
        }
        // An orphaned initdb may add to it meanwhile. It is in nobody's way, so the next attempt may remove it.
        if let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::warn!(path = %entry.path().display(), %error, "cannot remove a half-made cluster");
        }
    }
}
