//! What people set while the server runs: values by key. What they mean is not known here.

use deadpool_postgres::{GenericClient, Transaction};
use serde_json::Value;
use tokio_postgres::types::Json;

use super::{StoreError, Timestamp};
use crate::model::{Micros, UserId};

#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub value: Value,
    pub version: i64,
    pub updated_at: Micros,
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn get(client: &impl GenericClient, key: &str) -> Result<Option<Setting>, StoreError> {
    read(client, include_str!("../../sql/queries/setting_get.sql"), key).await
}

/// The same, and nobody else changes it until the end of the transaction.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn hold(transaction: &Transaction<'_>, key: &str) -> Result<Option<Setting>, StoreError> {
    read(transaction, include_str!("../../sql/queries/setting_hold.sql"), key).await
}

/// Sets it, and answers the new version.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn put(
    transaction: &Transaction<'_>,
    key: &str,
    value: &Value,
    (now, by): (Micros, Option<UserId>),
) -> Result<i64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/setting_put.sql")).await?;
    let (now, by) = (Timestamp(now), by.map(|by| by.0));
    Ok(transaction.query_one(&statement, &[&key, &Json(value), &now, &by]).await?.try_get("version")?)
}

async fn read(client: &impl GenericClient, sql: &str, key: &str) -> Result<Option<Setting>, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    let row = client.query_opt(&statement, &[&key]).await?;
    row.map(|row| {
        let (Json(value), updated_at) = (row.try_get("value")?, row.try_get::<_, Timestamp>("updated_at")?.0);
        Ok(Setting { value, version: row.try_get("version")?, updated_at })
    })
    .transpose()
}
