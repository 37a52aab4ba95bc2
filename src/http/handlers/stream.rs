//! `GET /api/v1/stream`: the WebSocket that committed samples are pushed to.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use hyper_util::rt::TokioIo;

use super::{Answering, Services};
use crate::http::{ApiError, Request, response};
use crate::live::{self, SessionSetup, StreamRequest};

pub(super) fn open(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let refused = |error: &dyn std::error::Error| ApiError::bad_request("bad_stream", error.to_string());
        let key = live::accept(&request.headers).map_err(|error| refused(&error))?;
        let pairs: Vec<(String, String)> =
            request.query()?.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let asked = StreamRequest::parse(&pairs).map_err(|error| refused(&error))?;
        let upgrade = request.upgrade();
        let upgrade =
            upgrade.ok_or_else(|| ApiError::bad_request("bad_stream", "the connection cannot be upgraded"))?;
        let setup = SessionSetup {
            hub: Arc::clone(&services.hub),
            replay: Some(Arc::clone(&services.replay)),
            request: asked,
            pulse: services.pulse,
        };
        let stopping = services.sessions.stopping();
        drop(services.sessions.spawn("live session", async move {
            // A client that goes away before its answer was written is no session.
            let Ok(socket) = upgrade.await else { return };
            live::serve(TokioIo::new(socket), setup, stopping).await;
        }));
        let mut answer = response::empty(StatusCode::SWITCHING_PROTOCOLS);
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        answer.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        answer.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, key);
        Ok(answer)
    })
}
