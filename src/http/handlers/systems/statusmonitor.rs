//! `StatusMonitor`'s `POST /ingest`: an agent with a token reports; the answer is the same few words every time.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::super::Services;
use super::report::{self, Report};
use super::report_of_agent;
use crate::admit::budget::Permit;
use crate::alert::reports::{AGENT_REPORT, Sender};
use crate::http::{ApiError, Request, Response, response};
use crate::wire::systems::statusmonitor::{RULES, time};
use crate::wire::tree::{Leniency, Tree};

/// The kind its reports are kept as.
pub const KIND: &str = AGENT_REPORT;

/// Keeps a report of an agent, whose server is `server_id`.
pub(super) async fn ingest(
    services: &Arc<Services>,
    mut request: Request,
    (agent, server_id): (i32, Uuid),
) -> Result<Response, ApiError> {
    let (body, permit) = report::body(services, &mut request, report::BODY_BYTES_MAX).await?;
    let answer = keep(services, &request, (&body, permit), (agent, server_id)).await;
    report::answered(services, &request, &body, answer)
}

async fn keep(
    services: &Arc<Services>,
    request: &Request,
    (body, permit): (&[u8], Permit),
    (agent, server_id): (i32, Uuid),
) -> Result<Response, ApiError> {
    let tree = Tree::read(body, Leniency::Strict).map_err(|_| ApiError::bad_request("invalid_json", "Invalid JSON"))?;
    let root = tree.root();
    let time = time(root).map_err(|refused| ApiError::bad_request("missing_field", refused.to_string()))?;
    let server =
        services.catalog.servers().find(&[server_id], &request.principal.reach).await?.into_iter().next().flatten();
    let server = server.ok_or_else(|| ApiError::unauthorized("Invalid agent token", "Bearer"))?;
    let document = (KIND, String::from_utf8_lossy(root.raw()).into_owned());
    let report = Report {
        server,
        time,
        samples: (root, RULES),
        document,
        events: Vec::new(),
        lines: Vec::new(),
        sender: Sender::Agent(agent),
    };
    let number = report::keep(services, request, report, permit).await?;
    report_of_agent::tell(services, &request.principal, number, root);
    response::json(StatusCode::OK, &json!({ "status": "received" }))
}
