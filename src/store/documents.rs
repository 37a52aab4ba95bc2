//! Documents that say how a server is: the latest few of each server and kind.

use deadpool_postgres::{Client, Transaction};
use serde_json::value::RawValue;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::reach::parameter;
use super::text::stored;
use super::{StoreError, Timestamp};
use crate::model::{Document, Micros, Reach};

/// How many documents of one server and kind are kept.
pub const HISTORY_MAX: i64 = 100;
/// Most servers that are counted.
const DEVICES_MAX: i64 = 100_000;
/// The longest name of a kind; a longer one is cut.
const KIND_BYTES_MAX: usize = 256;

#[derive(Clone, Debug)]
pub struct StoredDocument {
    pub id: i64,
    pub server_id: Uuid,
    pub kind: String,
    pub time: Micros,
    /// As it came.
    pub body: Box<RawValue>,
}

/// Adds a document and lets go of the oldest beyond [`HISTORY_MAX`].
///
/// # Errors
/// [`StoreError::MissingReference`] when there is no such server, otherwise when PostgreSQL is not available.
pub async fn add(client: &mut Client, document: &Document) -> Result<i64, StoreError> {
    let transaction = client.transaction().await?;
    let id = add_within(&transaction, document).await?;
    transaction.commit().await?;
    Ok(id)
}

/// The same as part of a transaction.
///
/// # Errors
/// As [`add`].
pub async fn add_within(transaction: &Transaction<'_>, document: &Document) -> Result<i64, StoreError> {
    let add = transaction.prepare_cached(include_str!("../../sql/queries/document_add.sql")).await?;
    let (server, kind) = (document.server.0, stored(&document.kind, KIND_BYTES_MAX));
    let row = transaction.query_one(&add, &[&server, &kind, &Timestamp(document.time), &document.body]).await?;
    let prune = transaction.prepare_cached(include_str!("../../sql/queries/document_prune.sql")).await?;
    transaction.execute(&prune, &[&server, &kind, &HISTORY_MAX]).await?;
    Ok(row.try_get("id")?)
}

/// The latest document of each kind of a server, or of one kind.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn latest(
    client: &Client,
    server_id: Uuid,
    kind: Option<&str>,
    reach: &Reach,
) -> Result<Vec<StoredDocument>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/document_latest.sql")).await?;
    let rows = client.query(&statement, &[&server_id, &kind, &parameter(reach)]).await?;
    rows.iter().map(document).collect()
}

/// The documents of a server and kind, newest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn history(
    client: &Client,
    server_id: Uuid,
    kind: &str,
    documents_max: i64,
    reach: &Reach,
) -> Result<Vec<StoredDocument>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/document_history.sql")).await?;
    let rows = client.query(&statement, &[&server_id, &kind, &documents_max, &parameter(reach)]).await?;
    rows.iter().map(document).collect()
}

/// One member of the newest documents of a kind, of all servers, the newest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn newest(
    client: &Client,
    (kind, member): (&str, &str),
    documents_max: i64,
    reach: &Reach,
) -> Result<Vec<StoredDocument>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/document_newest.sql")).await?;
    let rows = client.query(&statement, &[&kind, &documents_max, &parameter(reach), &member]).await?;
    rows.iter().map(document).collect()
}

/// The latest document of a kind of each server that has one, in the order in which the servers came.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn latest_of_all(
    client: &Client,
    kind: &str,
    servers_max: i64,
    reach: &Reach,
) -> Result<Vec<StoredDocument>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/document_latest_of_all.sql")).await?;
    let rows = client.query(&statement, &[&kind, &servers_max, &parameter(reach)]).await?;
    rows.iter().map(document).collect()
}

/// How many servers have a document of a kind; of very many not exactly how many.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn devices(client: &Client, kind: &str, reach: &Reach) -> Result<i64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/document_devices.sql")).await?;
    Ok(client.query_one(&statement, &[&kind, &parameter(reach), &DEVICES_MAX]).await?.try_get("devices")?)
}

fn document(row: &tokio_postgres::Row) -> Result<StoredDocument, StoreError> {
    let Json(body) = row.try_get("body")?;
    Ok(StoredDocument {
        id: row.try_get("id")?,
        server_id: row.try_get("server_id")?,
        kind: row.try_get("kind")?,
        time: row.try_get::<_, Timestamp>("taken_at")?.0,
        body,
    })
}
