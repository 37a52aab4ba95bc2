//! What a request is answered in protobuf.

use super::message::{close, open, put_bytes, put_number};

/// An `Export…ServiceResponse`: empty when all was taken.
#[must_use]
pub fn export_response(rejected: u64, message: &str) -> Vec<u8> {
    const PARTIAL_SUCCESS: u32 = 1;
    let mut out = Vec::new();
    if rejected > 0 || !message.is_empty() {
        let start = open(&mut out, PARTIAL_SUCCESS);
        put_number(&mut out, 1, rejected);
        put_bytes(&mut out, 2, message.as_bytes());
        close(&mut out, start);
    }
    out
}
