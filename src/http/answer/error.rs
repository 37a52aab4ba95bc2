//! The one error map: every cause of a refusal to a status, a stable code, a text for the client and a text for us.
//!
//! The status is an [`ErrorStatus`], which has no successful member, so an error cannot be answered as a success.
//! Clients never see the source of an error; it is logged once, with the request id, by `front`.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde_json::Value;

use crate::http::body::{BodyError, encoding};
use crate::http::query::QueryError;

/// Which JSON an error is written as. A property of the route: a path keeps the shape of the system that owns it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorShape {
    /// `{"error":{"code":"…","message":"…","details":[…]}}`
    #[default]
    Structured,
    /// `{"error":"…"}`
    Text,
    /// `{"detail":"…"}`, or where a 422 has details `{"detail":[…]}`
    Detail,
    /// `{"detail":"…","error":"…"}`, on a path that two systems share.
    Both,
    /// `{"code":"…","message":"…"}`, the code one of InfluxDB's.
    Influx,
    /// `{"code":…,"message":"…"}`, a `google.rpc.Status`; in protobuf for requests in protobuf.
    Rpc,
    /// The same in protobuf.
    RpcBytes,
    /// The message alone, as text: Prometheus logs the first line of it.
    Plain,
}

/// The statuses an error may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorStatus {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    Conflict,
    PayloadTooLarge,
    UnsupportedMediaType,
    Unprocessable,
    TooManyRequests,
    Internal,
    Unavailable,
}

impl ErrorStatus {
    /// The code InfluxDB has for it.
    pub(super) fn influx_code(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::Conflict => "conflict",
            Self::MethodNotAllowed => "method not allowed",
            Self::PayloadTooLarge => "request too large",
            Self::TooManyRequests => "too many requests",
            Self::Internal => "internal error",
            Self::Unavailable => "unavailable",
            Self::BadRequest | Self::RequestTimeout | Self::UnsupportedMediaType | Self::Unprocessable => "invalid",
        }
    }

    pub fn code(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict => StatusCode::CONFLICT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

type Source = Box<dyn Error + Send + Sync>;

/// A refusal. Boxed, because the success beside it in every `Result` should not pay for it.
#[derive(Debug)]
pub struct ApiError(Box<Parts>);

#[derive(Debug)]
pub(super) struct Parts {
    pub(super) status: ErrorStatus,
    pub(super) code: &'static str,
    pub(super) message: Cow<'static, str>,
    pub(super) details: Vec<Value>,
    pub(super) retry_after: Option<Duration>,
    pub(super) allow: Option<HeaderValue>,
    pub(super) accept_encoding: Option<&'static str>,
    pub(super) challenge: Option<&'static str>,
    source: Option<Source>,
}

impl ApiError {
    /// For a cause without a constructor of its own. `code` is stable; `message` is for people.
    pub fn new(status: ErrorStatus, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            message: message.into(),
            details: Vec::new(),
            retry_after: None,
            allow: None,
            accept_encoding: None,
            challenge: None,
            source: None,
        }))
    }

    pub fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorStatus::BadRequest, code, message)
    }

    /// `challenge` is what `WWW-Authenticate` says.
    pub fn unauthorized(message: impl Into<Cow<'static, str>>, challenge: &'static str) -> Self {
        let mut error = Self::new(ErrorStatus::Unauthorized, "unauthorized", message);
        error.0.challenge = Some(challenge);
        error
    }

    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorStatus::Forbidden, "forbidden", message)
    }

    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorStatus::NotFound, "not_found", message)
    }

    pub fn method_not_allowed(allow: HeaderValue) -> Self {
        let mut error = Self::new(ErrorStatus::MethodNotAllowed, "method_not_allowed", "method not allowed");
        error.0.allow = Some(allow);
        error
    }

    pub fn conflict(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorStatus::Conflict, code, message)
    }

    pub fn unprocessable(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorStatus::Unprocessable, code, message)
    }

    /// The client sent more than it may; `code` says which bound.
    pub fn too_many_requests(code: &'static str, message: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        Self::new(ErrorStatus::TooManyRequests, code, message).with_retry_after(retry_after)
    }

    /// We cannot right now, and it is not the client's doing; `code` says why.
    pub fn unavailable(code: &'static str, message: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        Self::new(ErrorStatus::Unavailable, code, message).with_retry_after(retry_after)
    }

    /// A defect. The client learns only that there is one; `source` goes to the log.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::new(ErrorStatus::Internal, "internal", "internal server error").with_source(source)
    }

    #[must_use]
    pub fn with_details(mut self, details: Vec<Value>) -> Self {
        self.0.details = details;
        self
    }

    fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.0.retry_after = Some(retry_after);
        self
    }

    /// Attaches what only the log may say.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub fn status(&self) -> ErrorStatus {
        self.0.status
    }

    pub fn code(&self) -> &'static str {
        self.0.code
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn details(&self) -> &[Value] {
        &self.0.details
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.message)
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        Self::bad_request("bad_query", error.to_string())
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let message = error.to_string();
        match error {
            BodyError::TooLarge { .. } | BodyError::InflatedTooLarge { .. } => {
                Self::new(ErrorStatus::PayloadTooLarge, "payload_too_large", message)
            }
            BodyError::Stalled { .. } | BodyError::TooSlow { .. } => {
                Self::new(ErrorStatus::RequestTimeout, "body_timeout", message)
            }
            BodyError::Encoding(cause) => {
                let mut error = Self::new(ErrorStatus::UnsupportedMediaType, "unsupported_encoding", message);
                let is_streamed = matches!(cause, encoding::EncodingError::NotStreamed(_));
                error.0.accept_encoding = Some(if is_streamed { encoding::STREAMED } else { encoding::KNOWN });
                error
            }
            BodyError::Disconnected(source) => Self::bad_request("body_incomplete", message).with_source(source),
            BodyError::Corrupt(source) => Self::bad_request("corrupt_body", format!("{message}: {source}")),
            BodyError::NoRoom => Self::unavailable("engine_full", message, Duration::from_secs(1)),
        }
    }
}
