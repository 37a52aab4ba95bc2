//! What is kept of the snapshots of endpoints, and what was told of them. What it means is not known here.

use std::collections::HashSet;

use deadpool_postgres::{GenericClient, Transaction};
use serde_json::Value;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::model::{Micros, ServerKey};
use crate::store::text::stored_json;
use crate::store::{StoreError, Timestamp};

/// An endpoint that may report, and has.
#[derive(Clone, Debug)]
pub struct EndpointRow {
    pub id: i32,
    pub server: (ServerKey, Uuid),
    pub kept: Value,
}

/// Keeps this of a server's latest snapshot.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn reported(
    transaction: &Transaction<'_>,
    (server, pack): (ServerKey, &str),
    kept: &Value,
) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/alert_fleet_reported.sql")).await?;
    transaction.execute(&statement, &[&server.0, &pack, &stored_json(kept)]).await?;
    Ok(())
}

/// A page of endpoints with numbers above `after`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn endpoints(
    client: &impl GenericClient,
    pack: &str,
    after: i32,
    endpoints_max: i64,
) -> Result<Vec<EndpointRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_fleet_endpoints.sql")).await?;
    let rows = client.query(&statement, &[&pack, &after, &endpoints_max]).await?;
    rows.iter()
        .map(|row| {
            Ok(EndpointRow {
                id: row.try_get("id")?,
                server: (ServerKey(row.try_get("key")?), row.try_get("server_id")?),
                kept: row.try_get::<_, Json<Value>>("active")?.0,
            })
        })
        .collect()
}

/// Those of `keys` that were not told of after `before`; from now on they were told of at `now`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn take_keys(
    transaction: &Transaction<'_>,
    keys: &[&str],
    now: Micros,
    before: Micros,
) -> Result<HashSet<String>, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/alert_key_take.sql")).await?;
    let rows = transaction.query(&statement, &[&keys, &Timestamp(now), &Timestamp(before)]).await?;
    rows.iter().map(|row| Ok(row.try_get("key")?)).collect()
}

/// Forgets what was told before a time.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn forget_keys(client: &impl GenericClient, before: Micros) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_key_forget.sql")).await?;
    client.execute(&statement, &[&Timestamp(before)]).await?;
    Ok(())
}
