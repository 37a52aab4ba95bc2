//! The store's check of itself, beside a running server or without one.

use super::{Failure, database};
use crate::clock::Clock;
use crate::config::{Config, Mode};
use crate::embedded::{Cluster, EmbeddedError};
use crate::store::Database;
use crate::verify::{self, Report};

/// How long PostgreSQL may take to stop when it was started for this.
const STOP_DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);

/// Reads all that is stored. A PostgreSQL of our own is used as it runs, or started for the time it takes.
///
/// # Errors
/// When the database cannot be reached or read. What is found wrong is in the report.
pub async fn verify(config: &Config, clock: &dyn Clock) -> Result<Report, Failure> {
    let (database, cluster) = match &config.mode {
        Mode::Dev { data_dir } if !data_dir.exists() => {
            return Err(format!("there is no data directory {}", data_dir.display()).into());
        }
        Mode::Dev { .. } | Mode::Production { .. } => reach(config).await?,
    };
    let report = verify::run(&database, clock.now()).await;
    database.close();
    if let Some(cluster) = cluster {
        cluster.stop(STOP_DEADLINE).await?;
    }
    Ok(report?)
}

async fn reach(config: &Config) -> Result<(Database, Option<Cluster>), Failure> {
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
