//! Decompression piece by piece, with a bound on what one step brings. Pure: bytes in, bytes out.
//!
//! What is cut short is an error at the end, not a shorter body; members and frames may follow each other.

use bytes::{Buf, Bytes};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::encoding::{Encoding, EncodingError};
use super::inflate::{Corrupt, ZSTD_WINDOW_LOG_MAX};

/// What one step brings at most.
const PIECE_BYTES: usize = 128 * 1024;
/// The largest window of gzip.
const GZIP_WINDOW_BITS: u8 = 15;

pub(super) struct InflateStream {
    kind: Kind,
    /// Whether the input so far ends where a member or a frame does.
    is_whole: bool,
}

enum Kind {
    Identity,
    Gzip(Box<Decompress>),
    Zstd(Box<Decoder<'static>>),
}

impl InflateStream {
    /// # Errors
    /// When bodies in this encoding can only be read whole.
    pub(super) fn new(encoding: Encoding) -> Result<Self, EncodingError> {
        let kind = match encoding {
            Encoding::Identity => Kind::Identity,
            Encoding::Gzip => Kind::Gzip(Box::new(Decompress::new_gzip(GZIP_WINDOW_BITS))),
            Encoding::Zstd => {
                let mut decoder = Decoder::new().map_err(|_| EncodingError::NotStreamed(encoding))?;
                let bounded = decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX));
                bounded.map_err(|_| EncodingError::NotStreamed(encoding))?;
                Kind::Zstd(Box::new(decoder))
            }
            Encoding::Deflate | Encoding::Snappy => return Err(EncodingError::NotStreamed(encoding)),
        };
        Ok(Self { kind, is_whole: true })
    }

    /// Takes what it can of `input` and answers what came of it. Nothing means that it needs more input.
    ///
    /// # Errors
    /// When the data are not what their encoding says.
    pub(super) fn step(&mut self, input: &mut Bytes) -> Result<Bytes, Corrupt> {
        match &mut self.kind {
            Kind::Identity => Ok(std::mem::take(input)),
            Kind::Gzip(decoder) => gzip(decoder, &mut self.is_whole, input),
            Kind::Zstd(decoder) => zstd(decoder, &mut self.is_whole, input),
        }
    }

    /// The input has ended.
    ///
    /// # Errors
    /// When that is in the midst of something.
    pub(super) fn finish(&self) -> Result<(), Corrupt> {
        let encoding = match self.kind {
            Kind::Identity => return Ok(()),
            Kind::Gzip(_) => Encoding::Gzip,
            Kind::Zstd(_) => Encoding::Zstd,
        };
        if self.is_whole { Ok(()) } else { Err(Corrupt::new(encoding, "it is cut short")) }
    }
}

fn gzip(decoder: &mut Decompress, is_whole: &mut bool, input: &mut Bytes) -> Result<Bytes, Corrupt> {
    let corrupt = |error: flate2::DecompressError| Corrupt::new(Encoding::Gzip, error);
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    loop {
        if *is_whole {
            if input.is_empty() {
                break;
            }
            *decoder = Decompress::new_gzip(GZIP_WINDOW_BITS);
            *is_whole = false;
        }
        let (before, produced) = (decoder.total_in(), piece.len());
        let status = decoder.decompress_vec(input, &mut piece, FlushDecompress::None).map_err(corrupt)?;
        let taken = (decoder.total_in() - before) as usize;
        input.advance(taken);
        *is_whole = status == Status::StreamEnd;
        let stands_still = taken == 0 && piece.len() == produced && !*is_whole;
        if stands_still || piece.len() == piece.capacity() {
            break;
        }
    }
    Ok(piece.into())
}

fn zstd(decoder: &mut Decoder<'static>, is_whole: &mut bool, input: &mut Bytes) -> Result<Bytes, Corrupt> {
    let corrupt = |error: std::io::Error| Corrupt::new(Encoding::Zstd, error);
    let mut piece = vec![0; PIECE_BYTES];
    let mut filled = 0;
    loop {
        if *is_whole && input.is_empty() {
            break;
        }
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around_pos(piece.as_mut_slice(), filled);
        let left = decoder.run(&mut from, &mut to).map_err(corrupt)?;
        let (taken, now_filled) = (from.pos(), to.pos());
        let stands_still = taken == 0 && now_filled == filled;
        input.advance(taken);
        filled = now_filled;
        // The decoder says nothing of a frame that has not begun.
        *is_whole = left == 0 && !stands_still || *is_whole && stands_still;
        if stands_still || filled == PIECE_BYTES {
            break;
        }
    }
    piece.truncate(filled);
    Ok(piece.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn compressed(encoding: Encoding, text: &[u8]) -> Vec<u8> {
        match encoding {
            Encoding::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Encoding::Zstd => zstd::encode_all(text, 1).unwrap(),
            _ => text.to_vec(),
        }
    }

    /// What comes out of pieces of `size` bytes.
    fn inflated(encoding: Encoding, wire: &[u8], size: usize) -> Result<Vec<u8>, Corrupt> {
        let mut stream = InflateStream::new(encoding).unwrap();
        let mut out = Vec::new();
        for piece in wire.chunks(size) {
            let mut input = Bytes::copy_from_slice(piece);
            loop {
                let step = stream.step(&mut input)?;
                assert!(step.len() <= PIECE_BYTES || encoding == Encoding::Identity);
                if step.is_empty() {
                    break;
                }
                out.extend_from_slice(&step);
            }
            assert!(input.is_empty());
        }
        stream.finish().map(|()| out)
    }

    const ENCODINGS: [Encoding; 3] = [Encoding::Identity, Encoding::Gzip, Encoding::Zstd];

    proptest! {
        #[test]
        fn a_body_comes_out_whole_however_it_is_cut(text: Vec<u8>, times in 1..400_usize, size in 1..5_000_usize) {
            let text = text.repeat(times);
            for encoding in ENCODINGS {
                let wire = compressed(encoding, &text);
                prop_assert_eq!(inflated(encoding, &wire, size).unwrap(), text.clone());
            }
        }
    }

    #[test]
    fn members_and_frames_follow_each_other() {
        for encoding in ENCODINGS {
            let wire = [compressed(encoding, b"one"), compressed(encoding, b"two")].concat();
            for size in [1, 7, wire.len()] {
                assert_eq!(inflated(encoding, &wire, size).unwrap(), b"onetwo", "{encoding}");
            }
        }
    }

    #[test]
    fn what_is_cut_short_is_an_error_at_its_end() {
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let wire = compressed(encoding, &b"some text".repeat(100));
            for length in 1..wire.len() {
                assert!(inflated(encoding, &wire[..length], 10).is_err(), "{encoding} {length}");
            }
        }
    }

    #[test]
    fn a_bomb_comes_in_bounded_steps() {
        let text = vec![0; 50 << 20];
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let wire = compressed(encoding, &text);
            assert_eq!(inflated(encoding, &wire, wire.len()).unwrap().len(), text.len(), "{encoding}");
        }
    }
}
