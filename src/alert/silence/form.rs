//! Silences as JSON: what the API takes and shows, and what is stored. Everything that is wrong is told at once.
//!
//! ```json
//! {"comment": "moving the rack", "matcher": {"rules": [1], "servers": [], "severities": ["info", "warning"],
//!  "server_labels": {"rack": "7"}}, "starts_at": "2026-11-20T20:00:00Z", "ends_at": null,
//!  "weekly": {"timezone": "Europe/Berlin", "days": ["mon", "tue"], "from": "22:00", "to": "06:00"}}
//! ```

use std::collections::BTreeSet;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Matcher, Silence, Weekly};
use crate::alert::definition::Fault;
use crate::model::alert::{RuleId, Severity};
use crate::model::{Labels, Micros, Reach};

const COMMENT_BYTES_MAX: usize = 4_096;
/// Rules or servers that one silence may list.
const MEMBERS_MAX: usize = 1_000;
const ZONE_BYTES_MAX: usize = 64;
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The JSON form. Unknown members are refused: a misspelt condition would silence more than was meant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SilenceForm {
    pub comment: String,
    pub matcher: MatcherForm,
    /// RFC 3339; missing: at once.
    pub starts_at: Option<String>,
    /// Missing: for good.
    pub ends_at: Option<String>,
    pub weekly: Option<WeeklyForm>,
}

/// Nothing listed: any.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatcherForm {
    pub rules: Vec<i64>,
    pub servers: Vec<Uuid>,
    pub severities: Vec<String>,
    pub server_labels: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeeklyForm {
    /// A name of the time zone database, such as `Europe/Berlin`.
    pub timezone: String,
    /// `mon` to `sun`: the days that the hours begin on.
    pub days: Vec<String>,
    /// `22:00`.
    pub from: String,
    pub to: String,
}

impl SilenceForm {
    /// The silence it defines, of the servers of `whose`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn silence(&self, whose: Reach, now: Micros) -> Result<Silence, Vec<Fault>> {
        let mut faults = Faults(Vec::new());
        if self.comment.len() > COMMENT_BYTES_MAX || self.comment.contains('\0') {
            faults.note("comment", format!("is a text of at most {COMMENT_BYTES_MAX} bytes without NUL"));
        }
        let matcher = self.matcher.read(whose, &mut faults);
        let starts_at = time(&mut faults, "starts_at", self.starts_at.as_deref()).unwrap_or(now);
        let ends_at = time(&mut faults, "ends_at", self.ends_at.as_deref());
        if ends_at.is_some_and(|end| end <= starts_at) {
            faults.note("ends_at", "is after starts_at");
        }
        let weekly = self.weekly.as_ref().and_then(|weekly| weekly.read(&mut faults));
        match (matcher, faults.0.is_empty()) {
            (Some(matcher), true) => Ok(Silence { matcher, starts_at, ends_at, weekly }),
            _ => Err(faults.0),
        }
    }
}

impl MatcherForm {
    fn read(&self, whose: Reach, faults: &mut Faults) -> Option<Matcher> {
        if self.rules.len() > MEMBERS_MAX {
            faults.note("matcher.rules", format!("lists at most {MEMBERS_MAX}"));
        }
        if self.servers.len() > MEMBERS_MAX {
            faults.note("matcher.servers", format!("lists at most {MEMBERS_MAX}"));
        }
        let severities: Option<Vec<Severity>> = self.severities.iter().map(|name| Severity::parse(name)).collect();
        if severities.is_none() {
            faults.note("matcher.severities", "lists critical, warning and info");
        }
        let pair = |(name, value): (&String, &Value)| Some((name.as_str().into(), value.as_str()?.into()));
        let labels: Option<Vec<_>> = self.server_labels.iter().map(pair).collect();
        let labels = labels.and_then(|pairs| Labels::new(pairs).ok());
        if labels.is_none() {
            faults.note("matcher.server_labels", "is an object of texts, within the bounds of labels");
        }
        let mut servers = Reach { labels: labels?, ..whose };
        if !self.servers.is_empty() {
            servers = servers.only(self.servers.iter().copied().collect::<BTreeSet<_>>());
        }
        Some(Matcher { rules: self.rules.iter().copied().map(RuleId).collect(), severities: severities?, servers })
    }
}

impl WeeklyForm {
    fn read(&self, faults: &mut Faults) -> Option<Weekly> {
        let zone = Some(self.timezone.as_str()).filter(|name| name.len() <= ZONE_BYTES_MAX);
        let zone = zone.and_then(|name| TimeZone::get(name).ok());
        if zone.is_none() {
            faults.note("weekly.timezone", "is a name of the time zone database, such as Europe/Berlin");
        }
        let day = |name: &String| DAYS.iter().find(|(known, _)| known == name).map(|(_, day)| *day);
        let days: Option<Vec<Weekday>> = self.days.iter().take(DAYS.len() + 1).map(day).collect();
        let days = days.filter(|days| (1..=DAYS.len()).contains(&days.len()));
        if days.is_none() {
            faults.note("weekly.days", "lists one to seven of mon, tue, wed, thu, fri, sat, sun");
        }
        let from = hour(faults, "weekly.from", &self.from);
        let to = hour(faults, "weekly.to", &self.to);
        Some(Weekly { zone: zone?, days: days?, from: from?, to: to? })
    }
}

/// What is wrong so far.
struct Faults(Vec<Fault>);

impl Faults {
    fn note(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(Fault { field: field.to_owned(), message: message.into() });
    }
}

fn time(faults: &mut Faults, field: &str, text: Option<&str>) -> Option<Micros> {
    let text = text?;
    let time = Micros::parse_rfc3339(text.as_bytes());
    if time.is_none() {
        faults.note(field, "is an RFC 3339 time");
    }
    time
}

/// `HH:MM`; `24:00` is the midnight that the day ends with.
fn hour(faults: &mut Faults, field: &str, text: &str) -> Option<Time> {
    let number = |digits: &str| Some(digits).filter(|digits| digits.len() == 2)?.parse::<i8>().ok();
    let parts = text.split_once(':').and_then(|(hour, minute)| Some((number(hour)?, number(minute)?)));
    let time = match parts {
        Some((24, 0)) => Some(Time::midnight()),
        Some((hour, minute)) => Time::new(hour, minute, 0, 0).ok(),
        None => None,
    };
    if time.is_none() {
        faults.note(field, "is a time of day such as 22:00");
    }
    time
}
