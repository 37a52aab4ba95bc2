//! Agents of persons and endpoints of the fleet: added, given other tokens, removed; each with its line in the audit.
//!
//! An agent's token must be used within `ACTIVATION_WINDOW` of being made, and is good for good then. An endpoint's is
//! good at once.

use serde_json::json;

use super::caller::Caller;
use super::minted::{Kind, Minted, NoRandomness};
use crate::model::{Micros, UserId};
use crate::store::agents::{self, AgentRow, Change, Room, TokenOf, Which};
use crate::store::audit::{self, Entry};
use crate::store::{Client, Database, StoreError, Transaction, transactions};

const ACTIVATION_WINDOW: i64 = 5 * 60 * Micros::PER_SECOND;
/// Agents a person can ever have added, deleted ones included. Further ones are refused.
const AGENTS_MAX: i64 = 1_000;
/// Endpoints of one page.
pub const PAGE_ENDPOINTS: i64 = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("Agent not found")]
    NotFound,
    #[error("there is no room for another one")]
    NoRoom,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An agent with its new token.
#[derive(Debug)]
pub struct WithToken {
    pub agent: AgentRow,
    pub token: Minted,
}

/// # Errors
/// When the person has too many, or PostgreSQL is not available.
pub async fn add(
    database: &Database,
    caller: Caller<'_>,
    owner: UserId,
    name: &str,
    servers_max: u64,
) -> Result<WithToken, AgentError> {
    let token = Minted::new(Kind::Agent)?;
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    let id = agents::add(&transaction, owner, name, activated_later(&token, caller), room(servers_max)).await?;
    let id = id.ok_or(AgentError::NoRoom)?;
    let agent = one(&transaction, Some(owner), id).await?;
    finish(transaction, &caller.did("agent.create", subject(id), json!({ "name": name }))).await?;
    Ok(WithToken { agent, token })
}

/// Gives an agent another token, a deactivated one too. The one before is refused from now on, on every node.
///
/// # Errors
/// When the person has no such agent, or PostgreSQL is not available.
pub async fn regenerate(
    database: &Database,
    caller: Caller<'_>,
    owner: UserId,
    id: i32,
) -> Result<WithToken, AgentError> {
    let token = Minted::new(Kind::Agent)?;
    let fresh = activated_later(&token, caller);
    let agent = replace(database, caller, Some(owner), (id, fresh)).await?;
    Ok(WithToken { agent, token })
}

/// # Errors
/// When the person has no such agent, or PostgreSQL is not available.
pub async fn deactivate(database: &Database, caller: Caller<'_>, owner: UserId, id: i32) -> Result<(), AgentError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    let name = agents::deactivate(&transaction, owner, id).await?.ok_or(AgentError::NotFound)?;
    finish(transaction, &caller.did("agent.delete", subject(id), json!({ "name": name }))).await
}

/// The active agents of a person.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn of_person(client: &Client, owner: UserId) -> Result<Vec<AgentRow>, StoreError> {
    let which = Which { owner: Some(owner), id: None, after: 0, only_active: true, limit: AGENTS_MAX };
    agents::list(client, which).await
}

/// An agent of a person, a deactivated one too, or with no owner an endpoint.
///
/// # Errors
/// When there is none with this number, or PostgreSQL is not available.
pub async fn get(client: &Client, owner: Option<UserId>, id: i32) -> Result<AgentRow, AgentError> {
    let found = agents::list(client, single(owner, id)).await?;
    found.into_iter().next().ok_or(AgentError::NotFound)
}

/// Adds an endpoint and answers also whether its server is new.
///
/// # Errors
/// [`StoreError::Duplicate`] when its host or its machine has one, otherwise when there is no room for a server or
/// PostgreSQL is not available.
pub async fn add_endpoint(
    database: &Database,
    caller: Caller<'_>,
    (hostname, machine_id): (&str, &str),
    servers_max: u64,
) -> Result<(WithToken, bool), AgentError> {
    let token = Minted::new(Kind::Endpoint)?;
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    let fresh = good_at_once(&token, caller);
    let added = agents::add_endpoint(&transaction, hostname, machine_id, fresh, room(servers_max)).await?;
    let (id, is_new) = added.ok_or(AgentError::NoRoom)?;
    let agent = one(&transaction, None, id).await?;
    let details = json!({ "hostname": hostname, "machine_id": machine_id });
    finish(transaction, &caller.did("endpoint.create", subject(id), details)).await?;
    Ok((WithToken { agent, token }, is_new))
}

