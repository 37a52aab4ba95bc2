//! What rules make of reports: readings, cooldown, words.

use super::*;
use crate::wire::tree::{Leniency, Tree};

const COOLDOWN: i64 = 300_000_000;

fn rule(metric_type: &str, condition: &str, threshold: f64) -> AgentRule {
    let terms = Terms { metric_type: metric_type.to_owned(), condition: condition.to_owned(), threshold };
    AgentRule { id: RuleId(7), owner: UserId(1), agent: 3, agent_name: "laptop".to_owned(), terms }
}

fn judged(rule: &AgentRule, report: &str, (state, now): (Option<&State>, i64)) -> Outcome {
    let tree = Tree::read(report.as_bytes(), Leniency::Strict).unwrap();
    let server = (ServerKey(5), Uuid::nil());
    let look = Look { rule, state, server, now: Micros(now), cooldown_micros: COOLDOWN, is_new: false };
    look.judge(tree.root())
}

#[test]
fn a_reading_is_what_the_agent_calls_it() {
    for (metric_type, report, expected) in [
        ("cpu", r#"{"cpu":{"usage_percent":23.4}}"#, Some(23.4)),
        ("cpu", r#"{"cpu":{"usage_percent":null}}"#, None),
        ("memory", r#"{"memory":{"used_percent":1,"usage_percent":2,"percent":3}}"#, Some(1.0)),
        ("memory", r#"{"memory":{"usage_percent":2,"percent":3}}"#, Some(2.0)),
        ("memory", r#"{"memory":{"percent":3}}"#, Some(3.0)),
        ("disk", r#"{"disk":{"percent":99,"partitions":[{"percent":1},{"percent":71.2},{}]}}"#, Some(71.2)),
        ("disk", r#"{"disk":{"partitions":[],"usage_percent":4,"percent":5}}"#, Some(4.0)),
        ("disk", r#"{"disk":{"percent":5}}"#, Some(5.0)),
        ("disk", "{}", None),
        ("load", r#"{"load":{"usage_percent":1}}"#, None),
    ] {
        let tree = Tree::read(report.as_bytes(), Leniency::Strict).unwrap();
        assert_eq!(reading(tree.root(), metric_type), expected, "{report}");
    }
}

#[test]
fn the_threshold_itself_is_not_beyond_it_and_unknown_conditions_never_fire() {
    let fires = |condition: &str, value: f64| {
        let report = format!(r#"{{"cpu":{{"usage_percent":{value}}}}}"#);
        judged(&rule("cpu", condition, 90.0), &report, (None, 0)).fired.is_some()
    };
    assert_eq!(
        ["gt", "lt", "ge"].map(|condition| [89.9, 90.0, 90.1].map(|value| fires(condition, value))),
        [[false, false, true], [true, false, false], [false, false, false],]
    );
}

#[test]
fn a_rule_fires_again_only_after_its_cooldown_whatever_came_between() {
    let rule = rule("cpu", "gt", 90.0);
    let (loud, quiet) = (r#"{"cpu":{"usage_percent":95.3}}"#, r#"{"cpu":{"usage_percent":5}}"#);
    let first = judged(&rule, loud, (None, 1_000));
    assert!(first.fired.is_some());
    let firing = first.state.unwrap();
    assert_eq!((firing.phase, firing.fired_at), (Phase::Firing, Some(Micros(1_000))));
    assert_eq!(judged(&rule, loud, (Some(&firing), COOLDOWN + 999)), Outcome::default());

    let over = judged(&rule, quiet, (Some(&firing), 2_000));
    let resolved = over.state.unwrap();
    assert_eq!((resolved.phase, resolved.fired_at, over.fired), (Phase::Resolved, Some(Micros(1_000)), None));
    let again = judged(&rule, loud, (Some(&resolved), COOLDOWN + 999));
    assert_eq!((again.state.unwrap().phase, again.fired), (Phase::Firing, None));

    let later = judged(&rule, loud, (Some(&resolved), COOLDOWN + 1_000));
    assert!(later.fired.is_some());
    assert_eq!(later.state.unwrap().since, Micros(COOLDOWN + 1_000));
}

#[test]
fn the_message_is_that_of_the_system_to_the_byte() {
    let words = |metric_type: &str, condition: &str, threshold: f64, value: &str, is_new: bool| {
        let rule = rule(metric_type, condition, threshold);
        let report = format!(r#"{{"cpu":{{"usage_percent":{value}}},"memory":{{"percent":{value}}}}}"#);
        let tree = Tree::read(report.as_bytes(), Leniency::Strict).unwrap();
        let server = (ServerKey(5), Uuid::nil());
        let look = Look { rule: &rule, state: None, server, now: Micros(0), cooldown_micros: COOLDOWN, is_new };
        match look.judge(tree.root()).fired.unwrap().body {
            Body::Telegram { text } => text,
            other => panic!("{other:?}"),
        }
    };
    let expected = "🚨 *Alert for laptop*\n\nMetric: CPU\nCurrent Value: 95.3%\nThreshold: > 90.0%\n";
    assert_eq!(words("cpu", "gt", 90.0, "95.3", false), expected);
    assert_eq!(
        words("cpu", "gt", 90.0, "95.3", true),
        format!("{expected}\n_Alert triggered immediately on rule creation_")
    );
    let below = "🚨 *Alert for laptop*\n\nMetric: MEMORY\nCurrent Value: 0.2%\nThreshold: < 90.25%\n";
    assert_eq!(words("memory", "lt", 90.25, "0.25", false), below, "half to even");
}

#[test]
fn terms_come_back_from_the_form_they_are_stored_in() {
    let terms = rule("disk", "lt", 0.1).terms;
    assert_eq!(Terms::of_definition(&terms.definition()), Some(terms));
    assert_eq!(Terms::of_definition(&json!({})), None);
}
