//! `GET /alerts`, which two systems share: what was found in reports of devices, oldest first; with `limit=` what agents
//! of `RichardOps` found by themselves, newest first.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value as Json, json};

use super::super::{Answering, Services};
use super::richardops;
use crate::alert::packs::syncpulse::PACK;
use crate::http::{Request, response};
use crate::store::alerts::reports::{self, PackEvent};

/// How many alerts are shown.
const SHOWN_MAX: i64 = 20;
const MICROS_PER_SECOND: f64 = 1e6;

pub(in crate::http::handlers) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        if request.query()?.get("limit").is_some() {
            return richardops::local_alerts(&services, &request).await;
        }
        let client = services.database.client().await?;
        let latest = reports::latest(&client, PACK, SHOWN_MAX, &request.principal.reach).await?;
        response::json(StatusCode::OK, &latest.iter().rev().map(shown).collect::<Vec<Json>>())
    })
}

fn shown(event: &PackEvent) -> Json {
    json!({ "device": event.details["device"], "alert": event.title, "severity": event.severity,
        "timestamp": event.at.0 as f64 / MICROS_PER_SECOND })
}
