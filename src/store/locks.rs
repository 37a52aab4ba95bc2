//! Who may move data: locks that go with the transaction that moves them.

use deadpool_postgres::Transaction;

use super::StoreError;

/// Any number will do, as long as nothing else in the database locks it.
const CLASS: i32 = 0x6d69_6c6c;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moving {
    /// From the journal to recent; emptying the journal.
    Journal,
    /// Whatever changes recent (but for new parts), samples and rollups.
    Levels,
}

/// Takes the lock until the transaction ends, or answers that another has it.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn try_lock(transaction: &Transaction<'_>, moving: Moving) -> Result<bool, StoreError> {
    let object: i32 = match moving {
        Moving::Journal => 1,
        Moving::Levels => 2,
    };
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/try_lock.sql")).await?;
    Ok(transaction.query_one(&statement, &[&CLASS, &object]).await?.try_get("locked")?)
}

/// Makes plans and bounds of this transaction those of one that moves data.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn plan_for_moving(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/moving.sql")).await?;
    transaction.query_one(&statement, &[]).await?;
    Ok(())
}
