//! `/api/v1/ports`: ports an agent probes, and the outcomes.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answering, Services, input, output};
use crate::http::{ApiError, Request, response};
use crate::store::ports::{self, Check, NewCheck, Outcome};

/// Checks of a server and outcomes of a check that are kept and answered.
const LISTED_MAX: i64 = 1_000;

#[derive(Debug, Deserialize)]
struct SentCheck {
    server_id: Option<String>,
    name: Option<String>,
    host: Option<String>,
    port: Option<i64>,
    protocol: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SentOutcome {
    check_id: Option<String>,
    success: Option<bool>,
    latency_ms: Option<f64>,
    error: Option<String>,
    timestamp: Option<String>,
}

pub(super) fn add_check(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let sent: SentCheck = input::json(&services, &mut request).await?;
        let server_id = input::id("server_id", sent.server_id)?;
        let protocol = input::optional("protocol", sent.protocol)?;
        let new = NewCheck {
            server_id,
            name: input::required("Name", sent.name)?,
            host: input::required("Host", sent.host)?,
            port: port(sent.port)?,
            protocol: if protocol.is_empty() { "tcp".to_owned() } else { protocol },
        };
        let reach = &request.principal.reach;
        let check = ports::add_check(&services.database.client().await?, new, LISTED_MAX, reach).await?;
        let check = check.ok_or_else(|| output::no_room(server_id, "checks", LISTED_MAX))?;
        response::json(StatusCode::CREATED, &shown_check(&check))
    })
}

pub(super) fn checks(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let server_id = input::queried_id(&request, "server_id")?;
        let reach = &request.principal.reach;
        let checks = ports::checks(&services.database.client().await?, server_id, LISTED_MAX, reach).await?;
        output::list_or_null(checks.iter().map(shown_check).collect())
    })
}

pub(super) fn add_result(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let sent: SentOutcome = input::json(&services, &mut request).await?;
        let check_id = input::id("check_id", sent.check_id)?;
        let outcome = Outcome {
            success: sent.success.unwrap_or_default(),
            latency_ms: sent.latency_ms.unwrap_or_default(),
            error: input::optional("error", sent.error)?,
            checked_at: input::time("timestamp", sent.timestamp.as_deref(), services.clock.now())?,
        };
        let (client, reach) = (services.database.client().await?, &request.principal.reach);
        let id = ports::add_outcome(&client, check_id, &outcome, LISTED_MAX, reach).await?;
        response::json(StatusCode::CREATED, &shown_outcome(check_id, id, &outcome))
    })
}

pub(super) fn results(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let check_id = input::queried_id(&request, "check_id")?;
        let reach = &request.principal.reach;
        let outcomes = ports::outcomes(&services.database.client().await?, check_id, LISTED_MAX, reach).await?;
        output::list_or_null(outcomes.iter().map(|(id, outcome)| shown_outcome(check_id, *id, outcome)).collect())
    })
}

fn port(port: Option<i64>) -> Result<u16, ApiError> {
    let port = port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    port.ok_or_else(|| ApiError::bad_request("invalid_port", "port must be a number from 1 to 65535"))
}

fn shown_check(check: &Check) -> Value {
    let Check { id, check: NewCheck { server_id, name, host, port, protocol }, created_at } = check;
    json!({
        "id": id, "server_id": server_id, "name": name, "host": host, "port": port, "protocol": protocol,
        "created_at": created_at.to_string(),
    })
}

fn shown_outcome(check_id: uuid::Uuid, id: i64, outcome: &Outcome) -> Value {
    json!({
        "id": id, "check_id": check_id, "success": outcome.success, "latency_ms": output::number(outcome.latency_ms),
        "error": outcome.error, "timestamp": outcome.checked_at.to_string(),
    })
}
