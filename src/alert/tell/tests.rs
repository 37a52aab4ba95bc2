//! What follows from changes: what is stored, what is written down, and who is told.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::alert::definition::{Definition, Head};
use crate::alert::silence::Matcher;
use crate::matching::fixtures::series;
use crate::model::alert::{Phase, RuleId, Severity, State};

const ANN: Option<UserId> = Some(UserId(1));

fn rule(id: i64, owner: Option<UserId>, form: Value) -> Arc<Rule> {
    let definition: Definition = serde_json::from_value(form).unwrap();
    let reach = Reach::of(Whose::Some { fleet: owner.is_none(), owner });
    let head = Head { id: RuleId(id), version: 1, name: "cpu is high".to_owned(), reach };
    Arc::new(definition.rule(head).unwrap())
}

fn high() -> Value {
    json!({"condition": {"op": "gt", "threshold": 90}})
}

fn change(rule: &Arc<Rule>, id: u32, happened: Option<Happened>, tells: bool) -> Change {
    let series = Arc::new(series(id, 1, "cpu", "usage", &[("core", "0")]));
    let state = State {
        rule: rule.id,
        series: Some(series.id),
        server: series.server,
        phase: Phase::Firing,
        since: Micros(0),
        judged_until: Some(Micros(0)),
        value: Some(95.5),
        fired_at: Some(Micros(5)),
        told_at: None,
        acknowledged_by: None,
        flips: Vec::new(),
    };
    Change { rule: Arc::clone(rule), series, state, happened, tells, sample_time: Some(Micros(3)), value: Some(95.5) }
}

fn finding(audience: &Audience, changes: &[Change]) -> Finding {
    let hosts = HashMap::from([(ServerKey(1), "web-1".to_owned())]);
    Look { audience, hosts: &hosts, is_within: &|_, reach| !reach.is_everything(), now: Micros(7) }.finding(changes)
}

fn told(finding: &Finding) -> Vec<(i64, usize, u64)> {
    let of = |notice: &NoticeRow| {
        let alerts = notice.body["alerts"].as_array().unwrap().len();
        (notice.to.as_ref().unwrap().0, alerts, notice.body["more"].as_u64().unwrap())
    };
    finding.notices.iter().map(of).collect()
}

#[test]
fn a_change_is_stored_written_down_and_told_with_all_there_is_to_say() {
    let audience = Audience::new(&[(RecipientId(4), None)], Vec::new());
    let finding = finding(&audience, &[change(&rule(9, None, high()), 1, Some(Happened::Firing), true)]);
    let event = &finding.events[0];
    assert_eq!(event.title, "cpu/usage{core=0} of web-1 is 95.5 (> 90)");
    assert_eq!((event.at, event.sample_time, event.value), (Micros(7), Some(Micros(3)), Some(95.5)));
    assert_eq!((event.owner, event.source), (None, Source::Rule(RuleId(9))));
    assert_eq!(event.details["labels"], json!({"core": "0"}));
    assert_eq!(finding.states.len(), 1);
    let notice = &finding.notices[0];
    assert_eq!((&notice.to, notice.event), (&Ok(RecipientId(4)), Some(0)));
    let body: Body = serde_json::from_value(notice.body.clone()).unwrap();
    let Body::Alerts { alerts, more: 0 } = body else { panic!("{body:?}") };
    assert_eq!((alerts[0].hostname.as_str(), alerts[0].condition.as_str()), ("web-1", "> 90"));
    assert_eq!((alerts[0].change.as_str(), alerts[0].at.as_str()), ("firing", "1970-01-01T00:00:00.000003Z"));
}

#[test]
fn everybody_gets_one_message_for_one_look_with_the_others_counted() {
    let audience = Audience::new(&[(RecipientId(4), None), (RecipientId(5), None)], Vec::new());
    let rule = rule(9, None, high());
    let changes: Vec<Change> = (1..=60).map(|id| change(&rule, id, Some(Happened::Firing), true)).collect();
    let finding = finding(&audience, &changes);
    assert_eq!(told(&finding), [(4, 50, 10), (5, 50, 10)]);
    assert_eq!((finding.events.len(), finding.notices[0].event), (60, None));
}

#[test]
fn whoever_is_told_is_told_by_their_own_rules_only() {
    let audience = Audience::new(&[(RecipientId(4), None), (RecipientId(5), ANN), (RecipientId(6), ANN)], Vec::new());
    let of = |rule: Arc<Rule>| told(&finding(&audience, &[change(&rule, 1, Some(Happened::Firing), true)]));
    assert_eq!(of(rule(1, ANN, high())), [(5, 1, 0), (6, 1, 0)]);
    let mut form = high();
    form["recipients"] = json!([4, 6, 99]);
    assert_eq!(of(rule(2, ANN, form.clone())), [(6, 1, 0)], "neither the fleet's nor one that is gone");
    assert_eq!(of(rule(3, None, form)), [(4, 1, 0)]);
}

#[test]
fn what_is_silenced_or_not_to_be_told_is_written_down_all_the_same() {
    let matcher = Matcher { rules: vec![RuleId(9)], severities: vec![Severity::Warning], servers: Reach::fleet() };
    let silence = Silence { matcher, starts_at: Micros(0), ends_at: Some(Micros(8)), weekly: None };
    let audience = Audience::new(&[(RecipientId(4), None)], vec![silence]);
    let (silent, loud) = (rule(9, None, high()), rule(10, None, high()));
    let changes = [
        change(&silent, 1, Some(Happened::Firing), true),
        change(&loud, 2, Some(Happened::Firing), false),
        change(&loud, 3, None, false),
        change(&loud, 4, Some(Happened::Acknowledged), true),
    ];
    let finding = finding(&audience, &changes);
    assert_eq!((finding.states.len(), finding.events.len(), told(&finding)), (4, 2, vec![]));
}

#[test]
fn of_two_states_of_one_series_the_later_one_is_stored() {
    let rule = rule(9, None, high());
    let mut later = change(&rule, 1, Some(Happened::Resolved), true);
    later.state.phase = Phase::Resolved;
    let changes = [change(&rule, 1, Some(Happened::Firing), true), change(&rule, 2, None, false), later];
    let finding = finding(&Audience::default(), &changes);
    let phases: Vec<_> = finding.states.iter().map(|state| (state.series.unwrap().0, state.phase)).collect();
    assert_eq!(phases, [(2, Phase::Firing), (1, Phase::Resolved)]);
    assert_eq!(finding.events.len(), 2, "the history has both");
}
