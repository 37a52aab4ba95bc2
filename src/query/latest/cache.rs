//! The newest sample of each series, as far as this process knows it.
//!
//! It is told of each commit before the commit is acknowledged, so what a client was told is stored is in here. Flushes
//! of other nodes come through the follower, up to a second or so late. What was stored before that began lies before
//! some moment: a series whose newest sample is later than that is complete, of others that is filled in by who asks for
//! it. Samples that expire stay until a newer one comes or all is forgotten.
//!
//! Series lie on pages by their number, each behind a lock of its own: a commit is sorted by series, so it takes each
//! lock once and looks at the last sample of each series only.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::model::{CommitListener, Committed, Micros, SeriesId};

const PAGE_SERIES: usize = 4_096;
/// Series with a number beyond are not kept, 32 bytes each: 256 MiB at most, if as many ever had samples.
const PAGES_MAX: usize = (8 << 20) / PAGE_SERIES;

/// A sample and when it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Newest {
    pub(super) time: Micros,
    /// The first moment there is when nobody knows: whoever knows has met it later.
    pub(super) committed_at: Micros,
    pub(super) value: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    newest: Option<Newest>,
    /// Whether what was stored before has been looked at.
    was_looked_up: bool,
}

type Page = Arc<Mutex<Box<[Slot]>>>;

/// What is kept since all was forgotten the last time.
#[derive(Debug, Default)]
struct Kept {
    pages: Vec<Page>,
    /// No sample that was stored before is later; `None` while that is not known.
    before: Option<Micros>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct LatestSamples {
    kept: RwLock<Kept>,
    /// Counts how often all was forgotten.
    generation: AtomicU64,
}

impl LatestSamples {
    /// Lets go of everything, because stored samples may have been deleted.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }

    /// Says that no sample was stored later than `newest` when `generation` was asked for, or since then.
    pub(super) fn began_after(&self, generation: u64, newest: Micros) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if self.generation() == generation {
            kept.before = Some(newest);
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// For each of `sorted` its newest sample, `Some(None)` when it has none, and `None` when that is not known.
    pub(super) fn get(&self, sorted: &[SeriesId]) -> Vec<Option<Option<Newest>>> {
        let mut found = Vec::with_capacity(sorted.len());
        for run in sorted.chunk_by(|left, right| place(*left).0 == place(*right).0) {
            let (page, before) = self.page_and_before(place(run[0]).0);
            let slots = page.as_ref().map(locked);
            found.extend(run.iter().map(|series| {
                let slot = slots.as_ref()?.get(place(*series).1)?;
                slot.is_complete(before).then_some(slot.newest)
            }));
        }
        found
    }

    /// Takes in what was stored of each of these series when `generation` was asked for, or later.
    pub(super) fn complete(&self, generation: u64, stored: &[(SeriesId, Option<Newest>)]) {
        for (series, newest) in stored {
            let (number, index) = place(*series);
            let Some(page) = self.page(number) else { continue };
            let mut slots = locked(&page);
            // A page that was let go of before is not looked at any more, and one made since then has its own lock.
            if self.generation() != generation {
                return;
            }
            let Some(slot) = slots.get_mut(index) else { continue };
            newest.iter().for_each(|newest| slot.take(*newest));
            slot.was_looked_up = true;
        }
    }

    /// Looked at together: a page that is let go of afterwards belongs to that moment.
    fn page_and_before(&self, number: usize) -> (Option<Page>, Option<Micros>) {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        (kept.pages.get(number).map(Arc::clone), kept.before)
    }

    /// A page that is made when it is not there.
    fn page(&self, number: usize) -> Option<Page> {
        if let (Some(page), _) = self.page_and_before(number) {
            return Some(page);
        }
        if number >= PAGES_MAX {
            return None;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        while kept.pages.len() <= number {
            kept.pages.push(Arc::new(Mutex::new(vec![Slot::default(); PAGE_SERIES].into_boxed_slice())));
        }
        Some(Arc::clone(&kept.pages[number]))
    }
}

impl CommitListener for LatestSamples {
    fn committed(&self, flush: &Arc<Committed>) {
        let (batch, committed_at) = (&flush.batch, flush.committed_at);
        let mut rest = (&batch.series[..], &batch.times[..], &batch.values[..]);
        while let Some(number) = rest.0.first().map(|first| place(*first).0) {
            let Some(page) = self.page(number) else { return };
            let end = rest.0.partition_point(|series| place(*series).0 <= number);
            let (series, times, values);
            ((series, rest.0), (times, rest.1), (values, rest.2)) =
                (rest.0.split_at(end), rest.1.split_at(end), rest.2.split_at(end));
            let mut slots = locked(&page);
            for (at, ((of, time), value)) in series.iter().zip(times).zip(values).enumerate() {
                if series.get(at + 1) != Some(of) {
                    slots[place(*of).1].take(Newest { time: *time, committed_at, value: *value });
                }
            }
        }
    }
}

impl Slot {
    /// Whether `newest` is the newest of all, those stored before included.
    fn is_complete(&self, before: Option<Micros>) -> bool {
        let is_later = |before: Micros| self.newest.is_some_and(|newest| newest.time > before);
        self.was_looked_up || before.is_some_and(is_later)
    }

    /// The newest time counts, and of equal times what was written later.
    fn take(&mut self, other: Newest) {
        let is_later = |newest: Newest| (other.time, other.committed_at) >= (newest.time, newest.committed_at);
        if self.newest.is_none_or(is_later) {
            self.newest = Some(other);
        }
    }
}

fn place(series: SeriesId) -> (usize, usize) {
    (series.0 as usize / PAGE_SERIES, series.0 as usize % PAGE_SERIES)
}

fn locked(page: &Page) -> MutexGuard<'_, Box<[Slot]>> {
    page.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Batch, Origin};

