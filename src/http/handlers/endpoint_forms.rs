//! `/admin/endpoints`: endpoints as people fill them into forms and carry their configuration to the host.
//!
//! A new token waits in a cookie for the page that shows it, and for the one download that holds it, both for
//! [`SHOWN_SECONDS`]; no node keeps it, and no GET makes another one.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_DISPOSITION, COOKIE, HOST, HeaderValue, LOCATION, SET_COOKIE};
use serde_json::{Value, json};

use super::{Answering, Services, admission, endpoints, input};
use crate::auth::agents;
use crate::http::query::Query;
use crate::http::{ApiError, Request, Response, response};

const PAGE: &str = "/admin/endpoints";
const COOKIE_NAME: &str = "new_endpoint";
/// How long a new token can be seen.
const SHOWN_SECONDS: u32 = 300;
const FORM_BYTES_MAX: usize = 16 * 1024;
/// How often an endpoint is to send.
const INTERVAL_SECONDS: i32 = 30;
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The endpoints as a list, and the one that was just added with its token.
pub(super) fn page(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let after = i32::try_from(input::after(&request)?).unwrap_or(i32::MAX);
        let found = agents::endpoints(&services.database.client().await?, after).await?;
        let listed: Vec<Value> = found.iter().map(|endpoint| endpoints::shown(&services, endpoint)).collect();
        let fresh = fresh(&request);
        let created = fresh.as_ref().map(|(id, token)| json!({ "id": id, "token": token }));
        let mut answer = response::json(StatusCode::OK, &json!({ "endpoints": listed, "created": created }))?;
        if fresh.is_some() {
            set_cookie(&mut answer, &forgotten(PAGE))?;
        }
        Ok(unstored(answer))
    })
}

pub(super) fn add(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let (form, _held) = admission::small(&services, &mut request, FORM_BYTES_MAX).await?;
        let form = String::from_utf8(form).map_err(|_| ApiError::bad_request("bad_form", "the form is not UTF-8"))?;
        let form = Query::parse(form.trim())?;
        let field = |name: &str| form.get(name).map(str::trim).map(str::to_owned);
        let added = endpoints::create(&services, &request, field("hostname"), field("machine_id")).await?;
        let mut answer = response::empty(StatusCode::FOUND);
        answer.headers_mut().insert(LOCATION, HeaderValue::from_static(PAGE));
        let value = format!("{}.{}", added.agent.id, added.token.reveal());
        let secure = if is_encrypted(&services, &request) { "; Secure" } else { "" };
        for path in [PAGE.to_owned(), config_path(added.agent.id)] {
            let cookie = format!("{COOKIE_NAME}={value}; Path={path}; Max-Age={SHOWN_SECONDS}; {ATTRIBUTES}{secure}");
            set_cookie(&mut answer, &cookie)?;
        }
        Ok(unstored(answer))
    })
}

/// The configuration of an endpoint as a file. The token is in it only right after it was made.
pub(super) fn config(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let endpoint = endpoints::find(&services, endpoints::id(&request)?).await?;
        let scheme = if is_encrypted(&services, &request) { "https" } else { "http" };
        let authority = request.uri.authority().map(|authority| authority.as_str());
        let host = request.header(HOST).or(authority).unwrap_or("localhost");
        let fresh = fresh(&request).filter(|(id, _)| *id == endpoint.id);
        let token = fresh.as_ref().map_or("", |(_, token)| token.as_str());
        let mut answer = response::json(
            StatusCode::OK,
            &json!({
                "server_url": format!("{scheme}://{host}/api/v1/ingest"),
                "bearer_token": token,
                "interval_seconds": endpoint.interval_seconds.unwrap_or(INTERVAL_SECONDS),
                "enable": { "cpu": true, "memory": true, "disk": true, "network": true, "users": true },
            }),
        )?;
        let name: String = endpoint.name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
        let attachment = format!("attachment; filename=\"metricsagent-config-{name}.json\"");
        let attachment = HeaderValue::from_str(&attachment).map_err(ApiError::internal)?;
        answer.headers_mut().insert(CONTENT_DISPOSITION, attachment);
        if fresh.is_some() {
            set_cookie(&mut answer, &forgotten(&config_path(endpoint.id)))?;
        }
        Ok(unstored(answer))
    })
}

/// Out of reach of scripts and of other sites.
const ATTRIBUTES: &str = "HttpOnly; SameSite=Strict";

fn config_path(id: i32) -> String {
    format!("{PAGE}/{id}/config")
}

fn forgotten(path: &str) -> String {
    format!("{COOKIE_NAME}=; Path={path}; Max-Age=0; {ATTRIBUTES}")
}

fn set_cookie(answer: &mut Response, cookie: &str) -> Result<(), ApiError> {
    let mut value = HeaderValue::from_str(cookie).map_err(ApiError::internal)?;
    value.set_sensitive(true);
    answer.headers_mut().append(SET_COOKIE, value);
    Ok(())
}

/// No cache may keep a token.
fn unstored(mut answer: Response) -> Response {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// The number and token of the endpoint that this browser has just added.
fn fresh(request: &Request) -> Option<(i32, String)> {
    let cookies = request.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|all| all.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (id, token) = pairs.filter(|(name, _)| *name == COOKIE_NAME).find_map(|(_, value)| value.split_once('.'))?;
    Some((id.parse().ok()?, token.to_owned()))
}

/// A proxy in front may be the one that speaks TLS.
fn is_encrypted(services: &Services, request: &Request) -> bool {
    services.speaks_tls || request.header(FORWARDED_PROTO).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "._-".contains(letter)
}
