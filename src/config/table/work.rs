//! What goes on behind the journal.

use super::super::key::Key;

const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600_000;

pub(super) const JOBS: &[Key] =
    &[Key::span("jobs.fold_interval", "30s", SECOND_MS..=HOUR_MS, |draft| &mut draft.jobs.fold_interval).about(
        "How often the journal is folded into recent, unless so much waits that it is folded at once. SQL sees samples \
     after that.",
        "Too high: readers have much of the journal to go through. Too low: rows hold few samples each.",
    )];
