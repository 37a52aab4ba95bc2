//! Rules and silences as they are stored, to what judges and tells by them. Whatever is stored, nothing here panics: what
//! cannot be read is said, and left out.

use std::sync::Arc;

use serde_json::Value;

use super::definition::{Definition, Head};
use super::rule::Rule;
use super::silence::{MatcherForm, Silence, SilenceForm, WeeklyForm};
use crate::model::{Labels, Micros, Reach, UserId, Whose};
use crate::store::alerts::{RuleRow, SilenceRow};

/// # Errors
/// What is wrong with it, in words.
pub(super) fn rule(row: RuleRow) -> Result<Rule, String> {
    let definition: Definition = serde_json::from_value(row.definition).map_err(|error| error.to_string())?;
    let reach = Reach {
        whose: whose(row.owner),
        servers: row.servers.map(|servers| Arc::new(servers.into_iter().collect())),
        labels: labels(row.labels.as_ref()).ok_or("its labels cannot be")?,
    };
    let head = Head { id: row.id, version: row.version, name: row.name, reach };
    definition.rule(head).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect();
        faults.join("; ")
    })
}

/// Those that can be read.
pub(super) fn silences(rows: Vec<SilenceRow>, now: Micros) -> Vec<Silence> {
    let read = |row: SilenceRow| {
        silence(row, now).inspect_err(|reason| tracing::error!(reason, "a silence cannot be read")).ok()
    };
    rows.into_iter().filter_map(read).collect()
}

fn silence(row: SilenceRow, now: Micros) -> Result<Silence, String> {
    // An empty list would be read as a matcher without conditions, which means everything.
    if !row.matcher.is_object() {
        return Err("its matcher is no object".to_owned());
    }
    let matcher: MatcherForm = serde_json::from_value(row.matcher).map_err(|error| error.to_string())?;
    let weekly: Option<WeeklyForm> =
        row.weekly.map(serde_json::from_value).transpose().map_err(|error| error.to_string())?;
    let form = SilenceForm { matcher, weekly, ..SilenceForm::default() };
    let silence = form.silence(Reach::of(whose(row.owner)), now).map_err(|faults| format!("{faults:?}"))?;
    Ok(Silence { starts_at: row.starts_at, ends_at: row.ends_at, ..silence })
}

fn whose(owner: Option<UserId>) -> Whose {
    Whose::Some { fleet: owner.is_none(), owner }
}

/// All or none of them: with one left out more servers would be meant.
fn labels(stored: Option<&Value>) -> Option<Labels> {
    let Some(stored) = stored else { return Some(Labels::default()) };
    let pair = |(name, value): (&String, &Value)| Some((name.as_str().into(), value.as_str()?.into()));
    let pairs: Option<Vec<_>> = stored.as_object()?.iter().map(pair).collect();
    Labels::new(pairs?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::model::alert::RuleId;

    fn row() -> RuleRow {
        RuleRow {
            id: RuleId(7),
            owner: Some(UserId(3)),
            servers: Some(vec![Uuid::from_u128(1)]),
            labels: Some(json!({"env": "prod"})),
            name: "cpu".to_owned(),
            definition: json!({"condition": {"op": "gt", "threshold": 90}}),
            version: 2,
            updated_at: Micros(0),
        }
    }

    #[test]
    fn a_rule_reaches_what_its_maker_reached() {
        let rule = rule(row()).unwrap();
        assert_eq!(rule.reach.whose, Whose::Some { fleet: false, owner: Some(UserId(3)) });
        assert_eq!(rule.reach.servers.as_ref().unwrap().len(), 1);
        assert_eq!(rule.filter.reach().labels.get("env"), Some("prod"));
        let fleet = super::rule(RuleRow { owner: None, servers: None, labels: None, ..row() }).unwrap();
        assert_eq!(fleet.reach, Reach::fleet());
    }

    #[test]
    fn a_rule_that_cannot_be_read_says_why_and_never_means_more() {
        let unknown = RuleRow { definition: json!({"threshold": 90}), ..row() };
        assert!(rule(unknown).unwrap_err().contains("unknown field"));
        let wrong = RuleRow { definition: json!({"condition": {"op": "over"}}), ..row() };
        assert!(rule(wrong).unwrap_err().starts_with("condition.op"));
        let labels = RuleRow { labels: Some(json!({"env": 1})), ..row() };
        assert_eq!(rule(labels).unwrap_err(), "its labels cannot be");
    }

    #[test]
    fn a_silence_holds_from_and_until_when_its_row_says() {
        let row = SilenceRow {
            owner: None,
            matcher: json!({"rules": [7]}),
            starts_at: Micros(10),
            ends_at: Some(Micros(20)),
            weekly: None,
        };
        let broken = SilenceRow { matcher: json!([]), ..row.clone() };
        let read = silences(vec![broken, row], Micros(15));
        let holds: Vec<bool> = [9, 10, 19, 20].into_iter().map(|at| read[0].holds(Micros(at))).collect();
        assert_eq!((read.len(), holds), (1, vec![false, true, true, false]));
    }
}
