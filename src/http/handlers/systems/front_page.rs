//! What several systems answer on one path, as one object that has all of their members: `GET /`, `GET /health`; and
//! `GET /overview`, the machine that the server runs on.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::ACCEPT;
use serde_json::json;

use super::super::{Answering, Services, probes};
use super::syncpulse;
use crate::auth::Access;
use crate::http::{ApiError, Request, response};
use crate::model::Reach;
use crate::store::{StoreError, alerts, documents};

/// Health is told without what PostgreSQL does not say this soon.
const COUNT_MAX: Duration = Duration::from_secs(1);
/// The pack that judges the reports that `total_alerts` is about.
const PACK: &str = "syncpulse";
const MICROS_PER_SECOND: f64 = 1e6;

/// `GET /`: who asks for a page gets none; programs are told where they are.
pub(in crate::http::handlers) fn root(_services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        if request.header(ACCEPT).is_some_and(|accept| accept.contains("text/html")) {
            return Err(ApiError::not_found("Not Found"));
        }
        let about = json!({
            "msg": "Backend is running",
            "service": "Monitoring Data Ingestion API",
            "version": "1.0.0",
            "endpoints": {
                "ingest": "POST /ingest - Receive monitoring data",
                "health": "GET /healthz - Health check",
                "description": "GET /openapi.json - All there is",
            },
        });
        response::json(StatusCode::OK, &about)
    })
}

/// `GET /health`: the process runs, whatever else there is to say. What is counted is for those who may read; for others,
/// and where it is not known, it is null.
pub(in crate::http::handlers) fn health(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let counts = if request.principal.may(Access::READ) {
            let counting = counts(&services, &request.principal.reach);
            tokio::time::timeout(COUNT_MAX, counting).await.ok().and_then(Result::ok)
        } else {
            None
        };
        let is_connected = counts.is_some() || probes::is_database_up(&services).await;
        let standing = if is_connected { "connected" } else { "disconnected" };
        let health = json!({
            "status": "ok",
            "devices_reporting": counts.map(|(devices, _)| devices),
            "total_alerts": counts.map(|(_, alerts)| alerts),
            "server_time": services.clock.now().0 as f64 / MICROS_PER_SECOND,
            "kafka": standing, "influxdb": standing, "broker": standing,
            "total_connections": services.hub.sessions(),
            "users_connected": services.reports.listeners(),
        });
        response::json(StatusCode::OK, &health)
    })
}

async fn counts(services: &Services, reach: &Reach) -> Result<(i64, i64), StoreError> {
    let client = services.database.client().await?;
    let devices = documents::devices(&client, syncpulse::KIND, reach).await?;
    Ok((devices, alerts::reports::total(&client, PACK, reach).await?))
}

/// `GET /overview`.
pub(in crate::http::handlers) fn overview(services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async move {
        let machine = &services.machine;
        let overview = json!({
            "device_name": machine.hostname, "hostname": machine.hostname, "os_name": machine.os_name,
            "os_version": machine.os_version, "cpu": machine.cpu, "gpu": "", "ram": machine.ram,
        });
        response::json(StatusCode::OK, &overview)
    })
}
