//! `/api/v1/alerts/silences`: when nobody is told of what.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::super::agents::caller;
use super::super::{Answering, Services, input};
use super::{asked, owning};
use crate::alert::manage::silences;
use crate::alert::silence::SilenceForm;
use crate::http::{ApiError, Request, response};
use crate::store::alerts::silences::{SilenceQuery, SilenceRow, list as stored};

/// What answers show beside a silence's form; sent back, it is passed over.
const SHOWN: [&str; 4] = ["id", "owner", "created_by", "created_at"];

pub(in super::super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let limit = asked::limit(&query)?;
        let is_open = asked::flag(&query, "open")?.unwrap_or(false);
        let asked = SilenceQuery {
            reach: request.principal.reach.clone(),
            id: None,
            open_at: is_open.then(|| services.clock.now()),
            after: input::after(&request)?,
            silences_max: limit + 1,
        };
        let mut found = stored(&services.database.client().await?, &asked).await?;
        let has_more = asked::has_more(&mut found, limit);
        let next = found.last().filter(|_| has_more).map(|silence| silence.id);
        let silences: Vec<Value> = found.iter().map(shown).collect();
        response::json(StatusCode::OK, &json!({ "silences": silences, "next": next }))
    })
}

pub(in super::super) fn add(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let mut fields: Map<String, Value> = input::json(&services, &mut request).await?;
        let owning = owning(fields.remove("owner"))?;
        let form = form(fields)?;
        let added = silences::add(&services.database, caller(&services, &request), owning, form).await?;
        services.alerts.signals.rules_changed();
        response::json(StatusCode::CREATED, &shown(&added))
    })
}

pub(in super::super) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let client = services.database.client().await?;
        let id = input::path_number(&request, "id")?;
        response::json(StatusCode::OK, &shown(&silences::get(&client, caller(&services, &request), id).await?))
    })
}

pub(in super::super) fn put(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let form = form(input::json(&services, &mut request).await?)?;
        let id = input::path_number(&request, "id")?;
        let changed = silences::change(&services.database, caller(&services, &request), id, form).await?;
        services.alerts.signals.rules_changed();
        response::json(StatusCode::OK, &shown(&changed))
    })
}

pub(in super::super) fn end(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = input::path_number(&request, "id")?;
        let ended = silences::end(&services.database, caller(&services, &request), id).await?;
        services.alerts.signals.rules_changed();
        response::json(StatusCode::OK, &shown(&ended))
    })
}

pub(in super::super) fn delete(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = input::path_number(&request, "id")?;
        silences::delete(&services.database, caller(&services, &request), id).await?;
        services.alerts.signals.rules_changed();
        Ok(response::empty(StatusCode::NO_CONTENT))
    })
}

fn form(mut fields: Map<String, Value>) -> Result<SilenceForm, ApiError> {
    SHOWN.iter().for_each(|name| drop(fields.remove(*name)));
    let text = Value::Object(fields).to_string();
    input::parse(text.as_bytes())
}

fn shown(silence: &SilenceRow) -> Value {
    let body = &silence.body;
    json!({
        "id": silence.id,
        "owner": silence.owner.map(|owner| owner.0),
        "comment": body.comment,
        "matcher": body.matcher,
        "starts_at": body.starts_at.to_string(),
        "ends_at": body.ends_at.map(|time| time.to_string()),
        "weekly": body.weekly,
        "created_by": silence.created_by.map(|user| user.0),
        "created_at": silence.created_at.to_string(),
    })
}
