//! `GET /api/v1/stream`: the WebSocket that committed samples are pushed to.

use std::sync::Arc;

use hyper::header::{CONNECTION, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;

use super::{Answering, Services};
use crate::auth::Access;
use crate::http::{ApiError, Request, gate, response};
use crate::live::{self, SessionSetup, StreamRequest};

pub(super) fn open(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        check(&services, &request)?;
        let refused = |error: &dyn std::error::Error| ApiError::bad_request("bad_stream", error.to_string());
        let key = live::accept(&request.headers).map_err(|error| refused(&error))?;
        let pairs: Vec<(String, String)> =
            request.query()?.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let asked = StreamRequest::parse(&pairs, request.principal.reach.clone()).map_err(|error| refused(&error))?;
        // Later a session can only be told by a close code.
        services.hub.check_room()?;
        let upgrade = request.upgrade();
        let upgrade =
            upgrade.ok_or_else(|| ApiError::bad_request("bad_stream", "the connection cannot be upgraded"))?;
        let credentials = gate::credentials(&request);
        let visit = services.presence.enter(Arc::clone(&request.principal), Access::READ, credentials);
        let setup = SessionSetup {
            hub: Arc::clone(&services.hub),
            replays: Some(Arc::clone(&services.replays)),
            request: asked,
            heartbeat: services.heartbeat,
            tasks: services.sessions.clone(),
            dismissed: visit.dismissed().clone(),
        };
        let stopping = services.sessions.stopping();
        drop(services.sessions.spawn("live session", async move {
            // A client that goes away before its answer was written is no session.
            let Ok(socket) = upgrade.await else { return drop(visit) };
            live::serve(TokioIo::new(socket), setup, stopping).await;
            drop(visit);
        }));
        let mut answer = response::empty(StatusCode::SWITCHING_PROTOCOLS);
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        answer.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        answer.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, key);
        Ok(answer)
    })
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
