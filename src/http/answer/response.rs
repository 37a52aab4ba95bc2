//! Response bodies, and the responses most handlers give.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::StatusCode;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use super::error::ApiError;
use super::streamed_body::{BodyAborted, StreamedBody};

pub type Response = hyper::Response<ResponseBody>;

#[derive(Debug, Default)]
pub enum ResponseBody {
    #[default]
    Empty,
    Full(Bytes),
    /// Made by [`super::streamed_body::channel`].
    Streamed(StreamedBody),
}

/// `value` as JSON.
///
/// # Errors
/// When `value` cannot be written as JSON, which is a defect.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Result<Response, ApiError> {
    let text = serde_json::to_vec(value).map_err(ApiError::internal)?;
    Ok(bytes(status, "application/json", text.into()))
}

pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Response {
    bytes(status, "text/plain; charset=utf-8", text.into())
}

pub fn bytes(status: StatusCode, content_type: &'static str, body: Bytes) -> Response {
    with_body(status, content_type, ResponseBody::Full(body))
}

/// A body that is still being written, from [`super::streamed_body::channel`].
pub fn streamed(status: StatusCode, content_type: &'static str, body: ResponseBody) -> Response {
    with_body(status, content_type, body)
}

pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(ResponseBody::Empty);
    *response.status_mut() = status;
    response
}

fn with_body(status: StatusCode, content_type: &'static str, body: ResponseBody) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyAborted;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyAborted>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            this @ Self::Full(_) => match std::mem::take(this) {
                Self::Full(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                _ => Poll::Ready(None),
            },
            Self::Streamed(body) => body.poll_piece(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_empty(),
            Self::Streamed(body) => body.is_finished(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            Self::Streamed(_) => SizeHint::default(),
        }
    }
}
