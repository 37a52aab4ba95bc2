//! When requests are sent: as fast as they are answered, or on a fixed schedule.
//!
//! On a schedule a latency is measured from the instant the request was due, not from when the connection was free, so
//! a server that stalls cannot make its own measurement look better. One thread a sender; all of them end by
//! themselves, at the latest `OVERRUN_MAX` and one answer after the planned end.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::clock;
use crate::histogram::{Latencies, Quantiles};
use crate::output::Bar;
use crate::sender::{SendError, Sender};

/// How long a schedule that fell behind is still worked off before the rest is counted as missed.
const OVERRUN_MAX: Duration = Duration::from_secs(10);
/// A worker gives up after so many failures in a row.
const FAILURES_IN_A_ROW_MAX: u32 = 100;
const BAR_INTERVAL: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    /// Every connection sends as soon as it was answered.
    Closed { duration: Duration },
    /// So many requests a second in all, each at its own instant.
    Open { duration: Duration, requests_per_s: f64 },
}

/// What happened, over all workers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) samples: u64,
    pub(crate) requests: u64,
    /// Answered, but not with a 2xx.
    pub(crate) refused: u64,
    /// Not answered.
    pub(crate) failed: u64,
    /// Due, but never sent, because the schedule fell too far behind.
    pub(crate) missed: u64,
    /// A worker had nothing left to send before the end.
    pub(crate) exhausted: bool,
    pub(crate) first_failure: Option<String>,
    pub(crate) latencies: Latencies,
    pub(crate) elapsed: Duration,
}

/// [`Outcome`] as it is reported.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) samples: u64,
    pub(crate) samples_per_s: f64,
    pub(crate) requests: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    pub(crate) missed: u64,
    pub(crate) exhausted: bool,
    pub(crate) first_failure: Option<String>,
    pub(crate) elapsed_s: f64,
    pub(crate) latency: Quantiles,
}

