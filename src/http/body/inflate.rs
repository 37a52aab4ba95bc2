//! Decompression with a cap on what comes out. Pure: bytes in, bytes out, no I/O and no clock.
//!
//! - Never more than `bytes_max` bytes are appended, and never more than about twice that is allocated.
//! - What is cut short or followed by rubbish is an error, not a shorter answer.
//! - After an error `out` may hold a part of the answer: drop it.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::encoding::Encoding;

#[derive(Debug, thiserror::Error)]
pub(super) enum InflateError {
    #[error("the decompressed body is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

/// Data that is not what its encoding says.
#[derive(Debug, thiserror::Error)]
#[error("not valid {encoding} data: {reason}")]
pub struct Corrupt {
    encoding: Encoding,
    reason: String,
}

impl Corrupt {
    pub(super) fn new(encoding: Encoding, reason: impl std::fmt::Display) -> Self {
        Self { encoding, reason: reason.to_string() }
    }
}

/// Appends the decoded `wire` to `out`.
///
/// # Errors
/// When more than `bytes_max` bytes would come out, or the data is not whole and valid.
pub(super) fn inflate(
    encoding: Encoding,
    wire: &[u8],
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> Result<(), InflateError> {
    match encoding {
        Encoding::Identity => drain(encoding, wire, bytes_max, out),
        Encoding::Gzip => drain(encoding, MultiGzDecoder::new(wire), bytes_max, out),
        Encoding::Deflate if is_zlib(wire) => {
            let mut decoder = ZlibDecoder::new(wire);
            drain(encoding, &mut decoder, bytes_max, out)?;
            nothing_after(encoding, decoder.into_inner())
        }
        Encoding::Deflate => {
            let mut decoder = DeflateDecoder::new(wire);
            drain(encoding, &mut decoder, bytes_max, out)?;
            nothing_after(encoding, decoder.into_inner())
        }
        Encoding::Zstd => zstd(wire, bytes_max, out),
        Encoding::Snappy => snappy(wire, bytes_max, out),
    }
}

/// What `wire` states it decodes to, where its encoding begins with that.
///
/// # Errors
/// When that is more than `bytes_max`, or cannot be true.
pub(super) fn stated_bytes(encoding: Encoding, wire: &[u8], bytes_max: usize) -> Result<Option<usize>, InflateError> {
    match encoding {
        Encoding::Snappy if !wire.starts_with(SNAPPY_STREAM_START) => block_bytes(wire, bytes_max).map(Some),
        _ => Ok(None),
    }
}

/// The largest window a zstd frame may ask for, 8 MiB: what RFC 9659 lets an HTTP body use. It is memory on top of
/// what comes out.
pub(super) const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// A snappy block cannot spell more than 64 bytes with 3; a length beyond that ratio is a lie that would cost memory.
const SNAPPY_RATIO_MAX: usize = 22;

/// The first chunk of every framed snappy stream. No valid block starts with these bytes: its third element would
/// copy from before the start.
const SNAPPY_STREAM_START: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// Reads to the end, or one byte past the cap, which is how one knows that it is past.
fn drain(encoding: Encoding, reader: impl Read, bytes_max: usize, out: &mut Vec<u8>) -> Result<(), InflateError> {
    let start = out.len();
    let cap = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(cap).read_to_end(out).map_err(|error| corrupt(encoding, error))?;
    if out.len() - start > bytes_max {
        return Err(InflateError::TooLarge { bytes_max });
    }
    Ok(())
}

fn nothing_after(encoding: Encoding, rest: &[u8]) -> Result<(), InflateError> {
    if rest.is_empty() { Ok(()) } else { Err(corrupt(encoding, "bytes follow the end")) }
}

/// Both forms are sent as `deflate`. A raw stream never has 8 in its first low nibble: that would be a stored block
/// with padding that is not zero.
fn is_zlib(wire: &[u8]) -> bool {
    wire.first_chunk().is_some_and(|start| start[0] & 0x0f == 8 && u16::from_be_bytes(*start) % 31 == 0)
}

fn zstd(wire: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> Result<(), InflateError> {
    let encoding = Encoding::Zstd;
    let mut decoder = zstd::stream::read::Decoder::with_buffer(wire).map_err(|error| corrupt(encoding, error))?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|error| corrupt(encoding, error))?;
    drain(encoding, decoder, bytes_max, out)
}

fn snappy(wire: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> Result<(), InflateError> {
    let encoding = Encoding::Snappy;
    if wire.starts_with(SNAPPY_STREAM_START) {
        return drain(encoding, snap::read::FrameDecoder::new(wire), bytes_max, out);
    }
    let length = block_bytes(wire, bytes_max)?;
    let from = out.len();
    out.resize(from + length, 0);
    snap::raw::Decoder::new().decompress(wire, &mut out[from..]).map_err(|error| corrupt(encoding, error))?;
    Ok(())
}

/// The length that a snappy block states, when it can be true.
fn block_bytes(wire: &[u8], bytes_max: usize) -> Result<usize, InflateError> {
    let encoding = Encoding::Snappy;
    let length = snap::raw::decompress_len(wire).map_err(|error| corrupt(encoding, error))?;
    if length > bytes_max {
        return Err(InflateError::TooLarge { bytes_max });
    }
    if length > wire.len().saturating_mul(SNAPPY_RATIO_MAX) {
        return Err(corrupt(encoding, "the length it states cannot be reached"));
    }
    Ok(length)
}

fn corrupt(encoding: Encoding, reason: impl std::fmt::Display) -> InflateError {
    InflateError::Corrupt(Corrupt::new(encoding, reason))
}

#[cfg(test)]
mod tests;
