//! How rules stand with series, for those who look, and for those who say that they know.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use super::super::reach::parameter;
use super::some;
use crate::model::alert::RuleId;
use crate::model::{Micros, Reach, SeriesId, ServerKey, UserId};
use crate::store::{StoreError, Timestamp};

/// What is asked for. Empty lists do not filter.
#[derive(Clone, Debug)]
pub struct StateQuery {
    pub reach: Reach,
    pub rules: Vec<i64>,
    pub servers: Vec<Uuid>,
    pub severities: Vec<String>,
    pub phases: Vec<String>,
    /// Only what comes after this rule and series.
    pub after: (i64, i32),
    pub states_max: i64,
}

/// How a rule stands with a series, with what both are called.
#[derive(Clone, Debug)]
pub struct StateRow {
    pub rule: RuleId,
    pub rule_name: String,
    pub owner: Option<UserId>,
    pub severity: String,
    /// Zero where the rule judges a server as a whole.
    pub series: i32,
    /// Type, name and labels, while the series is there.
    pub metric: Option<(String, String, Option<Value>)>,
    pub server: ServerKey,
    pub server_id: Uuid,
    pub hostname: String,
    pub phase: String,
    pub since: Micros,
    pub value: Option<f64>,
    pub fired_at: Option<Micros>,
    pub told_at: Option<Micros>,
    pub acknowledged_by: Option<String>,
    pub updated_at: Micros,
}

/// By rule and series.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &impl GenericClient, query: &StateQuery) -> Result<Vec<StateRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_state_list.sql")).await?;
    let (reach, (rule, series)) = (parameter(&query.reach), query.after);
    let rows = client
        .query(
            &statement,
            &[
                &reach,
                &some(&query.rules),
                &some(&query.servers),
                &some(&query.severities),
                &some(&query.phases),
                &rule,
                &series,
                &query.states_max,
            ],
        )
        .await?;
    rows.iter().map(state).collect()
}

/// Whether it fired until now, and is acknowledged from now on.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn acknowledge(
    client: &impl GenericClient,
    (rule, series): (RuleId, i32),
    by: &str,
    now: Micros,
) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_state_acknowledge.sql")).await?;
    Ok(client.execute(&statement, &[&rule.0, &series, &by, &Timestamp(now)]).await? == 1)
}

impl StateRow {
    pub fn series_id(&self) -> Option<SeriesId> {
        Some(SeriesId(self.series.cast_unsigned())).filter(|id| id.0 != 0)
    }
}

fn state(row: &Row) -> Result<StateRow, StoreError> {
    let time = |name: &str| Ok::<_, StoreError>(row.try_get::<_, Option<Timestamp>>(name)?.map(|time| time.0));
    let metric_type: Option<String> = row.try_get("metric_type")?;
    let metric = match metric_type {
        Some(metric_type) => Some((metric_type, row.try_get("metric_name")?, row.try_get("labels")?)),
        None => None,
    };
    Ok(StateRow {
        rule: RuleId(row.try_get("rule")?),
        rule_name: row.try_get("rule_name")?,
        owner: row.try_get::<_, Option<i64>>("owner")?.map(UserId),
        severity: row.try_get("severity")?,
        series: row.try_get("series")?,
        metric,
        server: ServerKey(row.try_get("server")?),
        server_id: row.try_get("server_id")?,
        hostname: row.try_get("hostname")?,
        phase: row.try_get("phase")?,
        since: row.try_get::<_, Timestamp>("since")?.0,
        value: row.try_get("value")?,
        fired_at: time("fired_at")?,
        told_at: time("told_at")?,
        acknowledged_by: row.try_get("acknowledged_by")?,
        updated_at: row.try_get::<_, Timestamp>("updated_at")?.0,
    })
}
