//! Rules judged over samples: how each rule stands with each series it watches, and what happens to it. Pure: no I/O, no
//! clock and no thread; what time it is is handed in.
//!
//! A rule and a series make an instance, which lives from the first sample of the series until the rule no longer watches
//! it. Samples are judged in the order of their times, each once. What depends on the server's clock (absence, reminders,
//! the end of flapping) is found by [`Judge::tick`], by an agenda of what is due.
//!
//! Whoever takes over puts the rules, restores the states that are stored, says when series were last heard of
//! ([`Judge::heard`]), fills the windows ([`Judge::remember`]) and judges what was committed since
//! ([`Judge::judge_stored`]): from then on it finds what the one before it would have found. A series nobody has said
//! anything of is not missed: its absence counts from when it is first heard of.

mod condition; // one value: met, over, or neither
mod window; // the last samples put together
mod standing; // what firing and being over mean
mod instance; // one rule and one series
mod rulebook; // the rules, and which series each watches
mod watched; // the series that are watched
mod doubts; // what may not be watched any more
mod change; // what the judge takes and finds
mod trial; // a rule over stored samples, to see what it would have done
#[cfg(test)]
mod tests;

use std::sync::Arc;

use uuid::Uuid;

pub use self::change::{Change, Reading, Sizes, Step};
use self::doubts::Doubts;
pub use self::rulebook::Full;
use self::rulebook::{RuleNumber, Rulebook};
pub use self::trial::Trial;
use self::watched::{Agenda, Entry, Found, OfSeries, Place, Watched};
use self::window::{Room, WINDOWS_BYTES_MAX};
use super::rule::{Condition, NoData, Rule};
use crate::model::alert::{RuleId, State};
use crate::model::{Committed, Micros, SeriesDirectory, SeriesId};

/// Most pairs of a rule and a series that are judged. Further ones are not, and are counted.
const INSTANCES_MAX: usize = 1 << 20;
/// What one tick finds at most; the rest is still due with the next.
const TICK_CHANGES_MAX: usize = 10_000;

#[derive(Debug)]
pub struct Judge {
    directory: DirectoryRef,
    book: Rulebook,
    watched: Watched,
    agenda: Agenda,
    room: Room,
    instances: usize,
    instances_max: usize,
    unjudged: u64,
    doubts: Doubts,
    watching: Vec<RuleNumber>,
}

struct DirectoryRef(Arc<dyn SeriesDirectory>);

impl std::fmt::Debug for DirectoryRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SeriesDirectory")
    }
}

impl Judge {
    pub fn new(directory: Arc<dyn SeriesDirectory>) -> Self {
        Self::with_bounds(directory, INSTANCES_MAX, WINDOWS_BYTES_MAX)
    }

    fn with_bounds(directory: Arc<dyn SeriesDirectory>, instances_max: usize, window_bytes_max: usize) -> Self {
        Self {
            book: Rulebook::new(Arc::clone(&directory)),
            directory: DirectoryRef(directory),
            watched: Watched::default(),
            agenda: Agenda::default(),
            room: Room::new(window_bytes_max),
            instances: 0,
            instances_max,
            unjudged: 0,
            doubts: Doubts::default(),
            watching: Vec::new(),
        }
    }

    /// A new rule, or a new version of one. Series that it still watches stand as they stood, and are judged by it from
    /// the next sample on; what it no longer watches is ended by the next [`Judge::tick`]. It watches nothing new before
    /// [`Judge::match_some`] has come to its end.
    ///
    /// # Errors
    /// When there are too many rules. Then it is not judged at all, and an older version of it goes on.
    pub fn put_rule(&mut self, rule: Arc<Rule>) -> Result<(), Full> {
        let number = self.book.put(rule)?;
        self.doubts.rule(number);
        Ok(())
    }

    /// Forgets a rule and how it stood. What is stored of it is for the caller to end.
    pub fn remove_rule(&mut self, id: RuleId) {
        if let Some(number) = self.book.remove(id) {
            self.doubts.rule(number);
        }
    }

    /// A slice of matching rules against the known series. Returns whether nothing is left; to be called again before or
    /// after the next samples otherwise.
    pub fn match_some(&mut self) -> bool {
        self.book.match_some()
    }

