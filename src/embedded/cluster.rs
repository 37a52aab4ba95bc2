//! The handle to the local cluster. Dropping it ends PostgreSQL as well, only without waiting.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use super::Settings;
use super::directory::{PORT, reach};
use super::error::EmbeddedError;
use super::initdb::SUPERUSER;
use super::installation::Installation;
use super::postmaster::Postmaster;
use super::ready;

/// Connecting to a local socket either works at once or not at all; a server in trouble may leave one hanging.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For connecting, looking for a database and making it, which copies some megabytes.
const ENSURE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the processes of a killed server may keep its memory, and with it a new server, from starting.
const REMNANTS_DEADLINE: Duration = Duration::from_secs(5);
const REMNANTS_POLL_INTERVAL: Duration = Duration::from_millis(50);
/// For the clean shutdown before a restart.
const RESTART_STOP_DEADLINE: Duration = Duration::from_secs(30);
/// PostgreSQL itself kills what does not end within five seconds of an immediate shutdown.
const IMMEDIATE_STOP_DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Cluster {
    postmaster: Postmaster,
    installation: Installation,
}

impl Cluster {
    /// Claims the data directory, makes a cluster in it when there is none, starts PostgreSQL and waits until it accepts
    /// connections. A crash of an earlier owner or server is recovered from.
    ///
    /// # Errors
    /// When there is no suitable PostgreSQL, the directory is held or cannot be used, or the server does not come up.
    pub async fn start(settings: Settings) -> Result<Self, EmbeddedError> {
        let begun = Instant::now();
        let mut installation = Installation::prepare(settings).await?;
        let crashed = installation.clear().await?;
        let postmaster = Postmaster::launch(&installation)?;
        let mut cluster = Self { postmaster, installation };
        cluster.come_up(crashed).await?;
        let version = cluster.installation.binaries.version;
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(postgres.version = version, took_ms, "PostgreSQL accepts connections");
        Ok(cluster)
    }

    /// How to connect to a database of a cluster that another process holds, given the directory that
    /// [`EmbeddedError::Held`] names.
    pub fn config_of_held(directory: &Path, database: &str) -> Config {
        let mut config = reach(directory, database);
        config.connect_timeout(CONNECT_TIMEOUT);
        config
    }

    /// How to connect to `database`. Stays valid over a restart.
    pub fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host_path(&self.installation.directory.sockets).port(PORT).user(SUPERUSER).dbname(database);
        config.connect_timeout(CONNECT_TIMEOUT);
        config
    }

    /// Makes `database` unless it exists.
    ///
    /// # Errors
    /// When PostgreSQL cannot be reached, refuses, or does not answer.
    pub async fn ensure_database(&self, database: &str) -> Result<(), EmbeddedError> {
        let ensuring = async {
            let (client, connection) = self.config("postgres").connect(NoTls).await?;
            // The connection ends by itself when the client is dropped, which the other branch does.
            tokio::join!(create_database(client, database), connection).0
        };
        // All of it: the timeout in the configuration is for the socket only.
        let ensured = tokio::time::timeout(ENSURE_TIMEOUT, ensuring).await;
        let ensured = ensured.map_err(|_| EmbeddedError::Silent { waited: ENSURE_TIMEOUT })?;
        ensured.map_err(EmbeddedError::Statement)
    }

    /// Resolves with how PostgreSQL ended, once it has.
    pub async fn exited(&self) -> String {
        self.postmaster.ended().await
    }

    /// Kills the server without warning, as a fault would. Use [`Cluster::exited`] to see it gone.
    pub fn kill(&self) {
        self.postmaster.signal(Signal::SIGKILL);
    }

    /// Starts PostgreSQL again, after stopping it if it runs. May be given up halfway: the cluster can be stopped or
    /// restarted then.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub async fn restart(&mut self) -> Result<(), EmbeddedError> {
        if !self.end_with(Signal::SIGINT, RESTART_STOP_DEADLINE).await {
            self.end_at_once().await;
        }
        self.installation.guard.server_ended();
        let crashed = self.installation.clear().await?;
        self.postmaster = Postmaster::launch(&self.installation)?;
        self.come_up(crashed).await
    }

    /// Stops PostgreSQL: fast within `deadline`, at once after it. A throw-away cluster is removed.
    ///
    /// # Errors
    /// When the deadline has passed. Nothing committed is lost; the next start has to recover.
    pub async fn stop(self, deadline: Duration) -> Result<(), EmbeddedError> {
        let in_time = self.end_with(Signal::SIGINT, deadline).await;
        if !in_time {
            self.end_at_once().await;
        }
        let Self { mut installation, .. } = self;
        installation.guard.server_ended();
        let Installation { guard, directory, .. } = installation;
        guard.finish().await;
        // Only now may another owner claim it.
        drop(directory);
        if in_time { Ok(()) } else { Err(EmbeddedError::StoppedAtOnce { waited: deadline }) }
    }

    /// Waits until the server accepts connections. After a crash it may end again and again while remnants of the old
    /// one hold its memory: not every system shows them, so that is borne for a while. After a clean shutdown the first
    /// failure counts.
    async fn come_up(&mut self, crashed: bool) -> Result<(), EmbeddedError> {
        let config = self.config("postgres");
        let begun = Instant::now();
        loop {
            match ready::accepting(&self.postmaster, &config).await {
                Ok(()) => return Ok(()),
                Err(EmbeddedError::EndedAtStart { .. }) if crashed && begun.elapsed() < REMNANTS_DEADLINE => {
                    self.installation.guard.server_ended();
                    tokio::time::sleep(REMNANTS_POLL_INTERVAL).await;
                    self.postmaster = Postmaster::launch(&self.installation)?;
                }
                Err(error) => {
                    self.end_at_once().await;
                    return Err(error);
                }
            }
        }
    }

    async fn end_at_once(&self) {
        if !self.end_with(Signal::SIGQUIT, IMMEDIATE_STOP_DEADLINE).await {
            self.kill();
            self.exited().await;
        }
    }

    async fn end_with(&self, signal: Signal, deadline: Duration) -> bool {
        self.postmaster.signal(signal);
        tokio::time::timeout(deadline, self.exited()).await.is_ok()
    }
}

async fn create_database(client: Client, database: &str) -> Result<(), tokio_postgres::Error> {
    let known = client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&database]).await?;
    if known.is_some() {
        return Ok(());
    }
    let created = client.batch_execute(&format!("CREATE DATABASE {}", quoted(database))).await;
    match created {
        // Someone else was faster.
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => Ok(()),
        other => other,
    }
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\"; DROP DATABASE b; --"), "\"a\"\"; DROP DATABASE b; --\"");
    }
}
