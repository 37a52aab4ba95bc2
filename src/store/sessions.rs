//! Browsers that are signed in. What their cookies hold is not known here, only its hash.

use std::net::IpAddr;

use deadpool_postgres::{Client, Transaction};

use super::users::{User, user};
use super::{StoreError, Timestamp};
use crate::model::{Micros, UserId};

#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    pub hash: &'a [u8],
    pub user: UserId,
    pub now: Micros,
    pub expires_at: Micros,
    pub address: IpAddr,
    pub user_agent: &'a str,
}

#[derive(Clone, Debug)]
pub struct Session {
    pub id: i64,
    pub hash: Vec<u8>,
    pub created_at: Micros,
    pub expires_at: Micros,
    pub last_used: Micros,
    pub address: IpAddr,
    pub user_agent: String,
}

/// Adds a session; of the person's sessions beyond `sessions_max` the oldest end.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add(transaction: &Transaction<'_>, new: &NewSession<'_>, sessions_max: i64) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/session_add.sql")).await?;
    let (now, expires_at) = (Timestamp(new.now), Timestamp(new.expires_at));
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&new.hash, &new.user.0, &now, &expires_at, &new.address, &new.user_agent];
    transaction.execute(&statement, &values).await?;
    let prune = transaction.prepare_cached(include_str!("../../sql/queries/session_prune.sql")).await?;
    transaction.execute(&prune, &[&new.user.0, &sessions_max]).await?;
    Ok(())
}

/// Whose session it is, its number, and when it was last used; `None` when it ended or its person may not sign in.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn find(client: &Client, hash: &[u8], now: Micros) -> Result<Option<(User, i64, Micros)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/session_user.sql")).await?;
    let row = client.query_opt(&statement, &[&hash, &Timestamp(now)]).await?;
    row.map(|row| Ok((user(&row)?, row.try_get("session_id")?, row.try_get::<_, Timestamp>("last_used")?.0)))
        .transpose()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn touch(client: &Client, id: i64, now: Micros) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/session_touch.sql")).await?;
    client.execute(&statement, &[&id, &Timestamp(now)]).await?;
    Ok(())
}

/// The sessions of a person, newest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &Client, of: UserId, now: Micros, sessions_max: i64) -> Result<Vec<Session>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/session_list.sql")).await?;
    let rows = client.query(&statement, &[&of.0, &Timestamp(now), &sessions_max]).await?;
    rows.iter()
        .map(|row| {
            let time = |name| row.try_get::<_, Timestamp>(name).map(|time| time.0);
            Ok(Session {
                id: row.try_get("id")?,
                hash: row.try_get("hash")?,
                created_at: time("created_at")?,
                expires_at: time("expires_at")?,
                last_used: time("last_used")?,
                address: row.try_get("address")?,
                user_agent: row.try_get("user_agent")?,
            })
        })
        .collect()
}

/// Ends the session with that hash, and answers whose it was.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn end(transaction: &Transaction<'_>, hash: &[u8]) -> Result<Option<UserId>, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/session_end.sql")).await?;
    let row = transaction.query_opt(&statement, &[&hash]).await?;
    row.map(|row| Ok(UserId(row.try_get("user_id")?))).transpose()
}

/// Ends one session of a person, and answers whether it was there.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn revoke(transaction: &Transaction<'_>, of: UserId, id: i64) -> Result<bool, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/session_revoke.sql")).await?;
    Ok(transaction.execute(&statement, &[&of.0, &id]).await? > 0)
}

/// Ends all sessions of a person except the one with that hash, and answers how many there were.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn revoke_all(transaction: &Transaction<'_>, of: UserId, except: Option<&[u8]>) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/session_revoke_all.sql")).await?;
    Ok(transaction.execute(&statement, &[&of.0, &except]).await?)
}

/// Removes up to `rows_max` sessions whose time is over.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn expire(transaction: &Transaction<'_>, now: Micros, rows_max: i64) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/session_expire.sql")).await?;
    Ok(transaction.execute(&statement, &[&Timestamp(now), &rows_max]).await?)
}
