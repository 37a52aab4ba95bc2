//! Who is told, and how they are reached. What a target means is not known here; it holds secrets.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::model::{Micros, UserId};
use crate::store::text::{stored, stored_json};
use crate::store::{StoreError, Timestamp};

/// The longest reason; a longer one is cut.
const ERROR_BYTES_MAX: usize = 500;

#[derive(Clone)]
pub struct RecipientRow {
    pub id: i64,
    /// `None`: the fleet's.
    pub owner: Option<UserId>,
    pub body: RecipientBody,
    /// It was set by `POST /recipient`.
    pub is_own_telegram: bool,
    pub created_at: Micros,
    pub updated_at: Micros,
    pub last_success: Option<Micros>,
    pub last_failure: Option<Micros>,
    pub last_error: Option<String>,
}

/// What may change of a recipient.
#[derive(Clone)]
pub struct RecipientBody {
    pub name: String,
    pub kind: String,
    pub target: Value,
    pub enabled: bool,
}

/// Whose recipients and notices somebody sees.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub fleet: bool,
    pub owner: Option<UserId>,
    pub everyones: bool,
}

/// What is asked for. `None` does not filter.
#[derive(Clone, Debug)]
pub struct RecipientQuery {
    pub seen: Seen,
    pub id: Option<i64>,
    pub after: i64,
    pub recipients_max: i64,
}

impl std::fmt::Debug for RecipientRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RecipientRow").field("id", &self.id).field("body", &self.body).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RecipientBody {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RecipientBody").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// By number.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &impl GenericClient, query: &RecipientQuery) -> Result<Vec<RecipientRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_recipient_list.sql")).await?;
    let Seen { fleet, owner, everyones } = query.seen;
    let owner = owner.map(|owner| owner.0);
    let rows =
        client.query(&statement, &[&fleet, &owner, &everyones, &query.id, &query.after, &query.recipients_max]).await?;
    rows.iter().map(recipient).collect()
}

/// Adds a recipient and answers its number; `None` when its owner has `recipients_max`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add(
    client: &impl GenericClient,
    owner: Option<UserId>,
    body: &RecipientBody,
    now: Micros,
    recipients_max: i64,
) -> Result<Option<i64>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_recipient_add.sql")).await?;
    let (owner, target) = (owner.map(|owner| owner.0), stored_json(&body.target));
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
        [&owner, &body.name, &body.kind, &target, &body.enabled, &Timestamp(now), &recipients_max];
    let row = client.query_opt(&statement, &values).await?;
    row.map(|row| Ok(row.try_get("id")?)).transpose()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn change(client: &impl GenericClient, id: i64, body: &RecipientBody, now: Micros) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_recipient_change.sql")).await?;
    let target = stored_json(&body.target);
    client.execute(&statement, &[&id, &body.name, &body.kind, &target, &body.enabled, &Timestamp(now)]).await?;
    Ok(())
}

/// Removes it, with what it was still to be told.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn delete(client: &impl GenericClient, id: i64) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_recipient_delete.sql")).await?;
    client.execute(&statement, &[&id]).await?;
    Ok(())
}

/// Writes down how a test went, with the reason where nothing arrived.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn outcome(
    client: &impl GenericClient,
    id: i64,
    reason: Option<&str>,
    now: Micros,
) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_recipient_outcome.sql")).await?;
    let reason = reason.map(|reason| stored(reason, ERROR_BYTES_MAX));
    client.execute(&statement, &[&id, &Timestamp(now), &reason]).await?;
    Ok(())
}

/// The one Telegram chat that a person can set by `POST /recipient`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn own_telegram(client: &impl GenericClient, owner: UserId) -> Result<Option<RecipientRow>, StoreError> {
    let text = include_str!("../../../sql/queries/alert_recipient_own_telegram.sql");
    let row = client.query_opt(&client.prepare_cached(text).await?, &[&owner.0]).await?;
    row.as_ref().map(recipient).transpose()
}

/// Sets it, for the first time or anew.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn put_own_telegram(
    client: &impl GenericClient,
    owner: UserId,
    target: &Value,
    enabled: bool,
    now: Micros,
) -> Result<RecipientRow, StoreError> {
    let text = include_str!("../../../sql/queries/alert_recipient_put_own_telegram.sql");
    let statement = client.prepare_cached(text).await?;
    let row = client.query_one(&statement, &[&owner.0, &stored_json(target), &enabled, &Timestamp(now)]).await?;
    recipient(&row)
}

fn recipient(row: &Row) -> Result<RecipientRow, StoreError> {
    let time = |name: &str| Ok::<_, StoreError>(row.try_get::<_, Option<Timestamp>>(name)?.map(|time| time.0));
    Ok(RecipientRow {
        id: row.try_get("id")?,
        owner: row.try_get::<_, Option<i64>>("owner")?.map(UserId),
        body: RecipientBody {
            name: row.try_get("name")?,
            kind: row.try_get("kind")?,
            target: row.try_get::<_, Json<Value>>("target")?.0,
            enabled: row.try_get("enabled")?,
        },
        is_own_telegram: row.try_get("is_own_telegram")?,
        created_at: row.try_get::<_, Timestamp>("created_at")?.0,
        updated_at: row.try_get::<_, Timestamp>("updated_at")?.0,
        last_success: time("last_success")?,
        last_failure: time("last_failure")?,
        last_error: row.try_get("last_error")?,
    })
}
