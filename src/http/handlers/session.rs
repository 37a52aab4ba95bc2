//! Signing in and out with a browser: the form of one of the source systems, and JSON for pages of our own.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{HeaderValue, SET_COOKIE, USER_AGENT};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answering, Services, input, output, validation};
use crate::auth::sessions::SESSION_SECONDS;
use crate::auth::{Access, Actor, PeopleError, Principal, Right, Visitor, Who};
use crate::http::gate::{is_own_page, session_cookie};
use crate::http::{ApiError, Request, Response, SESSION_COOKIE, response};
use crate::model::UserId;

/// Either name does.
#[derive(Deserialize)]
struct SigningIn {
    login: Option<String>,
    username: Option<String>,
    email: Option<String>,
    password: Option<String>,
}

#[derive(Deserialize)]
struct NewPassword {
    old: Option<String>,
    new: Option<String>,
}

/// The form of a page: on to the dashboard, or once more.
pub(super) fn login_form(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        from_own_page(&request)?;
        let form = validation::form(&services, &mut request).await?;
        let [email, password] = validation::form_texts(&form, ["email", "password"])?;
        let before = session_cookie(&request.headers).map(str::to_owned);
        match services.people.sign_in((&email, &password), &visitor(&request), before.as_deref()).await {
            Ok(signed_in) => with_cookie(&services, output::redirect("/dashboard"), Some(&signed_in.cookie)),
            Err(PeopleError::WrongCredentials) => {
                Ok(output::page(StatusCode::UNAUTHORIZED, "Sign in", "Invalid credentials"))
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// With a refresh token it is a program that signs out, else a browser.
pub(super) fn logout(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        if let Some(token) = query.get("refresh_token") {
            services.people.sign_out_program(token, request.peer.ip()).await?;
            return response::json(StatusCode::OK, &json!({ "message": "Logged out successfully" }));
        }
        sign_out_browser(&services, &request).await?;
        with_cookie(&services, output::redirect("/login"), None)
    })
}

pub(super) fn sign_in(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        from_own_page(&request)?;
        let sent: SigningIn = input::json(&services, &mut request).await?;
        let login = input::required("login", sent.login.or(sent.username).or(sent.email))?;
        let password = input::required("password", sent.password)?;
        let before = session_cookie(&request.headers).map(str::to_owned);
        let signed_in = services.people.sign_in((&login, &password), &visitor(&request), before.as_deref()).await?;
        let principal = services.people.by_cookie(&signed_in.cookie).await?.ok_or(PeopleError::WrongCredentials)?;
        let answer = response::json(StatusCode::OK, &shown(&services, &principal))?;
        with_cookie(&services, answer, Some(&signed_in.cookie))
    })
}

/// Who asks, and what they may do. Whoever shows nothing that counts is told what anyone may.
pub(super) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move { response::json(StatusCode::OK, &shown(&services, &request.principal)) })
}

pub(super) fn sign_out(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        sign_out_browser(&services, &request).await?;
        with_cookie(&services, response::empty(StatusCode::NO_CONTENT), None)
    })
}

/// One's own sessions.
pub(super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let sessions = services.people.sessions(oneself(&request)?).await?;
        let current = current_hash(&services, &request);
        let shown: Vec<Value> = sessions
            .iter()
            .map(|session| output::session(session, current.as_ref().map(<[u8; 32]>::as_slice)))
            .collect();
        response::json(StatusCode::OK, &json!({ "sessions": shown }))
    })
}

pub(super) fn revoke(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = input::path_number(&request, "id")?;
        let by = Actor::of(&request.principal, request.peer.ip());
        services.people.end_sessions(oneself(&request)?, Some(id), &by).await?;
        Ok(response::empty(StatusCode::NO_CONTENT))
    })
}

/// One's own password. The browser that asks stays signed in, every other one does not.
pub(super) fn change_password(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let sent: NewPassword = input::json(&services, &mut request).await?;
        let (old, new) = (input::required("old", sent.old)?, input::required("new", sent.new)?);
        let (id, by) = (oneself(&request)?, Actor::of(&request.principal, request.peer.ip()));
        let current = current_hash(&services, &request);
        let current = current.as_ref().map(<[u8; 32]>::as_slice);
        services.people.change_own_password(id, (&old, &new), current, &by).await?;
        Ok(response::empty(StatusCode::NO_CONTENT))
    })
}

/// No other site signs a browser in, as somebody it did not mean to be.
fn from_own_page(request: &Request) -> Result<(), ApiError> {
    let is_own = is_own_page(&request.method, &request.headers, &request.uri);
    if is_own { Ok(()) } else { Err(ApiError::forbidden("other sites sign nobody in")) }
}

async fn sign_out_browser(services: &Services, request: &Request) -> Result<(), ApiError> {
    let Some(cookie) = session_cookie(&request.headers) else { return Ok(()) };
    Ok(services.people.sign_out(cookie, request.peer.ip()).await?)
}

fn current_hash(services: &Services, request: &Request) -> Option<[u8; 32]> {
    session_cookie(&request.headers).and_then(|cookie| services.people.session_hash(cookie))
}

fn oneself(request: &Request) -> Result<UserId, ApiError> {
    request.principal.user_id().ok_or_else(|| ApiError::forbidden("this is for people"))
}

fn visitor(request: &Request) -> Visitor {
    let user_agent = request.header(USER_AGENT).unwrap_or_default().to_owned();
    Visitor { address: request.peer.ip(), user_agent }
}

fn shown(services: &Services, principal: &Principal) -> Value {
    const RIGHTS: [(Right, &str); 5] = [
        (Right::Ingest, "ingest"),
        (Right::Read, "read"),
        (Right::Observe, "observe"),
        (Right::Change, "change"),
        (Right::Administer, "administer"),
    ];
    let rights: Vec<&str> =
        RIGHTS.iter().filter(|(right, _)| principal.may(Access::Needs(*right))).map(|(_, name)| *name).collect();
    let (kind, user) = match &principal.who {
        Who::User { id, name, role } => {
            ("user", json!({ "id": id.0, "name": name.as_ref(), "role": role.map(crate::auth::Role::name) }))
        }
        Who::Anyone => ("anyone", Value::Null),
        Who::Agent { .. } => ("agent", Value::Null),
        Who::Token { .. } => ("token", Value::Null),
        Who::Signer => ("signer", Value::Null),
    };
    let registration = if services.people.is_registration_open() { "open" } else { "invite" };
    json!({ "kind": kind, "user": user, "rights": rights, "registration": registration })
}

/// Without a value the cookie is taken away.
fn with_cookie(services: &Services, mut answer: Response, value: Option<&str>) -> Result<Response, ApiError> {
    let secure = if services.people.has_secure_cookies() { "; Secure" } else { "" };
    let lasts = if value.is_some() { SESSION_SECONDS } else { 0 };
    let value = value.unwrap_or_default();
    let cookie = format!("{SESSION_COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={lasts}{secure}");
    let mut cookie = HeaderValue::try_from(cookie).map_err(ApiError::internal)?;
    cookie.set_sensitive(true);
    answer.headers_mut().insert(SET_COOKIE, cookie);
    Ok(output::not_kept(answer))
}
