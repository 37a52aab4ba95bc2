//! What becomes of events, log lines and what was refused: nothing, once they are older than they are kept.

use std::time::Duration;

use super::keep::drop_months;
use super::{Context, JobError};
use crate::model::Micros;
use crate::store::StoreError;
use crate::store::entries::{expire_events, expire_logs};
use crate::store::partitions::Monthly;
use crate::store::rejects;

/// Rows removed in one transaction.
const ROWS_MAX: i64 = 10_000;
/// Transactions of one run; what is left is for the next.
const TRANSACTIONS_MAX: u32 = 1_000;

/// How long entries are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    pub events: Duration,
    pub logs: Duration,
    pub rejects: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        const DAYS_30: Duration = Duration::from_secs(30 * 86_400);
        const DAYS_7: Duration = Duration::from_secs(7 * 86_400);
        Self { events: DAYS_30, logs: DAYS_30, rejects: DAYS_7 }
    }
}

/// Removes what is older than `retention`, a bounded number of rows at a time, and answers how many there were. Months of
/// which all is older are dropped then.
///
/// # Errors
/// When PostgreSQL is not available, or someone keeps a month that is to go. What was removed stays removed.
pub async fn expire(context: &Context, retention: Retention) -> Result<u64, JobError> {
    let now = context.clock.now();
    let mut client = context.database.client().await?;
    let mut removed = 0;
    for _ in 0..TRANSACTIONS_MAX {
        let transaction = client.transaction().await.map_err(StoreError::from)?;
        let events = expire_events(&transaction, before(now, retention.events), ROWS_MAX).await?;
        let logs = expire_logs(&transaction, before(now, retention.logs), ROWS_MAX).await?;
        let rejects = rejects::expire(&transaction, before(now, retention.rejects), ROWS_MAX).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        removed += events + logs + rejects;
        if events.max(logs).max(rejects) < ROWS_MAX as u64 {
            break;
        }
    }
    // Dropping takes connections of its own.
    drop(client);
    drop_months(context, Monthly::Events, before(now, retention.events)).await?;
    drop_months(context, Monthly::Logs, before(now, retention.logs)).await?;
    Ok(removed)
}

fn before(now: Micros, kept: Duration) -> Micros {
    Micros(now.0.saturating_sub(i64::try_from(kept.as_micros()).unwrap_or(i64::MAX)))
}
