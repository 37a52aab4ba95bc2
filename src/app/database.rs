//! The database: a PostgreSQL of our own, or the one an operator runs.

use std::time::{Duration, Instant};

use super::Failure;
use crate::config::{Config, Mode};
use crate::embedded::{Cluster, Settings};
use crate::store::Database;
use crate::store::database::PoolConfig;

pub(super) const NAME: &str = "millrace";
/// How long someone else's PostgreSQL may take to come up, as when both are started together.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(250);

/// Reaches the database, having started it first where it is our own.
pub(super) async fn open(config: &Config) -> Result<(Database, Option<Cluster>), Failure> {
    let pool = pool(config);
    match &config.mode {
        Mode::Dev { data_dir } => {
            let data_dir = std::path::absolute(data_dir)?;
            let settings = Settings { data_dir, durable: true, binaries: None, throw_away: false };
            let cluster = Cluster::start(settings).await?;
            cluster.ensure_database(NAME).await?;
            Ok((Database::new(cluster.config(NAME), pool)?, Some(cluster)))
        }
        Mode::Production { database } => {
            // The parser's own error could quote the text, which holds a password.
            let config = database.reveal().parse().map_err(|_| "the database URL cannot be understood")?;
            let database = Database::new(config, pool)?;
            wait_for(&database).await?;
            Ok((database, None))
        }
    }
}

pub(super) fn pool(config: &Config) -> PoolConfig {
    PoolConfig {
        connections_max: config.database.connections_max,
        connect_timeout: config.database.connect_timeout,
        wait_max: config.database.wait_timeout,
        statement_timeout: config.database.statement_timeout,
    }
}

async fn wait_for(database: &Database) -> Result<(), Failure> {
    let started = Instant::now();
    loop {
        match database.ping().await {
            Ok(()) => return Ok(()),
            Err(error) if started.elapsed() < PATIENCE && error.is_unavailable() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "waiting for PostgreSQL");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
