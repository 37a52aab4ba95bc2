//! Keeps PostgreSQL running for as long as its owner wants it.

use std::future::Future;
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::error::EmbeddedError;
use crate::backoff::Backoff;

const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// After so many ends in a row the cause is not one that a start cures.
const RESTARTS_MAX: u32 = 8;
/// A server that ran for this long was well; the next end is the first of a row.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// Starts PostgreSQL again whenever it ends by itself, until `stopping` resolves; then stops it within `stop_deadline`.
/// The owner resolves `stopping` when nothing needs the database any more.
///
/// # Errors
/// When PostgreSQL ends too often in a row, or the deadline passes.
pub async fn supervise(
    mut cluster: Cluster,
    stopping: impl Future<Output = ()> + Send,
    stop_deadline: Duration,
) -> Result<(), EmbeddedError> {
    let mut stopping = std::pin::pin!(stopping);
    let mut restarts = 0;
    let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    loop {
        let up_since = Instant::now();
        tokio::select! {
            () = &mut stopping => return cluster.stop(stop_deadline).await,
            status = cluster.exited() => {
                tracing::error!(postgres.status = status, "PostgreSQL ended by itself, starting it again");
            }
        }
        if up_since.elapsed() > WELL_AFTER {
            restarts = 0;
            backoff.reset();
        }
        restarts += 1;
        if restarts > RESTARTS_MAX {
            return Err(EmbeddedError::KeepsEnding { times: restarts });
        }
        tokio::select! {
            () = &mut stopping => return cluster.stop(stop_deadline).await,
            () = tokio::time::sleep(backoff.pause()) => {}
        }
        tokio::select! {
            () = &mut stopping => return cluster.stop(stop_deadline).await,
            restarted = cluster.restart() => if let Err(error) = restarted {
                // Seen as ended at the top of the loop, which bounds how often.
                tracing::error!(error = &error as &dyn std::error::Error, "PostgreSQL does not start");
            },
        }
    }
}
