//! How an [`ApiError`] is spelled on the wire, in the shape its route asks for.

use bytes::Bytes;
use hyper::header::{self, HeaderValue};
use serde_json::json;

use super::error::{ApiError, ErrorShape, ErrorStatus, Parts};
use super::response::{self, Response};
use super::rpc;

/// The response to `error`. Says nothing of its source.
pub(in crate::http) fn render(error: &ApiError, shape: ErrorShape) -> Response {
    let parts = error.parts();
    let (content_type, body) = match shape {
        ErrorShape::RpcBytes => (rpc::PROTOBUF, rpc::status_bytes(parts.status, &parts.message).into()),
        ErrorShape::Plain => ("text/plain; charset=utf-8", Bytes::from(text(parts, shape))),
        _ => ("application/json", Bytes::from(text(parts, shape))),
    };
    let mut answer = response::bytes(parts.status.code(), content_type, body);
    let headers = answer.headers_mut();
    if let Some(retry_after) = parts.retry_after {
        // Whole seconds, rounded up: a client that comes back too early is only refused again.
        let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    if let Some(allow) = &parts.allow {
        headers.insert(header::ALLOW, allow.clone());
    }
    if let Some(known) = parts.accept_encoding {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(known));
    }
    if let Some(challenge) = parts.challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    answer
}

fn text(parts: &Parts, shape: ErrorShape) -> String {
    match shape {
        ErrorShape::Structured => {
            json!({"error": {"code": parts.code, "message": parts.message, "details": parts.details}})
        }
        ErrorShape::Plain => return format!("{}\n", parts.message),
        ErrorShape::Text => json!({"error": parts.message}),
        ErrorShape::Detail if parts.status == ErrorStatus::Unprocessable && !parts.details.is_empty() => {
            json!({"detail": parts.details})
        }
        ErrorShape::Detail => json!({"detail": parts.message}),
        ErrorShape::Both => json!({"detail": parts.message, "error": parts.message}),
        ErrorShape::Rpc | ErrorShape::RpcBytes => rpc::status_json(parts.status, &parts.message),
        ErrorShape::Influx => json!({"code": parts.status.influx_code(), "message": parts.message}),
    }
    .to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(shape: ErrorShape, expected: &str) {
        let error = ApiError::bad_request("bad_time", "no such day").with_details(vec![json!("from")]);
        assert_eq!(text(error.parts(), shape), expected);
    }

    #[test]
    fn each_shape_is_what_its_clients_read() {
        check(ErrorShape::Structured, r#"{"error":{"code":"bad_time","details":["from"],"message":"no such day"}}"#);
        check(ErrorShape::Text, r#"{"error":"no such day"}"#);
        check(ErrorShape::Detail, r#"{"detail":"no such day"}"#);
        check(ErrorShape::Both, r#"{"detail":"no such day","error":"no such day"}"#);
        check(ErrorShape::Rpc, r#"{"code":3,"message":"no such day"}"#);
        check(ErrorShape::Influx, r#"{"code":"invalid","message":"no such day"}"#);
    }

    #[test]
    fn services_that_people_sign_in_to_say_each_fault_of_a_request() {
        let error = ApiError::unprocessable("validation", "not as it has to be").with_details(vec![json!("from")]);
        assert_eq!(text(error.parts(), ErrorShape::Detail), r#"{"detail":["from"]}"#);
    }

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        let error = ApiError::too_many_requests("rate", "slow down", Duration::from_millis(1200));
        let answer = render(&error, ErrorShape::Text);
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "2");
    }

    #[test]
    fn the_source_of_an_internal_error_stays_inside() {
        let error = ApiError::internal("password is hunter2");
        let text = text(error.parts(), ErrorShape::Structured);
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "password is hunter2");
    }
}
