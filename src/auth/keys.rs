//! Randomness, hashes and signatures: everything that is signed rests on one secret. Nothing here is ever printed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What a random code is made of: 256 bits cannot be guessed.
const RANDOM_BYTES: usize = 32;

/// The system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the system has no randomness")]
pub struct RandomError(#[source] getrandom::Error);

/// The secret for access tokens, which other programs that know it may sign too, and one of our own for cookies.
#[derive(Clone)]
pub struct Keys {
    tokens: Vec<u8>,
    cookies: [u8; 32],
}

impl Keys {
    pub fn new(secret: &[u8]) -> Self {
        // Derived, so that no signature for one purpose is good for the other.
        Self { tokens: secret.to_vec(), cookies: signature(secret, b"session cookie") }
    }

    pub(super) fn sign_token(&self, text: &str) -> [u8; 32] {
        signature(&self.tokens, text.as_bytes())
    }

    pub(super) fn token_is_ours(&self, text: &str, signature: &[u8]) -> bool {
        is_signed(&self.tokens, text.as_bytes(), signature)
    }

    pub(super) fn sign_cookie(&self, text: &str) -> [u8; 32] {
        signature(&self.cookies, text.as_bytes())
    }

    pub(super) fn cookie_is_ours(&self, text: &str, signature: &[u8]) -> bool {
        is_signed(&self.cookies, text.as_bytes(), signature)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Keys([redacted])")
    }
}

/// A text nobody can guess, of letters that need no escaping anywhere.
///
/// # Errors
/// When the system has no randomness.
pub fn random_text() -> Result<String, RandomError> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes).map_err(RandomError)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a random text. It is random enough to need no slow hash.
pub fn hash_of(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of HMAC may have any length")
}

fn signature(key: &[u8], text: &[u8]) -> [u8; 32] {
    mac(key).chain_update(text).finalize().into_bytes().into()
}

/// Takes as long whatever is wrong with the signature.
fn is_signed(key: &[u8], text: &[u8], signature: &[u8]) -> bool {
    mac(key).chain_update(text).verify_slice(signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_hmac_sha256_and_each_purpose_has_its_own() {
        let keys = Keys::new(b"test-secret");
        let hex: String =
            keys.sign_token("1705754096.{\"host\":\"a\"}").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "271b49e7a1bcad714c516b0dd8311d18b274f04efb801db9c824997c8a33ec42");
        let signed = keys.sign_cookie("a");
        assert!(keys.cookie_is_ours("a", &signed) && !keys.token_is_ours("a", &signed));
        assert!(!keys.cookie_is_ours("b", &signed) && !keys.cookie_is_ours("a", &signed[..31]));
    }

    #[test]
    fn keys_are_never_printed_and_random_texts_differ() {
        assert_eq!(format!("{:?}", Keys::new(b"hunter2")), "Keys([redacted])");
        let (one, other) = (random_text().unwrap(), random_text().unwrap());
        assert!(one != other && one.len() == 43, "{one} {other}");
    }
}
