//! Tables by month: the part of a month is made before it is needed, and dropped when nobody wants it any more.
//!
//! - Every step gives up when it has to wait for a lock, with an error that says that it may succeed later, so nobody
//!   who reads or writes waits for it in turn. Trying again is for the caller.
//! - There is no default part: what has no month is refused, not stowed away.
//! - A month is dropped in steps (marked, detached, dropped), each of which can be the last before a crash:
//!   [`drop_month`] goes on from wherever it was left.

use std::time::Duration;

use deadpool_postgres::GenericClient;

use super::{Database, StoreError, Timestamp};
use crate::model::{Micros, Month};

/// How long detaching waits for those who read or write the table. They do not wait for it.
const DETACH_WAIT: Duration = Duration::from_secs(2);

/// What is kept by month. A table that joins them needs nothing but its line here to be made ahead and watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Monthly {
    Samples,
    Minutes,
    Hours,
    Events,
    Logs,
}

impl Monthly {
    pub const ALL: [Self; 5] = [Self::Samples, Self::Minutes, Self::Hours, Self::Events, Self::Logs];

    pub const fn table(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Minutes => "rollup_1m",
            Self::Hours => "rollup_1h",
            Self::Events => "events",
            Self::Logs => "logs",
        }
    }
}

/// A month that has a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    pub month: Month,
    /// Or else it is to be dropped, and dropping it was interrupted.
    pub is_part: bool,
}

/// Makes the part for the month (UTC) that `moment` is in. Answers whether it was missing.
///
/// # Errors
/// When PostgreSQL is not available, or it would have to wait, or the month is being dropped: later it may succeed.
pub async fn make(client: &impl GenericClient, table: Monthly, moment: Micros) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/make_month.sql")).await?;
    let row = client.query_one(&statement, &[&table.table(), &Timestamp(moment)]).await?;
    Ok(row.try_get("made")?)
}

/// The months of a table, oldest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &impl GenericClient, table: Monthly) -> Result<Vec<Stored>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/months_of.sql")).await?;
    let rows = client.query(&statement, &[&table.table()]).await?;
    let stored = |row: &tokio_postgres::Row| -> Result<Stored, StoreError> {
        let start: Timestamp = row.try_get("month")?;
        Ok(Stored { month: Month::of(start.0), is_part: row.try_get("is_part")? })
    };
    rows.iter().map(stored).collect()
}

/// Which of `months` which tables have no part for, by month.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn missing(client: &impl GenericClient, months: &[Month]) -> Result<Vec<(Monthly, Month)>, StoreError> {
    let tables = Monthly::ALL.map(Monthly::table);
    let moments: Vec<Timestamp> = months.iter().map(|month| Timestamp(month.start())).collect();
    let statement = client.prepare_cached(include_str!("../../sql/queries/months_missing.sql")).await?;
    let mut missing = Vec::new();
    for row in client.query(&statement, &[&tables.as_slice(), &moments]).await? {
        let (name, moment): (&str, Timestamp) = (row.try_get("wanted")?, row.try_get("moment")?);
        let table = Monthly::ALL.into_iter().find(|table| table.table() == name);
        missing.extend(table.map(|table| (table, Month::of(moment.0))));
    }
    Ok(missing)
}

/// Takes the table of a month out of its parent and drops it. Answers whether there was one.
///
/// # Errors
/// When PostgreSQL is not available, or others read or write the table: later it may succeed. What was begun stays so;
/// a month that is half detached is neither read nor written any more.
pub async fn drop_month(database: &Database, table: Monthly, month: Month) -> Result<bool, StoreError> {
    // Detaching cannot be part of a transaction, so how long it waits must be set for the connection, which nobody else
    // gets afterwards.
    let client = database.own_client().await?;
    let of_month: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&table.table(), &Timestamp(month.start())];
    let row = client.query_one(include_str!("../../sql/queries/expire_month.sql"), &of_month).await?;
    if row.try_get("is_part")? {
        client.batch_execute(&format!("SET lock_timeout = {}", DETACH_WAIT.as_millis())).await?;
        client.batch_execute(&detach(table, month)).await?;
    }
    let row = client.query_one(include_str!("../../sql/queries/drop_month.sql"), &of_month).await?;
    Ok(row.try_get("dropped")?)
}

/// The one statement that is no fixed text: it can neither have parameters nor stand in a function.
fn detach(table: Monthly, month: Month) -> String {
    let (table, year, number) = (table.table(), month.year(), month.number());
    format!("ALTER TABLE {table} DETACH PARTITION {table}_{year:04}_{number:02} CONCURRENTLY")
}
