//! What may not be watched any more, because a rule or a server changed: ended with the next tick, since it is then that
//! there is a time to end it at. Pure.

use std::collections::HashSet;

use uuid::Uuid;

use super::rulebook::RuleNumber;
use super::watched::{OfSeries, Place};
use super::{Change, Judge};
use crate::model::Micros;

/// Rules and servers of which it is to be looked at anew what is watched.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    rules: HashSet<RuleNumber>,
    servers: HashSet<Uuid>,
    /// How far that has come.
    next: Place,
}

impl Doubts {
    pub(super) fn rule(&mut self, number: RuleNumber) {
        self.rules.insert(number);
        self.next = 0;
    }

    pub(super) fn server(&mut self, server_id: Uuid) {
        self.servers.insert(server_id);
        self.next = 0;
    }
}

impl Judge {
    /// Ends what rules do not watch any more, and sees anew when the others are due. Stops where `found` is full.
    pub(super) fn settle_doubts(&mut self, now: Micros, found_max: usize, found: &mut Vec<Change>) {
        if self.doubts.rules.is_empty() && self.doubts.servers.is_empty() {
            return;
        }
        while self.doubts.next < self.watched.places() {
            if found.len() >= found_max {
                return;
            }
            self.settle_at(self.doubts.next, now, found);
            self.doubts.next += 1;
        }
        self.doubts.servers.clear();
        let Self { doubts, book, .. } = self;
        doubts.rules.drain().for_each(|number| book.release(number));
    }

    fn settle_at(&mut self, place: Place, now: Micros, found: &mut Vec<Change>) {
        let Self { directory, book, watched, agenda, room, instances, doubts, .. } = self;
        let OfSeries { series: Some(series), heard, entries } = watched.at(place) else { return };
        let is_of_doubtful_server = doubts.servers.contains(&series.server_id);
        let before = entries.len();
        entries.retain_mut(|entry| {
            if !is_of_doubtful_server && !doubts.rules.contains(&entry.rule) {
                return true;
            }
            let rule = book.rule(entry.rule);
            if let Some(rule) = rule.filter(|rule| rule.filter.admits(series, directory.0.as_ref())) {
                let due = entry.instance.due(rule, *heard);
                agenda.put(place, entry, due);
                return true;
            }
            agenda.strike(place, entry);
            let step = entry.instance.abandon(now, room);
            if let (Some(rule), Some(step)) = (rule, step) {
                found.extend(Change::new(rule, series, &entry.instance, step));
            }
            false
        });
        let ended = before - entries.len();
        *instances -= ended;
        if ended > 0 {
            watched.free_unwatched(place);
            book.look_again();
        }
    }
}
