//! What moves in one transaction: the next parts, their samples by hour and series.

use std::collections::{BTreeMap, BTreeSet};

use super::{Work, late};
use crate::codec::samples_row;
use crate::jobs::merge::Samples;
use crate::jobs::months::{DAY_MICROS, Need};
use crate::jobs::worker::off_worker;
use crate::jobs::{JobError, damage};
use crate::model::Micros;
use crate::rollup;
use crate::store::Transaction;
use crate::store::levels::keyed::Key;
use crate::store::levels::recent::{Part, Parts, Place, Position};
use crate::store::levels::samples::{StoredSamples, WINDOW_MICROS};
use crate::store::partitions::Monthly;

/// Where samples of a day that has been rolled up may go.
const OF_LATE: [Monthly; 3] = [Monthly::Samples, Monthly::Minutes, Monthly::Hours];

#[derive(Debug, Default)]
pub(super) struct Slice {
    /// By series and hour; in the order of writing, not of time.
    pub(super) windows: BTreeMap<Key, Samples>,
    /// The parts they came from.
    pub(super) moved: Vec<Place>,
    /// Where the next slice begins; `None` when nothing is left.
    pub(super) next: Option<Position>,
    /// How many samples it holds.
    samples: usize,
}

impl Slice {
    /// Reads the parts from `from` on that are to move, as many as a slice may hold.
    ///
    /// # Errors
    /// When PostgreSQL is not available or a row cannot be read.
    pub(super) async fn read(transaction: &Transaction<'_>, from: Position, work: &Work<'_>) -> Result<Self, JobError> {
        let (samples_max, parts_max) = (work.terms.slice_samples_max, work.terms.slice_parts_max);
        let parts = Parts::open(transaction, from, work.before, parts_max).await?;
        let mut slice = Self::default();
        while slice.next.is_none() {
            let some = parts.next().await?;
            let Some(last) = some.last() else { break };
            let after = position(&last.stored);
            off_worker(|| some.iter().try_for_each(|part| slice.take(part, samples_max)))?;
            if slice.moved.len() >= parts_max {
                slice.next.get_or_insert(after);
            }
        }
        Ok(slice)
    }

    /// The tables by month that it needs when days before `days_to` have been rolled up.
    pub(super) fn needs(&self, days_to: Micros) -> BTreeSet<Need> {
        let days = self.windows.keys().map(|(_, window)| rollup::start(*window, DAY_MICROS));
        let days: BTreeSet<Micros> = days.collect();
        let tables = |day: Micros| {
            let tables: &[Monthly] = if late::is_late(day, days_to) { &OF_LATE } else { &[Monthly::Samples] };
            tables.iter().map(move |table| (*table, day))
        };
        days.into_iter().flat_map(tables).collect()
    }

    /// Adds the part, unless there is no room for it or one before it.
    fn take(&mut self, part: &Part, samples_max: usize) -> Result<(), JobError> {
        if self.next.is_some() {
            return Ok(());
        }
        if self.samples >= samples_max {
            self.next = Some(position(&part.stored));
            return Ok(());
        }
        self.samples += usize::try_from(part.stored.row.count).unwrap_or_default();
        self.moved.push(part.place);
        self.add(part)
    }

    fn add(&mut self, part: &Part) -> Result<(), JobError> {
        let (stored, mut times, mut values) = (&part.stored, Vec::new(), Vec::new());
        samples_row::decode(&stored.row, &mut times, &mut values).map_err(damage::of_part(
            part.place.slot,
            part.fold,
            stored,
        ))?;
        let window = |time: &Micros| rollup::start(*time, WINDOW_MICROS);
        let mut values = values.as_slice();
        // One window, unless whoever wrote the part did not keep to it.
        for of_window in times.chunk_by(|left, right| window(left) == window(right)) {
            let samples = self.windows.entry((stored.series, window(&of_window[0]))).or_default();
            samples.times.extend_from_slice(of_window);
            let (of_window, rest) = values.split_at(of_window.len());
            samples.values.extend_from_slice(of_window);
            values = rest;
        }
        Ok(())
    }
}

fn position(stored: &StoredSamples) -> Position {
    Position { series: stored.series, window: rollup::start(stored.row.start, WINDOW_MICROS) }
}
