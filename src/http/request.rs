//! One request, as a handler sees it.

pub(super) mod percent; // %41 to A
pub mod query; // the part after `?`
pub mod request_id;

use std::error::Error;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{AsHeaderName, HeaderMap};
use hyper::http::Extensions;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Uri, Version};

use super::body::encoding::Encoding;
use super::body::{self, BodyError, BodyStream, CollectedBody, Meter};
use super::config::BodyLimits;
use crate::auth::Principal;
use query::{Query, QueryError};
use request_id::RequestId;

#[derive(Debug)]
pub struct Request {
    pub method: Method,
    pub uri: Uri,
    pub version: Version,
    pub headers: HeaderMap,
    /// The address on the other end of the socket; behind a proxy that is the proxy.
    pub peer: SocketAddr,
    /// Who sent it; the route let them in.
    pub principal: Arc<Principal>,
    pub id: RequestId,
    pub(super) params: Params,
    pub(super) body: RequestBody,
    pub(super) body_limits: Arc<BodyLimits>,
    /// Hyper's upgrade handle.
    pub extensions: Extensions,
}

/// What the placeholders of the route stand for in this path, decoded.
pub(super) type Params = Vec<(String, String)>;

impl Request {
    /// What `{name}` of the route stands for in this path.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// # Errors
    /// When the query has too many parts or cannot be decoded.
    pub fn query(&self) -> Result<Query, QueryError> {
        Query::parse(self.uri.query().unwrap_or_default())
    }

    /// The first value of that header, when it is text.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What a body may cost unless the route says less.
    pub fn body_limits(&self) -> &BodyLimits {
        &self.body_limits
    }

    /// The body, read whole within `limits`, asking `meter` before every piece that is kept. A second call gets an empty
    /// body.
    ///
    /// # Errors
    /// When the body exceeds a limit, the meter refuses, it is encoded in a way we do not know, or it breaks off.
    pub async fn collect_body_metered(
        &mut self,
        limits: &BodyLimits,
        meter: Meter<'_>,
    ) -> Result<CollectedBody, BodyError> {
        let encoding = Encoding::of(&self.headers)?;
        body::collect(std::mem::take(&mut self.body), encoding, limits, meter).await
    }

    /// The body piece by piece, however long it is. A second call gets an empty body.
    ///
    /// # Errors
    /// When it is encoded in a way that we do not know, or that cannot be read piece by piece.
    pub fn stream_body(&mut self) -> Result<BodyStream, BodyError> {
        let encoding = Encoding::of(&self.headers)?;
        BodyStream::new(std::mem::take(&mut self.body), encoding, self.body_limits().clone())
    }

    /// The raw connection, once a `101` answer to this request is on its way. Drive it in a task of its own: it
    /// outlives the connection and is not ended by a drain, so that task must heed its own group's stop.
    pub fn upgrade(&mut self) -> Option<OnUpgrade> {
        self.extensions.remove::<OnUpgrade>()
    }
}

/// What comes after the head: from a socket, or in a test from memory.
#[derive(Debug, Default)]
pub struct RequestBody {
    source: Source,
    /// Its end was seen. A body that does not state its length does not know otherwise.
    ended: bool,
    left_unread: Option<Arc<AtomicBool>>,
}

#[derive(Debug)]
enum Source {
    Socket(Incoming),
    Memory(Full<Bytes>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Memory(Full::default())
    }
}

impl RequestBody {
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self { source: Source::Memory(Full::new(bytes.into())), ended: false, left_unread: None }
    }

    /// `left_unread` is set when the body is dropped before its end: the client is still sending then.
    pub(super) fn from_socket(incoming: Incoming, left_unread: Arc<AtomicBool>) -> Self {
        Self { source: Source::Socket(incoming), ended: false, left_unread: Some(left_unread) }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = match &mut self.source {
            Source::Socket(incoming) => Pin::new(incoming).poll_frame(context).map_err(Into::into),
            Source::Memory(full) => Pin::new(full).poll_frame(context).map_err(|never| match never {}),
        };
        self.ended |= matches!(polled, Poll::Ready(None));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.ended
            || match &self.source {
                Source::Socket(incoming) => incoming.is_end_stream(),
                Source::Memory(full) => full.is_end_stream(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Socket(incoming) => incoming.size_hint(),
            Source::Memory(full) => full.size_hint(),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(left_unread) = &self.left_unread
            && !self.is_end_stream()
        {
            left_unread.store(true, Ordering::Relaxed);
        }
    }
}
