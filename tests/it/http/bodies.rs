//! Request bodies on the wire: sizes, framing, compression, stalls.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::harness::{Client, config, start};

#[tokio::test]
async fn a_bulk_body_comes_back_byte_for_byte_with_and_without_a_length() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    let body: Vec<u8> = (0..117_000_u32).map(|index| b'a' + u8::try_from(index % 26).unwrap()).collect();
    assert_eq!(client.post("/echo", "", &body).await.body, body);

    client.send("POST /echo HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n").await;
    for piece in body.chunks(1_000) {
        client.send(format!("{:x}\r\n", piece.len())).await;
        client.send([piece, b"\r\n"].concat()).await;
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(client.answer().await.body, body);
}

#[tokio::test]
async fn a_stated_length_over_the_cap_is_413_before_the_body_is_asked_for() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 200001\r\nexpect: 100-continue\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("200000 bytes"), "{}", answer.text());
}

#[tokio::test]
async fn a_client_that_sends_far_too_much_still_reads_its_413() {
    let server = start(&config());
    for framing in ["content-length: 8000000", "transfer-encoding: chunked"] {
        let mut client = Client::connect(server.address).await;
        client.send(format!("POST /echo HTTP/1.1\r\nhost: test\r\n{framing}\r\n\r\n")).await;
        if framing.starts_with("transfer") {
            client.send("7a1200\r\n").await;
        }
        client.send(vec![b'x'; 8_000_000]).await;
        assert_eq!(client.answer().await.status, 413, "{framing}");
    }
}

#[tokio::test]
async fn a_refusal_that_did_not_read_the_body_reaches_the_client() {
    let server = start(&config());
    let answer = Client::connect(server.address).await.post("/refuse", "", &vec![b'x'; 5_000_000]).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_chunked_body_that_was_read_to_its_end_is_not_listened_for_any_more() {
    /// How long a client that may still be sending keeps its place.
    const LINGER: Duration = Duration::from_secs(2);
    let mut config = config();
    config.connections.connections_max = 1;
    let server = start(&config);
    let mut client = Client::connect(server.address).await;
    let head = "POST /echo HTTP/1.1\r\nhost: test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    client.send(head).await;
    client.send("3\r\nabc\r\n0\r\n\r\n").await;
    assert_eq!(client.answer().await.text(), "abc");
    let answered = Instant::now();
    assert_eq!(Client::connect(server.address).await.get("/hello").await.text(), "hello");
    assert!(answered.elapsed() < LINGER / 2, "its place was kept for {:?}", answered.elapsed());
}

#[tokio::test]
async fn a_client_that_expects_100_is_told_to_continue() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n").await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue");
    client.send("abc").await;
    assert_eq!(client.answer().await.text(), "abc");
}

#[tokio::test]
async fn compressed_bodies_arrive_decoded() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    let body = b"cpu,host=a usage=1.5\n".repeat(4_000);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&body).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(&body).unwrap();
    for (encoding, wire) in [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", zlib.finish().unwrap()),
        ("zstd", zstd::encode_all(body.as_slice(), 1).unwrap()),
        ("snappy", snap::raw::Encoder::new().compress_vec(&body).unwrap()),
        ("identity", body.clone()),
    ] {
        let answer = client.post("/echo", &format!("content-encoding: {encoding}\r\n"), &wire).await;
        assert_eq!(answer.status, 200, "{encoding}");
        assert!(answer.body == body, "{encoding}");
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_is_refused_with_the_right_status() {
    let server = start(&config());
    let bomb = zstd::encode_all(vec![0; 1_000_001].as_slice(), 1).unwrap();
    let cases: [(&str, &[u8], u16); 5] = [
        ("br", b"x", 415),
        ("gzip, zstd", b"x", 415),
        ("gzip", b"not gzip", 400),
        ("snappy", b"\x05\x10a", 400),
        ("zstd", &bomb, 413),
    ];
    for (encoding, wire, expected) in cases {
        let mut client = Client::connect(server.address).await;
        let answer = client.post("/echo", &format!("content-encoding: {encoding}\r\n"), wire).await;
        assert_eq!(answer.status, expected, "{encoding}: {}", answer.text());
        if expected == 415 {
            assert!(answer.header("accept-encoding").unwrap().contains("zstd"));
        }
    }
}

#[tokio::test]
async fn a_body_that_stalls_is_408_and_the_connection_ends() {
    let mut config = config();
    config.body.stall_timeout = Duration::from_millis(150);
    let server = start(&config);
    let mut client = Client::connect(server.address).await;
    client.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nabc").await;
    assert_eq!(client.answer().await.status, 408);
    assert_eq!(client.until_closed().await, b"");
}