/// Gives an endpoint another token. The one before is refused from now on, on every node.
///
/// # Errors
/// When there is no such endpoint, or PostgreSQL is not available.
pub async fn rotate(database: &Database, caller: Caller<'_>, id: i32) -> Result<WithToken, AgentError> {
    let token = Minted::new(Kind::Endpoint)?;
    let agent = replace(database, caller, None, (id, good_at_once(&token, caller))).await?;
    Ok(WithToken { agent, token })
}

/// # Errors
/// [`StoreError::Duplicate`] when another one has the host name or the machine id, otherwise when there is no such
/// endpoint or PostgreSQL is not available.
pub async fn change_endpoint(
    database: &Database,
    caller: Caller<'_>,
    id: i32,
    change: &Change,
) -> Result<AgentRow, AgentError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    if !agents::change_endpoint(&transaction, id, change).await? {
        return Err(AgentError::NotFound);
    }
    let agent = one(&transaction, None, id).await?;
    let Change { hostname, machine_id, is_active } = change;
    let details = json!({ "hostname": hostname, "machine_id": machine_id, "is_active": is_active });
    finish(transaction, &caller.did("endpoint.change", subject(id), details)).await?;
    Ok(agent)
}

/// # Errors
/// When there is no such endpoint, or PostgreSQL is not available.
pub async fn delete_endpoint(database: &Database, caller: Caller<'_>, id: i32) -> Result<(), AgentError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    let hostname = agents::delete_endpoint(&transaction, id).await?.ok_or(AgentError::NotFound)?;
    finish(transaction, &caller.did("endpoint.delete", subject(id), json!({ "hostname": hostname }))).await
}

/// A page of endpoints with numbers above `after`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn endpoints(client: &Client, after: i32) -> Result<Vec<AgentRow>, StoreError> {
    let which = Which { owner: None, id: None, after, only_active: false, limit: PAGE_ENDPOINTS };
    agents::list(client, which).await
}

async fn replace(
    database: &Database,
    caller: Caller<'_>,
    owner: Option<UserId>,
    (id, fresh): (i32, TokenOf<'_>),
) -> Result<AgentRow, AgentError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    let name = agents::replace_token(&transaction, owner, id, fresh).await?.ok_or(AgentError::NotFound)?;
    let agent = one(&transaction, owner, id).await?;
    let action = if owner.is_some() { "agent.regenerate" } else { "endpoint.rotate" };
    finish(transaction, &caller.did(action, subject(id), json!({ "name": name }))).await?;
    Ok(agent)
}

async fn one(transaction: &Transaction<'_>, owner: Option<UserId>, id: i32) -> Result<AgentRow, AgentError> {
    let found = agents::list(transaction, single(owner, id)).await?;
    found.into_iter().next().ok_or(AgentError::NotFound)
}

async fn finish(transaction: Transaction<'_>, entry: &Entry) -> Result<(), AgentError> {
    audit::add(&transaction, entry).await?;
    Ok(transactions::commit(transaction).await?)
}

fn activated_later<'a>(token: &'a Minted, caller: Caller<'_>) -> TokenOf<'a> {
    TokenOf { expires_at: Some(Micros(caller.at.0 + ACTIVATION_WINDOW)), ..good_at_once(token, caller) }
}

fn good_at_once<'a>(token: &'a Minted, caller: Caller<'_>) -> TokenOf<'a> {
    TokenOf { hash: token.hash().as_bytes(), created_at: caller.at, expires_at: None }
}

fn room(servers_max: u64) -> Room {
    Room { agents_max: AGENTS_MAX, servers_max: i64::try_from(servers_max).unwrap_or(i64::MAX) }
}

fn single(owner: Option<UserId>, id: i32) -> Which {
    Which { owner, id: Some(id), after: i32::MIN, only_active: false, limit: 1 }
}

fn subject(id: i32) -> String {
    format!("agent {id}")
}
