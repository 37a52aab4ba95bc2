//! `/api/v1/tokens`: tokens that people make for their programs. The token itself is in the answer to its making and
//! nowhere else.

use std::collections::BTreeSet;
use std::sync::Arc;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::agents::caller;
use super::{Answering, Services, input};
use crate::auth::Rights;
use crate::auth::grants::{self, Wanted};
use crate::http::{ApiError, Request, response};
use crate::model::{Labels, Micros};
use crate::store::tokens::Listed;

/// Servers one token can be for.
const SERVERS_MAX: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    name: String,
    rights: Vec<String>,
    servers: Option<Vec<Uuid>>,
    labels: Option<Map<String, Value>>,
    expires_at: Option<String>,
}

impl Sent {
    fn checked(self) -> Result<Wanted, ApiError> {
        let unknown = || ApiError::bad_request("invalid_right", "rights are ingest, read, observe, change, administer");
        if self.servers.as_ref().is_some_and(|servers| servers.len() > SERVERS_MAX) {
            let message = format!("a token is for {SERVERS_MAX} servers at most");
            return Err(ApiError::bad_request("too_many_servers", message));
        }
        let invalid_time = || ApiError::bad_request("invalid_timestamp", "expires_at is not an RFC 3339 time");
        let time = |text: String| Micros::parse_rfc3339(text.as_bytes()).ok_or_else(invalid_time);
        Ok(Wanted {
            name: input::required("name", Some(self.name))?,
            rights: Rights::parse(&self.rights).filter(|rights| *rights != Rights::NONE).ok_or_else(unknown)?,
            servers: self.servers.map(|servers| servers.into_iter().collect::<BTreeSet<_>>()),
            labels: self.labels.map_or(Ok(Labels::default()), labels)?,
            expires_at: self.expires_at.map(time).transpose()?,
        })
    }
}

pub(super) fn add(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let wanted = input::json::<Sent>(&services, &mut request).await?.checked()?;
        let made = grants::make(&services.database, caller(&services, &request), &wanted).await?;
        let mut answer = shown(&made.0);
        answer["token"] = json!(made.1.reveal());
        response::json(StatusCode::CREATED, &answer)
    })
}

pub(super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let after = input::after(&request)?;
        let tokens = grants::list(&services.database.client().await?, &request.principal, after).await?;
        let next = (tokens.len() as i64 == grants::PAGE_TOKENS).then(|| tokens.last().map(|token| token.id)).flatten();
        let tokens: Vec<Value> = tokens.iter().map(shown).collect();
        response::json(StatusCode::OK, &json!({ "tokens": tokens, "next": next }))
    })
}

pub(super) fn revoke(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = input::path_number(&request, "id")?;
        grants::revoke(&services.database, caller(&services, &request), id).await?;
        services.tokens.changed();
        Ok(response::empty(StatusCode::NO_CONTENT))
    })
}

fn labels(labels: Map<String, Value>) -> Result<Labels, ApiError> {
    let invalid = |message: String| ApiError::bad_request("invalid_labels", message);
    let pair = |(name, value): (String, Value)| match value {
        Value::String(value) => Ok((name.into_boxed_str(), value.into_boxed_str())),
        _ => Err(invalid("the value of a label is a text".to_owned())),
    };
    let pairs = labels.into_iter().map(pair).collect::<Result<Vec<_>, _>>()?;
    Labels::new(pairs).map_err(|error| invalid(error.to_string()))
}

fn shown(token: &Listed) -> Value {
    let time = |time: Option<Micros>| time.map(|time| time.to_string());
    json!({
        "id": token.id,
        "name": token.name,
        "created_by": token.created_by.map(|user| user.0),
        "rights": token.grant.rights,
        "servers": token.grant.servers,
        "labels": token.grant.labels,
        "created_at": token.created_at.to_string(),
        "expires_at": time(token.grant.expires_at),
        "last_used": time(token.last_used),
        "last_address": token.last_address,
    })
}
