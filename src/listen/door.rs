//! The way into the queue: who sends too much, or when there is no room, waits on TCP and loses his lines on UDP.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{Sender, error::TrySendError};
use tokio::time::sleep;

use super::{Dialect, Stages};
use crate::admit::budget::{Budget, Permit};
use crate::admit::rate::Rates;
use crate::backoff::Backoff;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::DropReason;

/// How long a connection waits for room and for its allowance before its lines are dropped.
const WAIT_MAX: Duration = Duration::from_secs(30);
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// Whole lines, on their way to be gathered.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) lines: Vec<u8>,
    pub(super) from: IpAddr,
    /// What they take of the budget.
    _held: Permit,
}

#[derive(Clone, Debug)]
pub(super) struct Door {
    dialect: Dialect,
    queue: Sender<Piece>,
    budget: Budget,
    rates: Arc<Rates>,
    metrics: Arc<Metrics>,
}

/// Why lines do not enter now, and when to try again.
struct NotNow {
    reason: DropReason,
    retry_after: Option<Duration>,
}

impl Door {
    pub(super) fn new(dialect: Dialect, queue: Sender<Piece>, stages: &Stages) -> Self {
        let (budget, rates) = (stages.budget.clone(), Arc::clone(&stages.rates));
        Self { dialect, queue, budget, rates, metrics: Arc::clone(&stages.metrics) }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(super) fn dropped(&self, reason: DropReason, lines: u64) {
        if lines > 0 {
            self.metrics.listen.dropped(self.dialect.name(), reason, lines);
        }
    }

    pub(super) fn connected(&self, difference: i64) {
        self.metrics.listen.connected(self.dialect.name(), difference);
    }

    /// Hands lines on at once, or drops them.
    pub(super) fn offer(&self, from: IpAddr, lines: Vec<u8>) {
        let Some(count) = self.receive(&lines) else { return };
        let refused = match self.admit(from, count, lines) {
            Ok(piece) => match self.queue.try_send(piece) {
                Ok(()) => return,
                Err(TrySendError::Full(_)) => DropReason::QueueFull,
                Err(TrySendError::Closed(_)) => DropReason::Stopping,
            },
            Err((_, NotNow { reason, .. })) => reason,
        };
        self.dropped(refused, count);
    }

    /// Hands lines on as soon as there is room for them. They are dropped when there is none for long.
    pub(super) async fn enter(&self, from: IpAddr, mut lines: Vec<u8>) {
        let Some(count) = self.receive(&lines) else { return };
        let (started, mut backoff) = (Instant::now(), Backoff::new(PAUSE_MIN, PAUSE_MAX));
        loop {
            match self.admit(from, count, lines) {
                Ok(piece) => {
                    if self.queue.send(piece).await.is_err() {
                        self.dropped(DropReason::Stopping, count);
                    }
                    return;
                }
                Err((back, NotNow { reason, retry_after })) => {
                    let pause = retry_after.unwrap_or_else(|| backoff.pause());
                    if started.elapsed() + pause > WAIT_MAX {
                        return self.dropped(reason, count);
                    }
                    lines = back;
                    sleep(pause).await;
                }
            }
        }
    }

    /// Counts what came; `None` when there is nothing.
    fn receive(&self, lines: &[u8]) -> Option<u64> {
        let count = memchr::memchr_iter(b'\n', lines).count() as u64;
        self.metrics.ingest.bytes.inc_by(lines.len() as u64);
        self.metrics.listen.received(self.dialect.name(), count);
        (count > 0).then_some(count)
    }

    fn admit(&self, from: IpAddr, count: u64, lines: Vec<u8>) -> Result<Piece, (Vec<u8>, NotNow)> {
        let Some(held) = self.budget.try_take(lines.len() as u64) else {
            return Err((lines, NotNow { reason: DropReason::EngineFull, retry_after: None }));
        };
        match self.rates.admit(from, count, Instant::now()) {
            Ok(()) => Ok(Piece { lines, from, _held: held }),
            Err(refused) => {
                let retry_after = Some(refused.retry_after);
                Err((lines, NotNow { reason: DropReason::RateLimited, retry_after }))
            }
        }
    }
}
