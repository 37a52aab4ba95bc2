//! `StatusMonitor`: rules of people about whole reports of their agents. A rule fires when a report is beyond its
//! threshold, and not again for a while; that it is over is told nobody.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::alert::notice::Body;
use crate::model::alert::{Event, Happened, Phase, RuleId, Severity, Source, State};
use crate::model::{Micros, ServerKey, UserId};
use crate::wire::systems::python;
use crate::wire::tree::Value;

/// The name of the pack, which its events carry in their details.
pub const PACK: &str = "statusmonitor";

/// A rule as people make it.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentRule {
    pub id: RuleId,
    pub owner: UserId,
    pub agent: i32,
    pub agent_name: String,
    pub terms: Terms,
}

/// What a rule watches. Words that nobody knows are kept, and never fire.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// `cpu`, `memory` or `disk`.
    pub metric_type: String,
    /// `gt` or `lt`.
    pub condition: String,
    pub threshold: f64,
}

/// A rule that looks at a report.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    pub rule: &'a AgentRule,
    /// How it stands; `None` while it never fired.
    pub state: Option<&'a State>,
    pub server: (ServerKey, Uuid),
    pub now: Micros,
    pub cooldown_micros: i64,
    /// The rule was made just now.
    pub is_new: bool,
}

/// What a rule makes of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// How it stands now, where that is new.
    pub state: Option<State>,
    pub fired: Option<Fired>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fired {
    pub event: Event,
    pub body: Body,
}

impl Terms {
    /// The form in which rules are stored.
    pub fn definition(&self) -> Json {
        json!({ "metric_type": self.metric_type, "condition": { "op": self.condition, "threshold": self.threshold } })
    }

    /// Back from that form.
    pub fn of_definition(definition: &Json) -> Option<Self> {
        Some(Self {
            metric_type: definition["metric_type"].as_str()?.to_owned(),
            condition: definition["condition"]["op"].as_str()?.to_owned(),
            threshold: definition["condition"]["threshold"].as_f64()?,
        })
    }

    /// In words: `CPU > 90.0%`.
    pub fn in_words(&self) -> String {
        format!("{} {}", self.metric_type.to_uppercase(), self.limit())
    }

    fn limit(&self) -> String {
        let sign = if self.condition == "gt" { '>' } else { '<' };
        format!("{sign} {}%", python::float(self.threshold))
    }

    fn holds(&self, value: f64) -> bool {
        match self.condition.as_str() {
            "gt" => value > self.threshold,
            "lt" => value < self.threshold,
            _ => false,
        }
    }
}

/// What a report says of this; `None` where it says nothing.
pub fn reading(report: Value<'_>, metric_type: &str) -> Option<f64> {
    let first = |of: Value<'_>, names: &[&str]| names.iter().find_map(|name| of.get(name)?.number());
    match metric_type {
        "cpu" => first(report.get("cpu")?, &["usage_percent"]),
        "memory" => first(report.get("memory")?, &["used_percent", "usage_percent", "percent"]),
        "disk" => {
            let disk = report.get("disk")?;
            let partitions = disk.get("partitions").into_iter().flat_map(Value::elements);
            let fullest = partitions.filter_map(|partition| partition.get("percent")?.number()).reduce(f64::max);
            fullest.or_else(|| first(disk, &["usage_percent", "percent"]))
        }
        _ => None,
    }
}

impl Look<'_> {
    pub fn judge(self, report: Value<'_>) -> Outcome {
        let Some(value) = reading(report, &self.rule.terms.metric_type) else { return Outcome::default() };
        let is_firing = self.state.is_some_and(|state| state.phase != Phase::Resolved);
        if !self.rule.terms.holds(value) {
            let state = is_firing.then(|| self.state(Phase::Resolved, value));
            return Outcome { state, fired: None };
        }
        let fired_at = self.state.and_then(|state| state.fired_at);
        if fired_at.is_some_and(|fired_at| self.now.0.saturating_sub(fired_at.0) < self.cooldown_micros) {
            // Beyond the threshold again before people would be told again.
            return Outcome { state: (!is_firing).then(|| self.state(Phase::Firing, value)), fired: None };
        }
        let phase = self.state.map(|state| state.phase).filter(|_| is_firing).unwrap_or(Phase::Firing);
        let state = State { fired_at: Some(self.now), told_at: Some(self.now), ..self.state(phase, value) };
        Outcome { state: Some(state), fired: Some(self.fired(value)) }
    }

    fn state(&self, phase: Phase, value: f64) -> State {
        let before = self.state.cloned();
        let since = before.as_ref().filter(|state| state.phase == phase).map_or(self.now, |state| state.since);
        State {
            rule: self.rule.id,
            series: None,
            server: self.server.0,
            phase,
            since,
            judged_until: None,
            value: Some(value),
            fired_at: before.as_ref().and_then(|state| state.fired_at),
            told_at: before.as_ref().and_then(|state| state.told_at),
            acknowledged_by: before.and_then(|state| state.acknowledged_by).filter(|_| phase == Phase::Acknowledged),
            flips: Vec::new(),
        }
    }

    fn fired(&self, value: f64) -> Fired {
        let AgentRule { id, owner, agent, agent_name, terms } = self.rule;
        let text = self.message(value);
        let details = [
            ("system", json!(PACK)),
            ("agent_id", json!(agent.to_string())),
            ("agent_name", json!(agent_name)),
            ("metric_type", json!(terms.metric_type)),
            ("condition", json!(terms.condition)),
            ("threshold", json!(terms.threshold)),
            ("message", json!(text)),
        ];
        let event = Event {
            at: self.now,
            owner: Some(*owner),
            source: Source::Rule(*id),
            server: Some(self.server),
            series: None,
            happened: Happened::Firing,
            severity: Severity::Warning,
            title: format!("{} of {agent_name} is {value:.1}% ({})", terms.metric_type, terms.limit()),
            sample_time: None,
            value: Some(value),
            details: details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>(),
        };
        Fired { event, body: Body::Telegram { text } }
    }

    fn message(&self, value: f64) -> String {
        let AgentRule { agent_name, terms, .. } = self.rule;
        let mut text = format!("🚨 *Alert for {agent_name}*\n\nMetric: {}\n", terms.metric_type.to_uppercase());
        // Writing to a `String` cannot fail.
        writeln!(text, "Current Value: {value:.1}%\nThreshold: {}", terms.limit()).unwrap_or_default();
        if self.is_new {
            text.push_str("\n_Alert triggered immediately on rule creation_");
        }
        text
    }
}

#[cfg(test)]
mod tests;
