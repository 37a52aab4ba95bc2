//! What becomes of alerts that are over, of their history and of messages that were delivered: nothing, in the end.

use std::time::Duration;

use super::{Context, JobError};
use crate::model::Micros;
use crate::store::{alerts, transactions};

/// Rows of each kind removed in one transaction.
const ROWS_MAX: i64 = 10_000;
/// Transactions of one run; what is left is for the next.
const TRANSACTIONS_MAX: u32 = 1_000;
/// How a rule stood with a series is known for so long after it was over.
const RESOLVED_KEPT: Duration = Duration::from_secs(7 * 86_400);
/// What was delivered or given up is shown for so long.
const NOTICES_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Removes what is over, a bounded number of rows at a time, and answers how many there were. The history goes back as
/// far as `history_kept`.
///
/// # Errors
/// When PostgreSQL is not available. What was removed stays removed.
pub async fn expire(context: &Context, history_kept: Duration) -> Result<u64, JobError> {
    let now = context.clock.now();
    let mut client = context.database.client().await?;
    let mut removed = 0;
    for _ in 0..TRANSACTIONS_MAX {
        let transaction = transactions::begin(&mut client).await?;
        let rows = [
            alerts::expire_events(&transaction, before(now, history_kept), ROWS_MAX).await?,
            alerts::expire_states(&transaction, before(now, RESOLVED_KEPT), ROWS_MAX).await?,
            alerts::expire_notices(&transaction, before(now, NOTICES_KEPT), ROWS_MAX).await?,
        ];
        transactions::commit(transaction).await?;
        removed += rows.iter().sum::<u64>();
        if rows.iter().all(|rows| *rows < ROWS_MAX as u64) {
            break;
        }
    }
    Ok(removed)
}

fn before(now: Micros, kept: Duration) -> Micros {
    Micros(now.0.saturating_sub(i64::try_from(kept.as_micros()).unwrap_or(i64::MAX)))
}
