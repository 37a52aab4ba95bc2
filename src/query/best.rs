//! The first rows of an answer among all that are offered, in whatever order they come. Pure.
//!
//! Of samples with the same series and time the one that was written later counts. Memory is twice the rows wanted.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::cursor::Cursor;
use crate::model::{Micros, Origin, SeriesId};
use crate::store::journal::BlockOrder;

/// Rows in the order of the answer. Both halves are flipped for newest first, so the place's own order is the answer's.
pub(super) type Place = (i64, u32);

/// Where a sample was met. Of the same sample the greatest of these is the one written last: levels move down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Version {
    Samples,
    Recent { fold: u64 },
    Journal { committed_at: Micros, origin: Origin, sequence: u64, part: i16 },
}

/// What rows are wanted, and how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) order: BlockOrder,
    /// Both ends included.
    pub(super) from: Micros,
    pub(super) to: Micros,
    pub(super) cursor: Option<Cursor>,
    pub(super) rows_max: usize,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    place: Place,
    /// Its place among the versions.
    version: u32,
    value: f64,
}

#[derive(Debug)]
pub(super) struct Best {
    wanted: Wanted,
    after: Option<Place>,
    rows: Vec<Row>,
    /// The last row of those that are wanted, once there are as many: what comes behind it is of no use any more.
    last: Option<Place>,
    versions: Vec<Version>,
    numbers: HashMap<Version, u32>,
    offered: u64,
}

/// A row of the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) time: Micros,
    pub(super) series: SeriesId,
    pub(super) value: f64,
}

impl Best {
    /// At most `wanted.rows_max` rows, which is at least one.
    pub(super) fn new(wanted: Wanted) -> Self {
        let after = wanted.cursor.map(|cursor| place(wanted.order, cursor.time, cursor.series));
        Self { wanted, after, rows: Vec::new(), last: None, versions: Vec::new(), numbers: HashMap::new(), offered: 0 }
    }

    pub(super) fn order(&self) -> BlockOrder {
        self.wanted.order
    }

    pub(super) fn rows_max(&self) -> usize {
        self.wanted.rows_max
    }

    /// The times that can still matter, both ends included; they only ever come closer together.
    pub(super) fn range(&self) -> (Micros, Micros) {
        let (mut from, mut to) = (self.wanted.from, self.wanted.to);
        let (cursor, last) = (self.wanted.cursor.map(|cursor| cursor.time), self.last.map(|last| self.time(last)));
        match self.wanted.order {
            BlockOrder::Newest => {
                to = cursor.map_or(to, |cursor| to.min(cursor));
                from = last.map_or(from, |last| from.max(last));
            }
            BlockOrder::Oldest => {
                from = cursor.map_or(from, |cursor| from.max(cursor));
                to = last.map_or(to, |last| to.min(last));
            }
        }
        (from, to)
    }

    /// The last row that is wanted, once there are as many as are wanted: of its time only series on its side of it count.
    pub(super) fn edge(&self) -> Option<(Micros, SeriesId)> {
        self.last.map(|last| unplace(self.wanted.order, last))
    }

    /// How many samples were looked at, wanted or not.
    pub(super) fn offered(&self) -> u64 {
        self.offered
    }

    /// Offers samples of one series.
    pub(super) fn offer(&mut self, version: Version, series: SeriesId, times: &[Micros], values: &[f64]) {
        self.offered += times.len() as u64;
        let (mut from, mut to) = self.range();
        let mut number = None;
        for (&time, &value) in times.iter().zip(values) {
            if time < from || time > to {
                continue;
            }
            let place = place(self.wanted.order, time, series);
            if self.after.is_some_and(|after| place <= after) || self.last.is_some_and(|last| place > last) {
                continue;
            }
            let version = *number.get_or_insert_with(|| self.number(version));
            self.rows.push(Row { place, version, value });
            if self.rows.len() >= 2 * self.wanted.rows_max {
                self.settle();
                (from, to) = self.range();
            }
        }
    }

