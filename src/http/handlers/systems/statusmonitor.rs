//! `StatusMonitor`'s `POST /ingest`: an agent with a token reports; the answer is the same few words every time.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::super::Services;
use super::report::{self, Report};
use crate::admit::budget::Permit;
use crate::http::{ApiError, Request, Response, response};
use crate::wire::systems::statusmonitor::{RULES, time};
use crate::wire::tree::{Leniency, Tree};

/// The kind its reports are kept as.
pub(in crate::http::handlers) const KIND: &str = "statusmonitor";

/// Keeps a report of the agent of `server_id`.
pub(super) async fn ingest(
    services: &Arc<Services>,
    mut request: Request,
    server_id: Uuid,
) -> Result<Response, ApiError> {
    let (body, permit) = report::body(services, &mut request, report::BODY_BYTES_MAX).await?;
    let answer = keep(services, &request, (&body, permit), server_id).await;
    report::answered(services, &request, &body, answer)
}

async fn keep(
    services: &Arc<Services>,
    request: &Request,
    (body, permit): (&[u8], Permit),
    server_id: Uuid,
) -> Result<Response, ApiError> {
    let tree = Tree::read(body, Leniency::Strict).map_err(|_| ApiError::bad_request("invalid_json", "Invalid JSON"))?;
    let root = tree.root();
    let time = time(root).map_err(|refused| ApiError::bad_request("missing_field", refused.to_string()))?;
    let server =
        services.catalog.servers().find(&[server_id], &request.principal.reach).await?.into_iter().next().flatten();
    let server = server.ok_or_else(|| ApiError::unauthorized("Invalid agent token", "Bearer"))?;
    let document = (KIND, String::from_utf8_lossy(root.raw()).into_owned());
    let report = Report { server, time, samples: (root, RULES), document, events: Vec::new(), lines: Vec::new() };
    report::keep(services, request, report, permit).await?;
    response::json(StatusCode::OK, &json!({ "status": "received" }))
}
