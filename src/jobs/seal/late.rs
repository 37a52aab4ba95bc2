//! Rollups that must follow, as samples come to a day that has been rolled up.
//!
//! - While the samples of an hour are stored, its bucket in `rollup_1h` is counted anew from all of them, so it is what it
//!   would be had they come in time.
//! - When they are gone, what comes late is added to the minutes that are left of them and to the hour, and no samples
//!   are stored. Nobody can tell any more which of them came twice or which was first and last: count, sum, min, max and
//!   increase grow by what came, see [`rollup::merge`].
//!
//! Samples of an hour are gone when there is a minute row of it; or when none are stored and its hour was counted, or
//! lies before what is kept of its series. So a minute is in samples or in `rollup_1m`, never in both.

use std::collections::BTreeSet;

use crate::jobs::JobError;
use crate::jobs::merge::Samples;
use crate::jobs::months::DAY_MICROS;
use crate::jobs::rollups::Rollups;
use crate::model::{Micros, Resolution};
use crate::rollup;
use crate::store::Transaction;
use crate::store::levels::keyed::Key;

/// The rollups of some hours whose days have been rolled up.
#[derive(Debug)]
pub(super) struct Corrections {
    days_to: Micros,
    minutes: Rollups,
    hours: Rollups,
}

/// Whether the day that `time` is in has been rolled up when all days before `days_to` have.
pub(super) fn is_late(time: Micros, days_to: Micros) -> bool {
    rollup::start(time, DAY_MICROS).0.saturating_add(DAY_MICROS) <= days_to.0
}

impl Corrections {
    /// # Errors
    /// When PostgreSQL is not available or a row cannot be read.
    pub(super) async fn read(
        transaction: &Transaction<'_>,
        windows: &[Key],
        days_to: Micros,
    ) -> Result<Self, JobError> {
        let late: Vec<Key> = windows.iter().copied().filter(|(_, window)| is_late(*window, days_to)).collect();
        let days: BTreeSet<Key> = late.iter().copied().map(day).collect();
        let days: Vec<Key> = days.into_iter().collect();
        Ok(Self {
            days_to,
            minutes: Rollups::read(transaction, Resolution::Minute, &late).await?,
            hours: Rollups::read(transaction, Resolution::Hour, &days).await?,
        })
    }

    pub(super) fn is_late(&self, window: Micros) -> bool {
        is_late(window, self.days_to)
    }

    /// Whether the samples of an hour of which none are stored were there once, or would not be kept.
    pub(super) fn is_gone(&self, key: Key, raw_from: Micros) -> bool {
        let was_counted = self.minutes.has_row(key) || self.hours.bucket(day(key), key.1).is_some();
        self.is_late(key.1) && (was_counted || key.1 < raw_from)
    }

    /// The hour's bucket becomes that of `all` its samples.
    pub(super) fn count_anew(&mut self, key: Key, all: &Samples) {
        self.hours.put(day(key), key.1, rollup::bucket(key.1, &all.values));
    }

    /// Adds what came to an hour whose samples are gone.
    pub(super) fn add(&mut self, key: Key, late: &Samples) {
        // Minutes that have expired too do not come back as a few late samples.
        let has_minutes = self.minutes.has_row(key) || self.hours.bucket(day(key), key.1).is_none();
        if has_minutes {
            let mut minutes = Vec::new();
            rollup::roll_up(&late.times, &late.values, Resolution::Minute, &mut minutes);
            minutes.iter().for_each(|bucket| self.minutes.merge(key, bucket));
        }
        if let Some(bucket) = rollup::bucket(key.1, &late.values) {
            self.hours.merge(day(key), &bucket);
        }
    }

    /// Answers the number of rows written.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub(super) async fn write(self, transaction: &Transaction<'_>) -> Result<u64, JobError> {
        Ok(self.minutes.write(transaction).await? + self.hours.write(transaction).await?)
    }
}

/// The row of `rollup_1h` that an hour is in.
fn day((series, window): Key) -> Key {
    (series, rollup::start(window, DAY_MICROS))
}
