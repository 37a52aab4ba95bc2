//! Rules of people about whole reports of their agents, and what they found. What definitions and details mean is not
//! known here.

use deadpool_postgres::{GenericClient, Transaction};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::model::alert::{Phase, RecipientId, RuleId, State};
use crate::model::{Micros, Reach, ServerKey, UserId};
use crate::store::reach::parameter;
use crate::store::text::{stored, stored_json};
use crate::store::{StoreError, Timestamp};

/// The longest name of a rule; a longer one is cut.
const NAME_BYTES_MAX: usize = 200;

/// A rule that is judged.
#[derive(Clone, Debug)]
pub struct JudgedRule {
    pub id: RuleId,
    pub owner: UserId,
    pub agent: i32,
    pub agent_name: String,
    pub definition: Value,
}

/// A rule as it is listed.
#[derive(Clone, Debug)]
pub struct ListedRule {
    pub id: RuleId,
    pub owner: UserId,
    pub agent: i32,
    pub definition: Value,
    pub enabled: bool,
    pub created_at: Micros,
}

/// An agent a rule can be about.
#[derive(Clone, Debug)]
pub struct AgentOf {
    pub name: String,
    pub server: (ServerKey, Uuid),
    pub latest_report: Option<Box<RawValue>>,
}

/// A rule that is to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewAgentRule<'a> {
    pub owner: UserId,
    pub agent: i32,
    pub name: &'a str,
    pub definition: &'a Value,
    pub enabled: bool,
    pub created_at: Micros,
}

/// What is asked of the history. `None` does not filter.
#[derive(Clone, Copy, Debug)]
pub struct HistoryQuery<'a> {
    pub owner: UserId,
    pub reach: &'a Reach,
    /// Who found it, as details name it.
    pub system: &'a str,
    pub agent_id: Option<&'a str>,
    pub metric_type: Option<&'a str>,
    pub events_max: i64,
    pub offset: i64,
}

/// Something a rule found.
#[derive(Clone, Debug)]
pub struct FoundRow {
    pub id: i64,
    pub at: Micros,
    pub rule: Option<RuleId>,
    pub value: Option<f64>,
    pub details: Value,
}

/// The enabled rules about reports of an agent. Its reports take turns from here to the end of their transactions.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn hold(transaction: &Transaction<'_>, agent: i32) -> Result<Vec<JudgedRule>, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/alert_agent_rules.sql")).await?;
    let rows = transaction.query(&statement, &[&agent]).await?;
    rows.iter()
        .map(|row| {
            Ok(JudgedRule {
                id: RuleId(row.try_get("id")?),
                owner: UserId(row.try_get("owner")?),
                agent: row.try_get("agent")?,
                agent_name: row.try_get("agent_name")?,
                definition: row.try_get::<_, Json<Value>>("definition")?.0,
            })
        })
        .collect()
}

/// How rules stand, those that ever fired. For who holds them.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn states(transaction: &Transaction<'_>, rules: &[RuleId]) -> Result<Vec<State>, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/alert_agent_states.sql")).await?;
    let rules: Vec<i64> = rules.iter().map(|rule| rule.0).collect();
    transaction.query(&statement, &[&rules]).await?.iter().map(state).collect()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn agent(
    client: &impl GenericClient,
    (owner, agent): (UserId, i32),
    reach: &Reach,
    kind: &str,
) -> Result<Option<AgentOf>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_agent_of.sql")).await?;
    let row = client.query_opt(&statement, &[&owner.0, &agent, &parameter(reach), &kind]).await?;
    row.map(|row| {
        Ok(AgentOf {
            name: row.try_get("name")?,
            server: (ServerKey(row.try_get("key")?), row.try_get("id")?),
            latest_report: row.try_get::<_, Option<Json<Box<RawValue>>>>("body")?.map(|Json(body)| body),
        })
    })
    .transpose()
}

