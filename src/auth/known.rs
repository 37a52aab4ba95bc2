//! A caller who is known by a token, and whether the use of it was noted lately.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::principal::Principal;
use crate::model::Micros;

/// Uses are written down to the minute.
const NOTED_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Known {
    pub id: i64,
    pub principal: Arc<Principal>,
    pub expires_at: Option<Micros>,
    since: Instant,
    /// Milliseconds after `since` from which the next use is to be noted.
    next_note_ms: AtomicU64,
}

impl Known {
    pub fn new(id: i64, principal: Arc<Principal>, expires_at: Option<Micros>) -> Self {
        Self { id, principal, expires_at, since: Instant::now(), next_note_ms: AtomicU64::new(0) }
    }

    /// Whether this use is to be noted: the first, and then one a minute.
    pub fn is_to_be_noted(&self, now: Instant) -> bool {
        let elapsed_ms = millis(now.saturating_duration_since(self.since));
        let next_ms = self.next_note_ms.load(Ordering::Relaxed);
        let after_ms = elapsed_ms + millis(NOTED_EVERY);
        elapsed_ms >= next_ms
            && self.next_note_ms.compare_exchange(next_ms, after_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_use_is_noted_and_then_one_a_minute() {
        let known = Known::new(1, Arc::new(Principal::everybody()), None);
        let at = known.since;
        let noted = |seconds: u64| known.is_to_be_noted(at + Duration::from_secs(seconds));
        assert_eq!([0, 0, 59, 60, 61, 130].map(noted), [true, false, false, true, false, true]);
    }
}
