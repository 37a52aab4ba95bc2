//! Request bodies: read whole, capped, with a clock on silence, then decoded into one buffer.
//!
//! - A body that states a length over the cap is refused before a byte of it is read, so a client that waits for
//!   `100 Continue` never sends it.
//! - Memory is at most `body_bytes_max` and a bounded share: pieces below `SMALL_PIECE_BYTES` are copied together,
//!   because a handle for each would cost more than what it holds.
//! - Nothing is decoded before the caller asks, so it can authenticate first.

use std::error::Error;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::{Instant, Sleep, sleep};

use super::config::BodyLimits;
use super::encoding::{Encoding, EncodingError};
use super::inflate::{self, Corrupt, InflateError};

/// A body as it came over the wire, whole.
#[derive(Clone, Debug)]
pub struct CollectedBody {
    encoding: Encoding,
    chunks: Vec<Bytes>,
    wire_bytes: usize,
    inflated_bytes_max: usize,
    inline_bytes_max: usize,
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
    #[error("decoding was interrupted")]
    Lost(#[source] tokio::task::JoinError),
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
    let mut pieces = Pieces::default();
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
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > bytes_max - pieces.bytes {
            return Err(BodyError::TooLarge { bytes_max });
        }
        if !meter(data.len()) {
            return Err(BodyError::NoRoom);
        }
        pieces.push(data);
        patience.progressed = Instant::now();
    }
    Ok(CollectedBody {
        encoding,
        wire_bytes: pieces.bytes,
        chunks: pieces.finish(),
        inflated_bytes_max: limits.inflated_bytes_max,
        inline_bytes_max: limits.inflate_inline_bytes_max,
    })
}

impl CollectedBody {
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Bytes as they came, before decoding.
    pub fn wire_bytes(&self) -> usize {
        self.wire_bytes
    }

    /// The pieces as they came, before decoding.
    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }

    /// Appends the decoded body to `out`, here and now. Inflating takes some milliseconds a megabyte: on an async
    /// worker call [`CollectedBody::read`] instead. After an error `out` may hold a part.
    ///
    /// # Errors
    /// When the body is not what its encoding says, or decodes to more than the cap.
    pub fn read_into(&self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.encoding == Encoding::Identity {
            out.reserve(self.wire_bytes);
            self.chunks.iter().for_each(|chunk| out.extend_from_slice(chunk));
            return Ok(());
        }
        let result = inflate::inflate(self.encoding, &self.chunks, self.inflated_bytes_max, out);
        result.map_err(|error| match error {
            InflateError::TooLarge { bytes_max } => BodyError::InflatedTooLarge { bytes_max },
            InflateError::Corrupt(corrupt) => BodyError::Corrupt(corrupt),
        })
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

    /// Appends the decoded body to `out` and gives it back; a large compressed one is inflated off the async worker.
    ///
    /// # Errors
    /// As [`CollectedBody::read_into`].
    pub async fn read(self, mut out: Vec<u8>) -> Result<Vec<u8>, BodyError> {
        if self.encoding == Encoding::Identity || self.wire_bytes <= self.inline_bytes_max {
            self.read_into(&mut out)?;
            return Ok(out);
        }
        let inflating = tokio::task::spawn_blocking(move || self.read_into(&mut out).map(|()| out));
        inflating.await.map_err(BodyError::Lost)?
    }
}

/// Below this a piece is copied to its neighbours instead of kept by a handle of its own.
const SMALL_PIECE_BYTES: usize = 2 * 1024;

/// Copies are gathered up to this, so that gathering never moves much.
const GATHERED_BYTES_MAX: usize = 64 * 1024;

#[derive(Default)]
struct Pieces {
    chunks: Vec<Bytes>,
    gathered: Vec<u8>,
    bytes: usize,
}

impl Pieces {
    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        let only_one = self.chunks.is_empty() && self.gathered.is_empty();
        if piece.len() < SMALL_PIECE_BYTES && !only_one {
            self.gathered.extend_from_slice(&piece);
            if self.gathered.len() >= GATHERED_BYTES_MAX {
                self.flush();
            }
        } else if !piece.is_empty() {
            self.flush();
            self.chunks.push(piece);
        }
    }

    fn flush(&mut self) {
        if !self.gathered.is_empty() {
            self.chunks.push(std::mem::take(&mut self.gathered).into());
        }
    }

    fn finish(mut self) -> Vec<Bytes> {
        self.flush();
        self.chunks
    }
}

/// Runs out when nothing came for too long, or when it all took too long.
struct Patience<'a> {
    limits: &'a BodyLimits,
    started: Instant,
    progressed: Instant,
}

impl<'a> Patience<'a> {
    fn new(limits: &'a BodyLimits) -> Self {
        let now = Instant::now();
        Self { limits, started: now, progressed: now }
    }

    /// Resolves when patience is over. `alarm` is set late: progress only notes the time, and an alarm that rings
    /// too early is set again, so steady bodies do not touch the timer at every piece.
    async fn lost(&self, mut alarm: Pin<&mut Sleep>) -> BodyError {
        let BodyLimits { stall_timeout, total_timeout, .. } = *self.limits;
        loop {
            alarm.as_mut().await;
            let now = Instant::now();
            if now >= self.started + total_timeout {
                return BodyError::TooSlow { timeout: total_timeout };
            }
            if now >= self.progressed + stall_timeout {
                return BodyError::Stalled { timeout: stall_timeout };
            }
            alarm.as_mut().reset((self.progressed + stall_timeout).min(self.started + total_timeout));
        }
    }
}

#[cfg(test)]
mod tests;
