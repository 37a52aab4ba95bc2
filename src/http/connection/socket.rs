//! The byte stream hyper sees: TCP or TLS, with what was read to recognise the protocol put back in front.
//!
//! - Tells the [`Pulse`] what goes by.
//! - Holds the connection's permit, so an upgraded socket still counts until it is closed.
//! - When the answer was given before the whole body had come, closing lingers: what the client still sends is read
//!   and dropped for a while, because closing a socket with unread bytes resets it, and the client would lose the
//!   answer that tells it why.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;

use super::pulse::Pulse;

/// How long, and for how many bytes, a refused client is listened to after its answer.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

#[derive(Debug)]
pub(super) struct Socket {
    stream: Stream,
    put_back: Vec<u8>,
    pulse: Arc<Pulse>,
    linger: Option<Linger>,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Linger {
    deadline: Pin<Box<Sleep>>,
    bytes_left: usize,
}

impl Socket {
    pub(super) fn new(stream: Stream, put_back: Vec<u8>, pulse: Arc<Pulse>, permit: OwnedSemaphorePermit) -> Self {
        Self { stream, put_back, pulse, linger: None, _permit: permit }
    }

    /// Ready when the client has closed, or the bounds of lingering are reached.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let linger = self
            .linger
            .get_or_insert_with(|| Linger { deadline: Box::pin(sleep(LINGER)), bytes_left: LINGER_BYTES_MAX });
        let mut scratch = [0; 8 * 1024];
        loop {
            if linger.deadline.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let mut dropped = ReadBuf::new(&mut scratch);
            let read = ready!(self.stream.poll_read(context, &mut dropped));
            let bytes = dropped.filled().len();
            if read.is_err() || bytes == 0 || bytes > linger.bytes_left {
                return Poll::Ready(());
            }
            linger.bytes_left -= bytes;
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.put_back.is_empty() {
            let count = this.put_back.len().min(out.remaining());
            out.put_slice(&this.put_back[..count]);
            this.put_back.drain(..count);
            return Poll::Ready(Ok(()));
        }
        let result = ready!(this.stream.poll_read(context, out));
        this.pulse.read_some();
        Poll::Ready(result)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = match &mut this.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, data),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, data),
        };
        noted(&this.pulse, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = match &mut this.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(context, data),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(context, data),
        };
        noted(&this.pulse, result)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = match &mut this.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        };
        noted(&this.pulse, result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(match &mut this.stream {
                Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
                Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            })?;
            if !this.pulse.must_linger() {
                return Poll::Ready(Ok(()));
            }
        }
        this.poll_linger(context).map(Ok)
    }
}

impl Stream {
    fn poll_read(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, out),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, out),
        }
    }
}

fn noted<T>(pulse: &Pulse, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
    match &result {
        Poll::Pending => pulse.write_blocked(),
        Poll::Ready(_) => pulse.wrote(),
    }
    result
}
