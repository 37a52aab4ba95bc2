//! Events and log lines: written in batches, read newest first, kept by month.

use deadpool_postgres::{Client, Transaction};
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::copy::{CopyWriter, send};
use super::partitions::{self, Monthly};
use super::reach::parameter;
use super::text::{stored, stored_json, within};
use super::{StoreError, Timestamp};
use crate::model::{Event, LogLine, Micros, Reach};

/// The longest kind, severity, source or level; what is longer is cut.
pub const WORD_BYTES_MAX: usize = 256;
/// The longest title.
pub const TITLE_BYTES_MAX: usize = 4 * 1024;
/// The longest message.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// What a table of entries is read for. Empty lists do not filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryQuery {
    /// Entries of other servers do not exist for who asks.
    pub reach: Reach,
    pub server_ids: Vec<Uuid>,
    /// Kinds of events; sources of log lines.
    pub kinds: Vec<String>,
    /// Severities of events; levels of log lines.
    pub severities: Vec<String>,
    /// Both ends included.
    pub from: Micros,
    pub to: Micros,
    /// What the title or message has somewhere in it, upper or lower case.
    pub text: Option<String>,
    /// Only entries that are older than this one.
    pub before: Option<(Micros, i64)>,
    pub entries_max: i64,
}

/// An event or a log line as it was stored. What it has beside its time and server is in columns of the same sort.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEntry {
    pub id: i64,
    pub server_id: Uuid,
    pub time: Micros,
    pub kind: String,
    pub severity: String,
    /// The title or the message.
    pub text: String,
    /// Of events only.
    pub attributes: Option<serde_json::Value>,
}

/// Adds events. Texts are cut to their bounds.
///
/// # Errors
/// When PostgreSQL is not available. Nothing was added then.
pub async fn append_events(client: &mut Client, events: &[Event]) -> Result<(), StoreError> {
    make_months(client, events, &[]).await?;
    let transaction = client.transaction().await?;
    add_events(&transaction, events).await?;
    Ok(transaction.commit().await?)
}

/// Adds log lines. Texts are cut to their bounds.
///
/// # Errors
/// When PostgreSQL is not available. Nothing was added then.
pub async fn append_logs(client: &mut Client, lines: &[LogLine]) -> Result<(), StoreError> {
    make_months(client, &[], lines).await?;
    let transaction = client.transaction().await?;
    add_logs(&transaction, lines).await?;
    Ok(transaction.commit().await?)
}

/// Adds events as part of a transaction; their months are there.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add_events(transaction: &Transaction<'_>, events: &[Event]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let mut writer = CopyWriter::new(6, events.len() * 256);
    for event in events {
        writer
            .begin_row()
            .int4(event.server.0)
            .timestamptz(Timestamp(event.time))
            .text(&stored(&event.kind, WORD_BYTES_MAX))
            .text(&stored(&event.severity, WORD_BYTES_MAX))
            .text(&stored(&event.title, TITLE_BYTES_MAX))
            .jsonb(&stored_json(&event.attributes.clone().into()));
    }
    send(transaction, include_str!("../../sql/queries/event_append.sql"), writer.finish()).await
}

/// The same for log lines.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add_logs(transaction: &Transaction<'_>, lines: &[LogLine]) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut writer = CopyWriter::new(5, lines.len() * 256);
    for line in lines {
        writer
            .begin_row()
            .int4(line.server.0)
            .timestamptz(Timestamp(line.time))
            .text(&stored(&line.source, WORD_BYTES_MAX))
            .text(&stored(&line.level, WORD_BYTES_MAX))
            .text(&stored(&line.message, MESSAGE_BYTES_MAX));
    }
    send(transaction, include_str!("../../sql/queries/log_append.sql"), writer.finish()).await
}

/// Makes the months that events and lines need, where they are not there. Not within the transaction that adds them:
/// making one takes a lock that others would wait for.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn make_months(client: &Client, events: &[Event], lines: &[LogLine]) -> Result<(), StoreError> {
    make_months_of(client, Monthly::Events, events.iter().map(|event| event.time)).await?;
    make_months_of(client, Monthly::Logs, lines.iter().map(|line| line.time)).await
}

/// Events, newest first.
///
/// # Errors
/// When PostgreSQL is not available, or takes too long.
pub async fn events(client: &Client, query: &EntryQuery) -> Result<Vec<StoredEntry>, StoreError> {
    read(client, include_str!("../../sql/queries/event_list.sql"), query).await
}

/// Log lines, newest first.
///
/// # Errors
/// When PostgreSQL is not available, or takes too long.
pub async fn logs(client: &Client, query: &EntryQuery) -> Result<Vec<StoredEntry>, StoreError> {
    read(client, include_str!("../../sql/queries/log_list.sql"), query).await
}

/// Removes up to `rows_max` entries from before a time, the oldest first, and answers how many there were.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn expire_events(transaction: &Transaction<'_>, before: Micros, rows_max: i64) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/event_expire.sql")).await?;
    Ok(transaction.execute(&statement, &[&Timestamp(before), &rows_max]).await?)
}

/// The same for log lines.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn expire_logs(transaction: &Transaction<'_>, before: Micros, rows_max: i64) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/log_expire.sql")).await?;
    Ok(transaction.execute(&statement, &[&Timestamp(before), &rows_max]).await?)
}

async fn read(client: &Client, sql: &str, query: &EntryQuery) -> Result<Vec<StoredEntry>, StoreError> {
    let (before, before_id) = query.before.unwrap_or((Timestamp::AFTER_ALL.0, i64::MAX));
    let pattern = query.text.as_deref().map(within);
    let statement = client.prepare_cached(sql).await?;
    let rows = client
        .query(
            &statement,
            &[
                &some(&query.server_ids),
                &Timestamp(query.from),
                &Timestamp(query.to),
                &some(&query.kinds),
                &some(&query.severities),
                &pattern,
                &Timestamp(before),
                &before_id,
                &query.entries_max,
                &parameter(&query.reach),
            ],
        )
        .await?;
    rows.iter().map(entry).collect()
}

fn some<T>(list: &[T]) -> Option<&[T]> {
    Some(list).filter(|list| !list.is_empty())
}

fn entry(row: &Row) -> Result<StoredEntry, StoreError> {
    Ok(StoredEntry {
        id: row.try_get("id")?,
        server_id: row.try_get("server_id")?,
        time: row.try_get::<_, Timestamp>("at")?.0,
        kind: row.try_get("kind")?,
        severity: row.try_get("severity")?,
        text: row.try_get("text")?,
        attributes: row.try_get::<_, Option<Json<serde_json::Value>>>("attributes")?.map(|Json(value)| value),
    })
}

/// Makes the months of all `times` that are not there.
async fn make_months_of(
    client: &Client,
    table: Monthly,
    times: impl Iterator<Item = Micros>,
) -> Result<(), StoreError> {
    // The beginning of a time as text is its month.
    const MONTH_CHARS: usize = 7;
    let months: std::collections::BTreeMap<String, Micros> =
        times.map(|time| (time.to_string().chars().take(MONTH_CHARS).collect(), time)).collect();
    for month in months.into_values() {
        // Another process may make it at this very moment; the second time it is there.
        if partitions::make(client, table, month).await.is_err() {
            partitions::make(client, table, month).await?;
        }
    }
    Ok(())
}