    fn commit(latest: &LatestSamples, committed_at: i64, samples: &[(u32, i64, f64)]) {
        let mut batch = Batch::default();
        samples.iter().for_each(|(series, time, value)| batch.push(SeriesId(*series), Micros(*time), *value));
        let committed_at = Micros(committed_at);
        latest.committed(&Arc::new(Committed { origin: Origin::default(), sequence: 1, committed_at, batch }));
    }

    fn value(latest: &LatestSamples, series: u32) -> Option<Option<f64>> {
        latest.get(&[SeriesId(series)])[0].map(|newest| newest.map(|newest| newest.value))
    }

    fn stored(time: i64, value: f64) -> Option<Newest> {
        Some(Newest { time: Micros(time), committed_at: Micros(i64::MIN), value })
    }

    #[test]
    fn a_series_is_unknown_until_what_was_stored_before_is_told() {
        let latest = LatestSamples::default();
        commit(&latest, 1, &[(7, 10, 1.0), (7, 20, 2.0), (5_000, 5, 3.0)]);
        assert_eq!((value(&latest, 7), value(&latest, 8)), (None, None));
        latest.complete(0, &[(SeriesId(7), stored(15, -1.0)), (SeriesId(8), None), (SeriesId(5_000), stored(6, 4.0))]);
        assert_eq!(
            (value(&latest, 7), value(&latest, 8), value(&latest, 5_000)),
            (Some(Some(2.0)), Some(None), Some(Some(4.0)))
        );
    }

    #[test]
    fn the_newest_time_counts_and_of_equal_times_what_was_committed_later() {
        let latest = LatestSamples::default();
        latest.complete(0, &[(SeriesId(1), stored(10, 0.0))]);
        commit(&latest, 5, &[(1, 9, 1.0)]);
        assert_eq!(value(&latest, 1), Some(Some(0.0)));
        commit(&latest, 5, &[(1, 10, 2.0)]);
        assert_eq!(value(&latest, 1), Some(Some(2.0)));
        commit(&latest, 4, &[(1, 10, 3.0)]);
        assert_eq!(value(&latest, 1), Some(Some(2.0)), "another node's earlier flush may come later");
    }

    #[test]
    fn what_was_looked_up_before_all_was_forgotten_is_not_taken_in() {
        let latest = LatestSamples::default();
        let generation = latest.generation();
        latest.forget();
        latest.complete(generation, &[(SeriesId(1), stored(10, 0.0))]);
        assert_eq!(value(&latest, 1), None);
        latest.complete(latest.generation(), &[(SeriesId(1), None)]);
        assert_eq!(value(&latest, 1), Some(None));
    }

    #[test]
    fn a_series_with_a_sample_later_than_all_that_was_stored_before_needs_no_look() {
        let latest = LatestSamples::default();
        commit(&latest, 1, &[(1, 10, 1.0), (2, 11, 2.0)]);
        latest.began_after(latest.generation(), Micros(10));
        assert_eq!((value(&latest, 1), value(&latest, 2)), (None, Some(Some(2.0))));
        commit(&latest, 2, &[(1, 12, 3.0)]);
        assert_eq!(value(&latest, 1), Some(Some(3.0)));
    }

    #[test]
    fn what_was_stored_before_is_not_known_any_more_when_all_was_forgotten() {
        let latest = LatestSamples::default();
        let generation = latest.generation();
        latest.began_after(generation, Micros(10));
        latest.forget();
        latest.began_after(generation, Micros(10));
        commit(&latest, 1, &[(1, 12, 1.0)]);
        assert_eq!(value(&latest, 1), None, "a later one may have been forgotten");
        latest.began_after(latest.generation(), Micros(11));
        assert_eq!(value(&latest, 1), Some(Some(1.0)));
    }

    #[test]
    fn series_beyond_what_is_kept_stay_unknown() {
        let latest = LatestSamples::default();
        commit(&latest, 1, &[(u32::MAX, 1, 1.0)]);
        latest.complete(0, &[(SeriesId(u32::MAX), None)]);
        assert_eq!(value(&latest, u32::MAX), None);
    }
}
