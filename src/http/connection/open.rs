//! The first bytes of a socket: TLS where it is spoken, then which HTTP it is.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::protocol::HTTP2_PREFACE;
use super::server::Serving;
use super::socket::Stream;
use super::tls::Tls;

#[derive(Debug)]
pub(super) struct Opened {
    pub(super) stream: Stream,
    /// What was read to recognise the protocol, and still is to be read by it.
    pub(super) first_bytes: Vec<u8>,
    pub(super) http2: bool,
}

/// Speaks TLS where it is spoken, and finds out which HTTP follows.
pub(super) async fn open(mut tcp: TcpStream, tls: Option<Arc<Tls>>, serving: &Serving) -> io::Result<Opened> {
    if let Some(tls) = tls {
        let stream = timeout(serving.limits.tls_handshake_timeout, tls.accept(tcp)).await??;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        return Ok(Opened { stream: Stream::Tls(Box::new(stream)), first_bytes: Vec::new(), http2 });
    }
    let (first_bytes, http2) = timeout(serving.limits.head_timeout, recognise(&mut tcp)).await??;
    Ok(Opened { stream: Stream::Plain(tcp), first_bytes, http2 })
}

/// Reads until the bytes are the HTTP/2 preface or cannot become it.
async fn recognise(tcp: &mut TcpStream) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::with_capacity(HTTP2_PREFACE.len());
    while bytes.len() < HTTP2_PREFACE.len() {
        let missing = u64::try_from(HTTP2_PREFACE.len() - bytes.len()).unwrap_or_default();
        if (&mut *tcp).take(missing).read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !HTTP2_PREFACE.starts_with(&bytes) {
            return Ok((bytes, false));
        }
    }
    Ok((bytes, true))
}
