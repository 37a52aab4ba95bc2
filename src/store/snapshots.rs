//! Whole-state documents, such as process lists: the latest few of each server and kind.

use deadpool_postgres::Client;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::reach::parameter;
use super::{StoreError, Timestamp};
use crate::model::{Micros, Reach};

/// How many snapshots of one server and kind are kept.
pub const HISTORY_MAX: i64 = 120;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotKind {
    Processes,
    Containers,
}

impl SnapshotKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Containers => "containers",
        }
    }
}

/// What is sent of a server, at some time.
#[derive(Clone, Copy, Debug)]
pub struct NewSnapshot<'a> {
    pub server_id: Uuid,
    pub kind: SnapshotKind,
    pub taken_at: Micros,
    pub body: &'a serde_json::value::RawValue,
}

/// A stored document, its JSON text as it was sent.
#[derive(Debug)]
pub struct Snapshot {
    pub id: i64,
    pub taken_at: Micros,
    pub body: Box<serde_json::value::RawValue>,
}

/// Adds a document and lets go of the oldest beyond [`HISTORY_MAX`]. `None` when no such server is within reach.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add(client: &mut Client, new: NewSnapshot<'_>, reach: &Reach) -> Result<Option<i64>, StoreError> {
    let NewSnapshot { server_id, kind, taken_at, body } = new;
    let transaction = client.transaction().await?;
    let add = transaction.prepare_cached(include_str!("../../sql/queries/snapshot_add.sql")).await?;
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&server_id, &kind.as_str(), &Timestamp(taken_at), &Json(body), &parameter(reach)];
    let Some(row) = transaction.query_opt(&add, &parameters).await? else {
        return Ok(None);
    };
    let (id, server): (i64, i32) = (row.try_get("id")?, row.try_get("server")?);
    let prune = transaction.prepare_cached(include_str!("../../sql/queries/snapshot_prune.sql")).await?;
    transaction.execute(&prune, &[&server, &kind.as_str(), &HISTORY_MAX]).await?;
    transaction.commit().await?;
    Ok(Some(id))
}

/// The latest document of a server and kind.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn latest(
    client: &Client,
    server_id: Uuid,
    kind: SnapshotKind,
    reach: &Reach,
) -> Result<Option<Snapshot>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/snapshot_latest.sql")).await?;
    let Some(row) = client.query_opt(&statement, &[&server_id, &kind.as_str(), &parameter(reach)]).await? else {
        return Ok(None);
    };
    let Json(body) = row.try_get::<_, Json<&serde_json::value::RawValue>>("body")?;
    Ok(Some(Snapshot {
        id: row.try_get("id")?,
        taken_at: row.try_get::<_, Timestamp>("taken_at")?.0,
        body: body.to_owned(),
    }))
}
