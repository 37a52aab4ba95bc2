//! `/api/v1/users` and `/api/v1/invites`: who may sign in, for administrators.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answering, Services, input, output};
use crate::auth::people::{Change, Created, NewPassword};
use crate::auth::{Actor, PeopleError, Role};
use crate::http::{ApiError, Request, Response, response};
use crate::model::UserId;
use crate::store::{invites, users};

/// People and invitations on one page.
const LISTED_MAX: i64 = 1_000;
/// How long an invitation is good unless it says so, and at most.
const INVITE_HOURS: u64 = 7 * 24;
const INVITE_HOURS_MAX: u64 = 90 * 24;

#[derive(Deserialize)]
struct SentUser {
    username: Option<String>,
    email: Option<String>,
    password: Option<String>,
    role: Option<String>,
}

#[derive(Deserialize)]
struct SentInvite {
    role: Option<String>,
    expires_in_hours: Option<u64>,
}

/// A page of people; `after` is the last number of the page before.
pub(super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let bad = || ApiError::bad_request("bad_parameter", "after is the number of a person");
        let after = query.get("after").map_or(Ok(0), |text| text.parse().map_err(|_| bad()))?;
        let users = users::list(&services.database.client().await?, after, LISTED_MAX).await?;
        let next = users.last().filter(|_| users.len() as i64 == LISTED_MAX).map(|user| user.id.0);
        let users: Vec<Value> = users.iter().map(output::user).collect();
        response::json(StatusCode::OK, &json!({ "users": users, "next_after": next }))
    })
}

/// Without a password one is made up and answered, this once.
pub(super) fn create(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let sent: SentUser = input::json(&services, &mut request).await?;
        let role = role(sent.role.as_deref())?;
        let names = (sent.username.as_deref(), sent.email.as_deref());
        let by = Actor::of(&request.principal, request.peer.ip());
        let created = services.people.create(names, sent.password.as_deref(), role, &by).await;
        told(StatusCode::CREATED, created)
    })
}

pub(super) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = UserId(input::path_number(&request, "id")?);
        let user = users::by_id(&services.database.client().await?, id).await?.ok_or(PeopleError::NoSuchUser)?;
        response::json(StatusCode::OK, &output::user(&user))
    })
}

/// Changes what is named: `role` (null for none), `is_active`, `password`, or `reset_password` to have one made up.
pub(super) fn change(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let id = UserId(input::path_number(&request, "id")?);
        let sent: Map<String, Value> = input::json(&services, &mut request).await?;
        let by = Actor::of(&request.principal, request.peer.ip());
        told(StatusCode::OK, services.people.change(id, changes(&sent)?, &by).await)
    })
}

pub(super) fn delete(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = UserId(input::path_number(&request, "id")?);
        services.people.delete(id, &Actor::of(&request.principal, request.peer.ip())).await?;
        Ok(response::empty(StatusCode::NO_CONTENT))
    })
}

pub(super) fn sessions(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let sessions = services.people.sessions(UserId(input::path_number(&request, "id")?)).await?;
        let shown: Vec<Value> = sessions.iter().map(|session| output::session(session, None)).collect();
        response::json(StatusCode::OK, &json!({ "sessions": shown }))
    })
}

/// One session, or without a number all of them and all tokens too.
pub(super) fn end_sessions(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = UserId(input::path_number(&request, "id")?);
        let session = request.param("session").map(|_| input::path_number(&request, "session")).transpose()?;
        services.people.end_sessions(id, session, &Actor::of(&request.principal, request.peer.ip())).await?;
        Ok(response::empty(StatusCode::NO_CONTENT))
    })
}

pub(super) fn invites(services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async move {
        let all = invites::list(&services.database.client().await?, LISTED_MAX).await?;
        let shown: Vec<Value> = all.iter().map(output::invite).collect();
        response::json(StatusCode::OK, &json!({ "invites": shown }))
    })
}

/// The code is answered this once.
pub(super) fn invite(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let sent: SentInvite = input::json(&services, &mut request).await?;
        let hours = sent.expires_in_hours.unwrap_or(INVITE_HOURS);
        if !(1..=INVITE_HOURS_MAX).contains(&hours) {
            return Err(ApiError::bad_request("bad_parameter", "expires_in_hours is a number from 1 to 2160"));
        }
        let (role, lasts) = (role(sent.role.as_deref())?, Duration::from_secs(hours * 3600));
        let made = services.people.invite(role, lasts, &Actor::of(&request.principal, request.peer.ip())).await?;
        let body = json!({ "id": made.id, "code": made.code, "role": role.map(Role::name),
            "expires_at": made.expires_at.to_string() });
        Ok(output::not_kept(response::json(StatusCode::CREATED, &body)?))
    })
}

pub(super) fn revoke_invite(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let by = Actor::of(&request.principal, request.peer.ip());
        services.people.revoke_invite(input::path_number(&request, "id")?, &by).await?;
        Ok(response::empty(StatusCode::NO_CONTENT))
    })
}

/// The person, with the password that was made up.
fn told(status: StatusCode, outcome: Result<Created, PeopleError>) -> Result<Response, ApiError> {
    let created = outcome.map_err(|error| match error {
        PeopleError::NameTaken => ApiError::conflict("name_taken", "somebody has that name"),
        error => error.into(),
    })?;
    let mut shown = output::user(&created.user);
    if let Some(password) = created.password {
        shown["password"] = password.into();
    }
    Ok(output::not_kept(response::json(status, &shown)?))
}

pub(super) fn role(name: Option<&str>) -> Result<Option<Role>, ApiError> {
    let bad = || ApiError::bad_request("bad_role", "a role is admin, editor or viewer");
    name.filter(|name| !name.is_empty()).map(|name| Role::parse(name).ok_or_else(bad)).transpose()
}

fn changes(sent: &Map<String, Value>) -> Result<Change, ApiError> {
    let mut change = Change::default();
    for (name, value) in sent {
        match (name.as_str(), value) {
            ("role", Value::Null) => change.role = Some(None),
            ("role", Value::String(name)) => change.role = Some(role(Some(name))?),
            ("is_active", Value::Bool(is_active)) => change.is_active = Some(*is_active),
            ("password", Value::String(password)) => change.password = NewPassword::Given(password.clone()),
            ("reset_password", Value::Bool(true)) => change.password = NewPassword::MadeUp,
            ("reset_password", Value::Bool(false)) => {}
            _ => {
                let told = "change role, is_active, password or reset_password";
                return Err(ApiError::bad_request("bad_field", told));
            }
        }
    }
    Ok(change)
}
