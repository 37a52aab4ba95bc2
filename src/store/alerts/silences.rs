//! Silences, as people make them. What a matcher or quiet hours mean is not known here.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::super::reach::parameter;
use crate::model::{Micros, Reach, UserId};
use crate::store::text::stored_json;
use crate::store::{StoreError, Timestamp};

#[derive(Clone, Debug)]
pub struct SilenceRow {
    pub id: i64,
    /// `None`: the fleet's.
    pub owner: Option<UserId>,
    pub body: SilenceBody,
    pub created_by: Option<UserId>,
    pub created_at: Micros,
}

/// What may change of a silence.
#[derive(Clone, Debug)]
pub struct SilenceBody {
    pub comment: String,
    pub matcher: Value,
    pub starts_at: Micros,
    pub ends_at: Option<Micros>,
    pub weekly: Option<Value>,
}

/// What is asked for. `None` does not filter.
#[derive(Clone, Debug)]
pub struct SilenceQuery {
    pub reach: Reach,
    pub id: Option<i64>,
    /// Only those that have not ended by then.
    pub open_at: Option<Micros>,
    pub after: i64,
    pub silences_max: i64,
}

/// By number.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &impl GenericClient, query: &SilenceQuery) -> Result<Vec<SilenceRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_silence_list.sql")).await?;
    let (reach, open_at) = (parameter(&query.reach), query.open_at.map(Timestamp));
    let rows = client.query(&statement, &[&reach, &query.id, &open_at, &query.after, &query.silences_max]).await?;
    rows.iter().map(silence).collect()
}

/// Adds a silence and answers its number; `None` when its owner has `silences_max` that have not ended.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add(
    client: &impl GenericClient,
    (owner, created_by): (Option<UserId>, Option<UserId>),
    body: &SilenceBody,
    now: Micros,
    silences_max: i64,
) -> Result<Option<i64>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_silence_add.sql")).await?;
    let (owner, by) = (owner.map(|owner| owner.0), created_by.map(|by| by.0));
    let (matcher, weekly) = (stored_json(&body.matcher), body.weekly.as_ref().map(stored_json));
    let (starts_at, ends_at, now) = (Timestamp(body.starts_at), body.ends_at.map(Timestamp), Timestamp(now));
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&owner, &body.comment, &matcher, &starts_at, &ends_at, &weekly, &by, &now, &silences_max];
    let row = client.query_opt(&statement, &values).await?;
    row.map(|row| Ok(row.try_get("id")?)).transpose()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn change(client: &impl GenericClient, id: i64, body: &SilenceBody) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_silence_change.sql")).await?;
    let (matcher, weekly) = (stored_json(&body.matcher), body.weekly.as_ref().map(stored_json));
    let (starts_at, ends_at) = (Timestamp(body.starts_at), body.ends_at.map(Timestamp));
    client.execute(&statement, &[&id, &body.comment, &matcher, &starts_at, &ends_at, &weekly]).await?;
    Ok(())
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn delete(client: &impl GenericClient, id: i64) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_silence_delete.sql")).await?;
    client.execute(&statement, &[&id]).await?;
    Ok(())
}

fn silence(row: &Row) -> Result<SilenceRow, StoreError> {
    let user = |name: &str| Ok::<_, StoreError>(row.try_get::<_, Option<i64>>(name)?.map(UserId));
    Ok(SilenceRow {
        id: row.try_get("id")?,
        owner: user("owner")?,
        body: SilenceBody {
            comment: row.try_get("comment")?,
            matcher: row.try_get::<_, Json<Value>>("matcher")?.0,
            starts_at: row.try_get::<_, Timestamp>("starts_at")?.0,
            ends_at: row.try_get::<_, Option<Timestamp>>("ends_at")?.map(|time| time.0),
            weekly: row.try_get::<_, Option<Json<Value>>>("weekly")?.map(|Json(weekly)| weekly),
        },
        created_by: user("created_by")?,
        created_at: row.try_get::<_, Timestamp>("created_at")?.0,
    })
}
