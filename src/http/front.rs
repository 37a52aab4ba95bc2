//! One request to one response: id, route, handler, errors, CORS, observation. A request always gets an answer.
//!
//! - A handler that panics costs a 500, not the connection.
//! - An error is logged here, once, with the request id; its source never leaves.
//! - Queries are never logged: tokens travel in them.

use std::error::Error;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::FutureExt;
use hyper::body::Body;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

use super::answer::error_body;
use super::config::{BodyLimits, Config};
use super::cors::Cors;
use super::error::{ApiError, ErrorShape};
use super::gate;
use super::observer::{NoObserver, Observer, UNMATCHED};
use super::request::{Params, Request, RequestBody};
use super::request_id::{self, RequestId, RequestIds};
use super::response::{self, Response, ResponseBody};
use super::router::{Found, Route, Router};
use crate::auth::{Gate, Principal};

/// The router with everything around it that is the same for all routes.
pub struct Front {
    router: Router,
    gate: Arc<Gate>,
    cors: Cors,
    body_limits: Arc<BodyLimits>,
    ids: RequestIds,
    observer: Arc<dyn Observer>,
    in_flight: AtomicUsize,
}

impl Front {
    pub fn new(router: Router, gate: Arc<Gate>, config: &Config) -> Self {
        Self {
            router,
            gate,
            cors: config.cors.clone(),
            body_limits: Arc::new(config.body.clone()),
            ids: RequestIds::default(),
            observer: Arc::new(NoObserver),
            in_flight: AtomicUsize::new(0),
        }
    }

    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Requests being handled. A streamed response counts until its head is ready.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Answers one request.
    pub async fn answer(&self, request: hyper::Request<RequestBody>, peer: SocketAddr) -> Response {
        let _in_flight = InFlight::enter(&self.in_flight);
        let started = Instant::now();
        let id = self.ids.accept_or_make(request.headers().get(request_id::HEADER));
        let method = request.method().clone();
        let origin = request.headers().get(header::ORIGIN).cloned();
        let path = tracing::enabled!(tracing::Level::DEBUG).then(|| request.uri().path().to_owned());

        let (route, mut response) = self.dispatch(request, peer, &id).await;
        self.cors.allow(origin.as_ref(), response.headers_mut());
        response.headers_mut().insert(HeaderName::from_static(request_id::HEADER), id.header_value());
        if method == Method::HEAD {
            drop_body(&mut response);
        }

        let duration = started.elapsed();
        let pattern = route.as_ref().map_or(UNMATCHED, |route| route.pattern);
        self.observer.answered(pattern, &method, response.status(), duration);
        tracing::debug!(
            request.id = %id,
            http.method = %method,
            http.path = path,
            http.status = response.status().as_u16(),
            duration_us = duration.as_micros(),
            peer = %peer,
            "answered"
        );
        response
    }

    async fn dispatch(
        &self,
        request: hyper::Request<RequestBody>,
        peer: SocketAddr,
        id: &RequestId,
    ) -> (Option<Arc<Route>>, Response) {
        let path = request.uri().path();
        let headers = request.headers();
        if request.method() == Method::OPTIONS {
            return (None, self.options(&request, id));
        }
        let refusal = match self.router.find(request.method(), path) {
            Found::Route(route, params) => {
                let shape = route.terms.shape.heeding(headers);
                let answer = self.call(&route, (request, params), peer, id).await;
                return (Some(route), answer.unwrap_or_else(|error| refused(&error, shape, id)));
            }
            Found::OtherMethod(allow, shape) => {
                refused(&ApiError::method_not_allowed(allow), shape.heeding(headers), id)
            }
            Found::BadPath(shape) => {
                let error = ApiError::bad_request(
                    "bad_path",
                    "the path holds a broken percent escape, a NUL or text that is not UTF-8",
                );
                refused(&error, shape, id)
            }
            Found::Nothing => refused(&ApiError::not_found("no such path"), ErrorShape::default(), id),
        };
        (None, refusal)
    }

    /// No handler runs before its caller was admitted.
    async fn call(
        &self,
        route: &Route,
        (request, params): (hyper::Request<RequestBody>, Params),
        peer: SocketAddr,
        id: &RequestId,
    ) -> Result<Response, ApiError> {
        let (head, body) = request.into_parts();
        let principal = gate::admit(&self.gate, route.terms, &head, peer).await?;
        let request = self.request((head, body), params, (peer, principal), id);
        call(route, request, id).await
    }

    /// `OPTIONS` is never a handler's business: the router knows the methods, and CORS is the same everywhere.
    fn options(&self, request: &hyper::Request<RequestBody>, id: &RequestId) -> Response {
        let Some((allow, _)) = self.router.allowed(request.uri().path()) else {
            return refused(&ApiError::not_found("no such path"), ErrorShape::default(), id);
        };
        let mut response = response::empty(StatusCode::NO_CONTENT);
        self.cors.preflight(request.headers(), allow.clone(), response.headers_mut());
        response.headers_mut().insert(header::ALLOW, allow);
        response
    }

    fn request(
        &self,
        (parts, body): (hyper::http::request::Parts, RequestBody),
        params: Params,
        (peer, principal): (SocketAddr, Arc<Principal>),
        id: &RequestId,
    ) -> Request {
        Request {
            method: parts.method,
            uri: parts.uri,
            version: parts.version,
            headers: parts.headers,
            peer,
            principal,
            id: id.clone(),
            params,
            body,
            body_limits: Arc::clone(&self.body_limits),
            extensions: parts.extensions,
        }
    }
}

impl std::fmt::Debug for Front {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Front").field("router", &self.router).field("cors", &self.cors).finish_non_exhaustive()
    }
}

/// Runs the handler; a panic becomes an internal error that names what was said.
async fn call(route: &Route, request: Request, id: &RequestId) -> Result<Response, ApiError> {
    // What the handler shares with others is its own to keep whole: nothing of the request is used after a panic.
    let handling = AssertUnwindSafe(async move { route.handler.call(request).await });
    handling.catch_unwind().await.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let said = said.unwrap_or("something that is not text").to_owned();
        tracing::error!(request.id = %id, http.route = route.pattern, panic = said, "handler panicked");
        Err(ApiError::new(super::error::ErrorStatus::Internal, "internal", "internal server error"))
    })
}

fn refused(error: &ApiError, shape: ErrorShape, id: &RequestId) -> Response {
    if let Some(source) = error.source() {
        let (code, cause) = (error.code(), chain(source));
        if error.status().code() == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(request.id = %id, error.code = code, error.cause = cause, "request failed");
        } else if error.status().code().is_server_error() {
            tracing::warn!(request.id = %id, error.code = code, error.cause = cause, "request failed");
        } else {
            tracing::debug!(request.id = %id, error.code = code, error.cause = cause, "request refused");
        }
    }
    error_body::render(error, shape)
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        // Writing to a `String` cannot fail.
        write!(text, ": {error}").unwrap_or_default();
        next = error.source();
    }
    text
}

/// The answer to HEAD is the head of the answer to GET, with the length its body would have had.
fn drop_body(response: &mut Response) {
    let body = std::mem::take(response.body_mut());
    if let (Some(length), false) = (body.size_hint().exact(), matches!(body, ResponseBody::Empty)) {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
