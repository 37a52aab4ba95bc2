//! Decompression with a cap on what comes out. Pure: pieces in, bytes out, no I/O and no clock.
//!
//! - Never more than `bytes_max` bytes are appended, and never more than about twice that is allocated.
//! - What is cut short or followed by rubbish is an error, not a shorter answer.
//! - After an error `out` may hold a part of the answer: drop it.

use std::borrow::Cow;
use std::io::Read;

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::chunks::Chunks;
use super::encoding::Encoding;

#[derive(Debug, thiserror::Error)]
pub enum InflateError {
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

/// Appends the decoded `chunks` to `out`.
///
/// # Errors
/// When more than `bytes_max` bytes would come out, or the data is not whole and valid.
pub fn inflate(encoding: Encoding, chunks: &[Bytes], bytes_max: usize, out: &mut Vec<u8>) -> Result<(), InflateError> {
    let wire = Chunks::new(chunks);
    match encoding {
        Encoding::Identity => drain(encoding, wire, bytes_max, out),
        Encoding::Gzip => drain(encoding, MultiGzDecoder::new(wire), bytes_max, out),
        Encoding::Deflate if is_zlib(chunks) => {
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
        Encoding::Snappy => snappy(chunks, bytes_max, out),
    }
}

/// The largest window a zstd frame may ask for, 8 MiB: what RFC 9659 lets an HTTP body use. It is memory on top of
/// what comes out.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

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

fn nothing_after(encoding: Encoding, mut rest: Chunks<'_>) -> Result<(), InflateError> {
    match rest.read(&mut [0]) {
        Ok(0) => Ok(()),
        _ => Err(corrupt(encoding, "bytes follow the end")),
    }
}

/// Both forms are sent as `deflate`. A raw stream never has 8 in its first low nibble: that would be a stored block
/// with padding that is not zero.
fn is_zlib(chunks: &[Bytes]) -> bool {
    let mut start = [0; 2];
    if Chunks::new(chunks).read_exact(&mut start).is_err() {
        return false;
    }
    start[0] & 0x0f == 8 && u16::from_be_bytes(start) % 31 == 0
}

fn zstd(wire: Chunks<'_>, bytes_max: usize, out: &mut Vec<u8>) -> Result<(), InflateError> {
    let encoding = Encoding::Zstd;
    let mut decoder = zstd::stream::read::Decoder::with_buffer(wire).map_err(|error| corrupt(encoding, error))?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|error| corrupt(encoding, error))?;
    drain(encoding, decoder, bytes_max, out)
}

fn snappy(chunks: &[Bytes], bytes_max: usize, out: &mut Vec<u8>) -> Result<(), InflateError> {
    let encoding = Encoding::Snappy;
    let mut start = [0; SNAPPY_STREAM_START.len()];
    if Chunks::new(chunks).read_exact(&mut start).is_ok() && start == SNAPPY_STREAM_START {
        return drain(encoding, snap::read::FrameDecoder::new(Chunks::new(chunks)), bytes_max, out);
    }
    let block = joined(chunks);
    let length = snap::raw::decompress_len(&block).map_err(|error| corrupt(encoding, error))?;
    if length > bytes_max {
        return Err(InflateError::TooLarge { bytes_max });
    }
    if length > block.len().saturating_mul(SNAPPY_RATIO_MAX) {
        return Err(corrupt(encoding, "the length it states cannot be reached"));
    }
    let from = out.len();
    out.resize(from + length, 0);
    snap::raw::Decoder::new().decompress(&block, &mut out[from..]).map_err(|error| corrupt(encoding, error))?;
    Ok(())
}

/// The block decoder wants one slice; a body in one piece is one already.
fn joined(chunks: &[Bytes]) -> Cow<'_, [u8]> {
    match chunks {
        [] => Cow::Borrowed(&[]),
        [one] => Cow::Borrowed(one),
        many => Cow::Owned(many.concat()),
    }
}

fn corrupt(encoding: Encoding, reason: impl std::fmt::Display) -> InflateError {
    InflateError::Corrupt(Corrupt { encoding, reason: reason.to_string() })
}

#[cfg(test)]
mod tests;
