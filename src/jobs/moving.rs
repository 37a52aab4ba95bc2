//! The transactions in which data move.
//!
//! They are READ COMMITTED on purpose. A lock that is taken within a transaction is gained when its last owner commits,
//! and a snapshot taken with the statement that asks for it would be older than that commit: the owner's work would not
//! be seen. Here every statement after the lock sees all that its former owners did. What else could change between two
//! statements is new parts in recent, so these are deleted by where they were read, never by a condition.

use super::JobError;
use crate::store::locks::{self, Moving};
use crate::store::{Client, StoreError, Transaction};

/// Begins a transaction that may change the levels below the journal.
///
/// # Errors
/// [`JobError::Elsewhere`] when another holds the lock, or when PostgreSQL is not available.
pub(super) async fn begin(client: &mut Client) -> Result<Transaction<'_>, JobError> {
    let transaction = client.transaction().await.map_err(StoreError::from)?;
    if !locks::try_lock(&transaction, Moving::Levels).await? {
        return Err(JobError::Elsewhere);
    }
    locks::plan_for_moving(&transaction).await?;
    Ok(transaction)
}

/// # Errors
/// When PostgreSQL is not available: it may be committed or not. The next run finds out by itself what is left.
pub(super) async fn commit(transaction: Transaction<'_>) -> Result<(), JobError> {
    Ok(transaction.commit().await.map_err(StoreError::from)?)
}
