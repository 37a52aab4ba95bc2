//! The store's check of itself, beside a running server or without one.

use super::{Failure, database};
use crate::clock::Clock;
use crate::config::{Config, Mode};
use crate::embedded::{Cluster, EmbeddedError};
use crate::store::Database;
use crate::verify::{self, Report};

/// How long PostgreSQL may take to stop when it was started for this.
pub(super) const STOP_DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);

/// Reads all that is stored. A PostgreSQL of our own is used as it runs, or started for the time it takes.
///
/// # Errors
/// When the database cannot be reached or read. What is found wrong is in the report.
pub async fn verify(config: &Config, clock: &dyn Clock) -> Result<Report, Failure> {
    let (database, cluster) = reach(config).await?;
    let report = verify::run(&database, clock.now()).await;
    database.close();
    if let Some(cluster) = cluster {
        cluster.stop(STOP_DEADLINE).await?;
    }
    Ok(report?)
}

/// A PostgreSQL of our own that another process has is used as it runs.
pub(super) async fn reach(config: &Config) -> Result<(Database, Option<Cluster>), Failure> {
    if let Mode::Dev { data_dir } = &config.mode
        && !data_dir.exists()
    {
        return Err(format!("there is no data directory {}", data_dir.display()).into());
    }
    match database::open(config).await {
        Err(error) => match error.downcast_ref::<EmbeddedError>() {
            Some(EmbeddedError::Held { directory, .. }) => {
                let held = Cluster::config_of_held(directory, database::NAME);
                Ok((Database::new(held, database::pool(config))?, None))
            }
            _ => Err(error),
        },
        opened => opened,
    }
}