    /// Takes over how rules stood. Those of rules that are not known are passed over.
    pub fn restore(&mut self, states: Vec<State>) {
        for state in states {
            let number = self.book.number(state.rule);
            let series = state.series.and_then(|id| self.directory.0.series(id));
            let (Some(number), Some(series)) = (number, series) else { continue };
            let place = self.watched.add(&series);
            // Perhaps it was not watched any more when it was stored.
            self.doubts.rule(number);
            if self.watched.at(place).entry(number).is_none() && !self.add(place, number) {
                continue;
            }
            if let Some(entry) = self.watched.at(place).entry(number) {
                entry.instance.restore(state);
            }
            self.schedule(place, number);
        }
    }

    /// When the series was last heard of, by the server's clock, for those who take over.
    pub fn heard(&mut self, series: SeriesId, at: Micros) {
        let Some(place) = self.place(series) else { return };
        let of_series = self.watched.at(place);
        of_series.hear(at);
        let rules: Vec<RuleNumber> = of_series.entries.iter().map(|entry| entry.rule).collect();
        rules.into_iter().for_each(|number| self.schedule(place, number));
    }

    /// Takes a sample into windows that was judged before, so that they are full when the next one comes. In the order of
    /// their times; nothing is judged, and nothing is heard.
    pub fn remember(&mut self, series: SeriesId, time: Micros, value: f64) {
        let Some(place) = self.place(series) else { return };
        let Self { book, watched, room, .. } = self;
        for entry in &mut watched.at(place).entries {
            if let Some(rule) = book.rule(entry.rule) {
                entry.instance.remember(rule, Reading { time, value, received: time }, room);
            }
        }
    }

    /// Somebody knows of it. Returns whether it fires.
    pub fn acknowledge(
        &mut self,
        (rule, series): (RuleId, SeriesId),
        by: &str,
        now: Micros,
        found: &mut Vec<Change>,
    ) -> bool {
        let (number, place) = (self.book.number(rule), self.watched.place(series));
        let (Some(number), Some(place)) = (number, place) else { return false };
        let Some(rule) = self.book.rule(number) else { return false };
        let OfSeries { series: Some(series), entries, .. } = self.watched.at(place) else { return false };
        let Some(entry) = entries.iter_mut().find(|entry| entry.rule == number) else { return false };
        if let Some(step) = entry.instance.acknowledge(by, now) {
            found.extend(Change::new(rule, series, &entry.instance, step));
        }
        let fires = entry.instance.is_firing();
        self.schedule(place, number);
        fires
    }

    /// The owner or the labels of a server changed. Who watches it is looked at anew; what is not watched any more is
    /// ended by the next [`Judge::tick`].
    pub fn unlearn(&mut self, server_id: Uuid) {
        self.book.unlearn(server_id);
        self.doubts.server(server_id);
    }

    /// Judges what was committed.
    pub fn judge(&mut self, flush: &Committed, received: Micros, found: &mut Vec<Change>) {
        let batch = &flush.batch;
        let mut from = 0;
        while let Some(&series) = batch.series.get(from) {
            let samples = batch.series[from..].iter().take_while(|other| **other == series).count();
            let range = from..from + samples;
            from = range.end;
            let Some(place) = self.place(series) else { continue };
            for (time, value) in batch.times[range.clone()].iter().zip(&batch.values[range]) {
                self.judge_at(place, Reading { time: *time, value: *value, received }, found);
            }
        }
    }

    /// Judges a sample that was stored while nobody judged.
    pub fn judge_stored(&mut self, series: SeriesId, reading: Reading, found: &mut Vec<Change>) {
        if let Some(place) = self.place(series) {
            self.judge_at(place, reading, found);
        }
    }

    /// Says what the clock has brought: absence, reminders, the end of flapping, and of what is not watched any more.
    /// At most `TICK_CHANGES_MAX` at one time.
    pub fn tick(&mut self, now: Micros, found: &mut Vec<Change>) {
        let found_max = found.len() + TICK_CHANGES_MAX;
        self.settle_doubts(now, found_max, found);
        while found.len() < found_max
            && let Some((place, number)) = self.agenda.next(now)
        {
            let (OfSeries { series, heard, entries }, rule) = (self.watched.at(place), self.book.rule(number));
            let entry = entries.iter_mut().find(|entry| entry.rule == number);
            let (Some(series), Some(rule), Some(entry)) = (series, rule, entry) else {
                self.agenda.pop();
                continue;
            };
            if let Some(step) = entry.instance.tick(rule, now, *heard) {
                found.extend(Change::new(rule, series, &entry.instance, step));
            }
            let due = entry.instance.due(rule, *heard);
            self.agenda.put(place, entry, due);
        }
    }

