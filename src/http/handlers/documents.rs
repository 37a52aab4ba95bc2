//! `GET /api/v1/documents`: how a server is, the latest of each kind, or what it was.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Answering, Services, input};
use crate::http::{ApiError, Request, response};
use crate::query::export::flag;
use crate::store::documents::{self, HISTORY_MAX, StoredDocument};

pub(super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let server_id = input::queried_id(&request, "server_id")?;
        let query = request.query()?;
        let kind = query.get("kind").filter(|kind| !kind.is_empty());
        let with_history = flag("history", query.get("history").filter(|text| !text.is_empty()))?;
        let reach = &request.principal.reach;
        let client = services.database.client().await?;
        let found = match (kind, with_history) {
            (Some(kind), true) => documents::history(&client, server_id, kind, HISTORY_MAX, reach).await?,
            (None, true) => return Err(ApiError::bad_request("bad_parameter", "history is that of a kind: name one")),
            (kind, false) => documents::latest(&client, server_id, kind, reach).await?,
        };
        let documents: Vec<Shown<'_>> = found.iter().map(shown).collect();
        response::json(StatusCode::OK, &Answer { count: documents.len(), documents })
    })
}

#[derive(Serialize)]
struct Answer<'a> {
    count: usize,
    documents: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    id: i64,
    server_id: Uuid,
    kind: &'a str,
    timestamp: String,
    body: &'a RawValue,
}

fn shown(document: &StoredDocument) -> Shown<'_> {
    let StoredDocument { id, server_id, kind, time, body } = document;
    Shown { id: *id, server_id: *server_id, kind, timestamp: time.to_string(), body }
}
