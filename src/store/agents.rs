//! Programs that send data of one server with a token of their own: agents of persons, and endpoints of the fleet, which
//! have no owner.

use deadpool_postgres::{Client, GenericClient};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{StoreError, Timestamp};
use crate::model::{Micros, UserId};

/// The token of an agent that is being added or gets another one.
#[derive(Clone, Copy, Debug)]
pub struct TokenOf<'a> {
    pub hash: &'a [u8],
    pub created_at: Micros,
    /// Until when it must have been used for the first time; `None`: it is good for good.
    pub expires_at: Option<Micros>,
}

#[derive(Clone, Debug)]
pub struct AgentRow {
    pub id: i32,
    pub name: String,
    pub machine_id: Option<String>,
    pub server: Uuid,
    pub is_active: bool,
    pub interval_seconds: Option<i32>,
    pub created_at: Micros,
    pub last_seen: Option<Micros>,
    pub token_expires_at: Option<Micros>,
    pub token_activated_at: Option<Micros>,
}

/// Which agents are listed.
#[derive(Clone, Copy, Debug)]
pub struct Which {
    /// `None`: endpoints.
    pub owner: Option<UserId>,
    /// Only this one.
    pub id: Option<i32>,
    /// Only those with higher numbers.
    pub after: i32,
    pub only_active: bool,
    pub limit: i64,
}

/// What is to be changed of an endpoint; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub hostname: Option<String>,
    pub machine_id: Option<String>,
    pub is_active: Option<bool>,
}

/// How many there may be.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub agents_max: i64,
    pub servers_max: i64,
}

/// Adds an agent of a person with a server of its own, and answers its number; `None` when there is no room.
///
/// # Errors
/// [`StoreError::MissingReference`] when the person is gone, otherwise when PostgreSQL is not available.
pub async fn add(
    client: &impl GenericClient,
    owner: UserId,
    name: &str,
    token: TokenOf<'_>,
    room: Room,
) -> Result<Option<i32>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/agent_add.sql")).await?;
    let (created_at, expires_at) = (Timestamp(token.created_at), token.expires_at.map(Timestamp));
    let row = client
        .query_opt(
            &statement,
            &[&owner.0, &name, &created_at, &token.hash, &expires_at, &room.agents_max, &room.servers_max],
        )
        .await?;
    row.map(|row| Ok(row.try_get("id")?)).transpose()
}

/// Adds an endpoint and answers its number and whether its server is new; `None` when there is no room for a server.
///
/// # Errors
/// [`StoreError::Duplicate`] when there is one with its machine id or host name, otherwise when PostgreSQL is not
/// available.
pub async fn add_endpoint(
    client: &impl GenericClient,
    hostname: &str,
    machine_id: &str,
    token: TokenOf<'_>,
    room: Room,
) -> Result<Option<(i32, bool)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/endpoint_add.sql")).await?;
    let created_at = Timestamp(token.created_at);
    let row =
        client.query_opt(&statement, &[&hostname, &machine_id, &created_at, &token.hash, &room.servers_max]).await?;
    row.map(|row| Ok((row.try_get("id")?, row.try_get("is_new")?))).transpose()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &impl GenericClient, which: Which) -> Result<Vec<AgentRow>, StoreError> {
    let Which { owner, id, after, only_active, limit } = which;
    let statement = client.prepare_cached(include_str!("../../sql/queries/agent_list.sql")).await?;
    let rows = client.query(&statement, &[&owner.map(|user| user.0), &id, &after, &only_active, &limit]).await?;
    rows.iter().map(agent).collect()
}

/// Gives an agent of a person, or an endpoint, another token, and answers its name. The one before is refused from now on.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn replace_token(
    client: &impl GenericClient,
    owner: Option<UserId>,
    id: i32,
    token: TokenOf<'_>,
) -> Result<Option<String>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/token_replace.sql")).await?;
    let (created_at, expires_at) = (Timestamp(token.created_at), token.expires_at.map(Timestamp));
    let owner = owner.map(|user| user.0);
    name(client.query_opt(&statement, &[&id, &owner, &token.hash, &created_at, &expires_at]).await?)
}

/// Refuses an agent's token from now on, and answers its name. What it sent stays.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn deactivate(client: &impl GenericClient, owner: UserId, id: i32) -> Result<Option<String>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/agent_deactivate.sql")).await?;
    name(client.query_opt(&statement, &[&id, &owner.0]).await?)
}

/// Changes an endpoint; `false` when there is none with this number.
///
/// # Errors
/// [`StoreError::Duplicate`] when another one has the host name or the machine id, otherwise when PostgreSQL is not
/// available.
pub async fn change_endpoint(client: &impl GenericClient, id: i32, change: &Change) -> Result<bool, StoreError> {
    let Change { hostname, machine_id, is_active } = change;
    let statement = client.prepare_cached(include_str!("../../sql/queries/endpoint_update.sql")).await?;
    Ok(client.query_opt(&statement, &[&id, hostname, machine_id, is_active]).await?.is_some())
}

/// What an endpoint said of itself.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub hostname: &'a str,
    /// Empty where it does not know.
    pub machine_id: &'a str,
    pub interval_seconds: i32,
}

/// Takes over what the endpoint of a server said of itself, and answers whether the server has another host name by it.
/// A name or a machine that another one has is left to that one.
///
/// # Errors
/// [`StoreError::Duplicate`] when another one took the name in this very moment, otherwise when PostgreSQL is not
/// available.
pub async fn endpoint_reported(client: &Client, server_id: Uuid, said: Said<'_>) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/endpoint_reported.sql")).await?;
    let Said { hostname, machine_id, interval_seconds } = said;
    let row = client.query_opt(&statement, &[&server_id, &hostname, &machine_id, &interval_seconds]).await?;
    Ok(row.map(|row| row.try_get("is_renamed")).transpose()?.unwrap_or(false))
}

/// Deletes an endpoint and its token, and answers its host name. Its server stays, with all that was sent.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn delete_endpoint(client: &impl GenericClient, id: i32) -> Result<Option<String>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/endpoint_delete.sql")).await?;
    name(client.query_opt(&statement, &[&id]).await?)
}

fn name(row: Option<Row>) -> Result<Option<String>, StoreError> {
    row.map(|row| Ok(row.try_get("name")?)).transpose()
}

fn agent(row: &Row) -> Result<AgentRow, StoreError> {
    let time = |column: &str| row.try_get::<_, Option<Timestamp>>(column).map(|time| time.map(|time| time.0));
    Ok(AgentRow {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        machine_id: row.try_get("machine_id")?,
        server: row.try_get("server")?,
        is_active: row.try_get("is_active")?,
        interval_seconds: row.try_get("interval_seconds")?,
        created_at: row.try_get::<_, Timestamp>("created_at")?.0,
        last_seen: time("last_seen")?,
        token_expires_at: time("expires_at")?,
        token_activated_at: time("activated_at")?,
    })
}
