//! The reading half of a socket as the protocol library sees it: it reads from the client, and what it writes by itself
//! (pongs, pings, closes) is set aside here, so that it goes out between whole frames and never in the midst of one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Reads from `R` and keeps what is written.
#[derive(Debug)]
pub(super) struct Inbound<R> {
    reader: R,
    /// Bounded by the session, which reads nothing more while this is long.
    replies: Vec<u8>,
}

impl<R> Inbound<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, replies: Vec::new() }
    }

    pub(super) fn reply_bytes(&self) -> usize {
        self.replies.len()
    }

    pub(super) fn take_replies(&mut self) -> Option<Bytes> {
        let replies = std::mem::take(&mut self.replies);
        (!replies.is_empty()).then(|| Bytes::from(replies))
    }

    pub(super) fn reader(&mut self) -> &mut R {
        &mut self.reader
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Inbound<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(cx, buf)
    }
}

impl<R: Unpin> AsyncWrite for Inbound<R> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.replies.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
