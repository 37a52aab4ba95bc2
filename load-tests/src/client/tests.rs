//! Promises of the client, kept against fixed byte sequences and a tiny server of its own.

use super::*;

/// Hands out its bytes in small pieces, as a slow network does.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(to.len());
        to[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn check(wire: &[u8], status: u16, body: &[u8]) {
    for piece in [1, 2, 7, 1000] {
        let mut received = Vec::new();
        let head = read_answer(&mut Trickle(wire, piece), &mut received).unwrap();
        assert_eq!((head.status, &received[head.bytes..]), (status, body), "pieces of {piece}");
    }
}

#[test]
fn answers_are_read_whatever_their_pieces() {
    check(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", 200, b"hello");
    check(b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"");
    check(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n",
        200,
        b"hello!",
    );
}

#[test]
fn what_is_not_http_is_an_error_and_not_a_panic() {
    for wire in [&b"SMTP\r\n\r\n"[..], b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"] {
        assert!(read_answer(&mut Trickle(wire, 3), &mut Vec::new()).is_err());
    }
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffff\r\n";
    assert!(matches!(read_answer(&mut Trickle(chunked, 3), &mut Vec::new()), Err(ClientError::Malformed(_))));
}

#[test]
fn only_loopback_is_spoken_to() {
    assert!(matches!(Client::new("192.0.2.1:80".parse().unwrap()), Err(ClientError::NotLoopback(_))));
    assert!(matches!(Client::new("0.0.0.0:80".parse().unwrap()), Err(ClientError::NotLoopback(_))));
    assert!(Client::new("127.0.0.1:80".parse().unwrap()).is_ok());
    assert!(Client::new("[::1]:80".parse().unwrap()).is_ok());
}

#[test]
fn one_connection_carries_many_requests_and_large_bodies() {
    let sink = crate::sink::Sink::start().unwrap();
    let mut client = Client::new(sink.address()).unwrap();
    let body = vec![b'x'; 300_000];
    for _ in 0..20 {
        assert_eq!(client.post("/any", "text/plain", &body).unwrap().status, 200);
    }
    assert_eq!(sink.connections(), 1);
    assert_eq!(sink.bytes(), 20 * 300_000);
}
