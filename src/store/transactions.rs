//! Beginning and ending transactions.

use deadpool_postgres::{Client, Transaction};
use tokio_postgres::IsolationLevel;

use super::StoreError;

/// Each statement of the transaction sees what was committed before it, whatever the database has as its default: right
/// for those who hold a lock on what they read, since a snapshot could be from before they gained it.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn begin(client: &mut Client) -> Result<Transaction<'_>, StoreError> {
    Ok(client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?)
}

/// # Errors
/// When PostgreSQL is not available; whether it was committed is not known then.
pub async fn commit(transaction: Transaction<'_>) -> Result<(), StoreError> {
    Ok(transaction.commit().await?)
}

/// Lets go of what the last statement saw. Else an idle transaction keeps waiting whoever waits for old snapshots to go.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn rest(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    // The portal of the last statement holds its snapshot until a statement of the simple protocol takes its place.
    Ok(transaction.batch_execute("SELECT").await?)
}
