//! What is judged and who is told, as the node that judges reads it: over the connection that has the lock.

use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::seat::Seat;
use crate::model::alert::{Phase, RecipientId, RuleId, State};
use crate::model::{Micros, SeriesId, ServerKey, UserId};
use crate::store::{StoreError, Timestamp};

/// Most rules that are judged; those made last are not.
pub const RULES_MAX: i64 = 32_768;
/// States read in one statement.
const STATES_PAGE: i64 = 10_000;
/// Most alerts that are looked at after somebody has acknowledged one.
const ACKNOWLEDGED_MAX: i64 = 10_000;
const RECIPIENTS_MAX: i64 = 100_000;
const SILENCES_MAX: i64 = 10_000;

/// A rule as it is stored.
#[derive(Clone, Debug)]
pub struct RuleRow {
    pub id: RuleId,
    pub owner: Option<UserId>,
    pub servers: Option<Vec<Uuid>>,
    pub labels: Option<Value>,
    pub name: String,
    pub definition: Value,
    pub version: i64,
    pub updated_at: Micros,
}

/// A silence that has not ended, as it is stored.
#[derive(Clone, Debug)]
pub struct SilenceRow {
    pub owner: Option<UserId>,
    pub matcher: Value,
    pub starts_at: Micros,
    pub ends_at: Option<Micros>,
    pub weekly: Option<Value>,
}

/// An alert somebody has said that they know of.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub rule: RuleId,
    pub series: SeriesId,
    pub by: String,
}

impl Seat {
    /// The rules that are judged, with their versions.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn versions(&self) -> Result<Vec<(RuleId, i64)>, StoreError> {
        let statement = include_str!("../../../sql/queries/alert_judged_versions.sql");
        let statement = self.client.prepare_cached(statement).await?;
        let rows = self.client.query(&statement, &[&RULES_MAX]).await?;
        rows.iter().map(|row| Ok((RuleId(row.try_get("id")?), row.try_get("version")?))).collect()
    }

    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn rules(&self, ids: &[RuleId]) -> Result<Vec<RuleRow>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let statement = self.client.prepare_cached(include_str!("../../../sql/queries/alert_judged_rules.sql")).await?;
        self.client.query(&statement, &[&ids]).await?.iter().map(rule).collect()
    }

    /// How rules stand with series, a page after `after`; an empty one is the end.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn states(&self, after: (RuleId, SeriesId)) -> Result<Vec<State>, StoreError> {
        let statement =
            self.client.prepare_cached(include_str!("../../../sql/queries/alert_judged_states.sql")).await?;
        let (rule, series) = (after.0.0, after.1.0.cast_signed());
        let rows = self.client.query(&statement, &[&rule, &series, &STATES_PAGE]).await?;
        rows.iter().map(state).collect()
    }

    /// How many alerts fire, those that somebody knows of included.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn firing(&self) -> Result<u64, StoreError> {
        let statement = self.client.prepare_cached(include_str!("../../../sql/queries/alert_firing.sql")).await?;
        Ok(self.client.query_one(&statement, &[]).await?.try_get::<_, i64>("firing")?.cast_unsigned())
    }

    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn acknowledged(&self) -> Result<Vec<Acknowledged>, StoreError> {
        let statement = self.client.prepare_cached(include_str!("../../../sql/queries/alert_acknowledged.sql")).await?;
        let rows = self.client.query(&statement, &[&ACKNOWLEDGED_MAX]).await?;
        let acknowledged = |row: &Row| {
            Ok(Acknowledged {
                rule: RuleId(row.try_get("rule")?),
                series: series(row)?,
                by: row.try_get::<_, Option<String>>("acknowledged_by")?.unwrap_or_default(),
            })
        };
        rows.iter().map(acknowledged).collect()
    }

    /// Who may be told, and whose alerts they are told of; nobody's are the fleet's.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn recipients(&self) -> Result<Vec<(RecipientId, Option<UserId>)>, StoreError> {
        let statement = include_str!("../../../sql/queries/alert_judged_recipients.sql");
        let statement = self.client.prepare_cached(statement).await?;
        let rows = self.client.query(&statement, &[&RECIPIENTS_MAX]).await?;
        rows.iter().map(|row| Ok((RecipientId(row.try_get("id")?), owner(row)?))).collect()
    }

    /// Those that have not ended by `now`.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn silences(&self, now: Micros) -> Result<Vec<SilenceRow>, StoreError> {
        let statement = include_str!("../../../sql/queries/alert_judged_silences.sql");
        let statement = self.client.prepare_cached(statement).await?;
        let rows = self.client.query(&statement, &[&Timestamp(now), &SILENCES_MAX]).await?;
        let silence = |row: &Row| {
            Ok(SilenceRow {
                owner: owner(row)?,
                matcher: row.try_get::<_, Json<Value>>("matcher")?.0,
                starts_at: row.try_get::<_, Timestamp>("starts_at")?.0,
                ends_at: time(row, "ends_at")?,
                weekly: row.try_get::<_, Option<Json<Value>>>("weekly")?.map(|weekly| weekly.0),
            })
        };
        rows.iter().map(silence).collect()
    }
}

fn rule(row: &Row) -> Result<RuleRow, StoreError> {
    Ok(RuleRow {
        id: RuleId(row.try_get("id")?),
        owner: owner(row)?,
        servers: row.try_get("servers")?,
        labels: row.try_get("labels")?,
        name: row.try_get("name")?,
        definition: row.try_get::<_, Json<Value>>("definition")?.0,
        version: row.try_get("version")?,
        updated_at: row.try_get::<_, Timestamp>("updated_at")?.0,
    })
}

fn state(row: &Row) -> Result<State, StoreError> {
    let phase: &str = row.try_get("phase")?;
    Ok(State {
        rule: RuleId(row.try_get("rule")?),
        series: Some(series(row)?),
        server: ServerKey(row.try_get("server")?),
        phase: Phase::parse(phase).ok_or_else(|| StoreError::Unreadable(format!("alert phase {phase:?}")))?,
        since: row.try_get::<_, Timestamp>("since")?.0,
        judged_until: time(row, "judged_until")?,
        value: row.try_get("value")?,
        fired_at: time(row, "fired_at")?,
        told_at: time(row, "told_at")?,
        acknowledged_by: row.try_get("acknowledged_by")?,
        flips: row.try_get::<_, Json<Vec<i64>>>("flips")?.0.into_iter().map(Micros).collect(),
    })
}

fn series(row: &Row) -> Result<SeriesId, StoreError> {
    Ok(SeriesId(row.try_get::<_, i32>("series")?.cast_unsigned()))
}

fn owner(row: &Row) -> Result<Option<UserId>, StoreError> {
    Ok(row.try_get::<_, Option<i64>>("owner")?.map(UserId))
}

fn time(row: &Row, column: &str) -> Result<Option<Micros>, StoreError> {
    Ok(row.try_get::<_, Option<Timestamp>>(column)?.map(|time| time.0))
}
