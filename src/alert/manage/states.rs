//! Alerts that somebody knows of.

use serde_json::json;

use super::{ManageError, check_may_change, finish};
use crate::auth::Caller;
use crate::model::alert::{Event, Happened, RuleId, Severity, Source};
use crate::store::alerts::states::{self, StateQuery, StateRow};
use crate::store::alerts::{Finding, record, revise};
use crate::store::{Client, Database, GenericClient, transactions};

/// Says that the caller knows of an alert, with a note for others. People are not reminded of it any more.
///
/// # Errors
/// When there is none within reach, it may not be changed by them or does not fire, or PostgreSQL is not available.
pub async fn acknowledge(
    database: &Database,
    caller: Caller<'_>,
    (rule, series): (RuleId, i32),
    note: &str,
) -> Result<StateRow, ManageError> {
    let mut client: Client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    revise(&transaction).await?;
    let state = get(&transaction, caller, (rule, series)).await?;
    check_may_change(caller, state.owner)?;
    let by = caller.principal.label();
    if !states::acknowledge(&transaction, (rule, series), &by, caller.at).await? {
        return Err(ManageError::NotFiring);
    }
    let finding = Finding { events: vec![event(&state, caller, &by, note)], ..Finding::default() };
    record(&transaction, &finding, caller.at).await?;
    let acknowledged = get(&transaction, caller, (rule, series)).await?;
    let subject = format!("alert of rule {} and series {series}", rule.0);
    finish(transaction, &caller.did("alert.acknowledge", subject, json!({ "note": note }))).await?;
    Ok(acknowledged)
}

async fn get(
    client: &impl GenericClient,
    caller: Caller<'_>,
    (rule, series): (RuleId, i32),
) -> Result<StateRow, ManageError> {
    let query = StateQuery {
        reach: caller.principal.reach.clone(),
        rules: vec![rule.0],
        servers: Vec::new(),
        severities: Vec::new(),
        phases: Vec::new(),
        after: (rule.0, series.saturating_sub(1)),
        states_max: 1,
    };
    let found = states::list(client, &query).await?.into_iter().next();
    found.filter(|state| state.series == series).ok_or(ManageError::NotFound("alert"))
}

fn event(state: &StateRow, caller: Caller<'_>, by: &str, note: &str) -> Event {
    let details = json!({ "by": by, "note": note }).as_object().cloned().unwrap_or_default();
    Event {
        at: caller.at,
        owner: state.owner,
        source: Source::Rule(state.rule),
        server: Some((state.server, state.server_id)),
        series: state.series_id(),
        happened: Happened::Acknowledged,
        severity: Severity::parse(&state.severity).unwrap_or(Severity::Warning),
        title: format!("{} on {}: acknowledged by {by}", state.rule_name, state.hostname),
        sample_time: None,
        value: state.value,
        details,
    }
}
