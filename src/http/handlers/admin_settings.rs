//! `/api/v1/settings`: what administrators set while the server runs.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{ETAG, HeaderValue, IF_MATCH};
use serde_json::{Map, Value, json};

use super::{Answering, Services, input};
use crate::auth::Actor;
use crate::http::{ApiError, Request, Response, response};
use crate::settings::{self, Current, GROUPS, Group};

pub(super) fn list(services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async move {
        let mut all = Map::new();
        for group in GROUPS {
            all.insert(group.name().to_owned(), shown(&settings::read(&services.database, group).await?));
        }
        response::json(StatusCode::OK, &json!({ "settings": all }))
    })
}

pub(super) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move { answer(&settings::read(&services.database, group(&request)?).await?) })
}

/// `{"value": {…}, "version": n}`, or the version in `If-Match`. What the value leaves out is as it is by default.
pub(super) fn put(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let group = group(&request)?;
        let mut sent: Map<String, Value> = input::json(&services, &mut request).await?;
        let matches = request.header(IF_MATCH).map(|tag| tag.trim().trim_matches('"').to_owned());
        let seen = match (matches, sent.get("version")) {
            (Some(tag), _) => tag.parse().ok(),
            (None, version) => version.and_then(Value::as_i64),
        };
        let told = "say which version this is a change of, in version or If-Match";
        let seen = seen.ok_or_else(|| ApiError::bad_request("missing_version", told))?;
        let value = sent.remove("value").unwrap_or(Value::Null);
        let by = Actor::of(&request.principal, request.peer.ip());
        let now = services.clock.now();
        answer(&settings::write(&services.database, (group, &value), Some(seen), &by, now).await?)
    })
}

fn group(request: &Request) -> Result<Group, ApiError> {
    let group = Group::parse(request.param("key").unwrap_or_default());
    group.ok_or_else(|| ApiError::not_found("there are no such settings"))
}

fn answer(current: &Current) -> Result<Response, ApiError> {
    let mut answer = response::json(StatusCode::OK, &shown(current))?;
    let tag = HeaderValue::try_from(format!("\"{}\"", current.version)).map_err(ApiError::internal)?;
    answer.headers_mut().insert(ETAG, tag);
    Ok(answer)
}

fn shown(current: &Current) -> Value {
    let updated_at = current.updated_at.map(|time| time.to_string());
    json!({ "key": current.group.name(), "value": current.value, "version": current.version, "updated_at": updated_at })
}