    /// Puts what was offered in order and lets go of what is behind the rows wanted.
    pub(super) fn settle(&mut self) {
        let versions = &self.versions;
        self.rows.sort_unstable_by_key(|row| (row.place, Reverse(versions[row.version as usize])));
        self.rows.dedup_by_key(|row| row.place);
        self.rows.truncate(self.wanted.rows_max);
        if self.rows.len() == self.wanted.rows_max {
            self.last = self.rows.last().map(|row| row.place);
        }
    }

    /// The same, once it is of use: only then it costs something.
    pub(super) fn settle_when_full(&mut self) {
        if self.last.is_none() && self.rows.len() >= self.wanted.rows_max {
            self.settle();
        }
    }

    /// The rows in order.
    pub(super) fn into_rows(mut self) -> Vec<Chosen> {
        self.settle();
        let order = self.wanted.order;
        let chosen = |row: &Row| {
            let (time, series) = unplace(order, row.place);
            Chosen { time, series, value: row.value }
        };
        self.rows.iter().map(chosen).collect()
    }

    fn number(&mut self, version: Version) -> u32 {
        *self.numbers.entry(version).or_insert_with(|| {
            self.versions.push(version);
            self.versions.len() as u32 - 1
        })
    }

    fn time(&self, place: Place) -> Micros {
        unplace(self.wanted.order, place).0
    }
}

fn place(order: BlockOrder, time: Micros, series: SeriesId) -> Place {
    match order {
        BlockOrder::Newest => (!time.0, !series.0),
        BlockOrder::Oldest => (time.0, series.0),
    }
}

fn unplace(order: BlockOrder, place: Place) -> (Micros, SeriesId) {
    match order {
        BlockOrder::Newest => (Micros(!place.0), SeriesId(!place.1)),
        BlockOrder::Oldest => (Micros(place.0), SeriesId(place.1)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn version() -> impl Strategy<Value = Version> {
        let journal = |(committed_at, part)| Version::Journal {
            committed_at: Micros(committed_at),
            origin: Origin::default(),
            sequence: 1,
            part,
        };
        prop_oneof![
            Just(Version::Samples),
            (0_u64..3).prop_map(|fold| Version::Recent { fold }),
            (0_i64..3, 0_i16..2).prop_map(journal),
        ]
    }

    proptest! {
        #[test]
        fn what_stays_is_the_beginning_of_a_sorted_map(
            offers in prop::collection::vec((version(), 0_u32..3, prop::collection::btree_set(0_i64..20, 0..20)), 0..30),
            rows_max in 1_usize..30, is_newest in any::<bool>(), (from, to) in (0_i64..20, 0_i64..20),
            cursor in prop::option::of((0_i64..20, 0_u32..3)),
        ) {
            let order = if is_newest { BlockOrder::Newest } else { BlockOrder::Oldest };
            let cursor = cursor.map(|(time, series)| Cursor { time: Micros(time), series: SeriesId(series) });
            let mut best = Best::new(Wanted { order, from: Micros(from), to: Micros(to), cursor, rows_max });
            let mut model: BTreeMap<(i64, u32), (Version, f64)> = BTreeMap::new();
            for (version, series, times) in offers {
                let times: Vec<Micros> = times.into_iter().map(Micros).collect();
                // What was written last is one and the same sample wherever it is met.
                let value = |time: Micros| (time.0 + i64::from(series)) as f64 + f64::from(format!("{version:?}").len() as u32);
                let values: Vec<f64> = times.iter().map(|time| value(*time)).collect();
                best.offer(version, SeriesId(series), &times, &values);
                for (time, value) in times.iter().zip(values) {
                    let row = model.entry((time.0, series)).or_insert((version, value));
                    if version > row.0 {
                        *row = (version, value);
                    }
                }
            }
            let mut expected: Vec<_> = model.into_iter().map(|((time, series), (_, value))| (time, series, value)).collect();
            expected.retain(|(time, _, _)| (from..=to).contains(time));
            if is_newest {
                expected.reverse();
            }
            if let Some(cursor) = cursor {
                let of = |time, series| place(order, Micros(time), SeriesId(series));
                expected.retain(|(time, series, _)| of(*time, *series) > place(order, cursor.time, cursor.series));
            }
            expected.truncate(rows_max);
            let rows: Vec<_> = best.into_rows().iter().map(|row| (row.time.0, row.series.0, row.value)).collect();
            prop_assert_eq!(rows, expected);
        }
    }
}
