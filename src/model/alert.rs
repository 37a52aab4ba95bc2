//! What alerting finds: how a series stands with a rule, and what happened. Between those who judge and the store.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::reach::UserId;
use super::series::{SeriesId, ServerKey};
use super::time::Micros;

/// Names a rule for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub i64);

/// Names somebody who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecipientId(pub i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

/// How a rule stands with a series it watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The condition holds, but not for long enough.
    Pending,
    Firing,
    /// It fires, and somebody has said that they know.
    Acknowledged,
    /// It fired, and is over. Kept for a while, so that it is not judged by the same samples again.
    Resolved,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    Firing,
    /// It still fires.
    Reminder,
    Acknowledged,
    Resolved,
    /// It fires because nothing comes any more.
    NoData,
    /// It flaps, and people are told of no more changes until it is quiet.
    Suppressed,
}

/// The state of one rule and series, as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub rule: RuleId,
    /// `None` where the rule judges a server as a whole.
    pub series: Option<SeriesId>,
    pub server: ServerKey,
    pub phase: Phase,
    pub since: Micros,
    pub judged_until: Option<Micros>,
    pub value: Option<f64>,
    pub fired_at: Option<Micros>,
    pub told_at: Option<Micros>,
    pub acknowledged_by: Option<String>,
    pub flips: Vec<Micros>,
}

/// An entry of the history, and what is told live.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub at: Micros,
    pub owner: Option<UserId>,
    pub source: Source,
    pub server: Option<(ServerKey, Uuid)>,
    pub series: Option<SeriesId>,
    pub happened: Happened,
    pub severity: Severity,
    pub title: String,
    pub sample_time: Option<Micros>,
    pub value: Option<f64>,
    pub details: Map<String, Value>,
}

/// Who found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Rule(RuleId),
    /// A built-in pack, by its name.
    Pack(&'static str),
}

impl Severity {
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Critical].into_iter().find(|severity| severity.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Phase {
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Firing, Self::Acknowledged, Self::Resolved].into_iter().find(|phase| phase.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

impl Happened {
    pub fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Reminder => "reminder",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::NoData => "no_data",
            Self::Suppressed => "suppressed",
        }
    }
}
