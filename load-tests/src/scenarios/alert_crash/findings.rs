//! What was crossed, what was told and what the history has, side by side. Pure.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;
use uuid::Uuid;

use crate::alerting::{self, Event};
use crate::receiver::Told;

/// A repeat comes of a death between telling and writing down that it was told.
const TOLD_MAX: u32 = 2;

/// What one series was sent, all of it acknowledged but perhaps the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Series {
    pub(super) server: Uuid,
    /// Numbers from 1 to this were acknowledged.
    pub(super) acknowledged: u32,
    /// The next one was sent and given up; it may be there or not.
    pub(super) is_open: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Findings {
    pub(super) crossings: u64,
    pub(super) told_once: u64,
    pub(super) told_twice: u64,
    pub(super) told_more_often: u64,
    /// In a notice that spelt out others and only counted these, as it does where very many come together.
    pub(super) told_as_a_number: u64,
    pub(super) never_told: u64,
    pub(super) in_history_once: u64,
    pub(super) in_history_more_often: u64,
    pub(super) not_in_history: u64,
    /// Told or in the history without having been sent.
    pub(super) foreign: u64,
}

type Key<'a> = (Uuid, u64, &'a str);

impl Findings {
    /// `unlisted`: how many were counted in notices without being spelt out.
    pub(super) fn of(series: &[Series], (told, unlisted): (&[Told], u64), history: &[Event]) -> Self {
        let told = counted(told.iter().map(|told| (told.server, told.value.to_bits(), told.change.as_str())));
        let nobody = Uuid::nil();
        let history = counted(history.iter().map(|event| {
            let value = event.value.unwrap_or(f64::NAN);
            (event.server_id.unwrap_or(nobody), value.to_bits(), event.change.as_str())
        }));
        let mut findings = Self::default();
        let mut known = 0;
        for Series { server, acknowledged, is_open } in series {
            for number in 1..=acknowledged + u32::from(*is_open) {
                let key = key(*server, number);
                let (told, entries) = (told.get(&key).copied(), history.get(&key).copied());
                known += u64::from(told.is_some()) + u64::from(entries.is_some());
                let may_be_missing = number > *acknowledged;
                findings.add(told.unwrap_or(0), entries.unwrap_or(0), may_be_missing);
            }
        }
        findings.told_as_a_number = findings.never_told.min(unlisted);
        findings.never_told -= findings.told_as_a_number;
        findings.foreign = (told.len() + history.len()) as u64 - known;
        findings
    }

    fn add(&mut self, told: u32, entries: u32, may_be_missing: bool) {
        if may_be_missing && told == 0 && entries == 0 {
            return;
        }
        self.crossings += 1;
        let of_told = match told {
            0 => &mut self.never_told,
            1 => &mut self.told_once,
            2..=TOLD_MAX => &mut self.told_twice,
            _ => &mut self.told_more_often,
        };
        *of_told += 1;
        let of_history = match entries {
            0 => &mut self.not_in_history,
            1 => &mut self.in_history_once,
            _ => &mut self.in_history_more_often,
        };
        *of_history += 1;
    }

    /// Nothing more is to come.
    pub(super) fn is_complete(&self) -> bool {
        self.never_told + self.not_in_history == 0
    }

    /// For the eye.
    pub(super) fn counts(&self) -> [(&'static str, u64); 10] {
        [
            ("acknowledged crossings", self.crossings),
            ("told once", self.told_once),
            ("told twice", self.told_twice),
            ("told more often", self.told_more_often),
            ("told as a number", self.told_as_a_number),
            ("never told", self.never_told),
            ("in the history once", self.in_history_once),
            ("in the history more often", self.in_history_more_often),
            ("not in the history", self.not_in_history),
            ("told or written, not sent", self.foreign),
        ]
    }

    pub(super) fn failures(&self) -> Vec<String> {
        let all = [
            (self.never_told, "were never told"),
            (self.told_more_often, "were told more than twice"),
            (self.not_in_history, "are not in the history"),
            (self.in_history_more_often, "are in the history more than once"),
            (self.foreign, "were told or written that were not sent"),
        ];
        let broken = all.into_iter().filter(|(count, _)| *count > 0);
        broken.map(|(count, what)| format!("{count} crossings {what}")).collect()
    }
}

fn key(server: Uuid, number: u32) -> Key<'static> {
    (server, alerting::crossing_value(number).to_bits(), alerting::change_name(number))
}

fn counted<K: Eq + Hash>(keys: impl Iterator<Item = K>) -> HashMap<K, u32> {
    let mut counts = HashMap::new();
    keys.for_each(|key| *counts.entry(key).or_insert(0) += 1);
    counts
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn told(server: Uuid, number: u32) -> Told {
        let (_, value, change) = key(server, number);
        Told { at: Instant::now(), change: change.to_owned(), server, value: f64::from_bits(value) }
    }

    fn event(server: Uuid, number: u32) -> Event {
        let (_, value, change) = key(server, number);
        Event { change: change.to_owned(), server_id: Some(server), value: Some(f64::from_bits(value)) }
    }

    fn findings(acknowledged: u32, is_open: bool, told_numbers: &[u32], entries: &[u32]) -> Findings {
        let server = Uuid::from_u128(1);
        let told: Vec<Told> = told_numbers.iter().map(|number| told(server, *number)).collect();
        let history: Vec<Event> = entries.iter().map(|number| event(server, *number)).collect();
        Findings::of(&[Series { server, acknowledged, is_open }], (&told, 0), &history)
    }

    #[test]
    fn a_repeat_is_no_failure_and_anything_else_is() {
        let fine = findings(3, false, &[1, 2, 2, 3], &[1, 2, 3]);
        assert_eq!((fine.told_once, fine.told_twice, fine.in_history_once), (2, 1, 3));
        assert!(fine.is_complete() && fine.failures().is_empty());
        for (told, history, sentence) in [
            (&[1, 2][..], &[1, 2, 3][..], "1 crossings were never told"),
            (&[1, 2, 3, 3, 3], &[1, 2, 3], "1 crossings were told more than twice"),
            (&[1, 2, 3], &[1, 3], "1 crossings are not in the history"),
            (&[1, 2, 3], &[1, 2, 2, 3], "1 crossings are in the history more than once"),
            (&[1, 2, 3, 4], &[1, 2, 3], "1 crossings were told or written that were not sent"),
        ] {
            assert_eq!(findings(3, false, told, history).failures(), [sentence]);
        }
    }

    #[test]
    fn what_a_notice_only_counts_is_told_but_no_more_than_that() {
        let series = [Series { server: Uuid::from_u128(1), acknowledged: 3, is_open: false }];
        let findings = Findings::of(&series, (&[], 2), &[]);
        assert_eq!((findings.told_as_a_number, findings.never_told), (2, 1));
    }

    #[test]
    fn what_was_sent_and_not_acknowledged_may_be_there_or_not_but_not_in_part() {
        assert!(findings(1, true, &[1], &[1]).failures().is_empty());
        assert!(findings(1, true, &[1, 2], &[1, 2]).failures().is_empty());
        assert_eq!(findings(1, true, &[1], &[1, 2]).never_told, 1);
    }
}
