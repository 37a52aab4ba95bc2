//! What alerting did so far on this node, as plain numbers that telemetry reads when it is asked.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters and gauges. Updated with relaxed ordering: each is right by itself, not together with the others.
#[derive(Debug, Default)]
pub struct Stats {
    /// Gauge: bytes of flushes that wait to be judged.
    pub waiting_bytes: AtomicU64,
    /// Flushes that were not judged as they came. They are stored, and were judged from there.
    pub flushes_dropped: AtomicU64,
    pub notices_delivered: AtomicU64,
    /// Attempts that failed, and will be followed by others.
    pub notices_retried: AtomicU64,
    /// Notices that were given up.
    pub notices_failed: AtomicU64,
}

impl Stats {
    pub(super) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }

    pub(super) fn sub(gauge: &AtomicU64, by: u64) {
        gauge.fetch_sub(by, Ordering::Relaxed);
    }

    pub fn read(value: &AtomicU64) -> u64 {
        value.load(Ordering::Relaxed)
    }
}
