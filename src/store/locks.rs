//! Who may move data: locks that go with the transaction that moves them.

use deadpool_postgres::{Client, Transaction};

use super::{StoreError, transactions};

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

/// Begins a transaction that moves data, with the lock and with plans and bounds for it. `None` when another has the
/// lock.
///
/// It is READ COMMITTED on purpose, whatever the database's default. The lock is gained once its last owner has
/// committed, but the snapshot of the statement that asks for it may be older than that commit; kept for the whole
/// transaction, it would hide the owner's work. Like this, each statement after the lock sees all that its former
/// owners did. What else can change between two statements is what may change without the lock.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn begin(client: &mut Client, moving: Moving) -> Result<Option<Transaction<'_>>, StoreError> {
    let transaction = transactions::begin(client).await?;
    if !try_lock(&transaction, moving).await? {
        return Ok(None);
    }
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/moving.sql")).await?;
    transaction.query_one(&statement, &[]).await?;
    Ok(Some(transaction))
}
