//! What is still to be told: every node claims notices that are due, delivers them side by side and writes down how it
//! went.
//!
//! - The notices of one recipient go out in their order, one at a time; who is slow or down holds up nobody else.
//! - What was not taken is tried again, with pauses, until it is too old or cannot ever be.
//! - A notice arrives once, or twice where a node dies between sending and writing down that it did.
//!
//! Must not know how anything is sent, nor who found what is told.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::channel::Channel;
use super::deliver::{Deliverer, DeliveryError};
use super::notice::Body;
use super::{Signals, Stats};
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::model::Micros;
use crate::store::alerts::outbox::{self, Claimed, Outcome};
use crate::store::{Database, StoreError};

/// Notices that one node delivers at one time.
const DELIVERIES_MAX: usize = 32;
/// How long a notice is one node's. Longer than a delivery may take, and than writing down how it went is tried.
const CLAIM: Duration = Duration::from_secs(60);
/// How often it is looked for notices that nobody told of: those of other nodes, and those that are due again.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The pause after the first try; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(600);
/// What is older is not tried again.
const AGE_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long it is tried to write down how a delivery went.
const ENDING_MAX: Duration = Duration::from_secs(30);
/// How long deliveries that have begun may take when the server stops.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How long what was delivered or given up is shown.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
const EXPIRE_INTERVAL: Duration = Duration::from_secs(600);
const EXPIRED_AT_ONCE_MAX: i64 = 5_000;

/// Delivers notices, one loop a node.
#[derive(Debug)]
pub struct Outbox {
    database: Database,
    deliverer: Arc<Deliverer>,
    signals: Arc<Signals>,
    stats: Arc<Stats>,
    clock: Arc<dyn Clock>,
}

impl Outbox {
    pub fn new(
        database: Database,
        deliverer: Arc<Deliverer>,
        (signals, stats): (Arc<Signals>, Arc<Stats>),
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { database, deliverer, signals, stats, clock }
    }

    /// Runs until `stopping` resolves; what has begun then is given a moment to end.
    pub async fn run(self, stopping: impl Future<Output = ()>) {
        let mut stopping = std::pin::pin!(stopping);
        let mut running = FuturesUnordered::new();
        let mut expiring = tokio::time::interval(EXPIRE_INTERVAL);
        let mut looking = tokio::time::interval(LOOK_INTERVAL);
        looking.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let room = DELIVERIES_MAX - running.len();
            for notice in meanwhile(&mut running, self.claimed(room)).await {
                running.push(self.handle(notice));
            }
            tokio::select! {
                // Asked first, so that a server that stops claims nothing more.
                biased;
                () = &mut stopping => break,
                // Whose turn is over lets the next in line go.
                Some(()) = running.next() => {}
                () = self.signals.notices() => {}
                _ = looking.tick() => {}
                _ = expiring.tick() => self.expire().await,
            }
        }
        let ending = async { while running.next().await.is_some() {} };
        // What does not end in time is tried again by whoever looks when its claim has run out.
        tokio::time::timeout(STOP_GRACE, ending).await.ok();
    }

    async fn claimed(&self, room: usize) -> Vec<Claimed> {
        if room == 0 {
            return Vec::new();
        }
        let claiming = async {
            let now = self.clock.now();
            outbox::claim(&self.database.client().await?, now, later(now, CLAIM), room as i64).await
        };
        claiming.await.unwrap_or_else(|error: StoreError| {
            tracing::warn!(error = &error as &dyn std::error::Error, "notices cannot be looked at");
            Vec::new()
        })
    }

    async fn handle(&self, notice: Claimed) {
        let delivered = Box::pin(self.deliver(&notice)).await;
        let now = self.clock.now();
        let outcome = match delivered {
            Ok(()) => Outcome::Delivered,
            Err(error) => {
                tracing::info!(
                    notice.id = notice.id,
                    notice.attempts = notice.attempts,
                    error = &error as &dyn std::error::Error,
                    "a notice was not delivered"
                );
                outcome(&notice, &error, now)
            }
        };
        self.count(&outcome);
        self.end(&notice, &outcome, now).await;
    }

    async fn deliver(&self, notice: &Claimed) -> Result<(), DeliveryError> {
        if !notice.is_enabled {
            return Err(DeliveryError::SwitchedOff);
        }
        let channel = notice.channel.clone().ok_or(DeliveryError::Unreadable)?;
        let channel: Channel = serde_json::from_value(channel).map_err(|_| DeliveryError::Unreadable)?;
        let body: Body = serde_json::from_value(notice.body.clone()).map_err(|_| DeliveryError::Unreadable)?;
        self.deliverer.deliver(&channel, &body, notice.id).await
    }

    /// As long as this is not written down, the notice would be delivered again.
    async fn end(&self, notice: &Claimed, outcome: &Outcome, now: Micros) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        let ending = async {
            loop {
                let ended = async { outbox::end(&self.database.client().await?, notice, outcome, now).await };
                let Err(error) = ended.await else { return };
                if !error.is_unavailable() {
                    tracing::warn!(error = &error as &dyn std::error::Error, "how a delivery went was not written");
                    return;
                }
                tokio::time::sleep(backoff.pause()).await;
            }
        };
        if tokio::time::timeout(ENDING_MAX, ending).await.is_err() {
            tracing::warn!(notice.id = notice.id, "how a delivery went was not written; it will be tried again");
        }
    }

    fn count(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Delivered => &self.stats.notices_delivered,
            Outcome::Again { .. } => &self.stats.notices_retried,
            Outcome::GivenUp { .. } => &self.stats.notices_failed,
        };
        Stats::add(counter, 1);
    }

    async fn expire(&self) {
        let now = self.clock.now();
        let expiring = async { outbox::expire(&self.database.client().await?, now, KEPT, EXPIRED_AT_ONCE_MAX).await };
        if let Err(error) = expiring.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "old notices were not removed");
        }
    }
}

