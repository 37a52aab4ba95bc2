//! The machines agents speak for.

use std::net::IpAddr;

use deadpool_postgres::Client;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{StoreError, Timestamp};
use crate::model::{Micros, ServerKey};

/// What an agent says of its machine when it registers.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    pub hostname: String,
    pub ip_address: IpAddr,
    pub os: String,
    pub cpu_model: String,
    pub total_ram: String,
    pub kernel_version: String,
    pub uptime: String,
    /// An object of strings, when there are any.
    pub labels: Option<serde_json::Value>,
    pub agent_version: String,
}

/// What is to be changed of a server; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub ip_address: Option<IpAddr>,
    pub os: Option<String>,
    pub cpu_model: Option<String>,
    pub total_ram: Option<String>,
    pub kernel_version: Option<String>,
    pub uptime: Option<String>,
    pub agent_version: Option<String>,
    /// `Some(None)` removes the labels.
    pub labels: Option<Option<serde_json::Value>>,
}

/// A registered server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerRow {
    pub key: ServerKey,
    pub id: Uuid,
    pub registration: Registration,
    pub last_seen: Option<Micros>,
    pub created_at: Micros,
    pub updated_at: Micros,
}

/// Adds a server, or updates the one with the same hostname. Answers also whether it is new.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn upsert(client: &Client, new: &Registration) -> Result<(ServerRow, bool), StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_upsert.sql")).await?;
    let row = client
        .query_one(
            &statement,
            &[
                &new.hostname,
                &new.ip_address,
                &new.os,
                &new.cpu_model,
                &new.total_ram,
                &new.kernel_version,
                &new.uptime,
                &new.labels,
                &new.agent_version,
            ],
        )
        .await?;
    Ok((server(&row)?, row.try_get("is_new")?))
}

/// Adds a server with a given id, unless its id or hostname is taken, and answers whichever has them: its id, its key
/// and whether it is new.
///
/// # Errors
/// When PostgreSQL is not available, or someone else adds it at this very moment.
pub async fn adopt(client: &Client, id: Uuid, hostname: &str) -> Result<(Uuid, ServerKey, bool), StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_adopt.sql")).await?;
    let row = client.query_opt(&statement, &[&id, &hostname]).await?;
    let row = row.ok_or_else(|| StoreError::unavailable("the server is being registered"))?;
    Ok((row.try_get("id")?, ServerKey(row.try_get("key")?), row.try_get("is_new")?))
}

/// Whether a server with this hostname may be registered when at most `servers_max` may exist.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn has_room(client: &Client, hostname: &str, servers_max: u64) -> Result<bool, StoreError> {
    let servers_max = i64::try_from(servers_max).unwrap_or(i64::MAX);
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_room.sql")).await?;
    Ok(client.query_one(&statement, &[&hostname, &servers_max]).await?.try_get("room")?)
}

/// All servers, or the one with this id, by hostname.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &Client, id: Option<Uuid>) -> Result<Vec<ServerRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_list.sql")).await?;
    client.query(&statement, &[&id]).await?.iter().map(server).collect()
}

/// The server with this number.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn of_key(client: &Client, key: ServerKey) -> Result<Option<Uuid>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_of_key.sql")).await?;
    let row = client.query_opt(&statement, &[&key.0]).await?;
    row.map(|row| Ok(row.try_get("id")?)).transpose()
}

/// How many servers there are.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn count(client: &Client) -> Result<u64, StoreError> {
    let row = client.query_one(include_str!("../../sql/queries/server_count.sql"), &[]).await?;
    Ok(row.try_get::<_, i64>("servers")?.unsigned_abs())
}

/// Changes a server. `None` when there is none with this id.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn update(client: &Client, id: Uuid, change: &Change) -> Result<Option<ServerRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_update.sql")).await?;
    let row = client
        .query_opt(
            &statement,
            &[
                &id,
                &change.ip_address,
                &change.os,
                &change.cpu_model,
                &change.total_ram,
                &change.kernel_version,
                &change.uptime,
                &change.agent_version,
                &change.labels.is_some(),
                &change.labels.clone().flatten(),
            ],
        )
        .await?;
    row.as_ref().map(server).transpose()
}

/// Removes a server with all that refers to it. Its samples stay in the journal, where nothing names them any more.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn delete(client: &Client, id: Uuid) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_delete.sql")).await?;
    Ok(client.execute(&statement, &[&id]).await? > 0)
}

/// The keys of those of `ids` that are registered.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn keys(client: &Client, ids: &[Uuid]) -> Result<Vec<(Uuid, ServerKey)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_keys.sql")).await?;
    let rows = client.query(&statement, &[&ids]).await?;
    rows.iter().map(|row| Ok((row.try_get("id")?, ServerKey(row.try_get("key")?)))).collect()
}

/// Those of `hostnames` that are registered: hostname, id and key.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn by_hostname(client: &Client, hostnames: &[&str]) -> Result<Vec<(String, Uuid, ServerKey)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_by_hostname.sql")).await?;
    let rows = client.query(&statement, &[&hostnames]).await?;
    rows.iter().map(|row| Ok((row.try_get("hostname")?, row.try_get("id")?, ServerKey(row.try_get("key")?)))).collect()
}

/// Adds servers of which only the hostname is known, and answers how many were new.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn adopt_hosts(client: &Client, hostnames: &[&str]) -> Result<u64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_adopt_hosts.sql")).await?;
    Ok(client.execute(&statement, &[&hostnames]).await?)
}

/// Records when servers were last heard of.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn seen(client: &Client, seen: &[(ServerKey, Micros)]) -> Result<(), StoreError> {
    let keys: Vec<i32> = seen.iter().map(|(key, _)| key.0).collect();
    let times: Vec<Timestamp> = seen.iter().map(|(_, time)| Timestamp(*time)).collect();
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_seen.sql")).await?;
    client.execute(&statement, &[&keys, &times]).await?;
    Ok(())
}

fn server(row: &Row) -> Result<ServerRow, StoreError> {
    let time = |column: &str| row.try_get::<_, Timestamp>(column).map(|time| time.0);
    Ok(ServerRow {
        key: ServerKey(row.try_get("key")?),
        id: row.try_get("id")?,
        registration: Registration {
            hostname: row.try_get("hostname")?,
            ip_address: row.try_get("ip_address")?,
            os: row.try_get("os")?,
            cpu_model: row.try_get("cpu_model")?,
            total_ram: row.try_get("total_ram")?,
            kernel_version: row.try_get("kernel_version")?,
            uptime: row.try_get("uptime")?,
            labels: row.try_get("labels")?,
            agent_version: row.try_get("agent_version")?,
        },
        last_seen: row.try_get::<_, Option<Timestamp>>("last_seen")?.map(|time| time.0),
        created_at: time("created_at")?,
        updated_at: time("updated_at")?,
    })
}
