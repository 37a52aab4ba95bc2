//! What a connection is doing right now, and until when it may go on like that.
//!
//! Written by the socket and the requests, read by whoever drives the connection. Times are kept, timers are not:
//! the driver holds one timer per connection and looks here when it rings.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Pulse {
    epoch: Instant,
    /// On HTTP/2 bytes may come at any time without being the start of a request, so only silence is judged.
    multiplexed: bool,
    in_flight: AtomicU32,
    waiting_since_ms: AtomicU64,
    head_since_ms: AtomicU64,
    write_blocked_since_ms: AtomicU64,
    /// Pieces of answers that wait to be taken by the client, in our buffers or for room in an HTTP/2 window.
    untaken: AtomicU32,
    /// When the client last took a part of an answer, or there began to be one to take.
    taken_at_ms: AtomicU64,
    /// The client was still sending a body when its request was answered.
    body_left_unread: Arc<AtomicBool>,
}

/// How long each thing may last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) head: Duration,
    pub(super) idle: Duration,
    pub(super) write_stall: Duration,
}

/// Why a connection is closed by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    Head,
    Idle,
    WriteStall,
}

const NEVER: u64 = u64::MAX;

impl Pulse {
    /// A connection whose first bytes have just come.
    pub(super) fn start(multiplexed: bool) -> Self {
        let head_since_ms = if multiplexed { NEVER } else { 0 };
        Self {
            epoch: Instant::now(),
            multiplexed,
            in_flight: AtomicU32::new(0),
            waiting_since_ms: AtomicU64::new(0),
            head_since_ms: AtomicU64::new(head_since_ms),
            write_blocked_since_ms: AtomicU64::new(NEVER),
            untaken: AtomicU32::new(0),
            taken_at_ms: AtomicU64::new(0),
            body_left_unread: Arc::default(),
        }
    }

    pub(super) fn read_some(&self) {
        if !self.multiplexed && !self.is_busy() && self.head_since_ms.load(Ordering::Relaxed) == NEVER {
            self.head_since_ms.store(self.now_ms(), Ordering::Relaxed);
        }
    }

    pub(super) fn write_blocked(&self) {
        if self.write_blocked_since_ms.load(Ordering::Relaxed) == NEVER {
            self.write_blocked_since_ms.store(self.now_ms(), Ordering::Relaxed);
        }
    }

    pub(super) fn wrote(&self) {
        if self.write_blocked_since_ms.load(Ordering::Relaxed) != NEVER {
            self.write_blocked_since_ms.store(NEVER, Ordering::Relaxed);
        }
    }

    /// The client took a part of an answer.
    fn took(&self) {
        self.taken_at_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// Waiting for the next request begins now, whenever the last one ended.
    pub(super) fn rest(&self) {
        self.waiting_since_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0 || self.untaken.load(Ordering::Relaxed) > 0
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn body_left_unread(&self) -> &Arc<AtomicBool> {
        &self.body_left_unread
    }

    /// On HTTP/2 one unread body does not keep the others from being read, so there is nothing to wait for.
    pub(super) fn must_linger(&self) -> bool {
        !self.multiplexed && self.body_left_unread.load(Ordering::Relaxed)
    }

    /// What is overdue first, and when; `None` while a request is being answered and the client takes the answer.
    pub(super) fn due(&self, patience: &Patience) -> Option<(Instant, Overdue)> {
        let stalled =
            self.stalled_since_ms().map(|since| (self.instant(since) + patience.write_stall, Overdue::WriteStall));
        if self.is_busy() {
            return stalled;
        }
        let head = self.head_since_ms.load(Ordering::Relaxed);
        let quiet = if head == NEVER {
            let waiting = self.waiting_since_ms.load(Ordering::Relaxed);
            (self.instant(waiting) + patience.idle, Overdue::Idle)
        } else {
            (self.instant(head) + patience.head, Overdue::Head)
        };
        Some(stalled.map_or(quiet, |stalled| if stalled.0 < quiet.0 { stalled } else { quiet }))
    }

    /// Bytes that cannot be written, or, on HTTP/2, answers the client gives no room for: it may still take the rest
    /// of the protocol then.
    fn stalled_since_ms(&self) -> Option<u64> {
        let blocked = Some(self.write_blocked_since_ms.load(Ordering::Relaxed)).filter(|since| *since != NEVER);
        // After this the time is at least that of the first piece which waits.
        let is_waiting = self.untaken.load(Ordering::Acquire) > 0;
        let taken = is_waiting.then(|| self.taken_at_ms.load(Ordering::Relaxed));
        blocked.into_iter().chain(taken).min()
    }

    fn instant(&self, since_epoch_ms: u64) -> Instant {
        self.epoch + Duration::from_millis(since_epoch_ms)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }
}

/// Marks a request as in flight from its head until the last piece of its answer is there to be taken.
#[derive(Debug)]
pub(super) struct Busy(Arc<Pulse>);

impl Busy {
    pub(super) fn enter(pulse: &Arc<Pulse>) -> Self {
        pulse.in_flight.fetch_add(1, Ordering::Relaxed);
        pulse.head_since_ms.store(NEVER, Ordering::Relaxed);
        pulse.body_left_unread.store(false, Ordering::Relaxed);
        Self(Arc::clone(pulse))
    }

    /// A piece of the answer that is now there to be taken.
    pub(super) fn untaken(&self, piece: Bytes) -> Untaken {
        Untaken::new(piece, &self.0)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.rest();
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A piece of an answer, until the client has taken it or is given up.
#[derive(Debug)]
pub(super) struct Untaken {
    piece: Bytes,
    pulse: Arc<Pulse>,
}

impl Untaken {
    fn new(piece: Bytes, pulse: &Arc<Pulse>) -> Self {
        if pulse.untaken.load(Ordering::Relaxed) == 0 {
            pulse.took();
        }
        pulse.untaken.fetch_add(1, Ordering::Release);
        Self { piece, pulse: Arc::clone(pulse) }
    }
}

impl Buf for Untaken {
    fn remaining(&self) -> usize {
        self.piece.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.piece
    }

    fn advance(&mut self, count: usize) {
        self.piece.advance(count);
        self.pulse.took();
    }
}

impl Drop for Untaken {
    fn drop(&mut self) {
        let now_ms = self.pulse.now_ms();
        self.pulse.taken_at_ms.store(now_ms, Ordering::Relaxed);
        self.pulse.waiting_since_ms.store(now_ms, Ordering::Relaxed);
        self.pulse.untaken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
