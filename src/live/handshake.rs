//! The headers that turn a request into a WebSocket. Pure: looks at headers and computes the answer's key.

use hyper::HeaderMap;
use hyper::header::{CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A key is sixteen bytes in base64.
const KEY_CHARS: usize = 24;

/// Why a request is no WebSocket handshake; its text is the body of the 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    #[error("this endpoint speaks WebSocket: the Connection header must ask for an upgrade")]
    NoUpgrade,
    #[error("this endpoint speaks WebSocket: the Upgrade header must say websocket")]
    OtherProtocol,
    #[error("the Sec-WebSocket-Version header must say 13")]
    OtherVersion,
    #[error("the Sec-WebSocket-Key header must hold sixteen bytes in base64")]
    InvalidKey,
}

/// The `Sec-WebSocket-Accept` value of the answer, which is a 101 with `Connection: Upgrade` and `Upgrade: websocket`.
///
/// # Errors
/// When the headers do not ask for version 13 of the protocol.
pub fn accept(headers: &HeaderMap) -> Result<HeaderValue, HandshakeError> {
    if !has_token(headers, &CONNECTION, "upgrade") {
        return Err(HandshakeError::NoUpgrade);
    }
    if !has_token(headers, &UPGRADE, "websocket") {
        return Err(HandshakeError::OtherProtocol);
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version.as_bytes() != b"13") {
        return Err(HandshakeError::OtherVersion);
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).filter(|key| is_key(key));
    let accept = derive_accept_key(key.ok_or(HandshakeError::InvalidKey)?);
    Ok(HeaderValue::try_from(accept).expect("base64 is a valid header value"))
}

/// Whether one of the comma-separated values of a header is `token`. Browsers send `keep-alive, Upgrade`.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}

fn is_key(key: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == KEY_CHARS && key.ends_with(b"==") && key[..KEY_CHARS - 2].iter().all(is_base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        of.iter().map(header).collect()
    }

    const WHOLE: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    #[test]
    fn the_key_of_the_standard_gets_the_answer_of_the_standard() {
        assert_eq!(accept(&headers(&WHOLE)).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_request_that_lacks_a_part_is_told_which() {
        let without = |place: usize| {
            let left: Vec<_> = WHOLE.into_iter().enumerate().filter(|(at, _)| *at != place).map(|(_, h)| h).collect();
            accept(&headers(&left)).unwrap_err()
        };
        assert_eq!(without(0), HandshakeError::NoUpgrade);
        assert_eq!(without(1), HandshakeError::OtherProtocol);
        assert_eq!(without(2), HandshakeError::OtherVersion);
        assert_eq!(without(3), HandshakeError::InvalidKey);
    }

    #[test]
    fn a_key_that_is_no_base64_is_refused() {
        for key in ["short", "!!!!!!!!!!!!!!!!!!!!!!==", "dGhlIHNhbXBsZSBub25jZQAA"] {
            let mut whole = headers(&WHOLE);
            whole.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static(key));
            assert_eq!(accept(&whole), Err(HandshakeError::InvalidKey), "{key}");
        }
    }
}