/// What `wanted` comes to. What is running goes on while it is waited for.
async fn meanwhile<T>(running: &mut FuturesUnordered<impl Future<Output = ()>>, wanted: impl Future<Output = T>) -> T {
    let mut wanted = std::pin::pin!(wanted);
    loop {
        tokio::select! {
            wanted = &mut wanted => return wanted,
            Some(()) = running.next() => {}
        }
    }
}

/// What follows from a failure.
fn outcome(notice: &Claimed, error: &DeliveryError, now: Micros) -> Outcome {
    let reason = error.to_string();
    let at = later(now, pause(notice.attempts));
    let is_too_old = at > later(notice.created_at, AGE_MAX);
    if error.is_permanent() || is_too_old { Outcome::GivenUp { reason } } else { Outcome::Again { at, reason } }
}

/// How long is waited after so many tries.
fn pause(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or_default().min(16);
    (PAUSE_MIN * 2_u32.pow(doublings)).min(PAUSE_MAX)
}

fn later(time: Micros, by: Duration) -> Micros {
    Micros(time.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(attempts: i32) -> Claimed {
        let body = serde_json::Value::Null;
        Claimed { id: 1, recipient: None, channel: None, body, attempts, created_at: Micros(0), is_enabled: true }
    }

    #[test]
    fn pauses_double_up_to_ten_minutes() {
        let pauses: Vec<u64> = [1, 2, 3, 7, 8, 9, 1_000, i32::MAX].map(|tries| pause(tries).as_secs()).to_vec();
        assert_eq!(pauses, [5, 10, 20, 320, 600, 600, 600, 600]);
    }

    #[test]
    fn what_passes_is_tried_again_for_a_day_and_what_does_not_is_given_up_at_once() {
        let host = || "h".to_owned();
        let passing = DeliveryError::Refused { host: host(), status: 503, reason: None };
        let again = Outcome::Again { at: Micros(15_000_000), reason: "h answered 503".to_owned() };
        assert_eq!(outcome(&notice(2), &passing, Micros(5_000_000)), again);
        let a_day = Micros(24 * 3_600_000_000);
        assert!(matches!(outcome(&notice(150), &passing, a_day), Outcome::GivenUp { .. }));
        for status in [400, 404, 410] {
            let error = DeliveryError::Refused { host: host(), status, reason: None };
            assert!(matches!(outcome(&notice(1), &error, Micros(0)), Outcome::GivenUp { .. }), "{status}");
        }
        for status in [408, 429, 500, 502] {
            let error = DeliveryError::Refused { host: host(), status, reason: None };
            assert!(matches!(outcome(&notice(1), &error, Micros(0)), Outcome::Again { .. }), "{status}");
        }
    }
}
