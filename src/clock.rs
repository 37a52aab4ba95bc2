//! The only place that asks what time it is. Everything else is handed a [`Clock`], so tests choose the time.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::Micros;

pub trait Clock: Debug + Send + Sync {
    /// The wall clock. May step backwards; never use it to measure how long something took.
    fn now(&self) -> Micros;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place the ban points to")]
    fn now(&self) -> Micros {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is set.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn at(time: Micros) -> Self {
        Self(AtomicI64::new(time.0))
    }

    pub fn set(&self, time: Micros) {
        self.0.store(time.0, Ordering::Release);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Micros {
        Micros(self.0.load(Ordering::Acquire))
    }
}

/// Tells what came later: never the same time twice, and never an earlier one, even when the clock behind it is set back.
#[derive(Debug)]
pub struct AdvancingClock {
    clock: Arc<dyn Clock>,
    last: AtomicI64,
}

impl AdvancingClock {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, last: AtomicI64::new(i64::MIN) }
    }
}

impl Clock for AdvancingClock {
    fn now(&self) -> Micros {
        let now = self.clock.now().0;
        let advance = |last: i64| Some(now.max(last.saturating_add(1)));
        let last = self.last.fetch_update(Ordering::AcqRel, Ordering::Acquire, advance).unwrap_or_else(|last| last);
        Micros(now.max(last.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advancing_clock_follows_its_clock_forward_and_never_back() {
        let behind = Arc::new(ManualClock::at(Micros(10)));
        let clock = AdvancingClock::new(Arc::<ManualClock>::clone(&behind));
        assert_eq!((clock.now(), clock.now()), (Micros(10), Micros(11)));
        behind.set(Micros(5));
        assert_eq!(clock.now(), Micros(12));
        behind.set(Micros(50));
        assert_eq!(clock.now(), Micros(50));
    }
}
