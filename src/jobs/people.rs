//! What becomes of sessions, tokens and invitations that are over, and of old entries of the audit: nothing.

use std::time::Duration;

use super::{Context, JobError};
use crate::model::Micros;
use crate::store::{audit, invites, refresh_tokens, sessions, transactions};

/// Rows of each kind removed in one transaction.
const ROWS_MAX: i64 = 10_000;
/// Transactions of one run; what is left is for the next.
const TRANSACTIONS_MAX: u32 = 100;
/// An invitation is shown for so long after its end.
const INVITES_SHOWN: Duration = Duration::from_secs(30 * 86_400);

/// Removes what is over, a bounded number of rows at a time, and answers how many there were. The audit goes back as far
/// as `audit_kept`.
///
/// # Errors
/// When PostgreSQL is not available. What was removed stays removed.
pub async fn expire(context: &Context, audit_kept: Duration) -> Result<u64, JobError> {
    let now = context.clock.now();
    let mut client = context.database.client().await?;
    let mut removed = 0;
    for _ in 0..TRANSACTIONS_MAX {
        let transaction = transactions::begin(&mut client).await?;
        let rows = [
            sessions::expire(&transaction, now, ROWS_MAX).await?,
            refresh_tokens::expire(&transaction, now, ROWS_MAX).await?,
            invites::expire(&transaction, before(now, INVITES_SHOWN), ROWS_MAX).await?,
            audit::expire(&transaction, before(now, audit_kept), ROWS_MAX).await?,
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
