//! What decompression promises, for every encoding: round trips, a cap that holds, and no half answers.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Identity,
    Gzip,
    Zlib,
    RawDeflate,
    Zstd,
    SnappyBlock,
    SnappyFramed,
}

const COMPRESSED: [Form; 6] =
    [Form::Gzip, Form::Zlib, Form::RawDeflate, Form::Zstd, Form::SnappyBlock, Form::SnappyFramed];

impl Form {
    fn encoding(self) -> Encoding {
        match self {
            Self::Identity => Encoding::Identity,
            Self::Gzip => Encoding::Gzip,
            Self::Zlib | Self::RawDeflate => Encoding::Deflate,
            Self::Zstd => Encoding::Zstd,
            Self::SnappyBlock | Self::SnappyFramed => Encoding::Snappy,
        }
    }

    fn compress(self, data: &[u8]) -> Vec<u8> {
        fn written<W: Write>(mut encoder: W, data: &[u8]) -> W {
            encoder.write_all(data).unwrap();
            encoder
        }
        let level = Compression::fast();
        match self {
            Self::Identity => data.to_vec(),
            Self::Gzip => written(GzEncoder::new(Vec::new(), level), data).finish().unwrap(),
            Self::Zlib => written(ZlibEncoder::new(Vec::new(), level), data).finish().unwrap(),
            Self::RawDeflate => written(DeflateEncoder::new(Vec::new(), level), data).finish().unwrap(),
            Self::Zstd => zstd::encode_all(data, 1).unwrap(),
            Self::SnappyBlock => snap::raw::Encoder::new().compress_vec(data).unwrap(),
            Self::SnappyFramed => written(snap::write::FrameEncoder::new(Vec::new()), data).into_inner().unwrap(),
        }
    }
}

fn any_form() -> impl Strategy<Value = Form> {
    prop_oneof![Just(Form::Identity), proptest::sample::select(&COMPRESSED[..])]
}

fn inflated(form: Form, wire: &[u8], bytes_max: usize) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::new();
    inflate(form.encoding(), wire, bytes_max, &mut out).map(|()| out)
}

/// Compressible and not, with sizes around the places where block sizes change.
fn any_data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..3_000),
        (any::<u8>(), 0_usize..200_000).prop_map(|(byte, length)| vec![byte; length]),
        (65_530_usize..65_545).prop_map(|length| (0..=255).cycle().take(length).collect()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_was_compressed_comes_back(form in any_form(), data in any_data()) {
        let wire = form.compress(&data);
        prop_assert_eq!(inflated(form, &wire, data.len()).unwrap(), data);
    }

    #[test]
    fn one_byte_more_than_the_cap_is_refused(form in any_form(), data in any_data()) {
        prop_assume!(!data.is_empty());
        let wire = form.compress(&data);
        let result = inflated(form, &wire, data.len() - 1);
        let refused = matches!(result, Err(InflateError::TooLarge { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn a_stream_cut_short_is_an_error(
        form in proptest::sample::select(&COMPRESSED[..]), data in any_data(), keep in 0.0..1.0_f64,
    ) {
        prop_assume!(!data.is_empty());
        let wire = form.compress(&data);
        let keep = ((wire.len() as f64) * keep) as usize;
        let result = inflated(form, &wire[..keep], data.len());
        // Some streams are whole at an earlier cut: no members at all, or all frames but the last. Then the answer
        // must still be a part of the data that a whole stream could have spelled.
        if let Ok(out) = result {
            let boundary = keep == 0 || form == Form::SnappyFramed;
            prop_assert!(boundary && data.starts_with(&out), "{:?} kept {} of {}", form, keep, wire.len());
        }
    }

    #[test]
    fn rubbish_never_panics_and_never_exceeds_the_cap(form in any_form(), wire in proptest::collection::vec(any::<u8>(), 0..500)) {
        let mut out = Vec::new();
        let result = inflate(form.encoding(), &wire, 1_000, &mut out);
        prop_assert!(out.len() <= 1_001);
        prop_assert!(out.len() <= 1_000 || result.is_err());
    }
}

#[test]
fn a_bomb_is_stopped_at_the_cap_with_bounded_memory() {
    let zeros = vec![0; 20 * 1024 * 1024];
    let bytes_max = 256 * 1024;
    for form in COMPRESSED {
        let wire = form.compress(&zeros);
        let mut out = Vec::new();
        let result = inflate(form.encoding(), &wire, bytes_max, &mut out);
        assert!(matches!(result, Err(InflateError::TooLarge { .. })), "{form:?}");
        assert!(out.capacity() <= 2 * bytes_max + 64 * 1024, "{form:?} took {}", out.capacity());
    }
}

#[test]
fn a_snappy_block_that_lies_about_its_length_costs_nothing() {
    let claims_16_mib = [0x80, 0x80, 0x80, 0x08, 0x00, 0x61];
    let mut out = Vec::new();
    assert!(matches!(inflate(Encoding::Snappy, &claims_16_mib, 1 << 30, &mut out), Err(InflateError::Corrupt(_))));
    assert_eq!(out.capacity(), 0);
}

#[test]
fn bytes_after_the_end_are_an_error() {
    for form in [Form::Gzip, Form::Zlib, Form::RawDeflate, Form::Zstd] {
        let mut wire = form.compress(b"the data");
        wire.extend_from_slice(b"and more");
        assert!(inflated(form, &wire, 1_000).is_err(), "{form:?}");
    }
}

#[test]
fn gzip_members_one_after_the_other_are_one_body() {
    let wire = [Form::Gzip.compress(b"one "), Form::Gzip.compress(b"two")].concat();
    assert_eq!(inflated(Form::Gzip, &wire, 100).unwrap(), b"one two");
}
