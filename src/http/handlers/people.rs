//! `/register`, `/token`, `/refresh`, `/users/me`: people and their programs, in the words of the system whose paths these
//! are.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Answering, Services, validation};
use crate::auth::Who;
use crate::auth::people::{Registering, Tokens};
use crate::http::query::Query;
use crate::http::{ApiError, Request, Response, response};

/// Only with an invitation does anyone get a role.
pub(super) fn register(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let fields = validation::object(&validation::body(&services, &mut request).await?)?;
        let [username, password] = validation::texts(&fields, ["username", "password"])?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let new = Registering {
            username: Some(&username),
            email: text("email"),
            password: &password,
            invite: text("invite"),
        };
        let user = services.people.register(new, request.peer.ip()).await?;
        response::json(StatusCode::OK, &json!({ "username": user.name(), "id": user.id.0 }))
    })
}

pub(super) fn token(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let form = validation::form(&services, &mut request).await?;
        let [username, password] = validation::form_texts(&form, ["username", "password"])?;
        let tokens = services.people.sign_in_program((&username, &password), request.peer.ip()).await?;
        answer(&tokens)
    })
}

pub(super) fn refresh(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let token = match request.query()?.get("refresh_token").map(str::to_owned) {
            Some(token) => token,
            None => token_in(&validation::body(&services, &mut request).await?)?,
        };
        answer(&services.people.refresh(&token, request.peer.ip()).await?)
    })
}

pub(super) fn me(_services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let Who::User { id, name, .. } = &request.principal.who else {
            return Err(ApiError::unauthorized("Could not validate credentials", "Bearer"));
        };
        response::json(StatusCode::OK, &json!({ "username": name.as_ref(), "id": id.0 }))
    })
}

/// Tokens are for whoever asked, and not for a cache on the way.
fn answer(tokens: &Tokens) -> Result<Response, ApiError> {
    let body = json!({ "access_token": tokens.access, "refresh_token": tokens.refresh, "token_type": "bearer" });
    Ok(super::output::not_kept(response::json(StatusCode::OK, &body)?))
}

/// In a body the token may stand as JSON or as a form.
fn token_in(body: &[u8]) -> Result<String, ApiError> {
    let missing = || validation::refused(vec![validation::missing(&["query", "refresh_token"])]);
    if let Ok(fields) = validation::object(body) {
        return fields.get("refresh_token").and_then(Value::as_str).map(str::to_owned).ok_or_else(missing);
    }
    let form = Query::parse(&validation::text(body)?)?;
    form.get("refresh_token").filter(|token| !token.is_empty()).map(str::to_owned).ok_or_else(missing)
}
