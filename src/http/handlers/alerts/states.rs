//! `GET /api/v1/alerts`: what is pending and what fires, and saying that one knows of it.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::agents::caller;
use super::super::{Answering, Services, input};
use super::asked;
use crate::alert::manage::states;
use crate::http::{ApiError, Request, response};
use crate::model::Micros;
use crate::model::alert::RuleId;
use crate::store::alerts::states::{StateQuery, StateRow, list as stored};

const PHASES: [&str; 4] = ["pending", "firing", "acknowledged", "resolved"];
const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];
/// The longest note.
const NOTE_BYTES_MAX: usize = 4_096;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Acknowledging {
    note: String,
}

pub(in super::super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let limit = asked::limit(&query)?;
        let mut phases = asked::words(&query, "phase", &PHASES)?;
        if phases.is_empty() {
            // What is over is history.
            phases.extend(PHASES[..3].iter().map(|&phase| phase.to_owned()));
        }
        let asked = StateQuery {
            reach: request.principal.reach.clone(),
            rules: asked::numbers(&query, "rule")?,
            servers: asked::ids(&query, "server_id")?,
            severities: asked::words(&query, "severity", &SEVERITIES)?,
            phases,
            after: asked::cursor(&query)?.unwrap_or((i64::MIN, i32::MIN)),
            states_max: limit + 1,
        };
        let mut found = stored(&services.database.client().await?, &asked).await?;
        let has_more = asked::has_more(&mut found, limit);
        let next = found.last().filter(|_| has_more).map(|last| format!("{}.{}", last.rule.0, last.series));
        let alerts: Vec<Value> = found.iter().map(shown).collect();
        response::json(StatusCode::OK, &json!({ "alerts": alerts, "next_cursor": next }))
    })
}

/// `{"note": "…"}`, or nothing.
pub(in super::super) fn acknowledge(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let (body, _held) = super::super::admission::small(&services, &mut request, 4 * NOTE_BYTES_MAX).await?;
        let (rule, series) = alert(&request)?;
        let is_empty = body.iter().all(u8::is_ascii_whitespace);
        let sent = if is_empty { Acknowledging::default() } else { input::parse(&body)? };
        let note = input::checked("note", sent.note)?;
        if note.len() > NOTE_BYTES_MAX {
            let message = format!("note is at most {NOTE_BYTES_MAX} bytes long");
            return Err(ApiError::bad_request("invalid_text", message));
        }
        let caller = caller(&services, &request);
        let state = states::acknowledge(&services.database, caller, (rule, series), &note).await?;
        services.alerts.signals.rules_changed();
        services.alerts.signals.recorded();
        response::json(StatusCode::OK, &shown(&state))
    })
}

/// The rule and the series in the path.
fn alert(request: &Request) -> Result<(RuleId, i32), ApiError> {
    let series = input::path_number(request, "series")?;
    // What no series can have is a series that is not there.
    let series = i32::try_from(series).map_err(|_| ApiError::not_found("there is no such alert"))?;
    Ok((RuleId(input::path_number(request, "rule")?), series))
}

fn shown(state: &StateRow) -> Value {
    let time = |time: Option<Micros>| time.map(|time| time.to_string());
    let metric = state.metric.as_ref();
    json!({
        "rule": state.rule.0,
        "rule_name": state.rule_name,
        "owner": state.owner.map(|owner| owner.0),
        "severity": state.severity,
        "series": state.series,
        "server_id": state.server_id,
        "hostname": state.hostname,
        "metric_type": metric.map(|(metric_type, ..)| metric_type),
        "metric_name": metric.map(|(_, name, _)| name),
        "labels": metric.map(|(.., labels)| labels.clone().unwrap_or_else(|| json!({}))),
        "phase": state.phase,
        "since": state.since.to_string(),
        "value": state.value,
        "fired_at": time(state.fired_at),
        "told_at": time(state.told_at),
        "acknowledged_by": state.acknowledged_by,
        "updated_at": state.updated_at.to_string(),
    })
}
