//! Fleet snapshots: one object, or an array of exactly one; and the report that the real agent sends.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::super::Services;
use super::report::{self, Report};
use crate::admit::budget::Permit;
use crate::alert::reports::Sender;
use crate::auth::Who;
use crate::http::{ApiError, Request, Response, response};
use crate::store::StoreError;
use crate::store::agents::{self, Said};
use crate::wire::composed::check_host;
use crate::wire::json::Kind;
use crate::wire::systems::fleet::{Head, RULES, check, head, is_agent_report, translate};
use crate::wire::tree::{Leniency, Tree, Value};

/// The kind its snapshots are kept as.
pub(in crate::http::handlers) const KIND: &str = "fleet_snapshot";

/// Keeps the snapshot that is the body. `server_id` is that of the endpoint whose token came with it.
pub(super) async fn ingest(
    services: &Arc<Services>,
    request: &Request,
    (body, permit): (&[u8], Permit),
    server_id: Option<Uuid>,
) -> Result<Response, ApiError> {
    let tree = Tree::read(body, Leniency::PrintedNan).map_err(|_| invalid_json())?;
    let snapshot = only_one(tree.root())?;
    let written = if is_agent_report(snapshot) {
        translate(snapshot).map_err(|reason| ApiError::bad_request("invalid_snapshot", reason))?.to_string()
    } else {
        check(snapshot).map_err(|mismatch| ApiError::bad_request("schema", mismatch.to_string()))?;
        String::from_utf8_lossy(snapshot.raw()).into_owned()
    };
    let tree = Tree::read(written.as_bytes(), Leniency::Strict).map_err(|_| invalid_json())?;
    let root = tree.root();
    let head = head(root).map_err(|reason| ApiError::bad_request("invalid_timestamp", reason))?;
    let server = match server_id {
        Some(id) => {
            services.catalog.servers().find(&[id], &request.principal.reach).await?.into_iter().next().flatten()
        }
        None => Some(report::fleet_server(services, request, &head.hostname).await?),
    };
    let server = server.ok_or_else(|| ApiError::unauthorized("Invalid token", "Bearer"))?;
    let report = Report {
        server,
        time: head.time,
        samples: (root, RULES),
        document: (KIND, written.clone()),
        events: Vec::new(),
        lines: Vec::new(),
        sender: Sender::Endpoint,
    };
    let snapshot_id = report::keep(services, request, report, permit).await?;
    if let Some(server_id) = server_id {
        take_over(services, server_id, &head).await?;
    }
    response::json(StatusCode::OK, &json!({ "ok": true, "snapshot_id": snapshot_id }))
}

/// What an endpoint says of itself is so from now on.
async fn take_over(services: &Services, server_id: Uuid, head: &Head) -> Result<(), ApiError> {
    let Head { hostname, machine_id, interval_seconds, .. } = head;
    if check_host(hostname).is_err() || check_host(machine_id).is_err() {
        return Ok(());
    }
    // An agent that may not read its machine's id has its host name stand for it.
    let machine_id = if machine_id == hostname { "" } else { machine_id };
    let said = Said { hostname, machine_id, interval_seconds: *interval_seconds };
    let client = services.database.client().await?;
    match agents::endpoint_reported(&client, server_id, said).await {
        Ok(true) => services.catalog.servers().renamed(server_id),
        // Somebody else has the name since a moment ago; its next report finds it taken.
        Ok(false) | Err(StoreError::Duplicate) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// The answer to a body on a path that is shared with another system, when the body or its sender is of this one.
pub(in crate::http::handlers) async fn on_shared_path(
    services: &Arc<Services>,
    request: &Request,
    (body, permit): (&[u8], Permit),
) -> Option<Result<Response, ApiError>> {
    let endpoint = match request.principal.who {
        Who::Agent { server, owner: None, .. } => Some(server),
        _ => None,
    };
    let is_ours = endpoint.is_some() || {
        let tree = Tree::read(body, Leniency::PrintedNan);
        tree.is_ok_and(|tree| is_snapshot(tree.root()))
    };
    if !is_ours {
        return None;
    }
    let answer = ingest(services, request, (body, permit), endpoint).await;
    Some(report::answered(services, request, body, answer))
}

/// Whether a body is one of this system and not of another that shares its path.
pub(in crate::http::handlers) fn is_snapshot(root: Value<'_>) -> bool {
    match root.kind() {
        Kind::Array => true,
        Kind::Object => {
            let is_other = root.get("server_id").is_some() || root.get("metrics").is_some();
            let has_host = root.get("host").is_some_and(|host| host.kind() == Kind::Object);
            !is_other && (has_host || root.get("schema_version").is_some() || is_agent_report(root))
        }
        _ => false,
    }
}

fn only_one(root: Value<'_>) -> Result<Value<'_>, ApiError> {
    let one = match root.kind() {
        Kind::Object => Some(root),
        Kind::Array => {
            let mut elements = root.elements();
            elements.next().filter(|first| first.kind() == Kind::Object && elements.next().is_none())
        }
        _ => return Err(invalid_json()),
    };
    let message = "Expected a single snapshot object or a one-element array";
    one.ok_or_else(|| ApiError::bad_request("not_one_snapshot", message))
}

fn invalid_json() -> ApiError {
    ApiError::bad_request("invalid_json", "Invalid JSON")
}
