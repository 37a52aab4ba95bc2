//! A body of any length, piece by piece: what is not asked for stays in the socket, and the client waits.

use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::BodyError;
use super::encoding::Encoding;
use super::inflate_stream::InflateStream;
use crate::http::config::BodyLimits;
use crate::http::request::RequestBody;

/// A request body being read. Only the time in which a piece is waited for counts against the client.
pub struct BodyStream {
    body: RequestBody,
    limits: BodyLimits,
    inflating: InflateStream,
    /// Came, and was not decoded yet.
    pending: Bytes,
    wire_bytes: u64,
}

impl BodyStream {
    pub(in crate::http) fn new(body: RequestBody, encoding: Encoding, limits: BodyLimits) -> Result<Self, BodyError> {
        Ok(Self { body, limits, inflating: InflateStream::new(encoding)?, pending: Bytes::new(), wire_bytes: 0 })
    }

    /// The next piece, decoded; `None` at the end of a whole body.
    ///
    /// # Errors
    /// When the body stands still for too long, breaks off, or is not what its encoding says.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            let piece = self.inflating.step(&mut self.pending).map_err(BodyError::Corrupt)?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            let stall_timeout = self.limits.stall_timeout;
            let frame = timeout(stall_timeout, self.body.frame());
            let frame = frame.await.map_err(|_| BodyError::Stalled { timeout: stall_timeout })?;
            let Some(frame) = frame else { break };
            // Trailers mean nothing to us.
            self.pending = frame.map_err(BodyError::Disconnected)?.into_data().unwrap_or_default();
            self.wire_bytes += self.pending.len() as u64;
        }
        self.inflating.finish().map(|()| None).map_err(BodyError::Corrupt)
    }

    /// Bytes that came over the wire so far.
    pub fn wire_bytes(&self) -> u64 {
        self.wire_bytes
    }
}

impl std::fmt::Debug for BodyStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("BodyStream").field("wire_bytes", &self.wire_bytes).finish_non_exhaustive()
    }
}
