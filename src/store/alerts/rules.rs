//! Rules over samples, as people make them. What a definition means is not known here.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::super::reach::parameter;
use crate::model::alert::RuleId;
use crate::model::{Micros, Reach, UserId};
use crate::store::text::{stored_json, within};
use crate::store::{StoreError, Timestamp};

#[derive(Clone, Debug)]
pub struct RuleRow {
    pub id: RuleId,
    /// `None`: the fleet's.
    pub owner: Option<UserId>,
    /// The only servers its maker's token reached.
    pub servers: Option<Vec<Uuid>>,
    /// An object of strings, where there were any.
    pub labels: Option<Value>,
    pub name: String,
    pub definition: Value,
    pub enabled: bool,
    pub version: i64,
    pub created_by: Option<UserId>,
    pub created_at: Micros,
    pub updated_at: Micros,
    /// How many series it is pending for, and fires for.
    pub pending: i64,
    pub firing: i64,
}

/// What is asked for. `None` does not filter.
#[derive(Clone, Debug)]
pub struct RuleQuery {
    pub reach: Reach,
    pub id: Option<RuleId>,
    pub enabled: Option<bool>,
    /// What the name has somewhere in it.
    pub name: Option<String>,
    pub after: i64,
    pub rules_max: i64,
}

/// A rule that is to be added.
#[derive(Clone, Debug)]
pub struct NewRule<'a> {
    pub owner: Option<UserId>,
    /// What restricts its maker.
    pub scope: &'a Reach,
    pub name: &'a str,
    pub definition: &'a Value,
    pub enabled: bool,
    pub created_by: Option<UserId>,
    pub created_at: Micros,
}

/// What may change of a rule.
#[derive(Clone, Debug)]
pub struct RuleChange<'a> {
    pub name: &'a str,
    pub definition: &'a Value,
    pub enabled: bool,
    pub at: Micros,
}

impl RuleQuery {
    /// One rule, if it is within reach.
    pub fn one(id: RuleId, reach: &Reach) -> Self {
        Self { reach: reach.clone(), id: Some(id), enabled: None, name: None, after: i64::MIN, rules_max: 1 }
    }
}

/// By number.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &impl GenericClient, query: &RuleQuery) -> Result<Vec<RuleRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_rule_list.sql")).await?;
    let (reach, id) = (parameter(&query.reach), query.id.map(|id| id.0));
    let pattern = query.name.as_deref().map(within);
    let rows =
        client.query(&statement, &[&reach, &id, &query.enabled, &pattern, &query.after, &query.rules_max]).await?;
    rows.iter().map(rule).collect()
}

/// Adds a rule and answers its number; `None` when its owner has `rules_max`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add(client: &impl GenericClient, new: &NewRule<'_>, rules_max: i64) -> Result<Option<RuleId>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_rule_add.sql")).await?;
    let owner = new.owner.map(|owner| owner.0);
    let servers: Option<Vec<Uuid>> = new.scope.servers.as_ref().map(|servers| servers.iter().copied().collect());
    let labels: Value = new.scope.labels.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    let labels = Some(labels).filter(|_| !new.scope.labels.is_empty());
    let (by, definition) = (new.created_by.map(|by| by.0), stored_json(new.definition));
    let at = Timestamp(new.created_at);
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&owner, &servers, &labels, &new.name, &definition, &new.enabled, &by, &at, &rules_max];
    let row = client.query_opt(&statement, &values).await?;
    row.map(|row| Ok(RuleId(row.try_get("id")?))).transpose()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn change(client: &impl GenericClient, id: RuleId, change: &RuleChange<'_>) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_rule_change.sql")).await?;
    let (definition, at) = (stored_json(change.definition), Timestamp(change.at));
    client.execute(&statement, &[&id.0, &change.name, &definition, &change.enabled, &at]).await?;
    Ok(())
}

/// Removes it, with how it stands. What happened stays.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn delete(client: &impl GenericClient, id: RuleId) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_rule_delete.sql")).await?;
    client.execute(&statement, &[&id.0]).await?;
    Ok(())
}

/// How many of these recipients are this owner's.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn recipients_of(
    client: &impl GenericClient,
    owner: Option<UserId>,
    recipients: &[i64],
) -> Result<i64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_recipients_of.sql")).await?;
    Ok(client.query_one(&statement, &[&recipients, &owner.map(|owner| owner.0)]).await?.try_get(0)?)
}

fn rule(row: &Row) -> Result<RuleRow, StoreError> {
    let user = |name: &str| Ok::<_, StoreError>(row.try_get::<_, Option<i64>>(name)?.map(UserId));
    Ok(RuleRow {
        id: RuleId(row.try_get("id")?),
        owner: user("owner")?,
        servers: row.try_get("servers")?,
        labels: row.try_get("labels")?,
        name: row.try_get("name")?,
        definition: row.try_get::<_, Json<Value>>("definition")?.0,
        enabled: row.try_get("enabled")?,
        version: row.try_get("version")?,
        created_by: user("created_by")?,
        created_at: row.try_get::<_, Timestamp>("created_at")?.0,
        updated_at: row.try_get::<_, Timestamp>("updated_at")?.0,
        pending: row.try_get("pending")?,
        firing: row.try_get("firing")?,
    })
}
