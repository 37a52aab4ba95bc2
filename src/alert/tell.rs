//! From changes to what is written of them: states, the history, and who is told. Pure; the time is handed in.
//!
//! Everybody gets one message for one look, however many alerts changed in it. A rule's recipients must be its owner's:
//! what another person is told is theirs to say.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::judge::Change;
use super::notice::{Body, Told};
use super::rule::Rule;
use super::silence::{Silence, Subject, is_silent};
use super::words;
use crate::model::alert::{Event, Happened, RecipientId, Source};
use crate::model::{Micros, Reach, ServerKey, UserId, Whose};
use crate::store::alerts::{Finding, NoticeRow};

/// Most alerts spelt out in one message; the others are counted.
const ALERTS_OF_NOTICE_MAX: usize = 50;

/// Who is told, and when nobody is.
#[derive(Debug, Default)]
pub(super) struct Audience {
    /// By whose alerts they are told of; nobody's are the fleet's.
    recipients: HashMap<Option<UserId>, Vec<RecipientId>>,
    owners: HashMap<RecipientId, Option<UserId>>,
    silences: Vec<Silence>,
}

/// What is known beside the changes.
pub(super) struct Look<'a> {
    pub(super) audience: &'a Audience,
    pub(super) hosts: &'a HashMap<ServerKey, String>,
    pub(super) is_within: &'a dyn Fn(Uuid, &Reach) -> bool,
    pub(super) now: Micros,
}

impl Audience {
    pub(super) fn new(recipients: &[(RecipientId, Option<UserId>)], silences: Vec<Silence>) -> Self {
        let mut of_owners: HashMap<_, Vec<_>> = HashMap::new();
        for (recipient, owner) in recipients {
            of_owners.entry(*owner).or_default().push(*recipient);
        }
        Self { recipients: of_owners, owners: recipients.iter().copied().collect(), silences }
    }

    fn of(&self, rule: &Rule) -> Vec<RecipientId> {
        let owner = owner(rule);
        if rule.recipients.is_empty() {
            return self.recipients.get(&owner).cloned().unwrap_or_default();
        }
        let is_theirs = |recipient: &RecipientId| self.owners.get(recipient) == Some(&owner);
        rule.recipients.iter().copied().filter(is_theirs).collect()
    }
}

impl Look<'_> {
    /// All that follows from the changes.
    pub(super) fn finding(&self, changes: &[Change]) -> Finding {
        let mut finding = Finding::default();
        let mut told: BTreeMap<RecipientId, Vec<(usize, &Change)>> = BTreeMap::new();
        for change in changes {
            finding.states.push(change.state.clone());
            // Whoever acknowledges has written it down already.
            let Some(happened) = change.happened.filter(|happened| *happened != Happened::Acknowledged) else {
                continue;
            };
            let place = finding.events.len();
            finding.events.push(self.event(change, happened));
            if change.tells && !self.is_silent(change) {
                for recipient in self.audience.of(&change.rule) {
                    told.entry(recipient).or_default().push((place, change));
                }
            }
        }
        finding.notices = told.into_iter().map(|(recipient, of)| self.notice(recipient, &of)).collect();
        // Of two states of one rule and series the later one holds.
        let mut last: HashMap<_, usize> = HashMap::new();
        for (place, state) in finding.states.iter().enumerate() {
            last.insert((state.rule, state.series), place);
        }
        let mut place = 0;
        finding.states.retain(|state| {
            place += 1;
            last.get(&(state.rule, state.series)) == Some(&(place - 1))
        });
        finding
    }

    fn event(&self, change: &Change, happened: Happened) -> Event {
        let Change { rule, series, .. } = change;
        let host = self.host(change);
        Event {
            at: self.now,
            owner: owner(rule),
            source: Source::Rule(rule.id),
            server: Some((series.server, series.server_id)),
            series: Some(series.id),
            happened,
            severity: rule.severity,
            title: words::title(rule, series, host, happened, change.value),
            sample_time: change.sample_time,
            value: change.value,
            details: match json!({
                "rule": rule.name, "condition": words::condition(rule), "hostname": host,
                "metric_type": series.identity.metric_type(), "metric_name": series.identity.metric_name(),
                "labels": labels(change),
            }) {
                Value::Object(details) => details,
                _ => Map::new(),
            },
        }
    }

    fn notice(&self, recipient: RecipientId, changes: &[(usize, &Change)]) -> NoticeRow {
        let listed = &changes[..changes.len().min(ALERTS_OF_NOTICE_MAX)];
        let alerts = listed.iter().map(|(_, change)| self.told(change)).collect();
        let body = Body::Alerts { alerts, more: (changes.len() - listed.len()) as u64 };
        let event = if let [(place, _)] = changes { Some(*place) } else { None };
        // Plain texts and numbers are always JSON.
        NoticeRow { to: Ok(recipient), event, body: serde_json::to_value(&body).unwrap_or_default() }
    }

    fn told(&self, change: &Change) -> Told {
        let Change { rule, series, .. } = change;
        let (host, happened) = (self.host(change), change.happened.unwrap_or(Happened::Firing));
        let at = change.sample_time.unwrap_or(self.now);
        Told {
            change: happened.name().to_owned(),
            rule_id: rule.id.0,
            rule: rule.name.clone(),
            severity: rule.severity.name().to_owned(),
            title: words::title(rule, series, host, happened, change.value),
            server_id: Some(series.server_id),
            hostname: host.to_owned(),
            metric_type: series.identity.metric_type().to_owned(),
            metric_name: series.identity.metric_name().to_owned(),
            labels: labels(change),
            value: change.value,
            condition: words::condition(rule),
            at: at.to_string(),
            notes: rule.notes.clone(),
        }
    }

    /// A server that was deleted a moment ago has no name any more.
    fn host(&self, change: &Change) -> &str {
        self.hosts.get(&change.series.server).map_or("a deleted server", String::as_str)
    }

    fn is_silent(&self, change: &Change) -> bool {
        let subject = Subject { rule: Some(change.rule.id), severity: change.rule.severity };
        let server = change.series.server_id;
        is_silent(&self.audience.silences, subject, self.now, |reach| (self.is_within)(server, reach))
    }
}

/// The person whose servers the rule watches; without one it watches the fleet.
pub(super) fn owner(rule: &Rule) -> Option<UserId> {
    match rule.reach.whose {
        Whose::Some { owner, .. } => owner,
        Whose::Everyones => None,
    }
}

fn labels(change: &Change) -> Map<String, Value> {
    let labels = change.series.identity.labels().iter();
    labels.map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

#[cfg(test)]
mod tests;
