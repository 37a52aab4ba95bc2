//! From the head of a request to its principal: takes the credentials out, asks `auth`, and says a refusal in the words
//! of the route. Every request with a route passes here before its handler runs.

mod words; // what a route asks, and how it refuses

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, ORIGIN, UPGRADE};
use hyper::http::request::Parts;
use hyper::{Method, Uri};

use super::error::ApiError;
use super::query::Query;
use super::request::Request;
use crate::auth::{self, Credentials, Presented, Principal, Who};
use words::worded;
pub use words::{Terms, Words};

/// The cookie a signed-in browser holds.
pub const SESSION_COOKIE: &str = "metrics_session";
const AGENT_TOKEN: HeaderName = HeaderName::from_static("x-agent-token");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const SIGNATURE: HeaderName = HeaderName::from_static("x-agent-signature");
/// What browsers say of where a request comes from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Longest credentials that are looked at; longer ones are none of ours.
const CREDENTIAL_BYTES_MAX: usize = 4096;

/// Answers who sent a request with this head.
///
/// # Errors
/// When nobody is let in with it, or not to here.
pub(super) async fn admit(
    gate: &auth::Gate,
    terms: Terms,
    head: &Parts,
    peer: SocketAddr,
) -> Result<Arc<Principal>, ApiError> {
    let held = Held::of(&head.headers, &head.uri, terms.words);
    let presented = held.presented(&head.headers, peer);
    let principal = gate.admit(terms.access, &presented).await.map_err(|refusal| worded(refusal, terms.words))?;
    let is_by_cookie = presented.cookie.is_some() && presented.token.is_none() && presented.agent_token.is_none();
    if is_by_cookie && matches!(principal.who, Who::User { .. }) && !is_own_page(&head.method, &head.headers, &head.uri)
    {
        return Err(ApiError::forbidden("requests of other sites are not taken with a session cookie"));
    }
    Ok(principal)
}

/// What a request showed when it was let in with plain words, for what goes on after its answer.
pub(super) fn credentials(request: &Request) -> Credentials {
    Held::of(&request.headers, &request.uri, Words::Plain).presented(&request.headers, request.peer).kept()
}

/// The credentials of a request, where they stand.
struct Held<'a> {
    agent_token: Option<&'a str>,
    token: Option<Cow<'a, str>>,
    cookie: Option<&'a str>,
}

impl<'a> Held<'a> {
    fn of(headers: &'a HeaderMap, uri: &Uri, words: Words) -> Self {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let token = text(&API_KEY).map(Cow::Borrowed);
        let token = token.or_else(|| text(&AUTHORIZATION).and_then(authorized));
        let token = token.or_else(|| in_query(headers, uri, words).map(Cow::Owned));
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
fn authorized(header: &str) -> Option<Cow<'_, str>> {
    let (scheme, rest) = header.split_once(' ')?;
    let rest = rest.trim();
    if ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Some(Cow::Borrowed(rest));
    }
    if !scheme.eq_ignore_ascii_case("basic") || rest.len() > CREDENTIAL_BYTES_MAX {
        return None;
    }
    let pair = String::from_utf8(BASE64.decode(rest).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| Cow::Owned(password.to_owned()))
}

/// Browsers cannot add headers to the handshake of a WebSocket, so its token may stand in the query; and InfluxDB 1 lets
/// its clients put their password there.
fn in_query(headers: &HeaderMap, uri: &Uri, words: Words) -> Option<String> {
    let name = match words {
        Words::InfluxOne => "p",
        _ if headers.contains_key(UPGRADE) => "token",
        _ => return None,
    };
    Query::parse(uri.query()?).ok()?.get(name).filter(|value| !value.is_empty()).map(str::to_owned)
}

/// What the session cookie holds.
pub(super) fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, value)| value)
}

/// Whether a request with a cookie was made by a page of ours. Reading needs no such proof: the answer stays closed to
/// other sites, except for a WebSocket, which browsers open for any page.
pub(super) fn is_own_page(method: &Method, headers: &HeaderMap, uri: &Uri) -> bool {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    if reads && !headers.contains_key(UPGRADE) {
        return true;
    }
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(FETCH_SITE), text(ORIGIN)) {
        (Some(site), _) => ["same-origin", "none"].contains(&site),
        (None, Some(origin)) => {
            let host = text(hyper::header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
            origin.split_once("://").map(|(_, host)| host) == host
        }
        // No browser: nobody was tricked into sending this.
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(name: &str, value: &str) -> (Option<String>, Option<String>, Option<String>) {
        let request = hyper::Request::builder().header(name, value).body(()).unwrap();
        let held = Held::of(request.headers(), request.uri(), Words::Plain);
        (held.agent_token.map(str::to_owned), held.token.map(Cow::into_owned), held.cookie.map(str::to_owned))
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
            Held::of(request.headers(), request.uri(), Words::Plain).token.map(Cow::into_owned)
        };
        assert_eq!((ask(true), ask(false)), (Some("s3cret".to_owned()), None));
    }

    #[test]
    fn a_password_in_the_query_counts_for_influxdb_1_only() {
        let ask = |words: Words| {
            let request = hyper::Request::builder().uri("/write?db=a&u=ann&p=s%2Bcret").body(()).unwrap();
            Held::of(request.headers(), request.uri(), words).token.map(Cow::into_owned)
        };
        assert_eq!((ask(Words::InfluxOne), ask(Words::Plain)), (Some("s+cret".to_owned()), None));
    }

    fn own_page(method: Method, headers: &[(&str, &str)]) -> bool {
        let mut request = hyper::Request::builder().method(method).uri("/x").header("host", "m.example:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        {
            let request = request.body(()).unwrap();
            is_own_page(request.method(), request.headers(), request.uri())
        }
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