/// Runs every sender in a thread of its own until the plan is done.
pub(crate) fn run<S: Sender>(plan: Plan, senders: &mut [S], bar: &Bar) -> Outcome {
    let start = Instant::now();
    let workers = senders.len();
    let mut total = std::thread::scope(|scope| {
        let place = |worker| Place { worker, workers, start };
        let senders = senders.iter_mut().enumerate();
        let threads: Vec<_> =
            senders.map(|(worker, sender)| scope.spawn(move || work(plan, sender, place(worker)))).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            bar.at(start.elapsed());
            clock::wait_until(Instant::now() + BAR_INTERVAL);
        }
        let mut total = Outcome::default();
        for thread in threads {
            match thread.join() {
                Ok(outcome) => total.add(outcome),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        total
    });
    if let Plan::Open { duration, .. } = plan {
        // The last request is due before the end of the plan; the rate is meant over the whole of it.
        total.elapsed = total.elapsed.max(duration);
    }
    total
}

impl Outcome {
    pub(crate) fn samples_per_s(&self) -> f64 {
        self.samples as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    pub(crate) fn summary(&self) -> Summary {
        Summary {
            samples: self.samples,
            samples_per_s: self.samples_per_s().round(),
            requests: self.requests,
            refused: self.refused,
            failed: self.failed,
            missed: self.missed,
            exhausted: self.exhausted,
            first_failure: self.first_failure.clone(),
            elapsed_s: self.elapsed.as_secs_f64(),
            latency: self.latencies.quantiles(),
        }
    }

    /// Nothing was refused, lost or left unsent.
    pub(crate) fn is_clean(&self) -> bool {
        self.refused + self.failed + self.missed == 0 && !self.exhausted
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.samples += other.samples;
        self.requests += other.requests;
        self.refused += other.refused;
        self.failed += other.failed;
        self.missed += other.missed;
        self.exhausted |= other.exhausted;
        self.first_failure = self.first_failure.take().or(other.first_failure);
        self.latencies.merge(&other.latencies);
        self.elapsed = self.elapsed.max(other.elapsed);
    }

    fn note(&mut self, outcome: Result<u64, SendError>) -> bool {
        self.requests += 1;
        match outcome {
            Ok(samples) => {
                self.samples += samples;
                return true;
            }
            Err(error) => {
                match error {
                    SendError::Refused { .. } => self.refused += 1,
                    SendError::Client(_) | SendError::Copy(_) => self.failed += 1,
                }
                self.first_failure.get_or_insert_with(|| crate::output::with_causes(&error));
            }
        }
        false
    }
}

/// Which of the workers, and when all of them began.
#[derive(Clone, Copy, Debug)]
struct Place {
    worker: usize,
    workers: usize,
    start: Instant,
}

fn work(plan: Plan, sender: &mut impl Sender, place: Place) -> Outcome {
    let mut outcome = Outcome::default();
    let mut failures_in_a_row = 0;
    for turn in 0_u64.. {
        let now = Instant::now();
        let due = match plan {
            Plan::Closed { duration } if now >= place.start + duration => break,
            Plan::Closed { .. } => None,
            Plan::Open { duration, requests_per_s } => {
                let number = turn as f64 * place.workers as f64 + place.worker as f64;
                let after = Duration::from_secs_f64(number / requests_per_s);
                if after >= duration {
                    break;
                }
                if now > place.start + duration + OVERRUN_MAX {
                    outcome.missed += 1;
                    continue;
                }
                Some(place.start + after)
            }
        };
        if !sender.prepare() {
            outcome.exhausted = true;
            break;
        }
        due.inspect(|due| clock::wait_until(*due));
        let from = due.unwrap_or_else(Instant::now);
        let sent = sender.send();
        let succeeded = outcome.note(sent);
        if succeeded {
            outcome.latencies.record(from.elapsed());
        }
        failures_in_a_row = if succeeded { 0 } else { failures_in_a_row + 1 };
        if failures_in_a_row == FAILURES_IN_A_ROW_MAX {
            break;
        }
    }
    outcome.elapsed = place.start.elapsed();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers at once, except one request, which takes as long as asked.
    #[derive(Clone)]
    struct Stalls {
        turn: u32,
        slow_turn: u32,
        stall: Duration,
    }

    impl Sender for Stalls {
        fn prepare(&mut self) -> bool {
            self.turn += 1;
            true
        }

        fn send(&mut self) -> Result<u64, SendError> {
            if self.turn == self.slow_turn {
                clock::wait_until(Instant::now() + self.stall);
            }
            Ok(10)
        }
    }

    /// Refuses everything.
    struct Refuses;

    impl Sender for Refuses {
        fn prepare(&mut self) -> bool {
            true
        }

        fn send(&mut self) -> Result<u64, SendError> {
            Err(SendError::Refused { status: 503, text: "full".into() })
        }
    }

    #[test]
    fn a_stall_is_charged_to_every_request_that_was_due_meanwhile() {
        let mut senders = [Stalls { turn: 0, slow_turn: 10, stall: Duration::from_millis(200) }];
        let plan = Plan::Open { duration: Duration::from_millis(500), requests_per_s: 100.0 };
        let outcome = run(plan, &mut senders, &Bar::hidden());
        assert_eq!((outcome.requests, outcome.samples), (50, 500));
        assert!(outcome.is_clean());
        // Twenty requests were due during the stall; a closed loop would have seen one slow one.
        let quantiles = outcome.latencies.quantiles();
        assert!(quantiles.max_ms >= 199.0, "{quantiles:?}");
        assert!(quantiles.p90_ms >= 100.0, "{quantiles:?}");
    }

    #[test]
    fn workers_share_the_schedule_evenly() {
        let idle = Stalls { turn: 0, slow_turn: 0, stall: Duration::ZERO };
        let mut senders = vec![idle; 4];
        let plan = Plan::Open { duration: Duration::from_millis(100), requests_per_s: 400.0 };
        let outcome = run(plan, &mut senders, &Bar::hidden());
        assert_eq!(outcome.requests, 40);
        assert!(outcome.elapsed >= Duration::from_millis(100));
        assert!(senders.iter().all(|sender| sender.turn == 10));
    }

    #[test]
    fn a_server_that_only_refuses_is_given_up_and_its_first_word_kept() {
        let plan = Plan::Closed { duration: Duration::from_secs(60) };
        let outcome = run(plan, &mut [Refuses], &Bar::hidden());
        assert_eq!(outcome.refused, u64::from(FAILURES_IN_A_ROW_MAX));
        assert_eq!(outcome.first_failure.as_deref(), Some("answered 503: full"));
    }
}
