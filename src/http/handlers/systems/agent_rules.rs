//! `/rules` and `/history` of `StatusMonitor`: what a person's agents are watched for, and what was found.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::super::agents::caller;
use super::super::{Answering, Services, admission, validation};
use crate::alert::manage::ManageError;
use crate::alert::manage::agent_rules::{self, New};
use crate::alert::packs::statusmonitor::{PACK, Terms};
use crate::http::{ApiError, Request, response};
use crate::model::UserId;
use crate::model::alert::RuleId;
use crate::store::alerts::agent_rules::{FoundRow, HistoryQuery, ListedRule, history};

/// Longest body of a new rule.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// Longest word of a rule.
const WORD_BYTES_MAX: usize = 64;
/// Entries of one answer.
const SHOWN_MAX: i64 = 1_000;
const SHOWN_DEFAULT: i64 = 100;

pub(in crate::http::handlers) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let owner = owner(&request)?;
        let client = services.database.client().await?;
        let rules = agent_rules::list(&client, caller(&services, &request), owner).await?;
        response::json(StatusCode::OK, &rules.iter().map(shown).collect::<Vec<Json>>())
    })
}

pub(in crate::http::handlers) fn add(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let (body, _held) = admission::small(&services, &mut request, BODY_BYTES_MAX).await?;
        let (owner, new) = (owner(&request)?, new(&validation::object(&body)?)?);
        let caller = caller(&services, &request);
        let (rule, has_fired) = agent_rules::add(&services.database, caller, owner, new).await.map_err(refused)?;
        services.alerts.signals.rules_changed();
        if has_fired {
            services.alerts.signals.recorded();
        }
        response::json(StatusCode::OK, &shown(&rule))
    })
}

pub(in crate::http::handlers) fn delete(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let (owner, id) = (owner(&request)?, id(&request)?);
        let caller = caller(&services, &request);
        agent_rules::delete(&services.database, caller, owner, id).await.map_err(refused)?;
        services.alerts.signals.rules_changed();
        response::json(StatusCode::OK, &json!({ "status": "deleted" }))
    })
}

pub(in crate::http::handlers) fn found(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let (owner, query) = (owner(&request)?, request.query()?);
        let number = |name: &'static str, default| {
            query.get(name).map_or(Ok(default), |text| text.parse::<i64>().map_err(|_| not_a_number("query", name)))
        };
        let (limit, offset) = (number("limit", SHOWN_DEFAULT)?, number("offset", 0)?);
        if !(1..=SHOWN_MAX).contains(&limit) {
            let told = format!("Limit must be between 1 and {SHOWN_MAX}");
            return Err(ApiError::bad_request("bad_parameter", told));
        }
        let asked = HistoryQuery {
            owner,
            reach: &request.principal.reach,
            system: PACK,
            agent_id: query.get("agent_id").filter(|text| !text.is_empty()),
            metric_type: query.get("metric_type").filter(|text| !text.is_empty()),
            events_max: limit,
            offset: offset.max(0),
        };
        let found = history(&services.database.client().await?, asked).await?;
        response::json(StatusCode::OK, &found.iter().map(entry).collect::<Vec<Json>>())
    })
}

pub(in crate::http::handlers) fn clear(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let owner = owner(&request)?;
        let caller = caller(&services, &request);
        agent_rules::clear_history(&services.database, caller, owner).await.map_err(refused)?;
        response::json(StatusCode::OK, &json!({ "status": "cleared" }))
    })
}

fn owner(request: &Request) -> Result<UserId, ApiError> {
    request.principal.person().ok_or_else(|| ApiError::unauthorized("Missing authentication", "Bearer"))
}

fn id(request: &Request) -> Result<RuleId, ApiError> {
    let text = request.param("rule_id").unwrap_or_default();
    text.parse().map(RuleId).map_err(|_| not_a_number("path", "rule_id"))
}

