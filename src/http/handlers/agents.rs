//! `/agents`: agents of a person with their tokens, in the words of the system they come from.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Answering, Services, admission};
use crate::auth::agents::{self, WithToken};
use crate::auth::{Bad, Caller, Unanswered, Who};
use crate::http::{ApiError, Request, response};
use crate::model::UserId;
use crate::store::agents::AgentRow;

/// Longest body of these endpoints.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Longest name; it is a host name too.
const NAME_BYTES_MAX: usize = 255;

pub(super) fn add(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let (body, _held) = admission::small(&services, &mut request, BODY_BYTES_MAX).await?;
        let (owner, name) = (owner(&request)?, name(&body)?);
        let (caller, servers_max) = (caller(&services, &request), services.catalog.servers().servers_max());
        let added = agents::add(&services.database, caller, owner, &name, servers_max).await?;
        services.catalog.servers().count_added(1);
        response::json(StatusCode::OK, &shown_with(&services, &added))
    })
}

pub(super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let owner = owner(&request)?;
        let agents = agents::of_person(&services.database.client().await?, owner).await?;
        let shown: Vec<Value> = agents.iter().map(|agent| listed(&services, agent)).collect();
        response::json(StatusCode::OK, &shown)
    })
}

pub(super) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let (owner, id) = (owner(&request)?, id(&request)?);
        let agent = agents::get(&services.database.client().await?, Some(owner), id).await?;
        response::json(StatusCode::OK, &shown(&services, &agent))
    })
}

pub(super) fn delete(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let (owner, id) = (owner(&request)?, id(&request)?);
        agents::deactivate(&services.database, caller(&services, &request), owner, id).await?;
        services.tokens.changed();
        response::json(StatusCode::OK, &json!({ "message": "Agent deleted successfully" }))
    })
}

/// The body says nothing and is not read.
pub(super) fn regenerate(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let (owner, id) = (owner(&request)?, id(&request)?);
        let regenerated = agents::regenerate(&services.database, caller(&services, &request), owner, id).await?;
        services.tokens.changed();
        response::json(StatusCode::OK, &shown_with(&services, &regenerated))
    })
}

/// What a token is worth. A token that is good is used by this, as if its agent had sent something.
pub(super) fn validate(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let missing = || unprocessable("missing", json!(["query", "token"]), "Field required", &Value::Null);
        let token = query.get("token").ok_or_else(missing)?;
        let answer = match services.tokens.check(token, request.peer.ip()).await {
            Ok(principal) => match &principal.who {
                Who::Agent { id, name, owner, .. } => {
                    let owner = owner.map(|owner| owner.0);
                    json!({ "valid": true, "agent_id": id, "user_id": owner, "agent_name": &**name, "error": null })
                }
                _ => invalid(Bad::Unknown),
            },
            Err(Unanswered::Bad(bad)) => invalid(bad),
            Err(unanswered @ Unanswered::Unavailable) => return Err(unanswered.into()),
        };
        response::json(StatusCode::OK, &answer)
    })
}

/// Who changes something with this request.
pub(super) fn caller<'a>(services: &Services, request: &'a Request) -> Caller<'a> {
    Caller { principal: &request.principal, address: request.peer.ip(), at: services.clock.now() }
}

fn invalid(bad: Bad) -> Value {
    json!({ "valid": false, "agent_id": null, "user_id": null, "agent_name": null, "error": bad.to_string() })
}

/// Agents belong to persons, so whoever asks must be one, or act for one.
fn owner(request: &Request) -> Result<UserId, ApiError> {
    request.principal.person().ok_or_else(|| ApiError::unauthorized("Not authenticated", "Bearer"))
}

fn id(request: &Request) -> Result<i32, ApiError> {
    let text = request.param("id").unwrap_or_default();
    text.parse().map_err(|_| {
        let message = "Input should be a valid integer, unable to parse string as an integer";
        unprocessable("int_parsing", json!(["path", "agent_id"]), message, &text.into())
    })
}

fn name(body: &[u8]) -> Result<String, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(unprocessable("missing", json!(["body"]), "Field required", &Value::Null));
    }
    let body: Value = serde_json::from_slice(body).map_err(|error| {
        unprocessable("json_invalid", json!(["body", error.column()]), "JSON decode error", &json!({}))
    })?;
    let place = json!(["body", "name"]);
    let Value::Object(fields) = &body else {
        let message = "Input should be a valid dictionary or object to extract fields from";
        return Err(unprocessable("model_attributes_type", json!(["body"]), message, &Value::Null));
    };
    let name =
        fields.get("name").ok_or_else(|| unprocessable("missing", place.clone(), "Field required", &Value::Null))?;
    let Value::String(name) = name else {
        return Err(unprocessable("string_type", place, "Input should be a valid string", &Value::Null));
    };
    if name.is_empty() {
        return Err(unprocessable("string_too_short", place, "String should have at least 1 character", &json!("")));
    }
    if name.len() > NAME_BYTES_MAX {
        let message = "String should have at most 255 bytes";
        return Err(unprocessable("string_too_long", place, message, &Value::Null));
    }
    if name.contains('\0') {
        return Err(unprocessable("string_type", place, "String should hold no NUL", &Value::Null));
    }
    Ok(name.clone())
}

fn unprocessable(kind: &str, place: Value, message: &'static str, input: &Value) -> ApiError {
    let detail = json!({ "type": kind, "loc": place, "msg": message, "input": input });
    ApiError::unprocessable("invalid", message).with_details(vec![detail])
}

fn listed(services: &Services, agent: &AgentRow) -> Value {
    let last_seen = agent.last_seen.max(services.catalog.servers().last_seen(agent.server));
    json!({
        "id": agent.id,
        "name": agent.name,
        "token_activated": agent.token_activated_at.is_some(),
        "created_at": agent.created_at.to_string(),
        "last_seen": last_seen.map(|time| time.to_string()),
        "is_active": agent.is_active,
    })
}

fn shown(services: &Services, agent: &AgentRow) -> Value {
    let mut shown = listed(services, agent);
    shown["token_expires_at"] = json!(agent.token_expires_at.map(|time| time.to_string()));
    shown
}

fn shown_with(services: &Services, WithToken { agent, token }: &WithToken) -> Value {
    let mut shown = shown(services, agent);
    shown["token"] = json!(token.reveal());
    shown
}
