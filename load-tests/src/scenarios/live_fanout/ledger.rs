//! What subscribers may expect: the value of every planned sample, and when its block was sent and acknowledged.
//!
//! Shared by senders and subscribers without a lock. Knows no socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::ScenarioError;
use crate::data::stream::Shape;
use crate::data::{Fleet, METRICS, walk};

/// Most bytes of expected values.
const VALUES_BYTES_MAX: usize = 512 << 20;

#[derive(Debug)]
pub(super) struct Ledger {
    fleet: Arc<Fleet>,
    shape: Shape,
    blocks: usize,
    /// Hundredths by host, metric and step; they fit into 16 bits.
    cents: Vec<u16>,
    start: Instant,
    /// Microseconds since `start` by host and block; 0 is "not yet".
    sent_us: Vec<AtomicU64>,
    acknowledged_us: Vec<AtomicU64>,
    received: AtomicU64,
    last_received_us: AtomicU64,
}

impl Ledger {
    pub(super) fn new(fleet: Fleet, shape: Shape) -> Result<Self, ScenarioError> {
        let steps = fleet.steps_max as usize;
        let series = fleet.hosts.len() * METRICS.len();
        if steps.saturating_mul(series) > VALUES_BYTES_MAX / 2 {
            return Err(ScenarioError::Settings("rate times duration is more than can be checked; lower one".into()));
        }
        let mut cents = Vec::with_capacity(steps * series);
        for index in 0..series {
            let mut walk = fleet.walk(index / METRICS.len(), index % METRICS.len());
            cents.extend((0..steps).map(|_| walk.next_cents() as u16));
        }
        let blocks = steps / shape.steps as usize + 1;
        let unknown = || (0..fleet.hosts.len() * blocks).map(|_| AtomicU64::new(0)).collect();
        Ok(Self {
            sent_us: unknown(),
            acknowledged_us: unknown(),
            fleet: Arc::new(fleet),
            shape,
            blocks,
            cents,
            start: Instant::now(),
            received: AtomicU64::new(0),
            last_received_us: AtomicU64::new(0),
        })
    }

    pub(super) fn fleet(&self) -> &Arc<Fleet> {
        &self.fleet
    }

    /// Microseconds since the ledger was opened, never 0.
    pub(super) fn now_us(&self) -> u64 {
        (self.start.elapsed().as_micros() as u64).max(1)
    }

    pub(super) fn sent(&self, host: usize, step: u32) -> &AtomicU64 {
        &self.sent_us[host * self.blocks + (step / self.shape.steps) as usize]
    }

    pub(super) fn acknowledged(&self, host: usize, step: u32) -> &AtomicU64 {
        &self.acknowledged_us[host * self.blocks + (step / self.shape.steps) as usize]
    }

    /// The value sent for a series at a step.
    pub(super) fn value(&self, series: usize, step: u32) -> f64 {
        let cents = self.cents[series * self.fleet.steps_max as usize + step as usize];
        walk::value(i32::from(cents))
    }

    pub(super) fn note_received(&self, now_us: u64) {
        self.received.fetch_add(1, Ordering::AcqRel);
        self.last_received_us.fetch_max(now_us, Ordering::AcqRel);
    }

    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Acquire)
    }

    /// From the first block that was sent to the last frame that came.
    pub(super) fn last_received(&self) -> Duration {
        let sent = self.sent_us.iter().map(|at| at.load(Ordering::Acquire)).filter(|at| *at > 0);
        let last = self.last_received_us.load(Ordering::Acquire);
        Duration::from_micros(last.saturating_sub(sent.min().unwrap_or(last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TimeGrid;

    #[test]
    fn the_ledger_knows_the_value_of_every_planned_sample() {
        let fleet = Fleet::new(5, 3, TimeGrid { end_ms: 100_000, span_ms: 20_000, step_ms: 1000 });
        let mut walk = fleet.walk(2, 4);
        let ledger = Ledger::new(fleet, Shape { hosts: 1, steps: 8 }).unwrap();
        for step in 0..20 {
            assert_eq!(ledger.value(24, step).to_bits(), walk::value(walk.next_cents()).to_bits());
        }
        ledger.sent(2, 17).store(9, Ordering::Release);
        assert_eq!(ledger.sent(2, 16).load(Ordering::Acquire), 9);
        assert_eq!(ledger.sent(2, 15).load(Ordering::Acquire), 0);
    }

    #[test]
    fn a_plan_too_large_to_check_is_refused() {
        let fleet = Fleet::new(5, 1000, TimeGrid { end_ms: 0, span_ms: 1_000_000_000, step_ms: 1 });
        assert!(matches!(Ledger::new(fleet, Shape { hosts: 1, steps: 8 }), Err(ScenarioError::Settings(_))));
    }
}
