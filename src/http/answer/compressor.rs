//! Compression of streamed answers, as the client asked for it.

use std::fmt;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};

/// Fast rather than small: whoever waits for an export waits for every byte of it.
const ZSTD_LEVEL: i32 = 1;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coding {
    #[default]
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    /// What `compress=` asks for: gzip, zstd or none.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::Identity),
            "gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The best of those that `Accept-Encoding` lists by name; what it rates at zero is not listed.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let lists = headers.get_all(ACCEPT_ENCODING);
        let offers = lists.iter().filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(','));
        let mut best = Self::Identity;
        for offer in offers {
            let (name, rate) = offer.split_once(';').unwrap_or((offer, ""));
            let rate = rate.trim().strip_prefix("q=").unwrap_or("1");
            let is_wanted = rate.parse().is_ok_and(|rate: f32| rate > 0.0);
            match name.trim().to_ascii_lowercase().as_str() {
                "zstd" if is_wanted => return Self::Zstd,
                "gzip" | "x-gzip" if is_wanted => best = Self::Gzip,
                _ => {}
            }
        }
        best
    }

    /// What `Content-Encoding` says.
    pub fn header(self) -> Option<HeaderValue> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            Self::Zstd => Some(HeaderValue::from_static("zstd")),
        }
    }
}

/// Compresses piece after piece. What comes out of a piece may come with a later one.
pub enum Compressor {
    Identity(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Compressor {
    /// # Errors
    /// When there is no memory for it.
    pub fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Identity => Self::Identity(Vec::new()),
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::fast())),
            Coding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?),
        })
    }

    /// Takes `piece` and answers what has come out so far.
    ///
    /// # Errors
    /// When the library fails, which is a defect.
    pub fn push(&mut self, piece: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity(_) => Ok(piece),
            Self::Gzip(encoder) => {
                encoder.write_all(&piece)?;
                Ok(std::mem::take(encoder.get_mut()))
            }
            Self::Zstd(encoder) => {
                encoder.write_all(&piece)?;
                Ok(std::mem::take(encoder.get_mut()))
            }
        }
    }

    /// What is left, with the end.
    ///
    /// # Errors
    /// When the library fails, which is a defect.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity(rest) => Ok(rest),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Compressor")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_comes_back() {
        for coding in [Coding::Identity, Coding::Gzip, Coding::Zstd] {
            let mut compressor = Compressor::new(coding).unwrap();
            let mut wire = compressor.push(b"one".to_vec()).unwrap();
            wire.extend(compressor.push(b"two".repeat(100_000)).unwrap());
            wire.extend(compressor.finish().unwrap());
            let mut text = Vec::new();
            match coding {
                Coding::Identity => text = wire,
                Coding::Gzip => {
                    io::copy(&mut flate2::read::GzDecoder::new(wire.as_slice()), &mut text).unwrap();
                }
                Coding::Zstd => text = zstd::decode_all(wire.as_slice()).unwrap(),
            }
            assert_eq!(text, [b"one".to_vec(), b"two".repeat(100_000)].concat());
        }
    }

    #[test]
    fn the_best_coding_that_is_wanted_is_taken() {
        for (list, coding) in [
            ("", Coding::Identity),
            ("br, *", Coding::Identity),
            ("gzip, deflate", Coding::Gzip),
            ("gzip;q=1.0, zstd;q=0.5", Coding::Zstd),
            ("GZIP, zstd;q=0", Coding::Gzip),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(list))]);
            assert_eq!(Coding::accepted(&headers), coding, "{list}");
        }
    }
}
