//! A rule: which series it watches, when it fires, when it is over, and how often people are told. Plain data.

use std::time::Duration;

use crate::matching::Filter;
use crate::model::Reach;
use crate::model::alert::{RecipientId, RuleId, Severity};

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub id: RuleId,
    /// Grows with each change.
    pub version: i64,
    pub name: String,
    /// Whose servers it may watch: those of its owner, or of the fleet, as far as its maker's token reached. Part of
    /// `filter` too; it stands here for those who ask whose rule it is.
    pub reach: Reach,
    /// The series it watches. Each is judged by itself.
    pub filter: Filter,
    pub condition: Condition,
    /// Values are put together over a stretch of time before they are compared.
    pub window: Option<Window>,
    /// So long the condition must hold, by the times of the samples, before the rule fires. Zero: at once.
    pub pending: Duration,
    pub severity: Severity,
    /// People are not told of the same series again for so long, however often it fires.
    pub cooldown: Duration,
    /// While it fires people are reminded this often.
    pub repeat: Option<Duration>,
    /// Whether people are told that it is over.
    pub tells_recovery: bool,
    pub flap: Option<Flap>,
    pub no_data: NoData,
    pub notes: String,
    /// Nobody listed: everyone of its owner, or of the fleet.
    pub recipients: Vec<RecipientId>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// Fires when the value compares so with `threshold`, is over when it no longer compares so with `recovery`, which is
    /// the threshold itself or lies on its good side.
    Compare { compare: Compare, threshold: f64, recovery: f64 },
    /// Fires when the value is below `low` or above `high`, is over when it lies within the narrower band.
    Outside { low: f64, high: f64, recovery_low: f64, recovery_high: f64 },
    /// Fires when no sample has come for so long, by the server's clock; is over when one comes.
    Absent { after: Duration },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

/// The samples of the last `over`, the newest included, by their times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub aggregate: Aggregate,
    pub over: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    Average,
    Minimum,
    Maximum,
    Sum,
    Count,
    /// Newest less oldest.
    Change,
    /// The same, a second.
    Rate,
    /// What a counter has grown by, which may begin again from nothing.
    Increase,
}

/// A series that fires and resolves more often than this is taken to go on firing until it is quiet for `within`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flap {
    pub changes: u8,
    pub within: Duration,
}

/// What a series that sends nothing any more means for a rule about values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoData {
    /// It stays as it was.
    Keep,
    /// It is over.
    Resolve { after: Duration },
    /// It fires, as missing.
    Fire { after: Duration },
}

impl Compare {
    /// The word it has in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
            Self::Equal => "eq",
            Self::NotEqual => "ne",
        }
    }

    /// With NaN nothing is greater, less or equal, and everything is not equal.
    #[expect(clippy::float_cmp, reason = "equal means equal")]
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
            Self::Equal => value == threshold,
            Self::NotEqual => value != threshold,
        }
    }
}
