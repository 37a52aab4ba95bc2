//! Request bodies: read whole, capped, with a clock on silence, then decoded into one buffer.
//!
//! - A body that states a length over the cap is refused before a byte of it is read, so a client that waits for
//!   `100 Continue` never sends it.
//! - Memory is what came, once: pieces are put together as they come and let go, because each of them holds on to the
//!   whole buffer it was read into. A body in one piece stays where it is until it is decoded.
//! - Nothing is decoded before the caller asks, so it can authenticate first.

pub mod encoding; // Content-Encoding
mod gather; // pieces to one
mod inflate; // capped decompression, pure
mod inflate_stream; // the same piece by piece
mod patience; // how long a body may take
mod stream; // bodies of any length, piece by piece
mod worker; // long work beside the async workers

use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::{Instant, sleep};

use super::config::BodyLimits;
use encoding::{Encoding, EncodingError};
use gather::{Gathered, Gathering};
use inflate::{Corrupt, InflateError};
use patience::Patience;
pub use stream::BodyStream;
pub(super) use worker::off_worker;

/// A body as it came over the wire, whole.
#[derive(Clone, Debug)]
pub struct CollectedBody {
    encoding: Encoding,
    wire: Gathered,
    inflated_bytes_max: usize,
    inline_bytes_max: usize,
    inflated_inline_bytes_max: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    #[error("the decompressed body is larger than {bytes_max} bytes")]
    InflatedTooLarge { bytes_max: usize },
    #[error("the body brought nothing for {} ms", timeout.as_millis())]
    Stalled { timeout: Duration },
    #[error("the body was not complete after {} ms", timeout.as_millis())]
    TooSlow { timeout: Duration },
    #[error("the body broke off")]
    Disconnected(#[source] Box<dyn Error + Send + Sync>),
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    #[error("the body cannot be decoded")]
    Corrupt(#[source] Corrupt),
    /// The engine's memory, not the client's body, is at its bound.
    #[error("too many bytes of request bodies are in memory")]
    NoRoom,
}

/// Asked before bytes of a body are kept; `false` means that there is no room for them.
pub type Meter<'a> = &'a mut (dyn FnMut(usize) -> bool + Send);

/// Reads `body` to its end.
///
/// # Errors
/// When it is larger, slower or stiller than `limits` allow, `meter` refuses, or the client goes away.
pub async fn collect<B>(
    mut body: B,
    encoding: Encoding,
    limits: &BodyLimits,
    meter: Meter<'_>,
) -> Result<CollectedBody, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let bytes_max = limits.body_bytes_max;
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(BodyError::TooLarge { bytes_max });
    }
    let mut pieces = Gathering::expecting(body.size_hint().exact());
    let mut patience = Patience::new(limits);
    let mut alarm = pin!(sleep(limits.stall_timeout.min(limits.total_timeout)));
    loop {
        // Biased: a body that is there is taken without ever arming the timer.
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            lost = patience.lost(alarm.as_mut()) => return Err(lost),
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| BodyError::Disconnected(error.into()))?;
        // Trailers mean nothing to us.
        let data = frame.into_data().unwrap_or_default();
        // A client that always has something to send never lets the alarm ring.
        patience.note(!data.is_empty(), Instant::now())?;
        if data.len() > bytes_max - pieces.bytes() {
            return Err(BodyError::TooLarge { bytes_max });
        }
        if !meter(data.len()) {
            return Err(BodyError::NoRoom);
        }
        pieces.push(data, body.is_end_stream());
    }
    Ok(CollectedBody {
        encoding,
        wire: pieces.finish(),
        inflated_bytes_max: limits.inflated_bytes_max,
        inline_bytes_max: limits.inflate_inline_bytes_max,
        inflated_inline_bytes_max: limits.inflated_inline_bytes_max,
    })
}

impl CollectedBody {
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Bytes as they came, before decoding.
    pub fn wire_bytes(&self) -> usize {
        self.wire.bytes().len()
    }

    /// The same body, decoding to at most `bytes_max` bytes where the limits allow more.
    #[must_use]
    pub fn within(&self, bytes_max: usize) -> Self {
        let mut body = self.clone();
        body.inflated_bytes_max = body.inflated_bytes_max.min(bytes_max);
        body
    }

    /// The most this body may decode to.
    pub fn inflated_bytes_max(&self) -> usize {
        self.inflated_bytes_max
    }

    /// What this body states it decodes to, where its encoding begins with that. So much is needed and no more.
    ///
    /// # Errors
    /// When it is more than this body may decode to, or cannot be true: before any memory is taken for it.
    pub fn stated_bytes(&self) -> Result<Option<usize>, BodyError> {
        inflate::stated_bytes(self.encoding, self.wire.bytes(), self.inflated_bytes_max).map_err(not_inflated)
    }

    /// Appends the decoded body to `out` and gives it back. What may take long is inflated beside the async worker, and
    /// is not left alone when the caller is given up meanwhile: whatever the caller holds for it is held to its end.
    ///
    /// # Errors
    /// When the body is not what its encoding says, or decodes to more than the cap.
    pub async fn read(self, mut out: Vec<u8>) -> Result<Vec<u8>, BodyError> {
        if self.encoding == Encoding::Identity {
            return Ok(self.wire.append_to(out));
        }
        let inflated = match self.is_quick() {
            true => self.inflate_to(&mut out),
            false => off_worker(|| self.inflate_to(&mut out)),
        };
        inflated.map(|()| out)
    }

    /// Few bytes can spell many, so both ends count.
    fn is_quick(&self) -> bool {
        self.wire_bytes() <= self.inline_bytes_max && self.inflated_bytes_max <= self.inflated_inline_bytes_max
    }

    fn inflate_to(&self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        let result = inflate::inflate(self.encoding, self.wire.bytes(), self.inflated_bytes_max, out);
        result.map_err(not_inflated)
    }
}

fn not_inflated(error: InflateError) -> BodyError {
    match error {
        InflateError::TooLarge { bytes_max } => BodyError::InflatedTooLarge { bytes_max },
        InflateError::Corrupt(corrupt) => BodyError::Corrupt(corrupt),
    }
}

#[cfg(test)]
mod tests;
