//! `GET /api/v1/rejects`: what was refused and why, newest first.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::entries::{cursor, members};
use super::{Answering, Services};
use crate::http::{ApiError, Request, response};
use crate::model::Micros;
use crate::store::rejects::{self, RejectQuery, StoredReject};

const LIMIT_DEFAULT: i64 = 100;
const LIMIT_MAX: i64 = 1_000;

pub(super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let asked = asked(&request)?;
        // What was refused a moment ago is what somebody looks for.
        services.rejects.write_down(&services.database).await?;
        let mut found = rejects::list(&services.database.client().await?, &asked).await?;
        // One more than the page holds tells whether there is another page.
        let has_more = found.len() as i64 == asked.rejects_max;
        if has_more {
            found.pop();
        }
        let next = found.last().filter(|_| has_more).map(|last| format!("{}.{}", last.at.0, last.id));
        let shown: Vec<Value> = found.iter().map(shown).collect();
        response::json(StatusCode::OK, &json!({ "rejects": shown, "next_cursor": next }))
    })
}

fn asked(request: &Request) -> Result<RejectQuery, ApiError> {
    let query = &request.query()?;
    let bad = |name: &str, needed: &str| ApiError::bad_request("bad_parameter", format!("{name} is not {needed}"));
    let get = |name: &str| query.get(name).filter(|text| !text.is_empty());
    let time = |name: &'static str, default: i64| match get(name) {
        None => Ok(Micros(default)),
        Some(text) => Micros::parse_rfc3339(text.as_bytes()).ok_or_else(|| bad(name, "an RFC 3339 time")),
    };
    let limit = get("limit").map_or(Some(LIMIT_DEFAULT), |text| text.parse().ok());
    let limit = limit.filter(|limit| (1..=LIMIT_MAX).contains(limit));
    let server_ids: Result<Vec<Uuid>, _> =
        members(query, "server_id")?.iter().map(|text| Uuid::try_parse(text)).collect();
    let principal = &request.principal;
    // A program that may see some servers of a person is not told what the person sends to others.
    let is_narrowed = principal.reach.servers.is_some() || !principal.reach.labels.is_empty();
    Ok(RejectQuery {
        reach: principal.reach.clone(),
        person: principal.person().filter(|_| !is_narrowed),
        dialects: members(query, "dialect")?,
        codes: members(query, "code")?,
        server_ids: server_ids.map_err(|_| bad("server_id", "a UUID"))?,
        from: time("from", i64::MIN)?,
        to: time("to", i64::MAX)?,
        before: get("cursor").map(|text| cursor(text).ok_or_else(|| bad("cursor", "one of ours"))).transpose()?,
        rejects_max: limit.ok_or_else(|| bad("limit", "a number from 1 to 1000"))? + 1,
    })
}

/// Bytes that are no text are in base64.
fn shown(reject: &StoredReject) -> Value {
    let (raw, raw_base64) = match std::str::from_utf8(&reject.raw) {
        Ok(text) => (Some(text), None),
        Err(_) => (None, Some(STANDARD.encode(&reject.raw))),
    };
    json!({
        "id": reject.id, "at": reject.at.to_string(), "sender": reject.sender, "address": reject.address,
        "server_id": reject.server_id, "hostname": reject.hostname, "dialect": reject.dialect, "item": reject.item,
        "code": reject.code, "message": reject.message, "raw": raw, "raw_base64": raw_base64,
        "raw_bytes": reject.raw_bytes,
    })
}
