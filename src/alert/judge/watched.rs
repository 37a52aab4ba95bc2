//! The series that rules watch, with how each rule stands with each: found by one look-up in an array. Pure.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::instance::Instance;
use super::rulebook::RuleNumber;
use crate::model::{Micros, Series, SeriesId};

/// Series with this number and above are looked up in a map: 8 bytes for each below it, 64 MiB at most.
const LISTED_SERIES_MAX: usize = 8 << 20;
const NOWHERE: u32 = u32::MAX;
const NEVER: Micros = Micros(i64::MAX);

/// Where a series stands in the table.
pub(super) type Place = u32;

#[derive(Debug, Default)]
pub(super) struct Watched {
    lookup: Vec<Lookup>,
    beyond: HashMap<SeriesId, Place>,
    of_series: Vec<OfSeries>,
    free: Vec<Place>,
}

/// What is known of a series by its number: whether it is watched, as of some revision of the rules.
#[derive(Clone, Copy, Debug)]
struct Lookup {
    revision: u32,
    place: Place,
}

#[derive(Debug)]
pub(super) struct OfSeries {
    /// `None` where the place is free.
    pub(super) series: Option<Arc<Series>>,
    /// When its last sample came.
    pub(super) heard: Option<Micros>,
    /// Sorted by rule.
    pub(super) entries: Vec<Entry>,
}

/// How a rule stands with the series.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) rule: RuleNumber,
    /// False while it is not known whether the rule still watches it.
    pub(super) is_watched: bool,
    /// Its place in the agenda, which is never after what is due.
    due: Micros,
    pub(super) instance: Instance,
}

/// What is to be looked at when.
#[derive(Debug, Default)]
pub(super) struct Agenda(BTreeSet<(Micros, Place, RuleNumber)>);

/// What the table knows of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    At(Place),
    Unwatched,
    /// The rules have changed since it was looked up.
    Unknown,
}

impl Watched {
    #[inline]
    pub(super) fn find(&self, id: SeriesId, revision: u32) -> Found {
        match self.lookup.get(id.0 as usize) {
            Some(lookup) if lookup.revision != revision => Found::Unknown,
            Some(lookup) if lookup.place == NOWHERE => Found::Unwatched,
            Some(lookup) => Found::At(lookup.place),
            None => Found::Unknown,
        }
    }

    /// Where it stands, whatever the rules are now.
    pub(super) fn place(&self, id: SeriesId) -> Option<Place> {
        match self.lookup.get(id.0 as usize) {
            Some(lookup) => Some(lookup.place).filter(|place| *place != NOWHERE),
            None => self.beyond.get(&id).copied(),
        }
    }

    /// Its place, made for it if it has none.
    pub(super) fn add(&mut self, series: &Arc<Series>) -> Place {
        if let Some(place) = self.place(series.id) {
            return place;
        }
        let of_series = OfSeries { series: Some(Arc::clone(series)), heard: None, entries: Vec::new() };
        let place = match self.free.pop() {
            Some(place) => {
                self.of_series[place as usize] = of_series;
                place
            }
            None => {
                self.of_series.push(of_series);
                self.of_series.len() as Place - 1
            }
        };
        self.put(series.id, Lookup { revision: 0, place });
        place
    }

    /// As of this revision its rules are known.
    pub(super) fn settle(&mut self, id: SeriesId, revision: u32) {
        let place = self.place(id).unwrap_or(NOWHERE);
        self.put(id, Lookup { revision, place });
    }

    pub(super) fn at(&mut self, place: Place) -> &mut OfSeries {
        &mut self.of_series[place as usize]
    }

    /// How many places there are, free ones included.
    pub(super) fn places(&self) -> Place {
        self.of_series.len() as Place
    }

    /// Gives the place away if no rule watches its series.
    pub(super) fn free_unwatched(&mut self, place: Place) {
        let of_series = &mut self.of_series[place as usize];
        if !of_series.entries.is_empty() {
            return;
        }
        let Some(series) = of_series.series.take() else { return };
        of_series.entries = Vec::new();
        self.free.push(place);
        match self.lookup.get_mut(series.id.0 as usize) {
            Some(lookup) => *lookup = Lookup { revision: 0, place: NOWHERE },
            None => drop(self.beyond.remove(&series.id)),
        }
    }

    fn put(&mut self, id: SeriesId, lookup: Lookup) {
        let index = id.0 as usize;
        if index >= LISTED_SERIES_MAX {
            if lookup.place != NOWHERE {
                self.beyond.insert(id, lookup.place);
            }
            return;
        }
        if index >= self.lookup.len() {
            self.lookup.resize(index + 1, Lookup { revision: 0, place: NOWHERE });
        }
        self.lookup[index] = lookup;
    }
}

impl OfSeries {
    pub(super) fn entry(&mut self, rule: RuleNumber) -> Option<&mut Entry> {
        let index = self.entries.binary_search_by_key(&rule, |entry| entry.rule).ok()?;
        Some(&mut self.entries[index])
    }

    pub(super) fn add(&mut self, entry: Entry) {
        let index = self.entries.partition_point(|other| other.rule < entry.rule);
        self.entries.insert(index, entry);
    }

    pub(super) fn hear(&mut self, at: Micros) {
        self.heard = self.heard.max(Some(at));
    }
}

impl Entry {
    pub(super) fn new(rule: RuleNumber) -> Self {
        Self { rule, is_watched: true, due: NEVER, instance: Instance::new() }
    }

    pub(super) fn is_on_agenda(&self) -> bool {
        self.due != NEVER
    }
}

impl Agenda {
    pub(super) fn put(&mut self, place: Place, entry: &mut Entry, due: Option<Micros>) {
        let due = due.unwrap_or(NEVER);
        if due == entry.due {
            return;
        }
        self.strike(place, entry);
        if due != NEVER {
            self.0.insert((due, place, entry.rule));
        }
        entry.due = due;
    }

    pub(super) fn strike(&mut self, place: Place, entry: &mut Entry) {
        if entry.is_on_agenda() {
            self.0.remove(&(entry.due, place, entry.rule));
            entry.due = NEVER;
        }
    }

    pub(super) fn pop(&mut self) {
        self.0.pop_first();
    }

    /// What is due first, if it is due by `now`.
    pub(super) fn next(&self, now: Micros) -> Option<(Place, RuleNumber)> {
        self.0.first().filter(|(due, ..)| *due <= now).map(|(_, place, rule)| (*place, *rule))
    }
}
