//! Alerts in words: titles, conditions, values and times, short enough for the first line of a message.

use std::fmt::Write as _;
use std::time::Duration;

use super::rule::{Aggregate, Compare, Condition, NoData, Rule};
use crate::model::Series;
use crate::model::alert::Happened;

/// Beyond this many places a number is written with its exponent.
const PLAIN_MAX: f64 = 1e15;
const PLAIN_MIN: f64 = 1e-5;

/// It, in one line: `cpu/usage_percent of web-1 is 95.2 (> 90 for 2m)`.
pub(super) fn title(rule: &Rule, series: &Series, host: &str, happened: Happened, value: Option<f64>) -> String {
    let (what, condition) = (subject(rule, series, host), condition(rule));
    let value = value.map(number);
    let is = |before: &str| match &value {
        Some(value) => format!("{what} is {before}{value} ({condition})"),
        None => format!("{what} is {before}firing ({condition})"),
    };
    match happened {
        Happened::Firing if matches!(rule.condition, Condition::Absent { .. }) => nothing_came(rule, series, host),
        Happened::NoData => nothing_came(rule, series, host),
        Happened::Firing => is(""),
        Happened::Reminder if value.is_none() => format!("{} still", nothing_came(rule, series, host)),
        Happened::Reminder => is("still "),
        Happened::Acknowledged => format!("{what} is known of ({condition})"),
        Happened::Resolved => match &value {
            Some(value) if !matches!(rule.condition, Condition::Absent { .. }) => {
                format!("{what} is {value}, no longer {condition}")
            }
            _ if matches!(rule.condition, Condition::Absent { .. }) => format!("{} is back", plain(series, host)),
            _ => format!("{what} is over ({condition})"),
        },
        Happened::Suppressed => format!("{what} fires and resolves again and again ({condition})"),
    }
}

/// When the rule fires, in words: `> 90 for 2m`.
pub(super) fn condition(rule: &Rule) -> String {
    let mut words = match rule.condition {
        Condition::Compare { compare, threshold, .. } => format!("{} {}", sign(compare), number(threshold)),
        Condition::Outside { low, high, .. } => format!("outside {} to {}", number(low), number(high)),
        Condition::Absent { after } => format!("nothing for {}", span(after)),
    };
    if !rule.pending.is_zero() {
        // Writing to a text does not fail.
        write!(words, " for {}", span(rule.pending)).ok();
    }
    words
}

/// The shortest text that is this number and no other.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    let is_plain = size == 0.0 || (PLAIN_MIN..PLAIN_MAX).contains(&size) || !value.is_finite();
    if is_plain { format!("{value}") } else { format!("{value:e}") }
}

/// The way it would be written in a rule: `90s`, `5m`, `2h`, `1d`.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "s"));
    format!("{}{name}", seconds / unit)
}

fn nothing_came(rule: &Rule, series: &Series, host: &str) -> String {
    let after = match (rule.condition, rule.no_data) {
        (Condition::Absent { after }, _) | (_, NoData::Resolve { after } | NoData::Fire { after }) => after,
        (_, NoData::Keep) => return format!("{} sends nothing any more", plain(series, host)),
    };
    format!("{} has sent nothing for {}", plain(series, host), span(after))
}

fn subject(rule: &Rule, series: &Series, host: &str) -> String {
    match rule.window {
        Some(window) => format!("{} over {} of {}", name(window.aggregate), span(window.over), plain(series, host)),
        None => plain(series, host),
    }
}

fn plain(series: &Series, host: &str) -> String {
    let identity = &series.identity;
    let labels: Vec<String> = identity.labels().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    format!("{}/{}{labels} of {host}", identity.metric_type(), identity.metric_name())
}

fn sign(compare: Compare) -> &'static str {
    match compare {
        Compare::Greater => ">",
        Compare::GreaterOrEqual => ">=",
        Compare::Less => "<",
        Compare::LessOrEqual => "<=",
        Compare::Equal => "=",
        Compare::NotEqual => "!=",
    }
}

