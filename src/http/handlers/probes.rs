//! Health, readiness, self-metrics and the API's own description.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};

use super::{Answering, Services};
use crate::http::{ApiError, Request, response};
use crate::telemetry::metrics;

/// How long readiness waits for PostgreSQL's answer.
const PING_MAX: Duration = Duration::from_secs(2);

/// The process runs.
pub(super) fn healthy(_services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async { Ok(response::text(StatusCode::OK, "healthy\n")) })
}

pub(super) fn ready(services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async move {
        check_ready(&services).await?;
        Ok(response::text(StatusCode::OK, "ready\n"))
    })
}

/// Requests would be answered: PostgreSQL is there, what is coming has a place in it, and nobody asked the server to stop.
pub(super) async fn check_ready(services: &Services) -> Result<(), ApiError> {
    let not_ready = |code, reason: Cow<'static, str>| ApiError::unavailable(code, reason, Duration::from_secs(1));
    if services.readiness.is_draining() {
        return Err(not_ready("shutting_down", "the server is shutting down".into()));
    }
    let asking = async {
        services.database.ping().await?;
        services.months.missing().await
    };
    let answered = tokio::time::timeout(PING_MAX, asking).await;
    let is_up = matches!(answered, Ok(Ok(_)));
    services.metrics.postgres.up.set(i64::from(is_up));
    match answered {
        Ok(Ok(None)) => Ok(()),
        Ok(Ok(Some(missing))) => Err(not_ready("month_missing", missing.into())),
        _ => Err(not_ready("database_unavailable", "PostgreSQL is not available".into())),
    }
}

/// Whether PostgreSQL answers soon.
pub(super) async fn is_database_up(services: &Services) -> bool {
    let is_up = matches!(tokio::time::timeout(PING_MAX, services.database.ping()).await, Ok(Ok(())));
    services.metrics.postgres.up.set(i64::from(is_up));
    is_up
}

pub(super) fn self_metrics(services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async move {
        let page = services.metrics.render().map_err(ApiError::internal)?;
        let mut response = response::text(StatusCode::OK, page);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
        Ok(response)
    })
}

pub(super) fn openapi(_services: Arc<Services>, _request: Request) -> Answering {
    const DESCRIPTION: &[u8] = include_bytes!("../../../openapi.json");
    Box::pin(async { Ok(response::bytes(StatusCode::OK, "application/json", DESCRIPTION.into())) })
}
