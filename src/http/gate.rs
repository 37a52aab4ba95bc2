//! From the head of a request to its principal: takes the credentials out, asks `auth`, and says a refusal in the words
//! of the route. Every request with a route passes here before its handler runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, ORIGIN, UPGRADE};
use hyper::http::request::Parts;
use hyper::{Method, Uri};

use super::error::{ApiError, ErrorShape};
use super::query::Query;
use super::request::Request;
use crate::auth::{self, Access, Credentials, Presented, Principal, Refusal, Who};

/// The cookie a signed-in browser holds.
pub const SESSION_COOKIE: &str = "metrics_session";
const AGENT_TOKEN: HeaderName = HeaderName::from_static("x-agent-token");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const SIGNATURE: HeaderName = HeaderName::from_static("x-agent-signature");
/// What browsers say of where a request comes from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Longest credentials that are looked at; longer ones are none of ours.
const CREDENTIAL_BYTES_MAX: usize = 4096;

/// What a route says of its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) access: Access,
    pub(super) shape: ErrorShape,
}

/// Answers who sent a request with this head.
///
/// # Errors
/// When nobody is let in with it, or not to here.
pub(super) async fn admit(
    gate: &auth::Gate,
    rule: Rule,
    head: &Parts,
    peer: SocketAddr,
) -> Result<Arc<Principal>, ApiError> {
    let held = Held::of(&head.headers, &head.uri);
    let presented = held.presented(&head.headers, peer);
    let principal = gate.admit(rule.access, &presented).await.map_err(|refusal| worded(&refusal, rule.shape))?;
    let is_by_cookie = presented.cookie.is_some() && presented.token.is_none() && presented.agent_token.is_none();
    if is_by_cookie && matches!(principal.who, Who::User { .. }) && !is_own_page(head) {
        return Err(ApiError::forbidden("requests of other sites are not taken with a session cookie"));
    }
    Ok(principal)
}

/// What a request showed when it was let in, for what goes on after its answer.
pub(super) fn credentials(request: &Request) -> Credentials {
    Held::of(&request.headers, &request.uri).presented(&request.headers, request.peer).kept()
}

/// The credentials of a request, where they stand.
struct Held<'a> {
    agent_token: Option<&'a str>,
    token: Option<String>,
    cookie: Option<&'a str>,
}

impl<'a> Held<'a> {
    fn of(headers: &'a HeaderMap, uri: &Uri) -> Self {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let api_key = text(&API_KEY).map(str::to_owned);
        let token = api_key.or_else(|| text(&AUTHORIZATION).and_then(authorized)).or_else(|| handshake(headers, uri));
        Self { agent_token: text(&AGENT_TOKEN), token, cookie: session_cookie(headers) }
    }

    fn presented(&self, headers: &HeaderMap, peer: SocketAddr) -> Presented<'_> {
        Presented {
            agent_token: self.agent_token.filter(|token| token.len() <= CREDENTIAL_BYTES_MAX),
            token: self.token.as_deref().filter(|token| token.len() <= CREDENTIAL_BYTES_MAX),
            cookie: self.cookie.filter(|cookie| cookie.len() <= CREDENTIAL_BYTES_MAX),
            is_signed: headers.contains_key(SIGNATURE),
            address: peer.ip(),
        }
    }
}

/// The token in an `Authorization` header. Of a name and a password only the password is one.
fn authorized(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    let rest = rest.trim();
    if ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") || rest.len() > CREDENTIAL_BYTES_MAX {
        return None;
    }
    let pair = String::from_utf8(BASE64.decode(rest).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

/// Browsers cannot add headers to the handshake of a WebSocket, so its token may stand in the query.
fn handshake(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    headers.get(UPGRADE)?;
    Query::parse(uri.query()?).ok()?.get("token").map(str::to_owned)
}

fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, value)| value)
}

