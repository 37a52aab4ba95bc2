//! What programs show to be let in, by the hashes of it. Nobody here ever sees a token.

use std::net::IpAddr;

use deadpool_postgres::{ClientWrapper, GenericClient};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{StoreError, Timestamp};
use crate::model::{Micros, UserId};

/// What one look found: tokens, and the revision of the state that they were seen in.
#[derive(Clone, Debug)]
pub struct Look {
    pub revision: i64,
    pub tokens: Vec<TokenRow>,
}

/// A token with all it is judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRow {
    pub id: i64,
    pub hash: Vec<u8>,
    pub grant: Grant,
    pub created_by: Option<UserId>,
    /// The person it stands or falls with: its maker, or the owner of its agent.
    pub maker: Option<Maker>,
    pub agent: Option<AgentOf>,
    pub activated_at: Option<Micros>,
    pub revoked_at: Option<Micros>,
}

/// What a token is for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grant {
    pub rights: Vec<String>,
    pub servers: Option<Vec<Uuid>>,
    /// An object of strings, when there are any.
    pub labels: Option<Value>,
    pub expires_at: Option<Micros>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maker {
    pub role: Option<String>,
    pub is_active: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentOf {
    pub id: i32,
    pub name: String,
    pub is_active: bool,
    pub owner: Option<UserId>,
    pub server: Uuid,
}

/// A token that someone made for a program, as it is listed.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: i64,
    pub created_by: Option<UserId>,
    pub name: String,
    pub grant: Grant,
    pub created_at: Micros,
    pub last_used: Option<Micros>,
    pub last_address: Option<IpAddr>,
}

/// A token that is to be added.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    pub hash: &'a [u8],
    pub created_by: Option<UserId>,
    pub name: &'a str,
    pub grant: &'a Grant,
    pub created_at: Micros,
}

/// Those of `hashes` that are tokens.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn look(client: &ClientWrapper, hashes: &[&[u8]]) -> Result<Look, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/token_look.sql")).await?;
    let rows = client.query(&statement, &[&hashes]).await?;
    let first = rows.first().ok_or_else(|| StoreError::Unreadable("auth_revision is empty".to_owned()))?;
    let revision = first.try_get("revision")?;
    let tokens = rows.iter().filter_map(|row| token(row).transpose()).collect::<Result<_, _>>()?;
    Ok(Look { revision, tokens })
}

/// Those of `hashes` that are activated now: not those that were replaced, revoked or ran out before `now`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn activate(client: &ClientWrapper, hashes: &[&[u8]], now: Micros) -> Result<Vec<Vec<u8>>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/token_activate.sql")).await?;
    let rows = client.query(&statement, &[&hashes, &Timestamp(now)]).await?;
    rows.iter().map(|row| Ok(row.try_get("hash")?)).collect()
}

/// Writes down when and from where tokens were used.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn used(client: &impl GenericClient, uses: &[(i64, Micros, IpAddr)]) -> Result<(), StoreError> {
    let ids: Vec<i64> = uses.iter().map(|(id, _, _)| *id).collect();
    let times: Vec<Timestamp> = uses.iter().map(|(_, time, _)| Timestamp(*time)).collect();
    let addresses: Vec<IpAddr> = uses.iter().map(|(_, _, address)| *address).collect();
    let statement = client.prepare_cached(include_str!("../../sql/queries/token_used.sql")).await?;
    client.execute(&statement, &[&ids, &times, &addresses]).await?;
    Ok(())
}

/// Adds a token for a program and answers its number; `None` when its maker has `tokens_max`.
///
/// # Errors
/// [`StoreError::MissingReference`] when its maker is gone, otherwise when PostgreSQL is not available.
pub async fn add(client: &impl GenericClient, new: &NewToken<'_>, tokens_max: i64) -> Result<Option<i64>, StoreError> {
    let NewToken { hash, created_by, name, grant, created_at } = new;
    let Grant { rights, servers, labels, expires_at } = grant;
    let (created_by, expires_at) = (created_by.map(|user| user.0), expires_at.map(Timestamp));
    let statement = client.prepare_cached(include_str!("../../sql/queries/token_add.sql")).await?;
    let created_at = Timestamp(*created_at);
    let row = client
        .query_opt(
            &statement,
            &[hash, &created_by, name, rights, servers, labels, &created_at, &expires_at, &tokens_max],
        )
        .await?;
    row.map(|row| Ok(row.try_get("id")?)).transpose()
}

/// Tokens for programs with numbers above `after`, of one person or all.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(
    client: &impl GenericClient,
    created_by: Option<UserId>,
    after: i64,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/token_list.sql")).await?;
    let rows = client.query(&statement, &[&created_by.map(|user| user.0), &after, &limit]).await?;
    rows.iter().map(listed).collect()
}

/// Revokes a token for a program, of one person or whosoever, and answers its name.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn revoke(
    client: &impl GenericClient,
    id: i64,
    created_by: Option<UserId>,
    now: Micros,
) -> Result<Option<String>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/token_revoke.sql")).await?;
    let row = client.query_opt(&statement, &[&id, &created_by.map(|user| user.0), &Timestamp(now)]).await?;
    row.map(|row| Ok(row.try_get("name")?)).transpose()
}

fn token(row: &Row) -> Result<Option<TokenRow>, StoreError> {
    let Some(id) = row.try_get("id")? else { return Ok(None) };
    let is_active: Option<bool> = row.try_get("maker_is_active")?;
    let maker = match is_active {
        Some(is_active) => Some(Maker { role: row.try_get("role")?, is_active }),
        None => None,
    };
    Ok(Some(TokenRow {
        id,
        hash: row.try_get("hash")?,
        grant: grant(row)?,
        created_by: row.try_get::<_, Option<i64>>("created_by")?.map(UserId),
        maker,
        agent: agent(row)?,
        activated_at: time(row, "activated_at")?,
        revoked_at: time(row, "revoked_at")?,
    }))
}

fn agent(row: &Row) -> Result<Option<AgentOf>, StoreError> {
    let Some(id) = row.try_get("agent")? else { return Ok(None) };
    Ok(Some(AgentOf {
        id,
        name: row.try_get("name")?,
        is_active: row.try_get("agent_is_active")?,
        owner: row.try_get::<_, Option<i64>>("owner")?.map(UserId),
        server: row.try_get("server")?,
    }))
}

fn listed(row: &Row) -> Result<Listed, StoreError> {
    Ok(Listed {
        id: row.try_get("id")?,
        created_by: row.try_get::<_, Option<i64>>("created_by")?.map(UserId),
        name: row.try_get("name")?,
        grant: grant(row)?,
        created_at: row.try_get::<_, Timestamp>("created_at")?.0,
        last_used: time(row, "last_used")?,
        last_address: row.try_get("last_address")?,
    })
}

fn grant(row: &Row) -> Result<Grant, StoreError> {
    Ok(Grant {
        rights: row.try_get("rights")?,
        servers: row.try_get("servers")?,
        labels: row.try_get("labels")?,
        expires_at: time(row, "expires_at")?,
    })
}

fn time(row: &Row, column: &str) -> Result<Option<Micros>, StoreError> {
    Ok(row.try_get::<_, Option<Timestamp>>(column)?.map(|time| time.0))
}
