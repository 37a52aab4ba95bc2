//! `/recipient`: the one Telegram chat of a person, in the words of the system it comes from. What that system's page
//! sends back beside it is passed over.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::super::agents::caller;
use super::super::{Answering, Services, validation};
use crate::alert::channel::Channel;
use crate::alert::manage::recipients;
use crate::http::{ApiError, Request, response};
use crate::model::UserId;
use crate::store::alerts::recipients::{RecipientRow, own_telegram};

/// The longest number or name of a chat.
const CHAT_BYTES_MAX: usize = 256;

pub(in super::super) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let owner = owner(&request)?;
        let found = own_telegram(&services.database.client().await?, owner).await?;
        response::json(StatusCode::OK, &found.as_ref().map_or(Value::Null, shown))
    })
}

pub(in super::super) fn post(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let body = validation::body(&services, &mut request).await?;
        let owner = owner(&request)?;
        let fields = validation::object(&body)?;
        let [chat_id] = validation::texts(&fields, ["telegram_chat_id"])?;
        if chat_id.len() > CHAT_BYTES_MAX || chat_id.contains(char::is_control) {
            return Err(ApiError::bad_request("invalid", "telegram_chat_id is no chat"));
        }
        let enabled = match fields.get("enabled") {
            None => true,
            Some(Value::Bool(enabled)) => *enabled,
            Some(_) => return Err(ApiError::bad_request("invalid", "enabled is true or false")),
        };
        let caller = caller(&services, &request);
        let put = recipients::put_own_telegram(&services.database, caller, owner, (chat_id, enabled)).await?;
        services.alerts.signals.rules_changed();
        response::json(StatusCode::OK, &shown(&put))
    })
}

fn owner(request: &Request) -> Result<UserId, ApiError> {
    request.principal.person().ok_or_else(|| ApiError::unauthorized("Not authenticated", "Bearer"))
}

fn shown(recipient: &RecipientRow) -> Value {
    let chat_id = match recipients::channel(recipient) {
        Ok(Channel::Telegram { chat_id, .. }) => chat_id,
        _ => String::new(),
    };
    json!({
        "telegram_chat_id": chat_id, "enabled": recipient.body.enabled, "id": recipient.id,
        "user_id": recipient.owner.map(|owner| owner.0), "created_at": recipient.created_at.to_string(),
    })
}
