//! Tokens as they are made: random texts that are shown once, and the hash that is all anyone keeps of them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest, Sha256};

const RANDOM_BYTES: usize = 32;
/// So that people and scanners recognize what they have found.
const API_PREFIX: &str = "mr_";
/// No token of ours is longer.
const TEXT_BYTES_MAX: usize = 2 * RANDOM_BYTES;
/// 32 bytes in base64, without padding.
const TEXT_BYTES_MIN: usize = 43;

/// Who a token is made for, which decides how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 64 hexadecimal digits.
    Agent,
    /// Base64 for URLs.
    Endpoint,
    /// The same with a prefix.
    Api,
}

/// A new token. Its text is for whoever asked for it, once, and never printed.
pub struct Minted {
    text: String,
    hash: TokenHash,
}

/// SHA-256 of a token. The tokens are random enough to need no more.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

/// The system has no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system has no random numbers")]
pub struct NoRandomness;

impl Minted {
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(kind: Kind) -> Result<Self, NoRandomness> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).map_err(|_| NoRandomness)?;
        let text = match kind {
            Kind::Agent => random.iter().map(|byte| format!("{byte:02x}")).collect(),
            Kind::Endpoint => BASE64.encode(random),
            Kind::Api => format!("{API_PREFIX}{}", BASE64.encode(random)),
        };
        let hash = TokenHash::digest(&text);
        Ok(Self { text, hash })
    }

    /// The token itself, for the answer to whoever asked for it and for nobody else.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    pub fn hash(&self) -> &TokenHash {
        &self.hash
    }
}

impl TokenHash {
    /// The hash of what may be a token; `None` for what none of ours looks like, which need not be looked up.
    pub fn of(text: &str) -> Option<Self> {
        let is_likely = (TEXT_BYTES_MIN..=TEXT_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        is_likely.then(|| Self::digest(text))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn digest(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

impl fmt::Debug for Minted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Minted([redacted])")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("TokenHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_looks_as_its_system_expects_and_no_two_are_alike() {
        for (kind, length) in [(Kind::Agent, 64), (Kind::Endpoint, 43), (Kind::Api, 46)] {
            let (one, two) = (Minted::new(kind).unwrap(), Minted::new(kind).unwrap());
            assert_eq!(one.reveal().len(), length, "{kind:?}");
            assert_ne!(one.reveal(), two.reveal());
            assert_eq!(TokenHash::of(one.reveal()), Some(*one.hash()));
            assert_ne!(one.hash(), two.hash());
        }
        let agent = Minted::new(Kind::Agent).unwrap();
        assert!(agent.reveal().bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
        assert!(Minted::new(Kind::Api).unwrap().reveal().starts_with("mr_"));
    }

    #[test]
    fn what_looks_like_no_token_is_not_looked_up() {
        for text in ["", "hunter2", "a.b.c", &"a".repeat(65), &"é".repeat(25), &"a/".repeat(25)] {
            assert_eq!(TokenHash::of(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        let minted = Minted::new(Kind::Agent).unwrap();
        let printed = format!("{minted:?} {:?}", minted.hash());
        assert_eq!(printed, "Minted([redacted]) TokenHash(..)");
    }
}