/// Everything that is wrong is told at once.
fn new(fields: &Map<String, Json>) -> Result<New, ApiError> {
    let mut problems = Vec::new();
    let agent = match fields.get("agent_id") {
        None => Err(validation::missing(&["body", "agent_id"])),
        Some(Json::String(id)) => Ok(id.clone()),
        Some(Json::Number(id)) if id.is_i64() => Ok(id.to_string()),
        Some(_) => Err(detail("string_type", "agent_id", "Input should be a valid string")),
    };
    let word = |name: &'static str| match fields.get(name) {
        None => Err(validation::missing(&["body", name])),
        Some(Json::String(text)) if text.len() <= WORD_BYTES_MAX && !text.contains('\0') => Ok(text.clone()),
        Some(Json::String(_)) => Err(detail("string_too_long", name, "String should have at most 64 characters")),
        Some(_) => Err(detail("string_type", name, "Input should be a valid string")),
    };
    let threshold = match fields.get("threshold") {
        None => Err(validation::missing(&["body", "threshold"])),
        Some(Json::Number(number)) => number.as_f64().ok_or(()).map_err(|()| no_float()),
        Some(Json::String(text)) => text.trim().parse().map_err(|_| no_float()),
        Some(_) => Err(detail("float_type", "threshold", "Input should be a valid number")),
    };
    let threshold = threshold.and_then(|number: f64| {
        let told = "Input should be a finite number";
        if number.is_finite() { Ok(number) } else { Err(detail("finite_number", "threshold", told)) }
    });
    let enabled = match fields.get("enabled") {
        None => Ok(true),
        Some(Json::Bool(enabled)) => Ok(*enabled),
        Some(_) => Err(detail("bool_type", "enabled", "Input should be a valid boolean")),
    };
    let (agent, metric_type) = (kept(agent, &mut problems), kept(word("metric_type"), &mut problems));
    let (condition, threshold) = (kept(word("condition"), &mut problems), kept(threshold, &mut problems));
    let enabled = kept(enabled, &mut problems);
    let (Some(agent), Some(metric_type), Some(condition), Some(threshold), Some(enabled)) =
        (agent, metric_type, condition, threshold, enabled)
    else {
        return Err(validation::refused(problems));
    };
    // Whatever else it says, no agent is called that.
    let agent = agent.trim().parse().map_err(|_| refused(ManageError::NotFound("agent")))?;
    Ok(New { agent, terms: Terms { metric_type, condition, threshold }, enabled })
}

fn kept<T>(read: Result<T, Json>, problems: &mut Vec<Json>) -> Option<T> {
    read.map_err(|problem| problems.push(problem)).ok()
}

fn detail(kind: &str, name: &str, told: &str) -> Json {
    json!({ "type": kind, "loc": ["body", name], "msg": told, "input": null })
}

fn no_float() -> Json {
    detail("float_parsing", "threshold", "Input should be a valid number, unable to parse string as a number")
}

fn not_a_number(place: &str, name: &str) -> ApiError {
    let told = "Input should be a valid integer, unable to parse string as an integer";
    validation::refused(vec![json!({ "type": "int_parsing", "loc": [place, name], "msg": told, "input": null })])
}

/// In the system's words.
fn refused(error: ManageError) -> ApiError {
    match error {
        ManageError::NotFound("agent") => ApiError::not_found("Agent not found or does not belong to you"),
        ManageError::NotFound(_) => ApiError::not_found("Rule not found"),
        ManageError::Store(error) => error.into(),
        other => ApiError::forbidden(other.to_string()),
    }
}

fn shown(rule: &ListedRule) -> Json {
    let terms = Terms::of_definition(&rule.definition);
    json!({
        "id": rule.id.0,
        "user_id": rule.owner.0,
        "agent_id": rule.agent.to_string(),
        "metric_type": terms.as_ref().map(|terms| terms.metric_type.as_str()),
        "condition": terms.as_ref().map(|terms| terms.condition.as_str()),
        "threshold": terms.as_ref().map(|terms| terms.threshold),
        "enabled": rule.enabled,
        "created_at": rule.created_at.to_string(),
    })
}

fn entry(found: &FoundRow) -> Json {
    let of = |name: &str| found.details[name].clone();
    json!({
        "id": found.id, "rule_id": found.rule.map(|rule| rule.0), "agent_id": of("agent_id"),
        "agent_name": of("agent_name"), "metric_type": of("metric_type"), "condition": of("condition"),
        "threshold": of("threshold"), "value": found.value, "message": of("message"),
        "triggered_at": found.at.to_string(),
    })
}
