//! What happened with alerts, read and thrown away.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::super::reach::parameter;
use super::some;
use crate::model::{Micros, Reach, UserId, Whose};
use crate::store::{StoreError, Timestamp};

/// What is asked for. Empty lists do not filter.
#[derive(Clone, Debug)]
pub struct EventQuery {
    pub reach: Reach,
    pub rules: Vec<i64>,
    pub servers: Vec<Uuid>,
    pub severities: Vec<String>,
    pub changes: Vec<String>,
    pub packs: Vec<String>,
    /// Both included.
    pub from: Micros,
    pub to: Micros,
    pub oldest_first: bool,
    /// Only what comes after this one.
    pub after: Option<(Micros, i64)>,
    pub events_max: i64,
}

#[derive(Clone, Debug)]
pub struct EventRow {
    pub id: i64,
    pub at: Micros,
    pub owner: Option<UserId>,
    pub rule: Option<i64>,
    pub rule_name: Option<String>,
    pub pack: Option<String>,
    pub server: Option<(Uuid, String)>,
    pub series: Option<i32>,
    pub change: String,
    pub severity: String,
    pub title: String,
    pub sample_time: Option<Micros>,
    pub value: Option<f64>,
    pub details: Value,
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &impl GenericClient, query: &EventQuery) -> Result<Vec<EventRow>, StoreError> {
    let (sql, start) = if query.oldest_first {
        (include_str!("../../../sql/queries/alert_event_list_oldest.sql"), (Timestamp::BEFORE_ALL.0, i64::MIN))
    } else {
        (include_str!("../../../sql/queries/alert_event_list.sql"), (Timestamp::AFTER_ALL.0, i64::MAX))
    };
    let statement = client.prepare_cached(sql).await?;
    let (reach, (after, after_id)) = (parameter(&query.reach), query.after.unwrap_or(start));
    let rows = client
        .query(
            &statement,
            &[
                &reach,
                &some(&query.rules),
                &some(&query.servers),
                &some(&query.severities),
                &some(&query.changes),
                &some(&query.packs),
                &Timestamp(query.from),
                &Timestamp(query.to),
                &Timestamp(after),
                &after_id,
                &query.events_max,
            ],
        )
        .await?;
    rows.iter().map(event).collect()
}

/// Removes up to `events_max` entries from before a time, the oldest first, and answers how many there were.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn erase(
    client: &impl GenericClient,
    whose: Whose,
    before: Micros,
    events_max: i64,
) -> Result<u64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_event_erase.sql")).await?;
    let (fleet, owner, everyones) = match whose {
        Whose::Everyones => (true, None, true),
        Whose::Some { fleet, owner } => (fleet, owner.map(|owner| owner.0), false),
    };
    Ok(client.execute(&statement, &[&Timestamp(before), &fleet, &owner, &events_max, &everyones]).await?)
}

fn event(row: &Row) -> Result<EventRow, StoreError> {
    let server_id: Option<Uuid> = row.try_get("server_id")?;
    Ok(EventRow {
        id: row.try_get("id")?,
        at: row.try_get::<_, Timestamp>("at")?.0,
        owner: row.try_get::<_, Option<i64>>("owner")?.map(UserId),
        rule: row.try_get("rule")?,
        rule_name: row.try_get("rule_name")?,
        pack: row.try_get("pack")?,
        server: match server_id {
            Some(id) => Some((id, row.try_get("hostname")?)),
            None => None,
        },
        series: row.try_get("series")?,
        change: row.try_get("change")?,
        severity: row.try_get("severity")?,
        title: row.try_get("title")?,
        sample_time: row.try_get::<_, Option<Timestamp>>("sample_time")?.map(|time| time.0),
        value: row.try_get("value")?,
        details: row.try_get::<_, Json<Value>>("details")?.0,
    })
}
