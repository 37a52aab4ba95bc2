//! What was told, and what was not, as people look at it. Channels of the settings hold secrets and are not read.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::recipients::Seen;
use crate::model::{Micros, UserId};
use crate::store::{StoreError, Timestamp};

#[derive(Clone, Debug)]
pub struct NoticeLine {
    pub id: i64,
    /// `None` where the settings name a channel.
    pub recipient: Option<i64>,
    pub recipient_name: Option<String>,
    pub kind: String,
    pub owner: Option<UserId>,
    pub event: Option<i64>,
    pub body: Value,
    pub created_at: Micros,
    pub due_at: Micros,
    pub attempts: i32,
    pub state: String,
    pub finished_at: Option<Micros>,
    pub last_error: Option<String>,
}

/// What is asked for. `None` does not filter.
#[derive(Clone, Debug)]
pub struct NoticeQuery {
    pub seen: Seen,
    pub recipient: Option<i64>,
    pub state: Option<String>,
    /// Only older ones than this.
    pub before: i64,
    pub notices_max: i64,
}

/// The newest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &impl GenericClient, query: &NoticeQuery) -> Result<Vec<NoticeLine>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_notice_list.sql")).await?;
    let Seen { fleet, owner, everyones } = query.seen;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] = [
        &fleet,
        &owner.map(|owner| owner.0),
        &everyones,
        &query.recipient,
        &query.state,
        &query.before,
        &query.notices_max,
    ];
    let rows = client.query(&statement, &values).await?;
    rows.iter().map(notice).collect()
}

fn notice(row: &Row) -> Result<NoticeLine, StoreError> {
    Ok(NoticeLine {
        id: row.try_get("id")?,
        recipient: row.try_get("recipient")?,
        recipient_name: row.try_get("recipient_name")?,
        kind: row.try_get("kind")?,
        owner: row.try_get::<_, Option<i64>>("owner")?.map(UserId),
        event: row.try_get("event")?,
        body: row.try_get::<_, Json<Value>>("body")?.0,
        created_at: row.try_get::<_, Timestamp>("created_at")?.0,
        due_at: row.try_get::<_, Timestamp>("due_at")?.0,
        attempts: row.try_get("attempts")?,
        state: row.try_get("state")?,
        finished_at: row.try_get::<_, Option<Timestamp>>("finished_at")?.map(|time| time.0),
        last_error: row.try_get("last_error")?,
    })
}
