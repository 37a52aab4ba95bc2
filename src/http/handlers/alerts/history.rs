//! `/api/v1/alerts/history`: what happened, a page as JSON or all of it as lines; and throwing it away.

use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Value, json};

use super::super::agents::caller;
use super::super::{Answering, Services};
use super::asked;
use crate::alert::manage::history;
use crate::http::query::Query;
use crate::http::streamed_body::{self, BodyWriter, ClientGone};
use crate::http::{ApiError, Request, Response, response};
use crate::model::Micros;
use crate::query::when;
use crate::store::alerts::events::{EventQuery, EventRow, list as stored};
use crate::wire::lines::csv_text::csv_text;

const CHANGES: [&str; 6] = ["firing", "reminder", "acknowledged", "resolved", "no_data", "suppressed"];
const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];
const CSV_HEAD: &str = "id,at,change,severity,title,rule,rule_name,pack,server_id,hostname,series,value,sample_time\n";
/// What a streamed answer holds in memory beside a page.
const STREAM_BYTES_MAX: u32 = 256 * 1024;
/// Entries read at once for it.
const STREAM_PAGE: i64 = 1_000;

/// One entry as a line.
type Line = fn(&EventRow, &mut Vec<u8>);

pub(in super::super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let asked = asked(&query, &request, services.clock.now())?;
        match asked::get(&query, "format") {
            None | Some("json") => page(&services, asked, asked::limit(&query)?).await,
            Some("ndjson") => streamed(services, asked, "application/x-ndjson", (ndjson_line, "")).await,
            Some("csv") => streamed(services, asked, "text/csv; charset=utf-8", (csv_line, CSV_HEAD)).await,
            Some(_) => Err(asked::bad("format", "json, ndjson or csv")),
        }
    })
}

/// What happened before `before`, as far as the caller may change it.
pub(in super::super) fn erase(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let missing = || ApiError::bad_request("missing_parameter", "before is required");
        let before = time(&query, "before", services.clock.now())?.ok_or_else(missing)?;
        let erased = history::erase(&services.database, caller(&services, &request), before).await?;
        response::json(StatusCode::OK, &json!({ "deleted": erased.events, "is_all": erased.is_all }))
    })
}

fn asked(query: &Query, request: &Request, now: Micros) -> Result<EventQuery, ApiError> {
    let cursor: Option<(i64, i64)> = asked::cursor(query)?;
    let after = cursor.map(|(time, id)| (Micros(time), id));
    if after.is_some_and(|(time, _)| !(Micros::FIRST..=Micros::LAST).contains(&time)) {
        return Err(asked::bad("cursor", "one of ours"));
    }
    Ok(EventQuery {
        reach: request.principal.reach.clone(),
        rules: asked::numbers(query, "rule")?,
        servers: asked::ids(query, "server_id")?,
        severities: asked::words(query, "severity", &SEVERITIES)?,
        changes: asked::words(query, "change", &CHANGES)?,
        packs: asked::members(query, "pack")?,
        from: time(query, "from", now)?.unwrap_or(Micros(i64::MIN)),
        to: time(query, "to", now)?.unwrap_or(Micros(i64::MAX)),
        oldest_first: match asked::get(query, "order") {
            None | Some("desc") => false,
            Some("asc") => true,
            Some(_) => return Err(asked::bad("order", "asc or desc")),
        },
        after,
        events_max: STREAM_PAGE,
    })
}

/// RFC 3339, or relative to now.
fn time(query: &Query, name: &'static str, now: Micros) -> Result<Option<Micros>, ApiError> {
    let Some(text) = asked::get(query, name) else { return Ok(None) };
    let time = when::time(text, now, &when::UNITS);
    time.map(Some).ok_or_else(|| asked::bad(name, "an RFC 3339 time, or one such as -1h"))
}

async fn page(services: &Services, mut asked: EventQuery, limit: i64) -> Result<Response, ApiError> {
    asked.events_max = limit + 1;
    let mut found = stored(&services.database.client().await?, &asked).await?;
    let has_more = asked::has_more(&mut found, limit);
    let next = found.last().filter(|_| has_more).map(|last| format!("{}.{}", last.at.0, last.id));
    let events: Vec<Value> = found.iter().map(shown).collect();
    response::json(StatusCode::OK, &json!({ "events": events, "next_cursor": next }))
}

/// The first page is read before the answer begins, so what is wrong with the question still gets its own status.
async fn streamed(
    services: Arc<Services>,
    mut asked: EventQuery,
    content_type: &'static str,
    (line, head): (Line, &'static str),
) -> Result<Response, ApiError> {
    let mut page = stored(&services.database.client().await?, &asked).await?;
    let (writer, body) = streamed_body::channel(STREAM_BYTES_MAX);
    let readers = services.readers.clone();
    let pages = async move {
        if write(&writer, head.as_bytes().to_vec()).await.is_err() {
            return;
        }
        loop {
            let mut out = Vec::new();
            page.iter().for_each(|event| line(event, &mut out));
            if write(&writer, out).await.is_err() {
                return;
            }
            let Some(last) = page.last().filter(|_| page.len() as i64 == STREAM_PAGE) else { break };
            asked.after = Some((last.at, last.id));
            page = match next(&services, &asked).await {
                Ok(next) => next,
                // Dropping the writer breaks the transfer off: a part never looks like the whole.
                Err(error) => return tracing::warn!(%error, "export of alert history broken off"),
            };
        }
        writer.finish().await.ok();
    };
    drop(readers.spawn("alert history", pages));
    Ok(response::streamed(StatusCode::OK, content_type, body))
}

/// No connection is held while what was read waits for whoever takes it.
async fn next(services: &Services, asked: &EventQuery) -> Result<Vec<EventRow>, crate::store::StoreError> {
    stored(&services.database.client().await?, asked).await
}

async fn write(writer: &BodyWriter, out: Vec<u8>) -> Result<(), ClientGone> {
    if out.is_empty() { Ok(()) } else { writer.write(Bytes::from(out)).await }
}

fn shown(event: &EventRow) -> Value {
    let server = event.server.as_ref();
    json!({
        "id": event.id,
        "at": event.at.to_string(),
        "change": event.change,
        "severity": event.severity,
        "title": event.title,
        "owner": event.owner.map(|owner| owner.0),
        "rule": event.rule,
        "rule_name": event.rule_name,
        "pack": event.pack,
        "server_id": server.map(|(id, _)| id),
        "hostname": server.map(|(_, hostname)| hostname),
        "series": event.series,
        "value": event.value,
        "sample_time": event.sample_time.map(|time| time.to_string()),
        "details": event.details,
    })
}

fn ndjson_line(event: &EventRow, out: &mut Vec<u8>) {
    out.extend_from_slice(shown(event).to_string().as_bytes());
    out.push(b'\n');
}

fn csv_line(event: &EventRow, out: &mut Vec<u8>) {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let server = event.server.as_ref();
    let fields = [
        event.id.to_string(),
        event.at.to_string(),
        event.change.clone(),
        event.severity.clone(),
        event.title.clone(),
        number(event.rule),
        event.rule_name.clone().unwrap_or_default(),
        event.pack.clone().unwrap_or_default(),
        server.map(|(id, _)| id.to_string()).unwrap_or_default(),
        server.map(|(_, hostname)| hostname.clone()).unwrap_or_default(),
        number(event.series.map(i64::from)),
        event.value.map(|value| value.to_string()).unwrap_or_default(),
        event.sample_time.map(|time| time.to_string()).unwrap_or_default(),
    ];
    for (place, field) in fields.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        csv_text(field.as_bytes(), out);
    }
    out.push(b'\n');
}
