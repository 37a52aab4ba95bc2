//! Silences and quiet hours: when people are not told of what. Alerts fire and resolve all the same. Pure: the time is
//! handed in. Must not know who asks, nor where silences are kept.
//!
//! Quiet hours go by what the clock on the wall shows in their time zone: where it is set back, an hour that comes twice
//! is quiet twice; where it is set forward, an hour that is left out is not quiet. Zones are compiled in, so a machine
//! without a time zone database knows them too.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use crate::model::alert::{RuleId, Severity};
use crate::model::{Micros, Reach};

mod form; // silences as JSON, and what is wrong with them

pub use form::{MatcherForm, SilenceForm, WeeklyForm};

/// Nobody is told of what it means while it holds.
#[derive(Clone, Debug)]
pub struct Silence {
    pub matcher: Matcher,
    pub starts_at: Micros,
    /// `None`: for good.
    pub ends_at: Option<Micros>,
    /// `None`: all the time between the two.
    pub weekly: Option<Weekly>,
}

/// Which alerts are meant. All conditions must hold; where nothing is listed any will do.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub rules: Vec<RuleId>,
    pub severities: Vec<Severity>,
    /// The servers, by whose they are, by their ids and by their labels.
    pub servers: Reach,
}

/// Hours of some days, again and again.
#[derive(Clone, Debug)]
pub struct Weekly {
    pub zone: TimeZone,
    /// The days that the hours begin on.
    pub days: Vec<Weekday>,
    pub from: Time,
    /// Not included. Where it is not after `from` it is meant on the day after, so equal times are a whole day.
    pub to: Time,
}

/// An alert that somebody may be told of.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// `None` where a pack found it.
    pub rule: Option<RuleId>,
    pub severity: Severity,
}

/// Whether one of the silences means the alert at this time. `is_within` says whether the server it is about is within a
/// reach; for an alert that is about no one server, whether all servers of its owner are.
pub fn is_silent<'a>(
    silences: impl IntoIterator<Item = &'a Silence>,
    subject: Subject,
    now: Micros,
    is_within: impl Fn(&Reach) -> bool,
) -> bool {
    silences.into_iter().any(|silence| silence.holds(now) && silence.matcher.means(subject, &is_within))
}

impl Silence {
    pub fn holds(&self, now: Micros) -> bool {
        self.starts_at <= now
            && self.ends_at.is_none_or(|end| now < end)
            && self.weekly.as_ref().is_none_or(|weekly| weekly.holds(now))
    }
}

impl Matcher {
    fn means(&self, subject: Subject, is_within: &impl Fn(&Reach) -> bool) -> bool {
        let rule = self.rules.is_empty() || subject.rule.is_some_and(|rule| self.rules.contains(&rule));
        let severity = self.severities.is_empty() || self.severities.contains(&subject.severity);
        rule && severity && is_within(&self.servers)
    }
}

impl Weekly {
    fn holds(&self, now: Micros) -> bool {
        // Times beyond what the calendar can show do not come from a clock.
        let Ok(now) = jiff::Timestamp::from_microsecond(now.0) else { return false };
        let local = self.zone.to_datetime(now);
        let (time, today) = (local.time(), local.date().weekday());
        let begins_on = |day: Weekday| self.days.contains(&day);
        if self.from < self.to {
            return begins_on(today) && self.from <= time && time < self.to;
        }
        (begins_on(today) && self.from <= time) || (begins_on(today.previous()) && time < self.to)
    }
}

#[cfg(test)]
mod tests;
