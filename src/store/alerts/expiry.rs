//! What is removed once it is old, so many rows at a time.

use deadpool_postgres::Transaction;

use crate::model::Micros;
use crate::store::{StoreError, Timestamp};

/// Entries of the history.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn expire_events(transaction: &Transaction<'_>, before: Micros, rows_max: i64) -> Result<u64, StoreError> {
    let statement = include_str!("../../../sql/queries/alert_events_expire.sql");
    expire(transaction, statement, before, rows_max).await
}

/// How rules stood with series, where it is over.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn expire_states(transaction: &Transaction<'_>, before: Micros, rows_max: i64) -> Result<u64, StoreError> {
    let statement = include_str!("../../../sql/queries/alert_states_expire.sql");
    expire(transaction, statement, before, rows_max).await
}

/// Messages that were delivered or given up.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn expire_notices(transaction: &Transaction<'_>, before: Micros, rows_max: i64) -> Result<u64, StoreError> {
    let statement = include_str!("../../../sql/queries/alert_notices_expire.sql");
    expire(transaction, statement, before, rows_max).await
}

async fn expire(
    transaction: &Transaction<'_>,
    statement: &str,
    before: Micros,
    rows_max: i64,
) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(statement).await?;
    Ok(transaction.execute(&statement, &[&Timestamp(before), &rows_max]).await?)
}
