//! `/api/v1/alerts/recipients`: who is told, and whether they can be reached. Secrets go in and never come out.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::super::agents::caller;
use super::super::{Answering, Services, input};
use super::{asked, owning};
use crate::alert::manage::recipients::{self, RecipientForm};
use crate::auth::Principal;
use crate::http::{ApiError, Request, response};
use crate::model::Micros;
use crate::store::alerts::recipients::{RecipientQuery, RecipientRow, list as stored, outcome};

/// What answers show beside a recipient's form; sent back, it is passed over.
const SHOWN: [&str; 9] =
    ["id", "owner", "kind", "to", "created_at", "updated_at", "last_success", "last_failure", "last_error"];
/// When a place to try somebody out may be free.
const SOON: Duration = Duration::from_secs(2);

pub(in super::super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let limit = asked::limit(&request.query()?)?;
        let seen = recipients::seen_by(&request.principal);
        let asked = RecipientQuery { seen, id: None, after: input::after(&request)?, recipients_max: limit + 1 };
        let mut found = stored(&services.database.client().await?, &asked).await?;
        let has_more = asked::has_more(&mut found, limit);
        let next = found.last().filter(|_| has_more).map(|recipient| recipient.id);
        let recipients: Vec<Value> = found.iter().map(|one| shown(&request.principal, one)).collect();
        response::json(StatusCode::OK, &json!({ "recipients": recipients, "next": next }))
    })
}

pub(in super::super) fn add(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let mut fields: Map<String, Value> = input::json(&services, &mut request).await?;
        let owning = owning(fields.remove("owner"))?;
        let form = form(fields)?;
        let added = recipients::add(&services.database, caller(&services, &request), owning, form).await?;
        services.alerts.signals.rules_changed();
        response::json(StatusCode::CREATED, &shown(&request.principal, &added))
    })
}

pub(in super::super) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = input::path_number(&request, "id")?;
        let client = services.database.client().await?;
        let found = recipients::get(&client, caller(&services, &request), id).await?;
        response::json(StatusCode::OK, &shown(&request.principal, &found))
    })
}

pub(in super::super) fn put(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let form = form(input::json(&services, &mut request).await?)?;
        let id = input::path_number(&request, "id")?;
        let changed = recipients::change(&services.database, caller(&services, &request), id, form).await?;
        services.alerts.signals.rules_changed();
        response::json(StatusCode::OK, &shown(&request.principal, &changed))
    })
}

pub(in super::super) fn delete(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = input::path_number(&request, "id")?;
        recipients::delete(&services.database, caller(&services, &request), id).await?;
        services.alerts.signals.rules_changed();
        Ok(response::empty(StatusCode::NO_CONTENT))
    })
}

/// Sends a test at once. That it did not arrive is an answer, not an error.
pub(in super::super) fn try_out(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = input::path_number(&request, "id")?;
        let found = recipients::get_own(&services.database.client().await?, caller(&services, &request), id).await?;
        let channel = recipients::channel(&found)?;
        let busy = || ApiError::unavailable("delivery_busy", "too many recipients are being tried out", SOON);
        let tried = services.alerts.deliverer.try_out(&channel).await.ok_or_else(busy)?;
        let reason = tried.err().map(|error| error.to_string());
        let now = services.clock.now();
        outcome(&services.database.client().await?, id, reason.as_deref(), now).await?;
        response::json(StatusCode::OK, &json!({ "delivered": reason.is_none(), "error": reason }))
    })
}

/// Texts of the JSON reader quote what was sent, which may be a secret: of a target that cannot be read only that is told.
fn form(mut fields: Map<String, Value>) -> Result<RecipientForm, ApiError> {
    SHOWN.iter().for_each(|name| drop(fields.remove(*name)));
    let target = fields.remove("target").filter(|target| !target.is_null());
    let bad = || {
        let message = "the target is no channel: it has a kind (email, webhook, discord, slack, telegram, ntfy) and the \
                       members of that kind";
        ApiError::bad_request("invalid_target", message)
    };
    let target = target.map(|target| serde_json::from_value(target).map_err(|_| bad())).transpose()?;
    let text = Value::Object(fields).to_string();
    let form: RecipientForm = input::parse(text.as_bytes())?;
    Ok(RecipientForm { target, ..form })
}

fn shown(principal: &Principal, recipient: &RecipientRow) -> Value {
    let is_whole = recipients::sees_whole(principal, recipient);
    let to = recipients::channel(recipient).map(|channel| channel.shown(is_whole)).unwrap_or_default();
    let time = |time: Option<Micros>| time.map(|time| time.to_string());
    json!({
        "id": recipient.id,
        "owner": recipient.owner.map(|owner| owner.0),
        "name": recipient.body.name,
        "kind": recipient.body.kind,
        "to": to,
        "enabled": recipient.body.enabled,
        "created_at": recipient.created_at.to_string(),
        "updated_at": recipient.updated_at.to_string(),
        "last_success": time(recipient.last_success),
        "last_failure": time(recipient.last_failure),
        "last_error": recipient.last_error,
    })
}
