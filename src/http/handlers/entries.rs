//! `GET /api/v1/events` and `GET /api/v1/logs`: newest first.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answering, Services};
use crate::http::query::Query;
use crate::http::{ApiError, Request, Response, response};
use crate::model::Micros;
use crate::store::entries::{self, EntryQuery, StoredEntry};

const LIMIT_DEFAULT: i64 = 100;
const LIMIT_MAX: i64 = 1_000;
/// Values one parameter may list.
const MEMBERS_MAX: usize = 1_000;
/// The longest text that is looked for.
const TEXT_BYTES_MAX: usize = 256;

pub(super) fn events(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let asked = asked(&request, ["kind", "severity"])?;
        let found = entries::events(&services.database.client().await?, &asked).await?;
        page("events", &asked, found, |entry| {
            json!({ "id": entry.id, "server_id": entry.server_id, "timestamp": entry.time.to_string(),
                "kind": entry.kind, "severity": entry.severity, "title": entry.text, "attributes": entry.attributes })
        })
    })
}

pub(super) fn logs(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let asked = asked(&request, ["source", "level"])?;
        let found = entries::logs(&services.database.client().await?, &asked).await?;
        page("logs", &asked, found, |entry| {
            json!({ "id": entry.id, "server_id": entry.server_id, "timestamp": entry.time.to_string(),
                "source": entry.kind, "level": entry.severity, "message": entry.text })
        })
    })
}

/// One entry more than the page holds tells whether there is another page.
fn page(
    name: &str,
    asked: &EntryQuery,
    mut found: Vec<StoredEntry>,
    shown: fn(&StoredEntry) -> Value,
) -> Result<Response, ApiError> {
    let more = found.len() as i64 == asked.entries_max;
    if more {
        found.pop();
    }
    let mut answer = json!({ "count": found.len() });
    answer[name] = found.iter().map(shown).collect();
    if let Some(last) = found.last().filter(|_| more) {
        answer["next_cursor"] = format!("{}.{}", last.time.0, last.id).into();
    }
    response::json(StatusCode::OK, &answer)
}

fn asked(request: &Request, [kind, severity]: [&'static str; 2]) -> Result<EntryQuery, ApiError> {
    let query = &request.query()?;
    let bad = |name: &str, needed: &str| ApiError::bad_request("bad_parameter", format!("{name} is not {needed}"));
    let get = |name: &str| query.get(name).filter(|text| !text.is_empty());
    let time = |name: &'static str, default: i64| match get(name) {
        None => Ok(Micros(default)),
        Some(text) => Micros::parse_rfc3339(text.as_bytes()).ok_or_else(|| bad(name, "an RFC 3339 time")),
    };
    let server_ids: Result<Vec<Uuid>, _> =
        members(query, "server_id")?.iter().map(|text| Uuid::try_parse(text)).collect();
    let limit = get("limit").map_or(Some(LIMIT_DEFAULT), |text| text.parse().ok());
    let limit = limit.filter(|limit| (1..=LIMIT_MAX).contains(limit));
    let text = get("text").map(str::to_owned);
    if text.as_ref().is_some_and(|text| text.len() > TEXT_BYTES_MAX) {
        return Err(bad("text", "at most 256 bytes long"));
    }
    Ok(EntryQuery {
        reach: request.principal.reach.clone(),
        server_ids: server_ids.map_err(|_| bad("server_id", "a UUID"))?,
        kinds: members(query, kind)?,
        severities: members(query, severity)?,
        from: time("from", i64::MIN)?,
        to: time("to", i64::MAX)?,
        text,
        before: get("cursor").map(|text| cursor(text).ok_or_else(|| bad("cursor", "one of ours"))).transpose()?,
        entries_max: limit.ok_or_else(|| bad("limit", "a number from 1 to 1000"))? + 1,
    })
}

pub(super) fn members(query: &Query, name: &str) -> Result<Vec<String>, ApiError> {
    let values = query.pairs().filter(|(key, _)| *key == name).flat_map(|(_, value)| value.split(','));
    let members: Vec<String> =
        values.filter(|value| !value.is_empty()).take(MEMBERS_MAX + 1).map(str::to_owned).collect();
    if members.len() > MEMBERS_MAX {
        return Err(ApiError::bad_request("bad_parameter", format!("{name} lists more than {MEMBERS_MAX} values")));
    }
    Ok(members)
}

/// The last entry of the page before, by time and id.
pub(super) fn cursor(text: &str) -> Option<(Micros, i64)> {
    let (time, id) = text.split_once('.')?;
    let time = Micros(time.parse().ok()?);
    (Micros::FIRST..=Micros::LAST).contains(&time).then_some((time, id.parse().ok()?))
}
