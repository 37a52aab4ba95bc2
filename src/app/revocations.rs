//! What goes on after its answer ends soon after who began it is not let in any more.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::auth::{Gate, Presence};

/// Between two looks at those who came since the last one.
const INTERVAL: Duration = Duration::from_secs(1);
/// Between two looks at everyone when nothing was revoked: what runs out, or ends with the tokens that would renew it,
/// makes no new revision.
const EVERYONE_INTERVAL: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Revocations {
    gate: Arc<Gate>,
    presence: Arc<Presence>,
    /// Another number comes after the gate has forgotten whom it knew.
    revisions: watch::Receiver<i64>,
}

impl Revocations {
    pub(super) fn new(gate: Arc<Gate>, presence: Arc<Presence>, revisions: watch::Receiver<i64>) -> Self {
        Self { gate, presence, revisions }
    }

    /// Looks until `stopping` resolves.
    pub(super) async fn run(mut self, stopping: impl Future<Output = ()>) {
        let mut stopping = std::pin::pin!(stopping);
        let mut last: Option<(i64, Instant)> = None;
        loop {
            tokio::select! {
                () = &mut stopping => return,
                Ok(()) = self.revisions.changed() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
            if self.presence.is_empty() {
                continue;
            }
            // The revision first: what is revoked after it makes another one.
            let revision = *self.revisions.borrow_and_update();
            let now = Instant::now();
            let at_everyone = is_due(last, revision, now);
            last = match self.presence.look_again(&self.gate, at_everyone).await {
                Ok(()) if at_everyone => Some((revision, now)),
                Ok(()) => last,
                // Nobody is dismissed for that; it is tried again.
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "revocations not looked at");
                    None
                }
            };
        }
    }
}

/// Whether everyone is to be looked at, after the last time that was done.
fn is_due(last: Option<(i64, Instant)>, revision: i64, now: Instant) -> bool {
    last.is_none_or(|(before, at)| before != revision || now.duration_since(at) >= EVERYONE_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_is_looked_at_after_a_revocation_and_from_time_to_time() {
        let at = Instant::now();
        assert!(is_due(None, 1, at));
        assert!(!is_due(Some((1, at)), 1, at + INTERVAL));
        assert!(is_due(Some((1, at)), 2, at));
        assert!(is_due(Some((1, at)), 1, at + EVERYONE_INTERVAL));
    }
}
