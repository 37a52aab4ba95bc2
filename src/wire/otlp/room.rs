//! The memory that a body may unfold to, asked for in steps as it is needed: attributes of a resource stand once in the
//! body and with every point afterwards, so its size says little.

use super::message::Malformed;
use crate::wire::json::Fault;

/// How much is asked for at once.
const STEP_BYTES: usize = 1 << 20;

/// What a decoder may take.
pub struct Room<'a> {
    bytes_max: usize,
    held: usize,
    hold: &'a mut dyn FnMut(usize) -> bool,
}

/// Why nothing of a body was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    #[error("not an OTLP message: {0}")]
    Message(#[from] Malformed),
    #[error("not an OTLP message: {0}")]
    Document(#[from] Fault),
    #[error("not an OTLP message: {what} at byte {offset}")]
    Shape { what: &'static str, offset: usize },
    #[error("the body unfolds to more than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    #[error("there is no room for what the body unfolds to")]
    NoRoom,
}

impl<'a> Room<'a> {
    /// `hold` is told how many bytes are needed in all, and says whether they may be taken.
    pub fn new(bytes_max: usize, hold: &'a mut dyn FnMut(usize) -> bool) -> Self {
        Self { bytes_max, held: 0, hold }
    }

    /// Makes sure that `bytes` may be in use in all.
    ///
    /// # Errors
    /// When they may not.
    #[inline(always)]
    pub(super) fn need(&mut self, bytes: usize) -> Result<(), Unread> {
        if bytes <= self.held { Ok(()) } else { self.grow(bytes) }
    }

    #[inline(never)]
    fn grow(&mut self, bytes: usize) -> Result<(), Unread> {
        if bytes > self.bytes_max {
            return Err(Unread::TooLarge { bytes_max: self.bytes_max });
        }
        let wanted = bytes.saturating_add(STEP_BYTES);
        if !(self.hold)(wanted) {
            return Err(Unread::NoRoom);
        }
        self.held = wanted;
        Ok(())
    }
}

impl std::fmt::Debug for Room<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Room").field("bytes_max", &self.bytes_max).field("held", &self.held).finish_non_exhaustive()
    }
}
