//! Bodies made to hurt: each is refused by name, within what the settings allow, and the server goes on.

use hyper::{Method, StatusCode};

use super::*;
use crate::harness::remote_write::series;

/// A field with a length before it.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(content);
    out
}

#[tokio::test]
async fn a_length_that_cannot_be_is_refused_before_memory_is_taken_for_it() {
    let server = start_with(&[("http.in_flight_bytes_max", "128MiB")]).await;
    // A gigabyte, and a hundred megabytes, from four bytes each.
    for (length, status) in [(1_u32 << 30, 413), (100 << 20, 400)] {
        let mut body: Vec<u8> = (0..5).map(|place| (length >> (7 * place)) as u8 | 0x80).collect();
        body[4] &= 0x7f;
        body.extend_from_slice(b"\x00a");
        let headers = [("content-type", VERSION_1), ("content-encoding", "snappy")];
        let answers = (0..20).map(|_| server.send(Method::POST, "/api/v1/write", &headers, &body));
        for answer in futures_util::future::join_all(answers).await {
            assert_eq!(answer.status, status, "all at once, and none takes another's room: {}", answer.text());
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn messages_that_are_cut_off_are_refused_whole_with_the_place() {
    let server = start().await;
    for (message, reason) in [
        (vec![0x0a], "not a protobuf message: the message is cut off at byte 1"),
        (vec![0x0a, 0x80], "not a protobuf message: the message is cut off at byte 1"),
        (vec![0x0a, 0x7f, 0], "not a protobuf message: the message is cut off at byte 2"),
        ([vec![0x0a], vec![0xff; 11]].concat(), "not a protobuf message: the number at byte 1 is longer than 64 bits"),
        (vec![0x0b, 0x0c], "not a protobuf message: there is no field of that number or kind at byte 0"),
    ] {
        for version in [VERSION_1, VERSION_2] {
            let answer = write_bytes(&server, version, &message).await;
            assert_eq!((answer.status, answer.text().trim_end()), (StatusCode::BAD_REQUEST, reason));
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn endless_labels_and_deep_nesting_cost_one_series() {
    let server = start().await;
    let good = WriteRequest { timeseries: vec![series("up", &[], &[(1.0, NOW_MS)])], ..WriteRequest::default() };
    let sample = field(2, &good.timeseries[0].samples[0].encode_to_vec());
    let labels: Vec<u8> = (0..1_000_000).flat_map(|_| field(1, b"\x0a\x01a")).collect();
    let deep = (0..2_000).fold(Vec::new(), |inner: Vec<u8>, _| field(1, &inner));
    for bad in [labels, deep.clone(), field(3, &deep)] {
        let message = [good.encode_to_vec(), field(1, &[bad, sample.clone()].concat()), good.encode_to_vec()].concat();
        let answer = write_bytes(&server, VERSION_1, &message).await;
        assert_told(&answer, 400, "2", "1");
        assert!(answer.text().len() < 1_000, "{}", answer.text());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_symbol_that_is_named_again_and_again_does_not_fill_the_memory() {
    let server = start_with(&[("http.in_flight_bytes_max", "256MiB")]).await;
    let mut message = [field(4, b""), field(4, b"__name__"), field(4, &vec![b'x'; 30_000])].concat();
    let sample = field(2, &[0x10, 1]);
    let fits = field(5, &[field(1, &[1, 2]), sample.clone()].concat());
    (0..20_000).for_each(|_| message.extend_from_slice(&fits));
    let answer = write_bytes(&server, VERSION_2, &message).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.text());
    // Within one series it is refused before it is copied.
    let many = field(5, &[field(1, &[1, 2].repeat(100_000)), sample].concat());
    let message = [field(4, b""), field(4, b"__name__"), field(4, &vec![b'x'; 30_000]), many].concat();
    assert_told(&write_bytes(&server, VERSION_2, &message).await, 400, "0", "1");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn more_samples_than_a_body_may_hold_are_refused_before_they_are_kept() {
    let server = start().await;
    // Samples without a value at the time zero: two bytes each.
    let series = [field(1, b"\x0a\x08__name__\x12\x01a"), [0x12, 0x00].repeat(2_000_001)].concat();
    let answer = write_bytes(&server, VERSION_1, &field(1, &series)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.text());
    assert!(answer.text().starts_with("the body comes to more than 2000000 samples"), "{}", answer.text());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn references_that_lead_nowhere_cost_one_series() {
    let server = start().await;
    let sample = field(2, &series("a", &[], &[(1.0, NOW_MS)]).samples[0].encode_to_vec());
    let symbols = [field(4, b""), field(4, b"__name__"), field(4, b"up")].concat();
    for (references, reason) in [
        (&[1, 9][..], "symbol 9 of 3 does not exist"),
        (&[1, 2, 1], "3 references to label names and values are no pairs"),
        (&[], "missing label __name__"),
        (&[0, 2], "a label has no name"),
    ] {
        let bad = field(5, &[field(1, references), sample.clone()].concat());
        let good = field(5, &[field(1, &[1, 2]), sample.clone()].concat());
        let answer = write_bytes(&server, VERSION_2, &[symbols.clone(), good.clone(), bad, good].concat()).await;
        assert_told(&answer, 400, "2", "1");
        assert!(answer.text().contains(reason), "{}", answer.text());
    }
    server.stop().await.unwrap();
}
