//! Errors as `google.rpc.Status`, for protocols whose clients read that: in protobuf or in JSON, as the request was.

use hyper::header::{CONTENT_TYPE, HeaderMap};
use serde_json::json;

use super::error::{ErrorShape, ErrorStatus};

pub const PROTOBUF: &str = "application/x-protobuf";
pub const JSON: &str = "application/json";

impl ErrorShape {
    /// The shape for a request with these headers: who sends protobuf reads protobuf.
    pub(in crate::http) fn heeding(self, headers: &HeaderMap) -> Self {
        let sent = headers.get(CONTENT_TYPE).and_then(|sent| sent.to_str().ok()).unwrap_or_default();
        let is_protobuf = sent.get(..PROTOBUF.len()).is_some_and(|sent| sent.eq_ignore_ascii_case(PROTOBUF));
        if self == Self::Rpc && is_protobuf { Self::RpcBytes } else { self }
    }
}

impl ErrorStatus {
    /// The code that this protocol has for it.
    fn rpc_code(self) -> u8 {
        match self {
            Self::BadRequest | Self::UnsupportedMediaType | Self::Unprocessable => 3,
            Self::RequestTimeout => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
            Self::Forbidden => 7,
            Self::PayloadTooLarge | Self::TooManyRequests => 8,
            Self::MethodNotAllowed => 12,
            Self::Internal => 13,
            Self::Unavailable => 14,
            Self::Unauthorized => 16,
        }
    }
}

pub(super) fn status_json(status: ErrorStatus, message: &str) -> serde_json::Value {
    json!({ "code": status.rpc_code(), "message": message })
}

pub(super) fn status_bytes(status: ErrorStatus, message: &str) -> Vec<u8> {
    const CODE: u8 = 1 << 3;
    const MESSAGE: u8 = 2 << 3 | 2;
    let mut out = vec![CODE, status.rpc_code(), MESSAGE];
    let mut length = message.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(message.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_two_fields_of_protobuf() {
        assert_eq!(status_bytes(ErrorStatus::Unavailable, "no"), b"\x08\x0e\x12\x02no");
        let long = "x".repeat(300);
        assert_eq!(status_bytes(ErrorStatus::BadRequest, &long)[..5], *b"\x08\x03\x12\xac\x02");
    }

    #[test]
    fn who_sends_protobuf_reads_protobuf() {
        let heeded = |sent: &'static str| {
            ErrorShape::Rpc
                .heeding(&HeaderMap::from_iter([(CONTENT_TYPE, hyper::header::HeaderValue::from_static(sent))]))
        };
        assert_eq!(heeded("Application/x-protobuf; a=b"), ErrorShape::RpcBytes);
        assert_eq!(heeded("application/json"), ErrorShape::Rpc);
        assert_eq!(ErrorShape::Rpc.heeding(&HeaderMap::new()), ErrorShape::Rpc);
        assert_eq!(ErrorShape::Text.heeding(&HeaderMap::new()), ErrorShape::Text);
    }
}
