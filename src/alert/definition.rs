//! Rules as JSON: what the API takes and shows, and what is stored. Everything that is wrong is told at once.
//!
//! ```json
//! {"metric_type": "cpu*", "metric_name": ["usage_percent"], "label": {"core": "*"}, "server_id": [],
//!  "condition": {"op": "gt", "threshold": 90, "recovery": 80},
//!  "window": {"agg": "avg", "over": "5m"}, "for": "2m", "severity": "critical", "cooldown": "5m", "repeat": "4h",
//!  "notify_recovery": true, "flap": {"changes": 6, "within": "30m"},
//!  "no_data": {"then": "fire", "after": "10m"}, "recipients": [1, 2], "notes": "see the runbook"}
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::rule::{Aggregate, Compare, Condition, Flap, NoData, Rule, Window};
use crate::matching::{Conditions, Filter, FilterError};
use crate::model::alert::{RecipientId, RuleId, Severity};
use crate::model::{Labels, Reach};

pub const NAME_BYTES_MAX: usize = 200;
const NOTES_BYTES_MAX: usize = 4_096;
const RECIPIENTS_MAX: usize = 32;
/// What a window, a pending time or an absence may look back on.
const SPAN_MAX: Duration = Duration::from_secs(24 * 3600);
/// What a cooldown or a reminder may be.
const PAUSE_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
const ABSENCE_MIN: Duration = Duration::from_secs(5);

/// The JSON form. Unknown members are refused: a misspelt one would silently not count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Definition {
    /// Servers, types, names and labels that are watched; nothing listed: any. `*` stands for any run of characters.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub server_id: Texts,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub metric_type: Texts,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub metric_name: Texts,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub label: Map<String, Value>,
    /// Labels that the server must have.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub server_label: Map<String, Value>,
    pub condition: ConditionForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowForm>,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_recovery: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flap: Option<FlapForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_data: Option<NoDataForm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<i64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
}

