//! Who changed what, and who signed in or tried to. Written in the transaction of the change itself.

use std::net::IpAddr;

use deadpool_postgres::{Client, GenericClient, Transaction};
use serde_json::Value;
use tokio_postgres::types::Json;

use super::text::stored;
use super::{StoreError, Timestamp};
use crate::model::{Micros, UserId};

/// The longest actor or subject; what is longer is cut.
const NAME_BYTES_MAX: usize = 256;

#[derive(Clone, Debug)]
pub struct Entry {
    pub at: Micros,
    /// Who it was, as text.
    pub actor: String,
    pub user: Option<UserId>,
    pub action: String,
    pub subject: String,
    /// Never a secret, and short.
    pub details: Value,
    pub address: Option<IpAddr>,
}

#[derive(Clone, Debug)]
pub struct StoredEntry {
    pub id: i64,
    pub entry: Entry,
}

/// What is asked for. `None` does not filter.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    pub from: Micros,
    pub to: Micros,
    /// Only entries older than this one.
    pub before: Option<(Micros, i64)>,
    pub user: Option<UserId>,
    /// An action, or the first word of several.
    pub action: Option<String>,
    pub entries_max: i64,
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn add(client: &impl GenericClient, entry: &Entry) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/audit_add.sql")).await?;
    let (at, user) = (Timestamp(entry.at), entry.user.map(|user| user.0));
    let (actor, subject) = (stored(&entry.actor, NAME_BYTES_MAX), stored(&entry.subject, NAME_BYTES_MAX));
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
        [&at, &actor, &user, &entry.action, &subject, &Json(&entry.details), &entry.address];
    client.execute(&statement, &values).await?;
    Ok(())
}

/// The newest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &Client, query: &AuditQuery) -> Result<Vec<StoredEntry>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/audit_list.sql")).await?;
    let (before, before_id) = query.before.unwrap_or((Timestamp::AFTER_ALL.0, i64::MAX));
    let (from, to, before) = (Timestamp(query.from), Timestamp(query.to), Timestamp(before));
    let user = query.user.map(|user| user.0);
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
        [&from, &to, &before, &before_id, &user, &query.action, &query.entries_max];
    let rows = client.query(&statement, &values).await?;
    rows.iter()
        .map(|row| {
            let entry = Entry {
                at: row.try_get::<_, Timestamp>("at")?.0,
                actor: row.try_get("actor")?,
                user: row.try_get::<_, Option<i64>>("user_id")?.map(UserId),
                action: row.try_get("action")?,
                subject: row.try_get("subject")?,
                details: row.try_get::<_, Json<Value>>("details")?.0,
                address: row.try_get("address")?,
            };
            Ok(StoredEntry { id: row.try_get("id")?, entry })
        })
        .collect()
}

/// Removes up to `rows_max` entries from before a time, the oldest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn expire(transaction: &Transaction<'_>, before: Micros, rows_max: i64) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/audit_expire.sql")).await?;
    Ok(transaction.execute(&statement, &[&Timestamp(before), &rows_max]).await?)
}
