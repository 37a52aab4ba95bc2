//! What packs keep of the latest report of each server, and what they have found. What it means is not known here.

use std::collections::HashSet;

use deadpool_postgres::{Client, GenericClient, Transaction};
use serde_json::Value;
use tokio_postgres::types::Json;

use crate::model::{Micros, Reach, ServerKey, UserId};
use crate::store::reach::parameter;
use crate::store::text::stored_json;
use crate::store::{StoreError, Timestamp};

/// An event of a pack.
#[derive(Clone, Debug, PartialEq)]
pub struct PackEvent {
    pub id: i64,
    pub at: Micros,
    pub severity: String,
    pub title: String,
    pub details: Value,
}

/// What `pack` keeps of a server's latest report. Reports of one server and pack take turns from here to the end of their
/// transactions.
///
/// # Errors
/// [`StoreError::MissingReference`] when there is no such server, otherwise when PostgreSQL is not available.
pub async fn hold(transaction: &Transaction<'_>, server: ServerKey, pack: &str) -> Result<Value, StoreError> {
    let hold = transaction.prepare_cached(include_str!("../../../sql/queries/alert_report_hold.sql")).await?;
    if let Some(row) = transaction.query_opt(&hold, &[&server.0, &pack]).await? {
        return Ok(row.try_get::<_, Json<Value>>("active")?.0);
    }
    let begin = transaction.prepare_cached(include_str!("../../../sql/queries/alert_report_begin.sql")).await?;
    transaction.execute(&begin, &[&server.0, &pack]).await?;
    Ok(transaction.query_one(&hold, &[&server.0, &pack]).await?.try_get::<_, Json<Value>>("active")?.0)
}

/// Keeps something else, counts `found` alerts more, and answers whose server it is. For who holds it.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn put(
    transaction: &Transaction<'_>,
    (server, pack): (ServerKey, &str),
    active: &Value,
    found: usize,
) -> Result<Option<UserId>, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/alert_report_put.sql")).await?;
    let found = i64::try_from(found).unwrap_or(i64::MAX);
    let row = transaction.query_one(&statement, &[&server.0, &pack, &stored_json(active), &found]).await?;
    Ok(row.try_get::<_, Option<i64>>("owner")?.map(UserId))
}

/// How many alerts a pack has ever found, on the servers within reach that are there.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn total(client: &impl GenericClient, pack: &str, reach: &Reach) -> Result<i64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_report_total.sql")).await?;
    Ok(client.query_one(&statement, &[&pack, &parameter(reach)]).await?.try_get("total")?)
}

/// The latest events of a pack about servers within reach, the newest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn latest(client: &Client, pack: &str, events_max: i64, reach: &Reach) -> Result<Vec<PackEvent>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_event_latest.sql")).await?;
    let rows = client.query(&statement, &[&pack, &events_max, &parameter(reach)]).await?;
    rows.iter()
        .map(|row| {
            Ok(PackEvent {
                id: row.try_get("id")?,
                at: row.try_get::<_, Timestamp>("at")?.0,
                severity: row.try_get("severity")?,
                title: row.try_get("title")?,
                details: row.try_get::<_, Json<Value>>("details")?.0,
            })
        })
        .collect()
}

/// Those of `servers` that are within reach.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn servers_within(
    client: &impl GenericClient,
    servers: &[ServerKey],
    reach: &Reach,
) -> Result<HashSet<ServerKey>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_servers_within.sql")).await?;
    let keys: Vec<i32> = servers.iter().map(|server| server.0).collect();
    let rows = client.query(&statement, &[&keys, &parameter(reach)]).await?;
    rows.iter().map(|row| Ok(ServerKey(row.try_get("key")?))).collect()
}
