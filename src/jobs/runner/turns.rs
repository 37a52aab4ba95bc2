//! When the next run is due. Pure.

use std::time::Duration;

use crate::backoff::Backoff;

/// A first run after the start comes no later than this, however long the interval.
const FIRST_PAUSE_MAX: Duration = Duration::from_secs(20);
const FAILED_PAUSE_MIN: Duration = Duration::from_secs(1);
const FAILED_PAUSE_MAX: Duration = Duration::from_secs(60);
/// Before the next try after another node, or another job, had the lock.
const ELSEWHERE_PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Turns {
    interval: Duration,
    backoff: Backoff,
    pause: Duration,
}

impl Turns {
    pub(super) fn new(interval: Duration) -> Self {
        let backoff = Backoff::new(FAILED_PAUSE_MIN, FAILED_PAUSE_MAX);
        Self { interval, backoff, pause: interval.min(FIRST_PAUSE_MAX) }
    }

    /// How long to wait from now on. Never longer than the interval.
    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    pub(super) fn succeeded(&mut self) {
        self.backoff.reset();
        self.pause = self.interval;
    }

    pub(super) fn failed(&mut self) {
        self.pause = self.backoff.pause().min(self.interval);
    }

    pub(super) fn elsewhere(&mut self) {
        self.pause = ELSEWHERE_PAUSE.min(self.interval);
    }

    /// Another node has run it, and `left` is left of the interval since.
    pub(super) fn others_ran(&mut self, left: Duration) {
        self.pause = left.min(self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_fails_is_tried_sooner_and_then_less_and_less_often_up_to_its_interval() {
        let mut turns = Turns::new(Duration::from_secs(30));
        let pauses = |turns: &mut Turns| {
            turns.failed();
            turns.pause().as_secs()
        };
        assert_eq!([0; 7].map(|_| pauses(&mut turns)), [1, 2, 4, 8, 16, 30, 30]);
        turns.succeeded();
        assert_eq!(turns.pause().as_secs(), 30);
        assert_eq!(pauses(&mut turns), 1);
    }

    #[test]
    fn the_first_run_does_not_wait_for_a_long_interval() {
        assert_eq!(Turns::new(Duration::from_secs(3600)).pause(), FIRST_PAUSE_MAX);
        assert_eq!(Turns::new(Duration::from_secs(1)).pause().as_secs(), 1);
    }

    #[test]
    fn what_others_ran_is_due_again_an_interval_after_them() {
        let mut turns = Turns::new(Duration::from_secs(30));
        turns.others_ran(Duration::from_secs(7));
        assert_eq!(turns.pause().as_secs(), 7);
        turns.elsewhere();
        assert_eq!(turns.pause(), ELSEWHERE_PAUSE);
    }
}
