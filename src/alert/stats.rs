//! What alerting did so far on this node, as plain numbers that telemetry reads when it is asked.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters and gauges. Updated with relaxed ordering: each is right by itself, not together with the others.
#[derive(Debug, Default)]
pub struct Stats {
    /// Gauge: bytes of flushes that wait to be judged.
    pub waiting_bytes: AtomicU64,
    /// Flushes that were not judged as they came. They are stored, and were judged from there.
    pub flushes_dropped: AtomicU64,
    /// Gauge: 1 while this node judges.
    pub leading: AtomicU64,
    /// Gauge: rules that are judged, here.
    pub rules: AtomicU64,
    /// Gauge: the revision of rules, recipients and silences that all samples are judged by.
    pub rules_revision: AtomicU64,
    /// Versions of rules that could not be read, and are not judged.
    pub rules_unreadable: AtomicU64,
    /// Gauge: rules and series that are judged together.
    pub instances: AtomicU64,
    /// Gauge: those that fire, acknowledged ones included.
    pub firing: AtomicU64,
    /// Gauge: memory of windows.
    pub window_bytes: AtomicU64,
    /// How often a rule could not judge a series that it watches, or a sample of one, for lack of room.
    pub unjudged: AtomicU64,
    /// Samples that were looked at as they came.
    pub samples: AtomicU64,
    /// Gauge: how long the last flush waited between its commit and the end of what was found in it.
    pub lag_us: AtomicU64,
    /// Entries of the history that were written.
    pub events: AtomicU64,
    /// Messages to people that were written.
    pub notices: AtomicU64,
    /// Times that what was stored was read: when this node began to judge, or could not keep up.
    pub catch_ups: AtomicU64,
    /// Samples read by then.
    pub caught_up_samples: AtomicU64,
    /// Times that there was more than is read.
    pub catch_ups_cut: AtomicU64,
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

    pub(super) fn set(gauge: &AtomicU64, value: u64) {
        gauge.store(value, Ordering::Relaxed);
    }

    pub(super) fn sub(gauge: &AtomicU64, by: u64) {
        gauge.fetch_sub(by, Ordering::Relaxed);
    }

    pub fn read(value: &AtomicU64) -> u64 {
        value.load(Ordering::Relaxed)
    }
}
