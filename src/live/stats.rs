//! What live push did so far, as plain numbers that telemetry reads when it is asked.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters and gauges. Updated with relaxed ordering: each is right by itself, not together with the others.
#[derive(Debug, Default)]
pub struct LiveStats {
    /// Gauge: subscriptions the hub serves now.
    pub sessions: AtomicU64,
    /// Messages handed to sockets, replays not counted.
    pub delivered: AtomicU64,
    /// Messages dropped because a session could not keep up, each counted for each session.
    pub dropped: AtomicU64,
    /// Times that a session found that it had lost some.
    pub lagged: AtomicU64,
    /// Flushes that were not delivered live because the hub could not keep up. They are stored all the same.
    pub flushes_dropped: AtomicU64,
    /// Samples of series the catalog does not know.
    pub unknown_series: AtomicU64,
    /// Sessions ended because their socket took nothing for too long, or their ping was not answered.
    pub sessions_stalled: AtomicU64,
    /// Events that were not pushed because they are longer than an event may be. They are stored all the same.
    pub events_too_long: AtomicU64,
    /// Gauge: bytes waiting for all sessions until they are written; a run shared by several counts for each.
    pub queued_bytes: AtomicU64,
    /// Gauge: bytes of flushes and events handed over that the hub has not looked at.
    pub backlog_bytes: AtomicU64,
    /// Gauge: how long the last flush waited between its commit and the queues of the sessions.
    pub lag_us: AtomicU64,
}

impl LiveStats {
    pub(super) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }

    pub(super) fn sub(gauge: &AtomicU64, by: u64) {
        gauge.fetch_sub(by, Ordering::Relaxed);
    }

    pub(super) fn read(value: &AtomicU64) -> u64 {
        value.load(Ordering::Relaxed)
    }
}