fn name(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Average => "average",
        Aggregate::Minimum => "minimum",
        Aggregate::Maximum => "maximum",
        Aggregate::Sum => "sum",
        Aggregate::Count => "number of samples",
        Aggregate::Change => "change",
        Aggregate::Rate => "rate a second",
        Aggregate::Increase => "increase",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::alert::definition::{Definition, Head};
    use crate::matching::fixtures::series;
    use crate::model::Reach;
    use crate::model::alert::RuleId;

    fn rule(form: Value) -> Rule {
        let definition: Definition = serde_json::from_value(form).unwrap();
        let head = Head { id: RuleId(1), version: 1, name: "cpu".to_owned(), reach: Reach::fleet() };
        definition.rule(head).unwrap()
    }

    #[track_caller]
    fn check(form: Value, happened: Happened, value: Option<f64>, expected: &str) {
        let series = series(1, 1, "cpu", "usage_percent", &[]);
        assert_eq!(title(&rule(form), &series, "web-1", happened, value), expected);
    }

    #[test]
    fn a_title_says_what_of_whom_is_how_and_why_that_matters() {
        let high = json!({"condition": {"op": "gt", "threshold": 90}, "for": "2m"});
        check(high.clone(), Happened::Firing, Some(95.2), "cpu/usage_percent of web-1 is 95.2 (> 90 for 2m)");
        check(high.clone(), Happened::Reminder, Some(99.0), "cpu/usage_percent of web-1 is still 99 (> 90 for 2m)");
        check(
            high.clone(),
            Happened::Resolved,
            Some(70.5),
            "cpu/usage_percent of web-1 is 70.5, no longer > 90 for 2m",
        );
        let expected = "cpu/usage_percent of web-1 fires and resolves again and again (> 90 for 2m)";
        check(high, Happened::Suppressed, Some(95.2), expected);
        let windowed =
            json!({"condition": {"op": "outside", "low": 1, "high": 5}, "window": {"agg": "avg", "over": "90s"}});
        let expected = "average over 90s of cpu/usage_percent of web-1 is 0.5 (outside 1 to 5)";
        check(windowed, Happened::Firing, Some(0.5), expected);
    }

    #[test]
    fn what_does_not_come_has_no_value() {
        let absent = json!({"condition": {"op": "absent", "after": "5m"}});
        check(absent.clone(), Happened::Firing, None, "cpu/usage_percent of web-1 has sent nothing for 5m");
        check(absent.clone(), Happened::Reminder, None, "cpu/usage_percent of web-1 has sent nothing for 5m still");
        check(absent, Happened::Resolved, Some(1.0), "cpu/usage_percent of web-1 is back");
        let missing = json!({"condition": {"op": "gt", "threshold": 1}, "no_data": {"then": "fire", "after": "10m"}});
        check(missing, Happened::NoData, None, "cpu/usage_percent of web-1 has sent nothing for 10m");
    }

    #[test]
    fn labels_tell_series_of_one_name_apart() {
        let series = series(1, 1, "cpu", "usage", &[("core", "0"), ("mode", "user")]);
        let rule = rule(json!({"condition": {"op": "ge", "threshold": 0.1}}));
        let title = title(&rule, &series, "web-1", Happened::Firing, Some(0.1 + 0.2));
        assert_eq!(title, "cpu/usage{core=0,mode=user} of web-1 is 0.30000000000000004 (>= 0.1)");
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be_and_spans_as_a_rule_spells_them() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (95.0, "95"),
            (1e300, "1e300"),
            (2.5e-9, "2.5e-9"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), expected);
        }
        for (seconds, expected) in [(0, "0s"), (90, "90s"), (300, "5m"), (7_200, "2h"), (86_400, "1d"), (90_000, "25h")]
        {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
    }
}
