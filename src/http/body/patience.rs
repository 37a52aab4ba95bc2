//! How long a body may take: with a bound on silence, and one on it all.

use std::pin::Pin;

use tokio::time::{Instant, Sleep};

use super::BodyError;
use crate::http::config::BodyLimits;

/// Runs out when nothing came for too long, or when it all took too long.
#[derive(Debug)]
pub(super) struct Patience<'a> {
    limits: &'a BodyLimits,
    started: Instant,
    progressed: Instant,
}

impl<'a> Patience<'a> {
    pub(super) fn new(limits: &'a BodyLimits) -> Self {
        let now = Instant::now();
        Self { limits, started: now, progressed: now }
    }

    /// Something came, which is progress only if it brought bytes.
    pub(super) fn note(&mut self, brought_bytes: bool, now: Instant) -> Result<(), BodyError> {
        if brought_bytes {
            self.progressed = now;
        }
        self.lost_at(now).map_or(Ok(()), Err)
    }

    /// Resolves when patience is over. `alarm` is set late: progress only notes the time, and an alarm that rings
    /// too early is set again, so steady bodies do not touch the timer at every piece.
    pub(super) async fn lost(&self, mut alarm: Pin<&mut Sleep>) -> BodyError {
        let BodyLimits { stall_timeout, total_timeout, .. } = *self.limits;
        loop {
            alarm.as_mut().await;
            if let Some(lost) = self.lost_at(Instant::now()) {
                return lost;
            }
            alarm.as_mut().reset((self.progressed + stall_timeout).min(self.started + total_timeout));
        }
    }

    fn lost_at(&self, now: Instant) -> Option<BodyError> {
        let BodyLimits { stall_timeout, total_timeout, .. } = *self.limits;
        if now >= self.started + total_timeout {
            return Some(BodyError::TooSlow { timeout: total_timeout });
        }
        (now >= self.progressed + stall_timeout).then_some(BodyError::Stalled { timeout: stall_timeout })
    }
}
