//! What was refused: written in batches, read newest first, bounded by rows and age.

use deadpool_postgres::{Client, Transaction};
use tokio_postgres::Row;
use uuid::Uuid;

use super::copy::{CopyWriter, send};
use super::reach::parameter;
use super::text::stored;
use super::{StoreError, Timestamp};
use crate::model::reject::Reject;
use crate::model::{Micros, Reach, UserId, Whose};

/// Rows of the table: with each batch the oldest beyond go.
pub const ROWS_MAX: i64 = 100_000;
/// The longest message or name of a sender; what is longer is cut.
const TEXT_BYTES_MAX: usize = 1024;

/// What is asked for. Empty lists do not filter.
#[derive(Clone, Debug)]
pub struct RejectQuery {
    pub reach: Reach,
    /// Who asks, where it is a person: what they sent themselves is theirs to see.
    pub person: Option<UserId>,
    pub dialects: Vec<String>,
    pub codes: Vec<String>,
    pub server_ids: Vec<Uuid>,
    /// Both ends included.
    pub from: Micros,
    pub to: Micros,
    /// Only those before this one.
    pub before: Option<(Micros, i64)>,
    pub rejects_max: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReject {
    pub id: i64,
    pub at: Micros,
    pub sender: String,
    pub address: Option<String>,
    pub server_id: Option<Uuid>,
    pub hostname: Option<String>,
    pub dialect: String,
    pub item: Option<i64>,
    pub code: String,
    pub message: String,
    pub raw: Vec<u8>,
    pub raw_bytes: i64,
}

/// Adds rejects, and takes away the oldest that are too many.
///
/// # Errors
/// When PostgreSQL is not available. Nothing was added then.
pub async fn append(client: &mut Client, rejects: &[Reject]) -> Result<(), StoreError> {
    let mut writer = CopyWriter::new(12, rejects.len() * 512);
    for reject in rejects {
        write(&mut writer, reject);
    }
    let transaction = client.transaction().await?;
    send(&transaction, include_str!("../../sql/queries/reject_append.sql"), writer.finish()).await?;
    let prune = transaction.prepare_cached(include_str!("../../sql/queries/reject_prune.sql")).await?;
    transaction.execute(&prune, &[&ROWS_MAX]).await?;
    Ok(transaction.commit().await?)
}

fn write(writer: &mut CopyWriter, reject: &Reject) {
    let sender = &reject.sender;
    writer.begin_row().timestamptz(Timestamp(reject.at)).text(&stored(&sender.name, TEXT_BYTES_MAX));
    match sender.address {
        Some(address) => writer.text(&address.to_string()),
        None => writer.null(),
    };
    match sender.person {
        Some(person) => writer.int8(person.0),
        None => writer.null(),
    };
    match sender.server {
        Some(server) => writer.bytea(server.as_bytes()),
        None => writer.null(),
    };
    writer.bool(sender.is_of_fleet).text(reject.dialect);
    match reject.item {
        Some(item) => writer.int8(i64::try_from(item).unwrap_or(i64::MAX)),
        None => writer.null(),
    };
    writer.text(reject.code).text(&stored(&reject.message, TEXT_BYTES_MAX)).bytea(&reject.raw);
    writer.int8(i64::try_from(reject.raw_bytes).unwrap_or(i64::MAX));
}

/// The newest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &Client, query: &RejectQuery) -> Result<Vec<StoredReject>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/reject_list.sql")).await?;
    let (before, before_id) = query.before.unwrap_or((Timestamp::AFTER_ALL.0, i64::MAX));
    let (from, to, before) = (Timestamp(query.from), Timestamp(query.to), Timestamp(before));
    let filter = |members: &[String]| (!members.is_empty()).then(|| members.to_vec());
    let (dialects, codes) = (filter(&query.dialects), filter(&query.codes));
    let servers = (!query.server_ids.is_empty()).then(|| query.server_ids.clone());
    let sees_all = query.reach.is_everything();
    let has_fleet = !matches!(query.reach.whose, Whose::Some { fleet: false, .. });
    let sees_fleet = has_fleet && query.reach.is_whole_fleet();
    let (reach, person) = (parameter(&query.reach), query.person.map(|person| person.0));
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 12] = [
        &from,
        &to,
        &before,
        &before_id,
        &dialects,
        &codes,
        &servers,
        &sees_all,
        &sees_fleet,
        &person,
        &reach,
        &query.rejects_max,
    ];
    client.query(&statement, &values).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<StoredReject, StoreError> {
    Ok(StoredReject {
        id: row.try_get("id")?,
        at: row.try_get::<_, Timestamp>("at")?.0,
        sender: row.try_get("sender")?,
        address: row.try_get("address")?,
        server_id: row.try_get("server")?,
        hostname: row.try_get("hostname")?,
        dialect: row.try_get("dialect")?,
        item: row.try_get("item")?,
        code: row.try_get("code")?,
        message: row.try_get("message")?,
        raw: row.try_get("raw")?,
        raw_bytes: row.try_get("raw_bytes")?,
    })
}

/// Removes up to `rows_max` rejects from before a time.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn expire(transaction: &Transaction<'_>, before: Micros, rows_max: i64) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/reject_expire.sql")).await?;
    Ok(transaction.execute(&statement, &[&Timestamp(before), &rows_max]).await?)
}
