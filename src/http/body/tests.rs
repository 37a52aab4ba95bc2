//! What reading a body promises: caps before and while reading, patience with an end, whole bodies only.

use std::io;

use futures_util::stream;
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;

use super::*;

type Piece = Result<Frame<Bytes>, io::Error>;

fn limits() -> BodyLimits {
    BodyLimits { body_bytes_max: 1_000, inflated_bytes_max: 10_000, ..BodyLimits::default() }
}

fn pieces(pieces: Vec<&'static [u8]>) -> impl Body<Data = Bytes, Error = io::Error> + Unpin {
    let pieces: Vec<Piece> = pieces.into_iter().map(|piece| Ok(Frame::data(Bytes::from_static(piece)))).collect();
    StreamBody::new(stream::iter(pieces))
}

#[tokio::test]
async fn a_body_without_room_is_refused_before_more_of_it_is_kept() {
    let mut room = 700;
    let mut meter = |bytes| {
        room -= i64::try_from(bytes).unwrap();
        room >= 0
    };
    let result =
        collect(pieces(vec![&[0; 600], &[0; 200], &[0; 200]]), Encoding::Identity, &limits(), &mut meter).await;
    assert!(matches!(result, Err(BodyError::NoRoom)));
    assert_eq!(room, -100, "the third piece was not even looked at");
}

#[tokio::test]
async fn a_stated_length_over_the_cap_is_refused_at_once() {
    let body = Full::new(Bytes::from(vec![0; 1_001]));
    let result = collect(body, Encoding::Identity, &limits(), &mut |_| true).await;
    assert!(matches!(result, Err(BodyError::TooLarge { bytes_max: 1_000 })));
}

#[tokio::test]
async fn without_a_stated_length_the_cap_holds_while_reading() {
    let fits = collect(pieces(vec![&[0; 600], &[0; 400]]), Encoding::Identity, &limits(), &mut |_| true).await;
    assert_eq!(fits.unwrap().wire_bytes(), 1_000);
    let result = collect(pieces(vec![&[0; 600], &[0; 401]]), Encoding::Identity, &limits(), &mut |_| true).await;
    assert!(matches!(result, Err(BodyError::TooLarge { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_given_up() {
    let body = StreamBody::new(stream::pending::<Piece>());
    let result = collect(body, Encoding::Identity, &limits(), &mut |_| true).await;
    assert!(matches!(result, Err(BodyError::Stalled { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_for_ever_is_given_up_too() {
    let body = Box::pin(stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Some((Piece::Ok(Frame::data(Bytes::from_static(b"."))), ()))
    }));
    let started = Instant::now();
    let result = collect(StreamBody::new(body), Encoding::Identity, &limits(), &mut |_| true).await;
    assert!(matches!(result, Err(BodyError::TooSlow { .. })));
    assert!(started.elapsed() < Duration::from_secs(126));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_not_a_shorter_body() {
    let pieces: Vec<Piece> = vec![Ok(Frame::data(Bytes::from_static(b"a"))), Err(io::ErrorKind::BrokenPipe.into())];
    let result = collect(StreamBody::new(stream::iter(pieces)), Encoding::Identity, &limits(), &mut |_| true).await;
    assert!(matches!(result, Err(BodyError::Disconnected(_))));
}

#[tokio::test]
async fn empty_pieces_buy_no_time_however_fast_they_come() {
    let soon = Duration::from_millis(30);
    let empty = || StreamBody::new(stream::repeat_with(|| Piece::Ok(Frame::data(Bytes::new()))));
    let short = BodyLimits { total_timeout: soon, ..limits() };
    let result = collect(empty(), Encoding::Identity, &short, &mut |_| true).await;
    assert!(matches!(result, Err(BodyError::TooSlow { .. })));
    let impatient = BodyLimits { stall_timeout: soon, ..limits() };
    let result = collect(empty(), Encoding::Identity, &impatient, &mut |_| true).await;
    assert!(matches!(result, Err(BodyError::Stalled { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_compressed_body_is_read_the_same_on_and_off_the_worker() {
    let wire = Bytes::from(zstd::encode_all([7; 9_000].as_slice(), 1).unwrap());
    for inflate_inline_bytes_max in [0, 1_000] {
        let limits = BodyLimits { inflate_inline_bytes_max, ..limits() };
        let body = collect(Full::new(wire.clone()), Encoding::Zstd, &limits, &mut |_| true).await.unwrap();
        assert_eq!(body.read(vec![1]).await.unwrap(), [vec![1], vec![7; 9_000]].concat());
    }
}

#[tokio::test]
async fn a_body_that_inflates_beyond_its_cap_names_the_cap() {
    let wire = Bytes::from(zstd::encode_all([7; 10_001].as_slice(), 1).unwrap());
    let body = collect(Full::new(wire), Encoding::Zstd, &limits(), &mut |_| true).await.unwrap();
    let error = body.read(Vec::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "the decompressed body is larger than 10000 bytes");
}

#[tokio::test]
async fn only_what_is_small_at_both_ends_is_inflated_on_the_worker() {
    let wire = Bytes::from(zstd::encode_all([7; 9_000].as_slice(), 1).unwrap());
    let limits = BodyLimits { inflated_bytes_max: 128 << 20, ..limits() };
    let body = collect(Full::new(wire), Encoding::Zstd, &limits, &mut |_| true).await.unwrap();
    assert!(body.wire_bytes() < limits.inflate_inline_bytes_max);
    assert!(!body.is_quick(), "it may turn out to be a bomb");
    assert!(body.within(limits.inflated_inline_bytes_max).is_quick());
    assert!(!body.within(limits.inflated_inline_bytes_max + 1).is_quick());
}
