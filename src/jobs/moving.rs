//! The transactions in which data move below the journal.
//!
//! What others may change between two statements is new parts in recent. So parts are deleted by where they were read,
//! never by a condition.

use super::JobError;
use crate::store::locks::{self, Moving};
use crate::store::{Client, Transaction, transactions};

/// Begins one. Dropped without [`commit`], it changes nothing.
///
/// # Errors
/// [`JobError::Elsewhere`] when another holds the lock, or when PostgreSQL is not available.
pub(super) async fn begin(client: &mut Client) -> Result<Transaction<'_>, JobError> {
    locks::begin(client, Moving::Levels).await?.ok_or(JobError::Elsewhere)
}

/// # Errors
/// When PostgreSQL is not available: it may be committed or not. The next run finds out by itself what is left.
pub(super) async fn commit(transaction: Transaction<'_>) -> Result<(), JobError> {
    Ok(transactions::commit(transaction).await?)
}