/// One text, or a list of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Texts {
    One(String),
    Several(Vec<String>),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConditionForm {
    /// `gt`, `ge`, `lt`, `le`, `eq`, `ne`, `outside`, `absent`.
    pub op: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_high: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowForm {
    /// `avg`, `min`, `max`, `sum`, `count`, `change`, `rate`, `increase`.
    pub agg: String,
    pub over: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlapForm {
    pub changes: u8,
    pub within: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoDataForm {
    /// `keep`, `resolve`, `fire`.
    pub then: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// One thing that is wrong with a rule: the member, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub field: String,
    pub message: String,
}

/// What a rule has beside its definition.
#[derive(Clone, Debug)]
pub struct Head {
    pub id: RuleId,
    pub version: i64,
    pub name: String,
    /// Whose servers it may watch.
    pub reach: Reach,
}

impl Definition {
    /// The rule it defines.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn rule(&self, head: Head) -> Result<Rule, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut checks = Checks(&mut faults);
        if head.name.trim().is_empty() || head.name.len() > NAME_BYTES_MAX {
            checks.note("name", format!("is a text of 1 to {NAME_BYTES_MAX} bytes"));
        }
        let filter = self.filter(&head.reach, &mut checks);
        let condition = self.condition.read(&mut checks);
        let window = self.window.as_ref().and_then(|window| window.read(&mut checks));
        if window.is_some() && matches!(condition, Some(Condition::Absent { .. })) {
            checks.note("window", "says nothing where absence is the condition");
        }
        let pending = checks.span("for", self.pending.as_deref(), Duration::ZERO, SPAN_MAX).unwrap_or_default();
        let cooldown = checks.span("cooldown", self.cooldown.as_deref(), Duration::ZERO, PAUSE_MAX).unwrap_or_default();
        let repeat = checks.span("repeat", self.repeat.as_deref(), Duration::from_secs(60), PAUSE_MAX);
        let severity = self.severity(&mut checks);
        let flap = self.flap.as_ref().and_then(|flap| flap.read(&mut checks));
        let no_data = self.no_data.as_ref().map_or(Some(NoData::Keep), |no_data| no_data.read(&mut checks));
        if self.notes.len() > NOTES_BYTES_MAX {
            checks.note("notes", format!("are at most {NOTES_BYTES_MAX} bytes long"));
        }
        if self.recipients.len() > RECIPIENTS_MAX {
            checks.note("recipients", format!("lists at most {RECIPIENTS_MAX}"));
        }
        let (Some(filter), Some(condition), Some(severity), Some(no_data), true) =
            (filter, condition, severity, no_data, faults.is_empty())
        else {
            return Err(faults);
        };
        let Head { id, version, name, reach } = head;
        Ok(Rule {
            id,
            version,
            name,
            reach,
            filter,
            condition,
            window,
            pending,
            severity,
            cooldown,
            repeat,
            tells_recovery: self.notify_recovery.unwrap_or(true),
            flap,
            no_data,
            notes: self.notes.clone(),
            recipients: self.recipients.iter().copied().map(RecipientId).collect(),
        })
    }

    fn severity(&self, checks: &mut Checks<'_>) -> Option<Severity> {
        match self.severity.as_deref() {
            None | Some("warning") => Some(Severity::Warning),
            Some("critical") => Some(Severity::Critical),
            Some("info") => Some(Severity::Info),
            Some(_) => checks.fault("severity", "is critical, warning or info"),
        }
    }

    fn filter(&self, reach: &Reach, checks: &mut Checks<'_>) -> Option<Filter> {
        let owned = |texts: &Texts| texts.iter().map(str::to_owned).collect();
        let mut conditions = Conditions {
            metric_type: owned(&self.metric_type),
            metric_name: owned(&self.metric_name),
            ..Conditions::default()
        };
        for id in self.server_id.iter() {
            match Uuid::try_parse(id) {
                Ok(id) => conditions.servers.push(id),
                Err(_) => return checks.fault("server_id", format!("{id:?} is no UUID")),
            }
        }
        for (name, value) in &self.label {
            let texts = texts_of(value).or_else(|| checks.fault("label", "has texts, or lists of them"))?;
            conditions.labels.push((name.clone(), texts));
        }
        let server_labels = self.server_labels(checks)?;
        let mut within = reach.clone();
        within.labels = joined(&reach.labels, server_labels)
            .or_else(|| checks.fault("server_label", "has labels that cannot be, or that the token forbids"))?;
        match Filter::new(&conditions, within) {
            Ok(filter) => Some(filter),
            Err(error @ (FilterError::TooManyMembers { .. } | FilterError::TooLong { .. })) => {
                checks.fault("metric_name", error.to_string())
            }
            Err(error) => checks.fault("label", error.to_string()),
        }
    }

    fn server_labels(&self, checks: &mut Checks<'_>) -> Option<Vec<(Box<str>, Box<str>)>> {
        let one = |(name, value): (&String, &Value)| Some((name.as_str().into(), value.as_str()?.into()));
        let labels: Option<Vec<_>> = self.server_label.iter().map(one).collect();
        labels.or_else(|| checks.fault("server_label", "has texts only"))
    }
}

impl ConditionForm {
    fn read(&self, checks: &mut Checks<'_>) -> Option<Condition> {
        let compare = match self.op.as_str() {
            "gt" => Compare::Greater,
            "ge" => Compare::GreaterOrEqual,
            "lt" => Compare::Less,
            "le" => Compare::LessOrEqual,
            "eq" => Compare::Equal,
            "ne" => Compare::NotEqual,
            "outside" => return self.outside(checks),
            "absent" => {
                let after = checks.absence("condition.after", self.after.as_deref())?;
                return Some(Condition::Absent { after });
            }
            _ => return checks.fault("condition.op", "is gt, ge, lt, le, eq, ne, outside or absent"),
        };
        let Some(threshold) = self.threshold.filter(|threshold| threshold.is_finite()) else {
            return checks.fault("condition.threshold", "is a number");
        };
        let recovery = self.recovery.unwrap_or(threshold);
        if compare.holds(recovery, threshold) && recovery != threshold {
            return checks.fault("condition.recovery", "would fire again at once");
        }
        Some(Condition::Compare { compare, threshold, recovery })
    }

    fn outside(&self, checks: &mut Checks<'_>) -> Option<Condition> {
        let (Some(low), Some(high)) = (self.low, self.high) else {
            return checks.fault("condition", "has low and high with outside");
        };
        let (recovery_low, recovery_high) = (self.recovery_low.unwrap_or(low), self.recovery_high.unwrap_or(high));
        if low <= recovery_low && recovery_low <= recovery_high && recovery_high <= high {
            return Some(Condition::Outside { low, high, recovery_low, recovery_high });
        }
        checks.fault("condition", "has low <= recovery_low <= recovery_high <= high")
    }
}

impl WindowForm {
    fn read(&self, checks: &mut Checks<'_>) -> Option<Window> {
        let aggregate = match self.agg.as_str() {
            "avg" => Aggregate::Average,
            "min" => Aggregate::Minimum,
            "max" => Aggregate::Maximum,
            "sum" => Aggregate::Sum,
            "count" => Aggregate::Count,
            "change" => Aggregate::Change,
            "rate" => Aggregate::Rate,
            "increase" => Aggregate::Increase,
            _ => {
                return checks.fault("window.agg", "is avg, min, max, sum, count, change, rate or increase");
            }
        };
        let over = checks.span("window.over", Some(&self.over), Duration::from_secs(1), SPAN_MAX)?;
        Some(Window { aggregate, over })
    }
}

impl FlapForm {
    fn read(&self, checks: &mut Checks<'_>) -> Option<Flap> {
        let within = checks.span("flap.within", Some(&self.within), Duration::from_secs(10), SPAN_MAX)?;
        if !(2..=32).contains(&self.changes) {
            return checks.fault("flap.changes", "is a number from 2 to 32");
        }
        Some(Flap { changes: self.changes, within })
    }
}

impl NoDataForm {
    fn read(&self, checks: &mut Checks<'_>) -> Option<NoData> {
        let mut after = || checks.absence("no_data.after", self.after.as_deref());
        match self.then.as_str() {
            "keep" => Some(NoData::Keep),
            "resolve" => Some(NoData::Resolve { after: after()? }),
            "fire" => Some(NoData::Fire { after: after()? }),
            _ => checks.fault("no_data.then", "is keep, resolve or fire"),
        }
    }
}

impl Texts {
    fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let texts = match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Several(texts) => texts,
        };
        texts.iter().map(String::as_str).filter(|text| !text.is_empty())
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// What is wrong so far.
struct Checks<'a>(&'a mut Vec<Fault>);

impl Checks<'_> {
    fn note(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(Fault { field: field.to_owned(), message: message.into() });
    }

    fn fault<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        self.note(field, message);
        None
    }

    /// A span of time such as `90s`, `5m`, `2h` or `1d`.
    fn span(&mut self, field: &str, text: Option<&str>, min: Duration, max: Duration) -> Option<Duration> {
        let text = text?;
        let span = span(text);
        if span.is_none_or(|span| span < min || span > max) {
            let (min, max) = (min.as_secs(), max.as_secs());
            return self.fault(field, format!("is a time from {min} s to {max} s, such as 90s, 5m, 2h or 1d"));
        }
        span
    }

    /// How long nothing may come, which must be said.
    fn absence(&mut self, field: &str, text: Option<&str>) -> Option<Duration> {
        match text {
            Some(_) => self.span(field, text, ABSENCE_MIN, SPAN_MAX),
            None => self.fault(field, "is needed, such as 10m"),
        }
    }
}

