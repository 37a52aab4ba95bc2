//! Codes that let one person register. The codes themselves are not known here.

use deadpool_postgres::{Client, Transaction};

use super::{StoreError, Timestamp};
use crate::model::{Micros, UserId};

#[derive(Clone, Debug)]
pub struct NewInvite<'a> {
    pub hash: &'a [u8],
    pub role: Option<&'a str>,
    pub created_by: Option<UserId>,
    /// Good only while there is no administrator.
    pub sets_up: bool,
    pub now: Micros,
    pub expires_at: Micros,
}

#[derive(Clone, Debug)]
pub struct Invite {
    pub id: i64,
    pub role: Option<String>,
    pub created_by: Option<UserId>,
    pub created_at: Micros,
    pub expires_at: Micros,
    pub used_by: Option<UserId>,
    pub used_at: Option<Micros>,
}

/// An invitation that can be used, and by nobody else until the end of the transaction.
#[derive(Clone, Debug)]
pub struct HeldInvite {
    pub id: i64,
    pub role: Option<String>,
    pub sets_up: bool,
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn add(transaction: &Transaction<'_>, new: &NewInvite<'_>) -> Result<i64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/invite_add.sql")).await?;
    let (by, now, expires_at) = (new.created_by.map(|by| by.0), Timestamp(new.now), Timestamp(new.expires_at));
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&new.hash, &new.role, &by, &now, &expires_at, &new.sets_up];
    Ok(transaction.query_one(&statement, &values).await?.try_get("id")?)
}

/// How many are neither used nor over.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn open(transaction: &Transaction<'_>, now: Micros) -> Result<i64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/invite_open.sql")).await?;
    Ok(transaction.query_one(&statement, &[&Timestamp(now)]).await?.try_get(0)?)
}

/// The newest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &Client, invites_max: i64) -> Result<Vec<Invite>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/invite_list.sql")).await?;
    let rows = client.query(&statement, &[&invites_max]).await?;
    rows.iter()
        .map(|row| {
            let time = |name| row.try_get::<_, Timestamp>(name).map(|time| time.0);
            let who = |name| row.try_get::<_, Option<i64>>(name).map(|id| id.map(UserId));
            Ok(Invite {
                id: row.try_get("id")?,
                role: row.try_get("role")?,
                created_by: who("created_by")?,
                created_at: time("created_at")?,
                expires_at: time("expires_at")?,
                used_by: who("used_by")?,
                used_at: row.try_get::<_, Option<Timestamp>>("used_at")?.map(|time| time.0),
            })
        })
        .collect()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn hold(transaction: &Transaction<'_>, hash: &[u8], now: Micros) -> Result<Option<HeldInvite>, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/invite_hold.sql")).await?;
    let row = transaction.query_opt(&statement, &[&hash, &Timestamp(now)]).await?;
    row.map(|row| {
        Ok(HeldInvite { id: row.try_get("id")?, role: row.try_get("role")?, sets_up: row.try_get("sets_up")? })
    })
    .transpose()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn mark_used(transaction: &Transaction<'_>, id: i64, by: UserId, now: Micros) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/invite_use.sql")).await?;
    transaction.execute(&statement, &[&id, &by.0, &Timestamp(now)]).await?;
    Ok(())
}

/// Takes back an invitation nobody used, and answers whether there was one.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn revoke(transaction: &Transaction<'_>, id: i64) -> Result<bool, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/invite_revoke.sql")).await?;
    Ok(transaction.execute(&statement, &[&id]).await? > 0)
}

/// Removes up to `rows_max` invitations that ended before a time.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn expire(transaction: &Transaction<'_>, before: Micros, rows_max: i64) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/invite_expire.sql")).await?;
    Ok(transaction.execute(&statement, &[&Timestamp(before), &rows_max]).await?)
}
