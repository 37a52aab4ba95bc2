//! Reports of agents of persons that came through any node, in the order of their numbers.

use deadpool_postgres::Client;
use serde_json::value::RawValue;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::StoreError;
use crate::model::UserId;

/// Most of one look.
pub const PAGE_REPORTS: i64 = 500;

/// Which reports are read.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub kind: &'a str,
    /// Only those above this number.
    pub after: i64,
    /// Those that are known already.
    pub but: &'a [i64],
    /// Of others' reports only the number is told.
    pub owners: &'a [UserId],
}

#[derive(Clone, Debug)]
pub struct StoredReport {
    /// Of the document.
    pub id: i64,
    pub server_id: Uuid,
    pub agent: i32,
    pub agent_name: String,
    pub owner: UserId,
    pub body: Option<Box<RawValue>>,
}

/// The number of the newest document of all.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn newest(client: &Client) -> Result<i64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/document_newest_id.sql")).await?;
    Ok(client.query_one(&statement, &[]).await?.try_get("id")?)
}

/// The first of those that are wanted, [`PAGE_REPORTS`] at most.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn read(client: &Client, wanted: Wanted<'_>) -> Result<Vec<StoredReport>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/document_reports_after.sql")).await?;
    let owners: Vec<i64> = wanted.owners.iter().map(|owner| owner.0).collect();
    let rows = client.query(&statement, &[&wanted.after, &wanted.kind, &wanted.but, &owners, &PAGE_REPORTS]).await?;
    rows.iter().map(report).collect()
}

fn report(row: &Row) -> Result<StoredReport, StoreError> {
    Ok(StoredReport {
        id: row.try_get("id")?,
        server_id: row.try_get("server_id")?,
        agent: row.try_get("agent")?,
        agent_name: row.try_get("name")?,
        owner: UserId(row.try_get("owner")?),
        body: row.try_get::<_, Option<Json<Box<RawValue>>>>("body")?.map(|Json(body)| body),
    })
}
