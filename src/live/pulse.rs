//! The times of a session: when to ping, how long to wait for an answer and for a socket that takes nothing.
//! Pure: is told what time it is.

use std::time::Duration;

use tokio::time::Instant;

/// How patient a session is.
#[derive(Clone, Copy, Debug)]
pub struct PulseConfig {
    pub ping_interval: Duration,
    /// How long after a ping anything must have been heard.
    pub pong_timeout: Duration,
    /// How long the socket may take nothing while there is something to write.
    pub stall_timeout: Duration,
    /// How long a close may take.
    pub close_timeout: Duration,
}

impl Default for PulseConfig {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(54),
            pong_timeout: Duration::from_secs(60),
            stall_timeout: Duration::from_secs(60),
            close_timeout: Duration::from_secs(5),
        }
    }
}

/// What must be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    Stalled,
    Silent,
}

#[derive(Debug)]
pub(super) struct Pulse {
    config: PulseConfig,
    ping_at: Instant,
    /// Set by the first ping that has not been answered.
    silent_at: Option<Instant>,
    stalled_at: Option<Instant>,
}

impl Pulse {
    pub(super) fn new(config: PulseConfig, now: Instant) -> Self {
        Self { config, ping_at: now + config.ping_interval, silent_at: None, stalled_at: None }
    }

    /// When to look again at the latest.
    pub(super) fn next(&self) -> Instant {
        [self.silent_at, self.stalled_at].into_iter().flatten().fold(self.ping_at, Instant::min)
    }

    pub(super) fn due(&mut self, now: Instant) -> Due {
        let has_passed = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if has_passed(self.stalled_at) {
            Due::Stalled
        } else if has_passed(self.silent_at) {
            Due::Silent
        } else if self.ping_at <= now {
            self.ping_at = now + self.config.ping_interval;
            self.silent_at.get_or_insert(now + self.config.pong_timeout);
            Due::Ping
        } else {
            Due::Nothing
        }
    }

    /// The client sent something, so it is there.
    pub(super) fn heard(&mut self) {
        self.silent_at = None;
    }

    /// There is something to write from now on.
    pub(super) fn writing(&mut self, now: Instant) {
        self.stalled_at = Some(now + self.config.stall_timeout);
    }

    /// The socket took something, and there may be more.
    pub(super) fn wrote(&mut self, now: Instant, is_more: bool) {
        self.stalled_at = is_more.then(|| now + self.config.stall_timeout);
    }

    pub(super) fn close_time(&self) -> Duration {
        self.config.close_timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse() -> (Pulse, Instant) {
        let start = Instant::now();
        (Pulse::new(PulseConfig::default(), start), start)
    }

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_client_that_answers_is_pinged_for_ever() {
        let (mut pulse, start) = pulse();
        for round in 1..10 {
            assert_eq!(pulse.next(), after(start, round * 54));
            assert_eq!(pulse.due(pulse.next()), Due::Ping);
            pulse.heard();
        }
    }

    #[test]
    fn silence_counts_from_the_first_unanswered_ping() {
        let (mut pulse, start) = pulse();
        assert_eq!(pulse.due(after(start, 54)), Due::Ping);
        assert_eq!(pulse.due(after(start, 108)), Due::Ping);
        assert_eq!(pulse.next(), after(start, 114));
        assert_eq!(pulse.due(after(start, 113)), Due::Nothing);
        assert_eq!(pulse.due(after(start, 114)), Due::Silent);
    }

    #[test]
    fn a_socket_is_stalled_only_while_it_takes_nothing() {
        let (mut pulse, start) = pulse();
        pulse.writing(start);
        pulse.wrote(after(start, 50), true);
        pulse.heard();
        assert_eq!(pulse.due(after(start, 61)), Due::Ping);
        assert_eq!(pulse.due(after(start, 110)), Due::Stalled);
        pulse.wrote(after(start, 110), false);
        assert_eq!(pulse.due(after(start, 110)), Due::Nothing);
    }
}
