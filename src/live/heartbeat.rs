//! The times of a session: when to ping, how long to wait for an answer and for a socket that takes nothing.
//! Pure: is told what time it is.

use std::time::Duration;

use tokio::time::Instant;

/// How patient a session is.
#[derive(Clone, Copy, Debug)]
pub struct HeartbeatConfig {
    pub ping_interval: Duration,
    /// How long after a ping anything must have been heard.
    pub pong_timeout: Duration,
    /// How long the socket may take nothing while there is something to write.
    pub stall_timeout: Duration,
    /// How long a close may take.
    pub close_timeout: Duration,
}

impl Default for HeartbeatConfig {
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
pub(super) struct Heartbeat {
    config: HeartbeatConfig,
    ping_at: Instant,
    /// Set by the first ping that has not been answered.
    silent_at: Option<Instant>,
    stalled_at: Option<Instant>,
    /// The last write did not go through as a whole, so the client has yet to take what was written before.
    is_pushed_back: bool,
}

impl Heartbeat {
    pub(super) fn new(config: HeartbeatConfig, now: Instant) -> Self {
        Self { config, ping_at: now + config.ping_interval, silent_at: None, stalled_at: None, is_pushed_back: false }
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

    /// The socket took something, and there may be more. After it had pushed back, that is a sign of life as good as a
    /// pong, which may have to wait for long behind what a slow client has yet to read.
    pub(super) fn wrote(&mut self, now: Instant, is_more: bool) {
        if self.is_pushed_back && self.silent_at.is_some() {
            self.silent_at = Some(now + self.config.pong_timeout);
        }
        self.is_pushed_back = is_more;
        self.stalled_at = is_more.then(|| now + self.config.stall_timeout);
    }

    pub(super) fn close_time(&self) -> Duration {
        self.config.close_timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat() -> (Heartbeat, Instant) {
        let start = Instant::now();
        (Heartbeat::new(HeartbeatConfig::default(), start), start)
    }

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_client_that_answers_is_pinged_for_ever() {
        let (mut heartbeat, start) = heartbeat();
        for round in 1..10 {
            assert_eq!(heartbeat.next(), after(start, round * 54));
            assert_eq!(heartbeat.due(heartbeat.next()), Due::Ping);
            heartbeat.heard();
        }
    }

    #[test]
    fn silence_counts_from_the_first_unanswered_ping() {
        let (mut heartbeat, start) = heartbeat();
        assert_eq!(heartbeat.due(after(start, 54)), Due::Ping);
        assert_eq!(heartbeat.due(after(start, 108)), Due::Ping);
        assert_eq!(heartbeat.next(), after(start, 114));
        assert_eq!(heartbeat.due(after(start, 113)), Due::Nothing);
        assert_eq!(heartbeat.due(after(start, 114)), Due::Silent);
    }

    #[test]
    fn a_client_that_reads_slowly_is_not_silent_and_one_that_merely_has_room_is() {
        let (mut heartbeat, start) = heartbeat();
        assert_eq!(heartbeat.due(after(start, 54)), Due::Ping);
        heartbeat.wrote(after(start, 80), true);
        heartbeat.wrote(after(start, 100), true);
        assert_eq!(heartbeat.due(after(start, 120)), Due::Ping);
        heartbeat.wrote(after(start, 130), false);
        heartbeat.wrote(after(start, 140), false);
        assert_eq!(heartbeat.due(after(start, 189)), Due::Ping);
        assert_eq!(heartbeat.due(after(start, 190)), Due::Silent);
    }

    #[test]
    fn a_socket_is_stalled_only_while_it_takes_nothing() {
        let (mut heartbeat, start) = heartbeat();
        heartbeat.writing(start);
        heartbeat.wrote(after(start, 50), true);
        heartbeat.heard();
        assert_eq!(heartbeat.due(after(start, 61)), Due::Ping);
        assert_eq!(heartbeat.due(after(start, 110)), Due::Stalled);
        heartbeat.wrote(after(start, 110), false);
        assert_eq!(heartbeat.due(after(start, 110)), Due::Nothing);
    }
}
