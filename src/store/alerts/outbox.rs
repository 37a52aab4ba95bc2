//! Notices that are still to be delivered: claimed by one node at a time, ended by how it went.

use std::time::Duration;

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::model::Micros;
use crate::model::alert::RecipientId;
use crate::store::text::stored;
use crate::store::{StoreError, Timestamp};

/// The longest reason; a longer one is cut.
const ERROR_BYTES_MAX: usize = 500;

/// A notice that nobody else is at.
#[derive(Clone)]
pub struct Claimed {
    pub id: i64,
    /// `None` where the settings name a channel.
    pub recipient: Option<RecipientId>,
    /// Holds secrets. `None` where the recipient is gone.
    pub channel: Option<Value>,
    pub body: Value,
    /// This one included.
    pub attempts: i32,
    pub created_at: Micros,
    /// Whether the recipient is to be told at all.
    pub is_enabled: bool,
}

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// Tried again then.
    Again {
        at: Micros,
        reason: String,
    },
    GivenUp {
        reason: String,
    },
}

impl std::fmt::Debug for Claimed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Claimed").field("id", &self.id).field("attempts", &self.attempts).finish_non_exhaustive()
    }
}

/// Takes up to `notices_max` notices that are due, each the first of its line, until `claimed_until`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn claim(
    client: &impl GenericClient,
    now: Micros,
    claimed_until: Micros,
    notices_max: i64,
) -> Result<Vec<Claimed>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_notice_claim.sql")).await?;
    let rows = client.query(&statement, &[&Timestamp(now), &Timestamp(claimed_until), &notices_max]).await?;
    rows.iter().map(claimed).collect()
}

/// Writes down how it went, for the notice and for its recipient. Nothing, where the claim has run out and somebody else
/// has taken the notice over.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn end(
    client: &impl GenericClient,
    notice: &Claimed,
    outcome: &Outcome,
    now: Micros,
) -> Result<(), StoreError> {
    let (state, due_at, reason) = match outcome {
        Outcome::Delivered => ("delivered", None, None),
        Outcome::Again { at, reason } => ("waiting", Some(Timestamp(*at)), Some(stored(reason, ERROR_BYTES_MAX))),
        Outcome::GivenUp { reason } => ("failed", None, Some(stored(reason, ERROR_BYTES_MAX))),
    };
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_notice_end.sql")).await?;
    client.execute(&statement, &[&notice.id, &notice.attempts, &state, &due_at, &Timestamp(now), &reason]).await?;
    Ok(())
}

/// Removes up to `notices_max` that were finished longer than `kept` ago.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn expire(
    client: &impl GenericClient,
    now: Micros,
    kept: Duration,
    notices_max: i64,
) -> Result<u64, StoreError> {
    let before = Timestamp(Micros(now.0 - i64::try_from(kept.as_micros()).unwrap_or(i64::MAX)));
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_notice_expire.sql")).await?;
    Ok(client.execute(&statement, &[&before, &notices_max]).await?)
}

fn claimed(row: &Row) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        id: row.try_get("id")?,
        recipient: row.try_get::<_, Option<i64>>("recipient")?.map(RecipientId),
        channel: row.try_get::<_, Option<Json<Value>>>("channel")?.map(|Json(channel)| channel),
        body: row.try_get::<_, Json<Value>>("body")?.0,
        attempts: row.try_get("attempts")?,
        created_at: row.try_get::<_, Timestamp>("created_at")?.0,
        is_enabled: row.try_get("is_enabled")?,
    })
}
