//! Many rules as people write them: most about one server, some about a label or a type everywhere, a few with windows.
//!
//! Hardly any of them ever fires, as it should be. Pure.

use serde_json::{Value, json};

use crate::data::{Fleet, METRIC_TYPE, METRICS};

/// Of 10,000 rules so many are of each kind; all others are about one metric of one server.
const OF: u32 = 10_000;
const EVERYWHERE: u32 = 20;
const OF_A_LABEL: u32 = 80;
const OF_A_WINDOW: u32 = 500;
const OF_A_WHILE: u32 = 400;
const OF_A_SERVER: u32 = 2_000;
const LIVELY: u32 = 100;
/// No value of the fleet reaches it.
const NEVER: f64 = 1e9;

/// `count` rules, mixed: any stretch of them has some of each kind.
pub(super) fn rules(count: u32, fleet: &Fleet) -> Vec<Value> {
    // Odd and not divisible by five, so every number below `OF` comes once in each round of them.
    let kind = |number: u32| (u64::from(number) * 7_919 % u64::from(OF)) as u32;
    (0..count).map(|number| rule(number, kind(number), fleet)).collect()
}

fn rule(number: u32, kind: u32, fleet: &Fleet) -> Value {
    let metric = METRICS[number as usize % METRICS.len()];
    let host = &fleet.hosts[number as usize % fleet.hosts.len()];
    let mut rule = json!({
        "name": format!("rule {number}"), "server_id": host.id, "metric_type": METRIC_TYPE, "metric_name": metric,
        "condition": {"op": "gt", "threshold": NEVER + f64::from(number)},
    });
    let mut below = kind;
    let mut is_of = |share: u32| {
        let is = below < share;
        below = if is { u32::MAX } else { below - share.min(below) };
        is
    };
    if is_of(EVERYWHERE) {
        rule["server_id"] = json!([]);
        rule["metric_name"] = json!(format!("{}*", &metric[..metric.len() - 1]));
    } else if is_of(OF_A_LABEL) {
        let region = String::from_utf8_lossy(&host.region).into_owned();
        rule["server_id"] = json!([]);
        rule["label"] = json!({"region": region});
    } else if is_of(OF_A_WINDOW) {
        rule["window"] = json!({"agg": "avg", "over": "5m"});
    } else if is_of(OF_A_WHILE) {
        rule["for"] = json!("2m");
    } else if is_of(OF_A_SERVER) {
        rule["metric_type"] = json!([]);
        rule["metric_name"] = json!([]);
    } else if is_of(LIVELY) {
        rule["condition"] = json!({"op": "gt", "threshold": 50.0, "recovery": 45.0});
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TimeGrid;

    #[test]
    fn of_ten_thousand_rules_there_are_some_of_each_kind_and_few_that_fire() {
        let fleet = Fleet::new(1, 100, TimeGrid { end_ms: 0, span_ms: 10, step_ms: 1 });
        let rules = rules(OF, &fleet);
        let count = |is: &dyn Fn(&Value) -> bool| rules.iter().filter(|rule| is(rule)).count() as u32;
        let is_everywhere = |rule: &Value| rule["server_id"] == json!([]) && rule["label"].is_null();
        assert_eq!(count(&is_everywhere), EVERYWHERE);
        assert_eq!(count(&|rule| !rule["label"].is_null()), OF_A_LABEL);
        assert_eq!(count(&|rule| !rule["window"].is_null()), OF_A_WINDOW);
        assert_eq!(count(&|rule| !rule["for"].is_null()), OF_A_WHILE);
        assert_eq!(count(&|rule| rule["metric_type"] == json!([])), OF_A_SERVER);
        assert_eq!(count(&|rule| rule["condition"]["threshold"] == 50.0), LIVELY);
    }
}