    /// The rules it knows.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.book.rules()
    }

    pub fn sizes(&self) -> Sizes {
        Sizes {
            rules: self.book.len(),
            instances: self.instances,
            window_bytes: self.room.used_bytes(),
            unjudged: self.unjudged,
        }
    }

    /// How often the rule could not judge a series it watches, or a sample of one, because there was no room for it.
    pub fn unjudged(&self, id: RuleId) -> u64 {
        self.book.number(id).map_or(0, |number| self.book.unjudged(number))
    }

    #[inline]
    fn place(&mut self, id: SeriesId) -> Option<Place> {
        match self.watched.find(id, self.book.revision()) {
            Found::At(place) => Some(place),
            Found::Unwatched => None,
            Found::Unknown => self.look_up(id),
        }
    }

    /// Finds out which rules watch a series.
    #[cold]
    fn look_up(&mut self, id: SeriesId) -> Option<Place> {
        let mut watching = std::mem::take(&mut self.watching);
        let is_known = self.book.watching(id, &mut watching).is_some();
        if is_known {
            watching.sort_unstable();
            self.enlist(id, &watching);
        }
        self.watching = watching;
        self.watched.place(id).filter(|_| is_known)
    }

    fn enlist(&mut self, id: SeriesId, watching: &[RuleNumber]) {
        let place = self.watched.place(id).or_else(|| {
            let series = (!watching.is_empty()).then(|| self.directory.0.series(id))??;
            Some(self.watched.add(&series))
        });
        if let Some(place) = place {
            let entries = &mut self.watched.at(place).entries;
            entries.iter_mut().for_each(|entry| entry.is_watched = watching.binary_search(&entry.rule).is_ok());
            let is_new = |number: &&RuleNumber| entries.binary_search_by_key(*number, |entry| entry.rule).is_err();
            let new: Vec<RuleNumber> = watching.iter().filter(is_new).copied().collect();
            entries.reserve_exact(new.len());
            for number in new {
                self.add(place, number);
            }
            self.watched.free_unwatched(place);
        }
        self.watched.settle(id, self.book.revision());
    }

    /// Returns whether there was room for it.
    fn add(&mut self, place: Place, number: RuleNumber) -> bool {
        let has_room = self.instances < self.instances_max;
        if has_room {
            self.instances += 1;
            self.watched.at(place).add(Entry::new(number));
        } else {
            self.unjudged += 1;
            self.book.count_unjudged(number);
        }
        has_room
    }

    fn judge_at(&mut self, place: Place, reading: Reading, found: &mut Vec<Change>) {
        let Self { book, watched, agenda, room, unjudged, .. } = self;
        let OfSeries { series: Some(series), heard, entries } = watched.at(place) else { return };
        *heard = (*heard).max(Some(reading.received));
        for entry in entries.iter_mut().filter(|entry| entry.is_watched) {
            let Some(rule) = book.rule(entry.rule) else { continue };
            match entry.instance.sample(rule, reading, room) {
                Ok(Some(step)) => {
                    found.extend(Change::new(rule, series, &entry.instance, step));
                    let due = entry.instance.due(rule, *heard);
                    agenda.put(place, entry, due);
                }
                // Whatever was due becomes due later by this, which is seen when its time comes.
                Ok(None) if entry.is_on_agenda() || !listens(rule) => {}
                Ok(None) => {
                    let due = entry.instance.due(rule, *heard);
                    agenda.put(place, entry, due);
                }
                Err(_) => {
                    *unjudged += 1;
                    book.count_unjudged(entry.rule);
                }
            }
        }
    }

    fn schedule(&mut self, place: Place, number: RuleNumber) {
        let (rule, of_series) = (self.book.rule(number), self.watched.at(place));
        let heard = of_series.heard;
        if let (Some(rule), Some(entry)) = (rule, of_series.entry(number)) {
            let due = entry.instance.due(rule, heard);
            self.agenda.put(place, entry, due);
        }
    }
}

/// Whether it matters to the rule when a series was last heard of.
fn listens(rule: &Rule) -> bool {
    matches!(rule.condition, Condition::Absent { .. }) || rule.no_data != NoData::Keep
}
