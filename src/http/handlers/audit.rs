//! `GET /api/v1/audit`: who changed what and who signed in, newest first.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Answering, Services};
use crate::http::query::Query;
use crate::http::{ApiError, Request, response};
use crate::model::{Micros, UserId};
use crate::store::audit::{self, AuditQuery, StoredEntry};

const LIMIT_DEFAULT: i64 = 100;
const LIMIT_MAX: i64 = 1_000;
/// The longest action.
const ACTION_BYTES_MAX: usize = 64;

pub(super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let asked = asked(&request.query()?)?;
        let mut found = audit::list(&services.database.client().await?, &asked).await?;
        // One entry more than the page holds tells whether there is another page.
        let has_more = found.len() as i64 == asked.entries_max;
        if has_more {
            found.pop();
        }
        let next = found.last().filter(|_| has_more).map(|last| format!("{}.{}", last.entry.at.0, last.id));
        let entries: Vec<Value> = found.iter().map(shown).collect();
        response::json(StatusCode::OK, &json!({ "entries": entries, "next_cursor": next }))
    })
}

fn asked(query: &Query) -> Result<AuditQuery, ApiError> {
    let bad = |name: &str, needed: &str| ApiError::bad_request("bad_parameter", format!("{name} is not {needed}"));
    let get = |name: &str| query.get(name).filter(|text| !text.is_empty());
    let time = |name: &'static str, default: i64| match get(name) {
        None => Ok(Micros(default)),
        Some(text) => Micros::parse_rfc3339(text.as_bytes()).ok_or_else(|| bad(name, "an RFC 3339 time")),
    };
    let user = get("user").map(|text| text.parse().map(UserId).map_err(|_| bad("user", "the number of a person")));
    let limit = get("limit").map_or(Some(LIMIT_DEFAULT), |text| text.parse().ok());
    let limit = limit.filter(|limit| (1..=LIMIT_MAX).contains(limit));
    Ok(AuditQuery {
        from: time("from", i64::MIN)?,
        to: time("to", i64::MAX)?,
        before: get("cursor").map(|text| cursor(text).ok_or_else(|| bad("cursor", "one of ours"))).transpose()?,
        user: user.transpose()?,
        action: match get("action") {
            Some(action) if action.len() > ACTION_BYTES_MAX => return Err(bad("action", "at most 64 bytes long")),
            action => action.map(str::to_owned),
        },
        entries_max: limit.ok_or_else(|| bad("limit", "a number from 1 to 1000"))? + 1,
    })
}

/// The last entry of the page before, by time and number.
fn cursor(text: &str) -> Option<(Micros, i64)> {
    let (time, id) = text.split_once('.')?;
    let time = Micros(time.parse().ok()?);
    (Micros::FIRST..=Micros::LAST).contains(&time).then_some((time, id.parse().ok()?))
}

fn shown(stored: &StoredEntry) -> Value {
    let entry = &stored.entry;
    json!({
        "id": stored.id, "at": entry.at.to_string(), "actor": entry.actor, "user_id": entry.user.map(|user| user.0),
        "action": entry.action, "subject": entry.subject, "details": entry.details,
        "address": entry.address.map(|address| address.to_string()),
    })
}
