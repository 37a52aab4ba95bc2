//! The name of one request in logs and answers: the client's own when it sent a sane one, else ours.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::HeaderValue;

pub const HEADER: &str = "x-request-id";

/// Longer ones are replaced: an id is repeated in every log line of its request.
const LENGTH_MAX: usize = 64;

/// Visible characters that need no quoting in a log, 1 to 64 of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    pub fn as_str(&self) -> &str {
        // Only visible ASCII gets in, so this never falls back.
        self.0.to_str().unwrap_or_default()
    }

    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }

    fn accept(value: &HeaderValue) -> Option<Self> {
        let sane = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
        let bytes = value.as_bytes();
        let accepted = !bytes.is_empty() && bytes.len() <= LENGTH_MAX && bytes.iter().all(sane);
        accepted.then(|| Self(value.clone()))
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Makes ids that differ within a process for sure and between processes in practice. They are names, not secrets.
#[derive(Debug)]
pub struct RequestIds {
    next: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> Self {
        // A fresh `RandomState` has random keys, so any hash of it is a random start.
        Self { next: AtomicU64::new(RandomState::new().hash_one(0_u8)) }
    }
}

impl RequestIds {
    pub fn accept_or_make(&self, sent: Option<&HeaderValue>) -> RequestId {
        sent.and_then(RequestId::accept).unwrap_or_else(|| self.make())
    }

    fn make(&self) -> RequestId {
        let number = scatter(self.next.fetch_add(1, Ordering::Relaxed));
        let mut text = [0_u8; 16];
        for (index, byte) in text.iter_mut().enumerate() {
            let nibble = (number >> (60 - 4 * index)) & 0xf;
            *byte = b"0123456789abcdef"[usize::try_from(nibble).unwrap_or_default()];
        }
        RequestId(HeaderValue::from_bytes(&text).expect("hex digits are a valid header value"))
    }
}

/// One to one on 64 bits, so counted inputs give distinct outputs that do not look counted.
fn scatter(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_kept_and_others_are_replaced() {
        let ids = RequestIds::default();
        let kept = ids.accept_or_make(Some(&HeaderValue::from_static("01-ab.c:d")));
        assert_eq!(kept.as_str(), "01-ab.c:d");
        let long = "x".repeat(LENGTH_MAX + 1);
        for bad in ["", "two words", "quote\"", long.as_str()] {
            let made = ids.accept_or_make(Some(&HeaderValue::from_str(bad).unwrap()));
            assert_eq!(made.as_str().len(), 16, "instead of {bad:?}");
        }
    }

    #[test]
    fn made_ids_differ() {
        let ids = RequestIds::default();
        let made: std::collections::HashSet<_> = (0..1000).map(|_| ids.make().to_string()).collect();
        assert_eq!(made.len(), 1000);
    }
}
