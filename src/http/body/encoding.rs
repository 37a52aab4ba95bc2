//! The `Content-Encoding` of a request: one of those we know, at most one.

use std::fmt;

use hyper::header::{CONTENT_ENCODING, HeaderMap};

/// What a client may compress with, as `Accept-Encoding` lists it.
pub const KNOWN: &str = "gzip, deflate, zstd, snappy, identity";

/// The same for bodies that are read piece by piece.
pub const STREAMED: &str = "gzip, zstd, identity";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    #[default]
    Identity,
    Gzip,
    /// With the zlib wrapper or, as many send it, without.
    Deflate,
    Zstd,
    /// The block format, or the framed one; they are told apart by their first bytes.
    Snappy,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    #[error("content encoding `{0}` is not known; known are {KNOWN}")]
    Unknown(String),
    #[error("more than one content encoding; send one of {KNOWN}")]
    Several,
    #[error("a body of any length cannot be in content encoding {0}; send one of {STREAMED}")]
    NotStreamed(Encoding),
}

impl Encoding {
    /// # Errors
    /// When the header names more than one encoding, or one that is not known.
    pub fn of(headers: &HeaderMap) -> Result<Self, EncodingError> {
        let mut found = Self::Identity;
        for value in headers.get_all(CONTENT_ENCODING) {
            let text = value.to_str().map_err(|_| EncodingError::Unknown("not ASCII".to_owned()))?;
            for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let encoding = Self::named(name).ok_or_else(|| EncodingError::Unknown(shortened(name)))?;
                if encoding != Self::Identity && found != Self::Identity {
                    return Err(EncodingError::Several);
                }
                if encoding != Self::Identity {
                    found = encoding;
                }
            }
        }
        Ok(found)
    }

    fn named(name: &str) -> Option<Self> {
        let all = [
            ("identity", Self::Identity),
            ("gzip", Self::Gzip),
            ("x-gzip", Self::Gzip),
            ("deflate", Self::Deflate),
            ("zstd", Self::Zstd),
            ("snappy", Self::Snappy),
            ("x-snappy-framed", Self::Snappy),
        ];
        all.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, encoding)| encoding)
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
        })
    }
}

/// What is repeated to the client is bounded, whatever it sent.
fn shortened(name: &str) -> String {
    name.chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&'static str], expected: Result<Encoding, EncodingError>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, value.parse().unwrap());
        }
        assert_eq!(Encoding::of(&headers), expected, "{values:?}");
    }

    #[test]
    fn one_known_encoding_is_taken_and_identity_does_not_count() {
        check(&[], Ok(Encoding::Identity));
        check(&[""], Ok(Encoding::Identity));
        check(&["GZip"], Ok(Encoding::Gzip));
        check(&["identity, zstd"], Ok(Encoding::Zstd));
        check(&["snappy", "identity"], Ok(Encoding::Snappy));
    }

    #[test]
    fn several_and_unknown_encodings_are_refused() {
        check(&["gzip, zstd"], Err(EncodingError::Several));
        check(&["gzip", "gzip"], Err(EncodingError::Several));
        check(&["br"], Err(EncodingError::Unknown("br".to_owned())));
    }
}
