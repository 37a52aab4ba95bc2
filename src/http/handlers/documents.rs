//! `GET /api/v1/documents`: how a server is, the latest of each kind, or what it was.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

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
        let shown: Vec<Value> = found.iter().map(shown).collect();
        response::json(StatusCode::OK, &json!({ "count": shown.len(), "documents": shown }))
    })
}

fn shown(document: &StoredDocument) -> Value {
    json!({ "id": document.id, "server_id": document.server_id, "kind": document.kind,
        "timestamp": document.time.to_string(), "body": document.body })
}
