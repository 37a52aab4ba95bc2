//! What is ready before a server process runs: the binaries, the user, the claimed directory with a cluster in it, and
//! the guard.

use std::fs;
use std::path::PathBuf;

use super::Settings;
use super::binaries::Binaries;
use super::directory::Directory;
use super::error::EmbeddedError;
use super::guard::Guard;
use super::initdb::make_cluster;
use super::orphan;
use super::run_as::RunAs;

#[derive(Debug)]
pub(super) struct Installation {
    pub(super) durable: bool,
    pub(super) binaries: Binaries,
    pub(super) run_as: RunAs,
    pub(super) directory: Directory,
    pub(super) guard: Guard,
    /// Removed at the end; empty unless the cluster is a throw-away one.
    remove: Vec<PathBuf>,
}

impl Installation {
    pub(super) async fn prepare(settings: Settings) -> Result<Self, EmbeddedError> {
        let work = tokio::task::spawn_blocking(move || Self::prepare_blocking(&settings));
        work.await.map_err(EmbeddedError::Interrupted)?
    }

    /// Clears away what an owner before us left. Returns whether the cluster was left without a shutdown.
    pub(super) async fn clear(&mut self) -> Result<bool, EmbeddedError> {
        // Whoever killed the server may have killed the guard too.
        if !self.guard.is_running() {
            self.guard = Guard::start(&self.directory.cluster(), &self.remove)?;
        }
        orphan::clear(&self.directory).await
    }

    fn prepare_blocking(settings: &Settings) -> Result<Self, EmbeddedError> {
        let run_as = RunAs::detect()?;
        if settings.throw_away && fs::read_dir(&settings.data_dir).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(EmbeddedError::NotEmpty { directory: settings.data_dir.clone() });
        }
        let directory = Directory::claim(&settings.data_dir, &run_as)?;
        let cluster = directory.cluster();
        let version = directory.version()?;
        let wanted = version.map(|version| (version, cluster.as_path()));
        let binaries = Binaries::find(settings.binaries.as_deref(), wanted)?;
        let remove = match settings.throw_away {
            true => vec![directory.root.clone(), directory.sockets.clone()],
            false => Vec::new(),
        };
        // Before the first file of a cluster is written, so that a throw-away one never stays behind.
        let guard = Guard::start(&cluster, &remove)?;
        if version.is_none() {
            make_cluster(&directory, &binaries, &run_as, settings.durable)?;
        }
        Ok(Self { durable: settings.durable, binaries, run_as, directory, guard, remove })
    }
}