fn span(text: &str) -> Option<Duration> {
    let unit_at = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

fn texts_of(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// The labels of a token's scope and those that the rule asks for; where both name one they must agree.
fn joined(scope: &crate::model::Labels, asked: Vec<(Box<str>, Box<str>)>) -> Option<crate::model::Labels> {
    let mut pairs = asked;
    for (name, value) in scope.iter() {
        match pairs.iter().find(|(asked, _)| asked.as_ref() == name) {
            Some((_, asked)) if asked.as_ref() != value => return None,
            Some(_) => {}
            None => pairs.push((name.into(), value.into())),
        }
    }
    Labels::new(pairs).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn rule(form: Value) -> Result<Rule, Vec<Fault>> {
        let definition: Definition = serde_json::from_value(form).unwrap();
        definition.rule(Head { id: RuleId(1), version: 1, name: "cpu".to_owned(), reach: Reach::fleet() })
    }

    #[test]
    fn a_rule_says_all_there_is_to_say_and_comes_back_as_it_was() {
        let form = json!({
            "server_id": ["00000000-0000-0000-0000-000000000001"],
            "metric_type": "cpu*", "metric_name": ["usage_percent", "load1"], "label": {"core": ["0", "1"]},
            "server_label": {"env": "prod"},
            "condition": {"op": "gt", "threshold": 90.5, "recovery": 80.0},
            "window": {"agg": "avg", "over": "5m"}, "for": "2m", "severity": "critical", "cooldown": "5m",
            "repeat": "4h", "notify_recovery": false, "flap": {"changes": 6, "within": "30m"},
            "no_data": {"then": "fire", "after": "10m"}, "recipients": [1, 2], "notes": "see the runbook",
        });
        let definition: Definition = serde_json::from_value(form.clone()).unwrap();
        assert_eq!(serde_json::to_value(&definition).unwrap(), form);
        let rule = rule(form).unwrap();
        assert_eq!(rule.condition, Condition::Compare { compare: Compare::Greater, threshold: 90.5, recovery: 80.0 });
        assert_eq!(rule.window, Some(Window { aggregate: Aggregate::Average, over: Duration::from_secs(300) }));
        assert_eq!((rule.pending, rule.cooldown), (Duration::from_secs(120), Duration::from_secs(300)));
        assert_eq!(rule.no_data, NoData::Fire { after: Duration::from_secs(600) });
        assert_eq!(rule.filter.reach().labels.get("env"), Some("prod"));
        assert!(!rule.tells_recovery);
    }

    #[test]
    fn a_condition_is_all_a_rule_needs() {
        let rule = rule(json!({"condition": {"op": "lt", "threshold": 1}})).unwrap();
        assert_eq!((rule.severity, rule.pending, rule.repeat), (Severity::Warning, Duration::ZERO, None));
        assert!(rule.tells_recovery && rule.filter.is_unconditional());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_by_name() {
        let faults = rule(json!({
            "server_id": "nonsense", "condition": {"op": "over"}, "window": {"agg": "median", "over": "5m"},
            "for": "soon", "severity": "bad", "repeat": "1s", "flap": {"changes": 1, "within": "1m"},
            "no_data": {"then": "fire"},
        }))
        .unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        let expected =
            ["server_id", "condition.op", "window.agg", "for", "repeat", "severity", "flap.changes", "no_data.after"];
        assert_eq!(fields, expected);
    }

    #[test]
    fn an_absence_that_is_too_short_is_told_once() {
        let faults = rule(json!({"condition": {"op": "absent", "after": "1s"}})).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        let condition = json!({"op": "gt", "threshold": 1});
        let faults = rule(json!({"condition": condition, "no_data": {"then": "fire", "after": "1s"}})).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
    }

    #[test]
    fn a_recovery_on_the_wrong_side_is_refused() {
        for (condition, field) in [
            (json!({"op": "gt", "threshold": 90, "recovery": 95}), "condition.recovery"),
            (json!({"op": "lt", "threshold": 10, "recovery": 5}), "condition.recovery"),
            (json!({"op": "outside", "low": 1, "high": 5, "recovery_low": 0}), "condition"),
            (json!({"op": "outside", "low": 5, "high": 1}), "condition"),
            (json!({"op": "absent"}), "condition.after"),
            (json!({"op": "gt"}), "condition.threshold"),
        ] {
            let faults = rule(json!({"condition": condition})).unwrap_err();
            assert_eq!(faults[0].field, field, "{condition}");
        }
    }

    proptest! {
        #[test]
        fn a_threshold_is_read_and_written_bit_for_bit(bits in any::<u64>().prop_filter("finite", |bits| f64::from_bits(*bits).is_finite())) {
            let text = format!("{{\"op\":\"gt\",\"threshold\":{:?}}}", f64::from_bits(bits));
            let read: ConditionForm = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.threshold.map(f64::to_bits), Some(bits));
            let again: ConditionForm = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
            prop_assert_eq!(again.threshold.map(f64::to_bits), Some(bits));
        }
    }
}
