//! `GET /api/v1/stream`: the WebSocket that committed samples are pushed to; and how any live session is opened.

use std::sync::Arc;

use hyper::header::{CONNECTION, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;

use super::{Answering, Services};
use crate::auth::Access;
use crate::http::{ApiError, Request, Response, gate, response};
use crate::live::{self, SessionSetup, StreamRequest, Wanted};

/// A live session that is about to begin.
pub(super) struct Opening<K> {
    pub(super) wanted: Wanted,
    /// What the caller must go on to have.
    pub(super) access: Access,
    /// Dropped when the session ends.
    pub(super) kept: K,
}

pub(super) fn open(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let key = handshake(&services, &request)?;
        let pairs: Vec<(String, String)> =
            request.query()?.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let asked = StreamRequest::parse(&pairs, request.principal.reach.clone()).map_err(|error| refused(&error))?;
        let opening = Opening { wanted: Wanted::Stream(asked), access: Access::READ, kept: () };
        session(&services, &mut request, key, opening)
    })
}

/// What the handshake is answered with, when this is one that may be.
pub(super) fn handshake(services: &Services, request: &Request) -> Result<HeaderValue, ApiError> {
    check(services, request)?;
    live::accept(&request.headers).map_err(|error| refused(&error))
}

/// Upgrades the connection and serves a session on it.
pub(super) fn session<K: Send + 'static>(
    services: &Arc<Services>,
    request: &mut Request,
    key: HeaderValue,
    opening: Opening<K>,
) -> Result<Response, ApiError> {
    // Later a session can only be told by a close code.
    services.hub.check_room()?;
    let upgrade = request.upgrade();
    let upgrade = upgrade.ok_or_else(|| ApiError::bad_request("bad_stream", "the connection cannot be upgraded"))?;
    let Opening { wanted, access, kept } = opening;
    let visit = services.presence.enter(Arc::clone(&request.principal), access, gate::credentials(request));
    let setup = SessionSetup {
        hub: Arc::clone(&services.hub),
        replays: Some(Arc::clone(&services.replays)),
        wanted,
        heartbeat: services.heartbeat,
        tasks: services.sessions.clone(),
        dismissed: visit.dismissed().clone(),
    };
    let stopping = services.sessions.stopping();
    drop(services.sessions.spawn("live session", async move {
        // A client that goes away before its answer was written is no session.
        if let Ok(socket) = upgrade.await {
            live::serve(TokioIo::new(socket), setup, stopping).await;
        }
        drop((visit, kept));
    }));
    let mut answer = response::empty(StatusCode::SWITCHING_PROTOCOLS);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    answer.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    answer.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, key);
    Ok(answer)
}

fn refused(error: &dyn std::error::Error) -> ApiError {
    ApiError::bad_request("bad_stream", error.to_string())
}

/// Browsers let any page open a WebSocket, so the origin is checked here.
fn check(services: &Services, request: &Request) -> Result<(), ApiError> {
    if request.method != Method::GET {
        return Err(ApiError::method_not_allowed(HeaderValue::from_static("GET, OPTIONS")));
    }
    if !services.origins.allows(request.headers.get(ORIGIN)) {
        return Err(ApiError::forbidden("pages of this origin may not open a live session"));
    }
    Ok(())
}
