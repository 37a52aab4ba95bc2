//! `/api/v1/alerts/rules`: what is watched.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{ETAG, HeaderValue, IF_MATCH};
use serde_json::{Map, Value, json};

use super::super::agents::caller;
use super::super::{Answering, Services, input};
use super::{asked, owning};
use crate::alert::manage::rules::{self, Change};
use crate::http::{ApiError, Request, Response, response};
use crate::model::alert::RuleId;
use crate::store::alerts::rules::{RuleQuery, RuleRow, list as stored};

/// The longest part of a name that is looked for.
const NAME_BYTES_MAX: usize = 256;

pub(in super::super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let limit = asked::limit(&query)?;
        let name = asked::get(&query, "name").map(str::to_owned);
        if name.as_ref().is_some_and(|name| name.len() > NAME_BYTES_MAX) {
            return Err(asked::bad("name", "at most 256 bytes long"));
        }
        let asked = RuleQuery {
            reach: request.principal.reach.clone(),
            id: None,
            enabled: asked::flag(&query, "enabled")?,
            name,
            after: input::after(&request)?,
            rules_max: limit + 1,
        };
        let mut found = stored(&services.database.client().await?, &asked).await?;
        let has_more = asked::has_more(&mut found, limit);
        let next = found.last().filter(|_| has_more).map(|rule| rule.id.0);
        response::json(StatusCode::OK, &json!({ "rules": found.iter().map(shown).collect::<Vec<_>>(), "next": next }))
    })
}

pub(in super::super) fn add(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let mut fields: Map<String, Value> = input::json(&services, &mut request).await?;
        let owning = owning(fields.remove("owner"))?;
        let rule = rules::add(&services.database, caller(&services, &request), owning, fields).await?;
        services.alerts.signals.rules_changed();
        answer(StatusCode::CREATED, &rule)
    })
}

pub(in super::super) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let client = services.database.client().await?;
        answer(StatusCode::OK, &rules::get(&client, caller(&services, &request), id(&request)?).await?)
    })
}

/// The whole rule, with the version it is a change of.
pub(in super::super) fn put(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let fields: Map<String, Value> = input::json(&services, &mut request).await?;
        let told = "say which version this is a change of, in version or If-Match";
        let seen = seen(&request, &fields).ok_or_else(|| ApiError::bad_request("missing_version", told))?;
        change(&services, &request, Some(seen), Change::Replace(fields)).await
    })
}

/// Parts of it; with a version only if that is the rule's.
pub(in super::super) fn patch(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let fields: Map<String, Value> = input::json(&services, &mut request).await?;
        let seen = seen(&request, &fields);
        change(&services, &request, seen, Change::Merge(fields)).await
    })
}

pub(in super::super) fn delete(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        rules::delete(&services.database, caller(&services, &request), id(&request)?).await?;
        services.alerts.signals.rules_changed();
        Ok(response::empty(StatusCode::NO_CONTENT))
    })
}

pub(in super::super) fn enable(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move { change(&services, &request, None, Change::Enable(true)).await })
}

pub(in super::super) fn disable(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move { change(&services, &request, None, Change::Enable(false)).await })
}

async fn change(
    services: &Services,
    request: &Request,
    seen: Option<i64>,
    change: Change,
) -> Result<Response, ApiError> {
    let rule = rules::change(&services.database, caller(services, request), (id(request)?, seen), change).await?;
    services.alerts.signals.rules_changed();
    answer(StatusCode::OK, &rule)
}

fn id(request: &Request) -> Result<RuleId, ApiError> {
    Ok(RuleId(input::path_number(request, "id")?))
}

fn seen(request: &Request, fields: &Map<String, Value>) -> Option<i64> {
    match request.header(IF_MATCH) {
        Some(tag) => tag.trim().trim_matches('"').parse().ok(),
        None => fields.get("version").and_then(Value::as_i64),
    }
}

fn answer(status: StatusCode, rule: &RuleRow) -> Result<Response, ApiError> {
    let mut answer = response::json(status, &shown(rule))?;
    let tag = HeaderValue::try_from(format!("\"{}\"", rule.version)).map_err(ApiError::internal)?;
    answer.headers_mut().insert(ETAG, tag);
    Ok(answer)
}

/// A rule as it is sent, and what is known of it beside.
fn shown(rule: &RuleRow) -> Value {
    let mut shown = rule.definition.as_object().cloned().unwrap_or_default();
    let is_scoped = rule.servers.is_some() || rule.labels.is_some();
    let scope = is_scoped.then(|| json!({ "servers": rule.servers, "labels": rule.labels }));
    for (name, value) in [
        ("id", json!(rule.id.0)),
        ("owner", json!(rule.owner.map(|owner| owner.0))),
        ("scope", json!(scope)),
        ("name", json!(rule.name)),
        ("enabled", json!(rule.enabled)),
        ("version", json!(rule.version)),
        ("created_by", json!(rule.created_by.map(|user| user.0))),
        ("created_at", json!(rule.created_at.to_string())),
        ("updated_at", json!(rule.updated_at.to_string())),
        ("pending", json!(rule.pending)),
        ("firing", json!(rule.firing)),
    ] {
        shown.insert(name.to_owned(), value);
    }
    Value::Object(shown)
}