/// Adds a rule and answers its number; `None` when its owner has `rules_max`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add(
    client: &impl GenericClient,
    new: NewAgentRule<'_>,
    rules_max: i64,
) -> Result<Option<RuleId>, StoreError> {
    let NewAgentRule { owner, agent, name, definition, enabled, created_at } = new;
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_agent_rule_add.sql")).await?;
    let (name, definition) = (stored(name, NAME_BYTES_MAX), stored_json(definition));
    let at = Timestamp(created_at);
    let row = client.query_opt(&statement, &[&owner.0, &agent, &name, &definition, &enabled, &rules_max, &at]).await?;
    row.map(|row| Ok(RuleId(row.try_get("id")?))).transpose()
}

/// By number.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(
    client: &impl GenericClient,
    owner: UserId,
    reach: &Reach,
    rules_max: i64,
) -> Result<Vec<ListedRule>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_agent_rule_list.sql")).await?;
    let rows = client.query(&statement, &[&owner.0, &parameter(reach), &rules_max]).await?;
    rows.iter()
        .map(|row| {
            Ok(ListedRule {
                id: RuleId(row.try_get("id")?),
                owner: UserId(row.try_get("owner")?),
                agent: row.try_get("of_agent")?,
                definition: row.try_get::<_, Json<Value>>("definition")?.0,
                enabled: row.try_get("enabled")?,
                created_at: row.try_get::<_, Timestamp>("created_at")?.0,
            })
        })
        .collect()
}

/// Removes a rule with how it stands, and answers its name. What it found stays.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn delete(
    client: &impl GenericClient,
    owner: UserId,
    rule: RuleId,
    reach: &Reach,
) -> Result<Option<String>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_agent_rule_delete.sql")).await?;
    let row = client.query_opt(&statement, &[&owner.0, &rule.0, &parameter(reach)]).await?;
    row.map(|row| Ok(row.try_get("name")?)).transpose()
}

/// What rules found, newest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn history(client: &impl GenericClient, query: HistoryQuery<'_>) -> Result<Vec<FoundRow>, StoreError> {
    let HistoryQuery { owner, reach, system, agent_id, metric_type, events_max, offset } = query;
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_agent_history.sql")).await?;
    let rows = client
        .query(&statement, &[&owner.0, &parameter(reach), &system, &agent_id, &metric_type, &events_max, &offset])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(FoundRow {
                id: row.try_get("id")?,
                at: row.try_get::<_, Timestamp>("at")?.0,
                rule: row.try_get::<_, Option<i64>>("rule")?.map(RuleId),
                value: row.try_get("value")?,
                details: row.try_get::<_, Json<Value>>("details")?.0,
            })
        })
        .collect()
}

/// Removes up to `events_max` of it and answers how many there were.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn clear_history(
    client: &impl GenericClient,
    (owner, reach): (UserId, &Reach),
    system: &str,
    events_max: i64,
) -> Result<u64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_agent_history_clear.sql")).await?;
    Ok(client.execute(&statement, &[&owner.0, &parameter(reach), &system, &events_max]).await?)
}

/// The chat that a person has set for themselves, while it is enabled.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn own_telegram(client: &impl GenericClient, owner: UserId) -> Result<Option<RecipientId>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_own_telegram.sql")).await?;
    let row = client.query_opt(&statement, &[&owner.0]).await?;
    row.map(|row| Ok(RecipientId(row.try_get("id")?))).transpose()
}

fn state(row: &Row) -> Result<State, StoreError> {
    let time = |name: &str| Ok::<_, StoreError>(row.try_get::<_, Option<Timestamp>>(name)?.map(|time| time.0));
    let phase: &str = row.try_get("phase")?;
    let phases = [Phase::Pending, Phase::Firing, Phase::Acknowledged, Phase::Resolved];
    let known = phases.into_iter().find(|known| known.name() == phase);
    Ok(State {
        rule: RuleId(row.try_get("rule")?),
        series: None,
        server: ServerKey(row.try_get("server")?),
        phase: known.ok_or_else(|| StoreError::Unreadable(format!("the phase {phase:?}")))?,
        since: row.try_get::<_, Timestamp>("since")?.0,
        judged_until: None,
        value: row.try_get("value")?,
        fired_at: time("fired_at")?,
        told_at: time("told_at")?,
        acknowledged_by: row.try_get("acknowledged_by")?,
        flips: Vec::new(),
    })
}
