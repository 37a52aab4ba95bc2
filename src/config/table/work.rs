//! What goes on behind the journal.

use std::time::Duration;

use super::super::draft::Draft;
use super::super::key::Key;
use super::super::value::{parse_count, parse_span};

const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600_000;

pub(super) const JOBS: &[Key] = &[
    Key::span("jobs.fold_interval", "30s", SECOND_MS..=HOUR_MS, |draft| &mut draft.jobs.fold_interval).about(
        "How often the journal is folded into recent, unless so much waits that it is folded at once. SQL sees samples \
     after that.",
        "Too high: readers have much of the journal to go through. Too low: rows hold few samples each.",
    ),
    Key::words("jobs.fleet_interval", "30s", "a time from 1s to 1h, or a number of seconds", set_fleet_interval)
        .also("SCHEDULER_INTERVAL_SECONDS")
        .about(
            "How often endpoints are looked at that are silent, and disks that are nearly full.",
            "Too high: people are told late. Too low: all endpoints are read for nothing.",
        ),
    Key::words("jobs.fleet_look", "true", "true or false", set_fleet_look)
        .also("SCHEDULER_ENABLED")
        .about("Whether they are looked at at all.", "false: nobody is told of them."),
];

/// The plain name comes with a plain number.
fn set_fleet_interval(draft: &mut Draft, text: &str) -> bool {
    let seconds = || parse_count(text).map(|seconds| Duration::from_secs(seconds as u64));
    let interval = parse_span(text).or_else(seconds);
    let allowed = Duration::from_millis(SECOND_MS)..=Duration::from_millis(HOUR_MS);
    let interval = interval.filter(|interval| allowed.contains(interval));
    interval.map(|interval| draft.jobs.fleet_interval = interval).is_some()
}

fn set_fleet_look(draft: &mut Draft, text: &str) -> bool {
    draft.jobs.fleet_look = match text.to_ascii_lowercase().as_str() {
        "true" | "1" => true,
        "false" | "0" => false,
        _ => return false,
    };
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_may_be_a_plain_number_of_seconds() {
        let read = |text: &str| {
            let mut draft = Draft::default();
            set_fleet_interval(&mut draft, text).then_some(draft.jobs.fleet_interval.as_secs())
        };
        assert_eq!(["30", "45s", "1h"].map(read), [Some(30), Some(45), Some(3_600)]);
        assert_eq!(["0", "2h", "soon", "-1", "99999999999999999999"].map(read), [None; 5]);
    }

    #[test]
    fn the_look_may_be_switched_as_the_system_it_is_from_does_it() {
        let read = |text: &str| {
            let mut draft = Draft::default();
            set_fleet_look(&mut draft, text).then_some(draft.jobs.fleet_look)
        };
        assert_eq!(
            ["True", "1", "false", "0", "no"].map(read),
            [Some(true), Some(true), Some(false), Some(false), None]
        );
    }
}
