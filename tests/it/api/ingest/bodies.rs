//! How a body travels: encodings, framing, size.

use std::io::Write;

use hyper::{Method, StatusCode};
use serde_json::json;

use super::super::{NOW, assert_refused, body_of, metric, start_with};
use super::{INGEST, assert_taken, start_with_one};

const BODY_KIB_MAX: usize = 64;

#[tokio::test]
async fn a_body_may_come_in_any_known_encoding() {
    let (server, id) = start_with_one().await;
    let body = json!({ "server_id": id, "metrics": [metric("cpu", "usage", 1.0, NOW)] }).to_string().into_bytes();
    let deflated = {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&body).unwrap();
        encoder.finish().unwrap()
    };
    let snapped = snap::raw::Encoder::new().compress_vec(&body).unwrap();
    for (encoding, encoded) in [
        ("identity", body.clone()),
        ("gzip", gzip(&body)),
        ("GZIP", gzip(&body)),
        ("deflate", deflated),
        ("zstd", zstd::encode_all(&body[..], 3).unwrap()),
        ("snappy", snapped),
    ] {
        let answer = server.send(Method::POST, INGEST, &[("content-encoding", encoding)], &encoded).await;
        assert_taken(&answer, 1);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_encoding_that_is_not_known_or_not_kept_is_refused() {
    let (server, id) = start_with_one().await;
    let body = json!({ "server_id": id, "metrics": [] }).to_string();
    let brotli = server.send(Method::POST, INGEST, &[("content-encoding", "br")], body.as_bytes()).await;
    let message = "content encoding `br` is not known; known are gzip, deflate, zstd, snappy, identity";
    assert_refused(&brotli, StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    assert_eq!(brotli.header("accept-encoding"), Some("gzip, deflate, zstd, snappy, identity"));
    for encoding in ["gzip", "zstd", "deflate", "snappy"] {
        let answer = server.send(Method::POST, INGEST, &[("content-encoding", encoding)], body.as_bytes()).await;
        assert!(body_of(&answer, StatusCode::BAD_REQUEST)["error"].is_string(), "{encoding}");
    }
    let whole = gzip(body.as_bytes());
    let cut = server.send(Method::POST, INGEST, &[("content-encoding", "gzip")], &whole[..whole.len() - 9]).await;
    assert!(body_of(&cut, StatusCode::BAD_REQUEST)["error"].is_string());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_in_chunks_and_without_a_content_type_is_taken() {
    let (server, id) = start_with_one().await;
    let body = json!({ "server_id": id, "metrics": [metric("cpu", "usage", 1.0, NOW)] }).to_string();
    let mut request =
        format!("POST {INGEST} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    for chunk in body.as_bytes().chunks(7) {
        request.push_str(&format!("{:x}\r\n{}\r\n", chunk.len(), std::str::from_utf8(chunk).unwrap()));
    }
    request.push_str("0\r\n\r\n");
    assert_taken(&server.send_bytes(request.as_bytes()).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_content_type_does_not_matter() {
    let (server, id) = start_with_one().await;
    let body = json!({ "server_id": id, "metrics": [metric("cpu", "usage", 1.0, NOW)] }).to_string();
    for content_type in ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"] {
        let answer = server.send(Method::POST, INGEST, &[("content-type", content_type)], body.as_bytes()).await;
        assert_taken(&answer, 1);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_before_it_is_read() {
    let server = start_with(&[("http.body_bytes_max", &format!("{BODY_KIB_MAX}KiB"))]).await;
    let length = BODY_KIB_MAX * 1024 + 1;
    let head = format!("POST {INGEST} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    let answer = server.send_bytes(head.as_bytes()).await;
    assert!(body_of(&answer, StatusCode::PAYLOAD_TOO_LARGE)["error"].is_string());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_refused_too() {
    let settings = [("http.body_bytes_max", "64KiB"), ("http.inflated_bytes_max", "128KiB")];
    let server = start_with(&settings).await;
    let spaces = vec![b' '; 128 * 1024 + 1];
    let answer = server.send(Method::POST, INGEST, &[("content-encoding", "gzip")], &gzip(&spaces)).await;
    assert!(body_of(&answer, StatusCode::PAYLOAD_TOO_LARGE)["error"].is_string(), "inflated");

    let chunk = format!("{:x}\r\n{}\r\n", BODY_KIB_MAX * 1024 + 1, " ".repeat(BODY_KIB_MAX * 1024 + 1));
    let head =
        format!("POST {INGEST} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    let answer = server.send_bytes(format!("{head}{chunk}").as_bytes()).await;
    assert!(body_of(&answer, StatusCode::PAYLOAD_TOO_LARGE)["error"].is_string(), "in chunks");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_that_breaks_off_stores_nothing() {
    let (server, id) = start_with_one().await;
    let body = json!({ "server_id": id, "metrics": [metric("cpu", "usage", 1.0, NOW)] }).to_string();
    let mut socket = server.connect().await;
    let head = format!("POST {INGEST} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n", body.len() + 1);
    tokio::io::AsyncWriteExt::write_all(&mut socket, format!("{head}{body}").as_bytes()).await.unwrap();
    tokio::io::AsyncWriteExt::shutdown(&mut socket).await.unwrap();
    let mut rest = Vec::new();
    // Whether a client that closed its side is told so is of no matter; the server is done with it when it closes.
    tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut rest).await.unwrap();
    assert!(!rest.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&rest));
    assert_eq!(body_of(&server.get("/api/v1/metrics").await, StatusCode::OK)["count"], 0);
    server.stop().await.unwrap();
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}
