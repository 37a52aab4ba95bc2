//! `/api/v1/endpoints`: agents of the fleet, each the voice of one host. The token is in the answer to its making and
//! nowhere else.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::agents::caller;
use super::{Answering, Services, input};
use crate::auth::agents::{self, AgentError, PAGE_ENDPOINTS, WithToken};
use crate::http::{ApiError, Request, response};
use crate::store::agents::{AgentRow, Change};

/// Longest machine id.
const MACHINE_ID_BYTES_MAX: usize = 255;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    hostname: Option<String>,
    machine_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changing {
    hostname: Option<String>,
    machine_id: Option<String>,
    is_active: Option<bool>,
}

pub(super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let after = i32::try_from(input::after(&request)?).unwrap_or(i32::MAX);
        let found = agents::endpoints(&services.database.client().await?, after).await?;
        let is_full = found.len() as i64 == PAGE_ENDPOINTS;
        let next = found.last().filter(|_| is_full).map(|endpoint| endpoint.id);
        let endpoints: Vec<Value> = found.iter().map(|endpoint| shown(&services, endpoint)).collect();
        response::json(StatusCode::OK, &json!({ "endpoints": endpoints, "next": next }))
    })
}

pub(super) fn add(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let Sent { hostname, machine_id } = input::json(&services, &mut request).await?;
        let added = create(&services, &request, hostname, machine_id).await?;
        response::json(StatusCode::CREATED, &shown_with(&services, &added))
    })
}

pub(super) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let endpoint = find(&services, id(&request)?).await?;
        response::json(StatusCode::OK, &shown(&services, &endpoint))
    })
}

pub(super) fn change(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let Changing { hostname, machine_id, is_active } = input::json(&services, &mut request).await?;
        let id = id(&request)?;
        let hostname = hostname.map(|hostname| input::hostname(Some(hostname))).transpose()?;
        let machine_id = machine_id.map(|machine_id| self::machine_id(Some(machine_id))).transpose()?;
        let change = Change { hostname, machine_id, is_active };
        let changed = agents::change_endpoint(&services.database, caller(&services, &request), id, &change).await;
        let endpoint = changed.map_err(of_endpoint)?;
        services.tokens.changed();
        if change.hostname.is_some() {
            // What is known here by the name it had is to be looked up again.
            services.catalog.servers().renamed(endpoint.server);
        }
        response::json(StatusCode::OK, &shown(&services, &endpoint))
    })
}

pub(super) fn delete(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let deleted = agents::delete_endpoint(&services.database, caller(&services, &request), id(&request)?).await;
        deleted.map_err(of_endpoint)?;
        services.tokens.changed();
        Ok(response::empty(StatusCode::NO_CONTENT))
    })
}

/// The body says nothing and is not read.
pub(super) fn rotate(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let rotated = agents::rotate(&services.database, caller(&services, &request), id(&request)?).await;
        let rotated = rotated.map_err(of_endpoint)?;
        services.tokens.changed();
        response::json(StatusCode::OK, &shown_with(&services, &rotated))
    })
}

/// Adds an endpoint from what someone filled in.
pub(super) async fn create(
    services: &Services,
    request: &Request,
    hostname: Option<String>,
    machine_id: Option<String>,
) -> Result<WithToken, ApiError> {
    let (hostname, machine_id) = (input::hostname(hostname)?, self::machine_id(machine_id)?);
    let servers_max = services.catalog.servers().servers_max();
    let named = (hostname.as_str(), machine_id.as_str());
    let (added, is_new) =
        agents::add_endpoint(&services.database, caller(services, request), named, servers_max).await?;
    services.catalog.servers().count_added(u64::from(is_new));
    Ok(added)
}

pub(super) async fn find(services: &Services, id: i32) -> Result<AgentRow, ApiError> {
    agents::get(&services.database.client().await?, None, id).await.map_err(of_endpoint)
}

pub(super) fn id(request: &Request) -> Result<i32, ApiError> {
    let id = input::path_number(request, "id")?;
    i32::try_from(id).map_err(|_| ApiError::not_found("there is no such endpoint"))
}

/// The words for an agent are another system's.
fn of_endpoint(error: AgentError) -> ApiError {
    match error {
        AgentError::NotFound => ApiError::not_found("there is no such endpoint"),
        error => error.into(),
    }
}

fn machine_id(text: Option<String>) -> Result<String, ApiError> {
    let text = input::required("machine_id", text)?;
    if text.len() > MACHINE_ID_BYTES_MAX {
        let message = format!("machine_id is longer than {MACHINE_ID_BYTES_MAX} bytes");
        return Err(ApiError::bad_request("invalid_text", message));
    }
    Ok(text)
}

pub(super) fn shown(services: &Services, endpoint: &AgentRow) -> Value {
    let last_seen = endpoint.last_seen.max(services.catalog.servers().last_seen(endpoint.server));
    json!({
        "id": endpoint.id,
        "hostname": endpoint.name,
        "machine_id": endpoint.machine_id,
        "server_id": endpoint.server,
        "is_active": endpoint.is_active,
        "last_interval_seconds": endpoint.interval_seconds,
        "created_at": endpoint.created_at.to_string(),
        "last_seen": last_seen.map(|time| time.to_string()),
    })
}

fn shown_with(services: &Services, WithToken { agent, token }: &WithToken) -> Value {
    let mut shown = shown(services, agent);
    shown["token"] = json!(token.reveal());
    shown
}
