//! The machines agents speak for.

use std::net::IpAddr;

use deadpool_postgres::Client;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::reach::{belonging, parameter};
use super::{StoreError, Timestamp};
use crate::model::{Belonging, Micros, Reach, ServerKey};

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

impl From<&Registration> for Change {
    /// Labels that are not told stay.
    fn from(new: &Registration) -> Self {
        Self {
            ip_address: Some(new.ip_address),
            os: Some(new.os.clone()),
            cpu_model: Some(new.cpu_model.clone()),
            total_ram: Some(new.total_ram.clone()),
            kernel_version: Some(new.kernel_version.clone()),
            uptime: Some(new.uptime.clone()),
            agent_version: Some(new.agent_version.clone()),
            labels: new.labels.clone().map(Some),
        }
    }
}

/// Whose a server is, as of some change of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub key: ServerKey,
    pub id: Uuid,
    pub belonging: Belonging,
    /// Counts the changes: of two standings of one server the greater is the later.
    pub revision: i64,
}

/// A registered server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerRow {
    pub standing: Standing,
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
    let row = client.query_one(&statement, &new.parameters()).await?;
    Ok((server(&row)?, row.try_get("is_new")?))
}

/// Updates the server of the fleet with this hostname; `None` when there is none within reach.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn refresh(client: &Client, new: &Registration, reach: &Reach) -> Result<Option<ServerRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_refresh.sql")).await?;
    let reach = parameter(reach);
    let mut parameters = new.parameters().to_vec();
    parameters.push(&reach);
    client.query_opt(&statement, &parameters).await?.as_ref().map(server).transpose()
}

/// Adds a server with a given id, unless its id or hostname is taken, and answers whichever has them, and whether it is
/// new.
///
/// # Errors
/// When PostgreSQL is not available, or someone else adds it at this very moment.
pub async fn adopt(client: &Client, id: Uuid, hostname: &str) -> Result<(Standing, bool), StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_adopt.sql")).await?;
    let row = client.query_opt(&statement, &[&id, &hostname]).await?;
    let row = row.ok_or_else(|| StoreError::unavailable("the server is being registered"))?;
    Ok((standing(&row)?, row.try_get("is_new")?))
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

/// All servers within reach, or the one with this id, by hostname.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &Client, id: Option<Uuid>, reach: &Reach) -> Result<Vec<ServerRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_list.sql")).await?;
    client.query(&statement, &[&id, &parameter(reach)]).await?.iter().map(server).collect()
}

/// The server that clients know by this number: that of the agent with it, or of the fleet the one with this key.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn of_number(client: &Client, number: i32, reach: &Reach) -> Result<Option<Uuid>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_of_number.sql")).await?;
    let row = client.query_opt(&statement, &[&number, &parameter(reach)]).await?;
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

/// Changes a server. `None` when there is none with this id within reach.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn update(
    client: &Client,
    id: Uuid,
    change: &Change,
    reach: &Reach,
) -> Result<Option<ServerRow>, StoreError> {
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
                &parameter(reach),
            ],
        )
        .await?;
    row.as_ref().map(server).transpose()
}

/// Removes a server with all that refers to it. Its samples stay in the journal, where nothing names them any more.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn delete(client: &Client, id: Uuid, reach: &Reach) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_delete.sql")).await?;
    Ok(client.execute(&statement, &[&id, &parameter(reach)]).await? > 0)
}

/// Those of `ids` that are registered.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn standings(client: &Client, ids: &[Uuid]) -> Result<Vec<Standing>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_keys.sql")).await?;
    let rows = client.query(&statement, &[&ids]).await?;
    rows.iter().map(standing).collect()
}

/// At most `servers_max` of those whose owner, labels or host name changed after a revision, in order, with the name.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn judged_after(
    client: &Client,
    revision: i64,
    servers_max: i64,
) -> Result<Vec<(String, Standing)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_judged.sql")).await?;
    let rows = client.query(&statement, &[&revision, &servers_max]).await?;
    rows.iter().map(|row| Ok((row.try_get("hostname")?, standing(row)?))).collect()
}

/// The numbers of all servers within reach.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn within(client: &Client, reach: &Reach) -> Result<Vec<ServerKey>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_within.sql")).await?;
    let rows = client.query(&statement, &[&parameter(reach)]).await?;
    rows.iter().map(|row| Ok(ServerKey(row.try_get("key")?))).collect()
}

/// Those of `hostnames` that servers of the fleet have.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn by_hostname(client: &Client, hostnames: &[&str]) -> Result<Vec<(String, Standing)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/server_by_hostname.sql")).await?;
    let rows = client.query(&statement, &[&hostnames]).await?;
    rows.iter().map(|row| Ok((row.try_get("hostname")?, standing(row)?))).collect()
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

impl Registration {
    fn parameters(&self) -> [&(dyn ToSql + Sync); 9] {
        [
            &self.hostname,
            &self.ip_address,
            &self.os,
            &self.cpu_model,
            &self.total_ram,
            &self.kernel_version,
            &self.uptime,
            &self.labels,
            &self.agent_version,
        ]
    }
}

fn standing(row: &Row) -> Result<Standing, StoreError> {
    Ok(Standing {
        key: ServerKey(row.try_get("key")?),
        id: row.try_get("id")?,
        belonging: belonging(row)?,
        revision: row.try_get("belonging")?,
    })
}

fn server(row: &Row) -> Result<ServerRow, StoreError> {
    let time = |column: &str| row.try_get::<_, Timestamp>(column).map(|time| time.0);
    Ok(ServerRow {
        standing: standing(row)?,
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
