//! `/api/v1/jobs`: what moves data on, how it goes, and having it run now.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Answering, Services};
use crate::http::{ApiError, Request, response};
use crate::jobs::runner::{SetAsideRows, State, Status};
use crate::model::Micros;
use crate::store::set_aside::SetAside;

pub(super) fn list(services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async move {
        let jobs: Vec<Value> = services.jobs.statuses().await?.iter().map(shown).collect();
        let SetAsideRows { rows, newest } = services.jobs.set_aside().await?;
        let newest: Vec<Value> = newest.iter().map(set_aside).collect();
        response::json(StatusCode::OK, &json!({ "jobs": jobs, "set_aside": { "rows": rows, "newest": newest } }))
    })
}

pub(super) fn run(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let name = request.param("name").unwrap_or_default().to_owned();
        let force = match request.query()?.get("force") {
            None | Some("false") => false,
            Some("true" | "") => true,
            Some(_) => return Err(ApiError::bad_request("bad_parameter", "force is true or false")),
        };
        let outcome = services.jobs.run_now(&name, force).await?;
        let duration_ms = outcome.duration.as_millis() as u64;
        response::json(StatusCode::OK, &json!({ "name": name, "rows": outcome.rows, "duration_ms": duration_ms }))
    })
}

/// A damaged row that is out of the way.
fn set_aside(row: &SetAside) -> Value {
    json!({
        "level": row.level,
        "place": serde_json::from_str::<Value>(&row.place).unwrap_or_default(),
        "reason": row.reason,
        "found_by": row.found_by,
        "found_at": row.found_at.to_string(),
    })
}

fn shown(status: &Status) -> Value {
    let state = match status.state {
        State::Running => "running",
        State::Idle => "idle",
        State::Failed => "failed",
    };
    let time = |time: Option<Micros>| time.map(|time| time.to_string());
    json!({
        "name": status.name,
        "state": state,
        "last_run": time(status.last_run),
        "duration_ms": status.duration.map(|duration| duration.as_millis() as u64),
        "rows": status.rows,
        "lag_s": status.lag.as_ref().map(Duration::as_secs),
        "next_run": time(status.next_run),
        "error": status.error,
        "node": status.node,
    })
}