/// Whether a request with a cookie was made by a page of ours. Reading needs no such proof: the answer stays closed to
/// other sites, except for a WebSocket, which browsers open for any page.
fn is_own_page(head: &Parts) -> bool {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&head.method);
    if reads && !head.headers.contains_key(UPGRADE) {
        return true;
    }
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    match (text(FETCH_SITE), text(ORIGIN)) {
        (Some(site), _) => ["same-origin", "none"].contains(&site),
        (None, Some(origin)) => {
            let host = text(hyper::header::HOST).or_else(|| head.uri.authority().map(|authority| authority.as_str()));
            origin.split_once("://").map(|(_, host)| host) == host
        }
        // No browser: nobody was tricked into sending this.
        (None, None) => true,
    }
}

/// A refusal, as the clients of this route know it.
fn worded(refusal: &Refusal, shape: ErrorShape) -> ApiError {
    const CHALLENGE: &str = "Bearer";
    const LATER: Duration = Duration::from_secs(2);
    match (refusal, shape) {
        (Refusal::Missing, ErrorShape::Detail) => ApiError::unauthorized("Not authenticated", CHALLENGE),
        (Refusal::Invalid, ErrorShape::Detail) => ApiError::unauthorized("Could not validate credentials", CHALLENGE),
        (Refusal::Missing | Refusal::Invalid, _) => ApiError::unauthorized(refusal.to_string(), CHALLENGE),
        (Refusal::Forbidden { .. }, _) => ApiError::forbidden(refusal.to_string()),
        (Refusal::Unavailable(_), _) => {
            ApiError::unavailable("database_unavailable", "PostgreSQL is not available", LATER)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(name: &str, value: &str) -> (Option<String>, Option<String>, Option<String>) {
        let request = hyper::Request::builder().header(name, value).body(()).unwrap();
        let held = Held::of(request.headers(), request.uri());
        (held.agent_token.map(str::to_owned), held.token, held.cookie.map(str::to_owned))
    }

    #[test]
    fn credentials_are_found_wherever_the_systems_put_them() {
        let token = (None, Some("s3cret".to_owned()), None);
        assert_eq!(held("authorization", "Bearer s3cret"), token);
        assert_eq!(held("authorization", "bEARER  s3cret"), token);
        assert_eq!(held("authorization", "Token s3cret"), token);
        assert_eq!(held("authorization", "Basic YW5uOnMzY3JldA=="), token);
        assert_eq!(held("x-api-key", "s3cret"), token);
        assert_eq!(held("x-agent-token", "s3cret"), (Some("s3cret".to_owned()), None, None));
        assert_eq!(held("cookie", "a=b; metrics_session=s3cret"), (None, None, Some("s3cret".to_owned())));
        assert_eq!(held("authorization", "Digest s3cret"), (None, None, None));
    }

    #[test]
    fn a_token_in_the_query_counts_for_a_handshake_only() {
        let ask = |upgrade: bool| {
            let mut request = hyper::Request::builder().uri("/ws?token=s3cret");
            if upgrade {
                request = request.header("upgrade", "websocket");
            }
            let request = request.body(()).unwrap();
            Held::of(request.headers(), request.uri()).token
        };
        assert_eq!((ask(true), ask(false)), (Some("s3cret".to_owned()), None));
    }

    fn own_page(method: Method, headers: &[(&str, &str)]) -> bool {
        let mut request = hyper::Request::builder().method(method).uri("/x").header("host", "m.example:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_own_page(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_page_of_another_site_cannot_act_with_our_cookie() {
        assert!(own_page(Method::POST, &[("sec-fetch-site", "same-origin")]));
        assert!(own_page(Method::POST, &[("origin", "https://m.example:8080")]));
        assert!(own_page(Method::POST, &[]), "no browser");
        assert!(own_page(Method::GET, &[("sec-fetch-site", "cross-site")]), "the answer stays closed to it");
        assert!(!own_page(Method::POST, &[("sec-fetch-site", "cross-site")]));
        assert!(!own_page(Method::POST, &[("origin", "https://evil.example")]));
        assert!(!own_page(Method::GET, &[("upgrade", "websocket"), ("origin", "https://evil.example")]));
    }
}
