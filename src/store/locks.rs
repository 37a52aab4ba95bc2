//! Who may move data: locks that go with the transaction that moves them, and the one way to wait for them.

use std::time::Duration;

use deadpool_postgres::{Client, ClientWrapper, Transaction};
use tokio_postgres::error::SqlState;

use super::{StoreError, transactions};

/// Any number will do, as long as nothing else in the database locks it.
const CLASS: i32 = 0x6d69_6c6c;
/// Whose connection has it judges rules.
pub(super) const JUDGING: i32 = 3;
/// Who waits asks this often whether it is still to.
const ROUND_MAX: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moving {
    /// From the journal to recent; emptying the journal.
    Journal,
    /// Whatever changes recent (but for new parts), samples and rollups.
    Levels,
}

/// Takes the lock until the transaction ends, or answers that another has it, or waits for it.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn try_lock(transaction: &Transaction<'_>, moving: Moving) -> Result<bool, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/try_lock.sql")).await?;
    Ok(transaction.query_one(&statement, &[&CLASS, &moving.object()]).await?.try_get("locked")?)
}

/// Takes a lock for as long as the connection lives, or answers that another has it. Who has it may ask again.
pub(super) async fn try_for_session(client: &ClientWrapper, object: i32) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/try_session_lock.sql")).await?;
    Ok(client.query_one(&statement, &[&CLASS, &object]).await?.try_get("locked")?)
}

/// Begins a transaction that moves data, with the lock and with plans and bounds for it. While another has the lock it
/// waits in line, so that nobody who works in many transactions keeps the others out; `None` when `goes_on`, asked
/// every second, has had enough.
///
/// It is READ COMMITTED on purpose, whatever the database's default. The lock is gained once its last owner has
/// committed, but the snapshot of the statement that asks for it may be older than that commit; kept for the whole
/// transaction, it would hide the owner's work. Like this, each statement after the lock sees all that its former
/// owners did. What else can change between two statements is what may change without the lock.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn begin(
    client: &mut Client,
    moving: Moving,
    mut goes_on: impl FnMut() -> bool,
) -> Result<Option<Transaction<'_>>, StoreError> {
    let mut transaction = transactions::begin(client).await?;
    let mut is_locked = try_lock(&transaction, moving).await?;
    while !is_locked {
        if !goes_on() {
            return Ok(None);
        }
        is_locked = wait_in_line(&mut transaction, moving).await?;
    }
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/moving.sql")).await?;
    transaction.query_one(&statement, &[]).await?;
    Ok(Some(transaction))
}

/// One round. A wait that is over its time would end the transaction, so it has one within.
async fn wait_in_line(transaction: &mut Transaction<'_>, moving: Moving) -> Result<bool, StoreError> {
    let round = transaction.savepoint("in_line").await?;
    let statement = round.prepare_cached(include_str!("../../sql/queries/await_lock.sql")).await?;
    let wait_ms = ROUND_MAX.as_millis().to_string();
    match round.query_one(&statement, &[&CLASS, &moving.object(), &wait_ms]).await {
        Ok(_) => {
            round.commit().await?;
            Ok(true)
        }
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            round.rollback().await?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

impl Moving {
    fn object(self) -> i32 {
        match self {
            Self::Journal => 1,
            Self::Levels => 2,
        }
    }
}
