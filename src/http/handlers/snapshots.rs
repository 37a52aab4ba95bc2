//! Process and container lists: whole-state documents, stored and pushed as they were sent.

use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Answering, Services, admission, input, output};
use crate::http::{ApiError, Request, Response, response};
use crate::live::Event;
use crate::store::snapshots::{self, NewSnapshot, SnapshotKind};
use crate::wire;
use crate::wire::native::DocumentError;

/// Longest body: what is pushed to subscribers is no longer.
const BODY_BYTES_MAX: usize = 1_000_000;

#[derive(Debug, Deserialize)]
struct Sent<'a> {
    server_id: Option<String>,
    #[serde(borrow)]
    processes: Option<&'a RawValue>,
    #[serde(borrow)]
    containers: Option<&'a RawValue>,
    timestamp: Option<String>,
}

/// What was stored, as the source system echoes it.
#[derive(Serialize)]
struct Shown<'a> {
    id: i64,
    server_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    processes: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    containers: Option<&'a RawValue>,
    timestamp: String,
}

pub(super) fn add_processes(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(add(services, request, SnapshotKind::Processes))
}

pub(super) fn add_containers(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(add(services, request, SnapshotKind::Containers))
}

pub(super) fn processes(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(latest(services, request, SnapshotKind::Processes))
}

pub(super) fn containers(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(latest(services, request, SnapshotKind::Containers))
}

async fn add(services: Arc<Services>, mut request: Request, kind: SnapshotKind) -> Result<Response, ApiError> {
    let (body, _held) = admission::small(&services, &mut request, BODY_BYTES_MAX).await?;
    input::not_empty(&body)?;
    wire::json::check(&body).map_err(DocumentError::from)?;
    let sent: Sent<'_> = input::parse(&body)?;
    let server_id = input::id("server_id", sent.server_id)?;
    let now = services.clock.now();
    let taken_at = input::time("timestamp", sent.timestamp.as_deref(), now)?;
    let null = RawValue::NULL;
    let list = match kind {
        SnapshotKind::Processes => sent.processes,
        SnapshotKind::Containers => sent.containers,
    };
    let list = list.unwrap_or(null);
    if !(list.get().starts_with('[') || list.get() == "null") {
        return Err(ApiError::bad_request("invalid_type", format!("{} must be an array", kind.as_str())));
    }
    let mut client = services.database.client().await?;
    let (new, reach) = (NewSnapshot { server_id, kind, taken_at, body: list }, &request.principal.reach);
    let id = snapshots::add(&mut client, new, reach).await?;
    // One who holds a connection must not wait for another.
    drop(client);
    let id = id.ok_or_else(|| output::not_registered(server_id))?;
    // It is stored by now: that nobody can note when the server was heard of is no reason to say otherwise.
    if let Ok(Some(Some(server))) =
        services.catalog.servers().find(&[server_id], reach).await.map(|found| found.into_iter().next())
    {
        server.seen(now);
    }
    let shown = serde_json::to_vec(&shown(kind, id, server_id, list, taken_at.to_string()));
    let shown = Bytes::from(shown.map_err(ApiError::internal)?);
    services.hub.publish(Event { server_id, kind: frame_type(kind), data: shown.clone() });
    Ok(response::bytes(StatusCode::CREATED, "application/json", shown))
}

async fn latest(services: Arc<Services>, request: Request, kind: SnapshotKind) -> Result<Response, ApiError> {
    let server_id = input::queried_id(&request, "server_id")?;
    let client = services.database.client().await?;
    let found = snapshots::latest(&client, server_id, kind, &request.principal.reach).await?;
    let found = found.ok_or_else(|| ApiError::not_found("no rows in result set"))?;
    let timestamp = found.taken_at.to_string();
    response::json(StatusCode::OK, &shown(kind, found.id, server_id, &found.body, timestamp))
}

fn shown(kind: SnapshotKind, id: i64, server_id: Uuid, list: &RawValue, timestamp: String) -> Shown<'_> {
    let (processes, containers) = match kind {
        SnapshotKind::Processes => (Some(list), None),
        SnapshotKind::Containers => (None, Some(list)),
    };
    Shown { id, server_id, processes, containers, timestamp }
}

fn frame_type(kind: SnapshotKind) -> &'static str {
    match kind {
        SnapshotKind::Processes => "process_snapshot",
        SnapshotKind::Containers => "container_snapshot",
    }
}
