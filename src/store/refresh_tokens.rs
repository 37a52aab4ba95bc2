//! Refresh tokens that were handed out. Whoever changes one holds its person first, so that changes come one after the
//! other.

use deadpool_postgres::{GenericClient, Transaction};
use uuid::Uuid;

use super::{StoreError, Timestamp};
use crate::model::{Micros, UserId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub jti: Uuid,
    pub family: Uuid,
    pub user: UserId,
    pub expires_at: Micros,
    pub revoked_at: Option<Micros>,
}

/// Adds one; of the person's tokens beyond `tokens_max` those go that end first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add(transaction: &Transaction<'_>, new: &RefreshToken, tokens_max: i64) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/refresh_add.sql")).await?;
    transaction.execute(&statement, &[&new.jti, &new.family, &new.user.0, &Timestamp(new.expires_at)]).await?;
    let prune = transaction.prepare_cached(include_str!("../../sql/queries/refresh_prune.sql")).await?;
    transaction.execute(&prune, &[&new.user.0, &tokens_max]).await?;
    Ok(())
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn get(client: &impl GenericClient, jti: Uuid) -> Result<Option<RefreshToken>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/refresh_get.sql")).await?;
    let row = client.query_opt(&statement, &[&jti]).await?;
    row.map(|row| {
        Ok(RefreshToken {
            jti,
            family: row.try_get("family")?,
            user: UserId(row.try_get("user_id")?),
            expires_at: row.try_get::<_, Timestamp>("expires_at")?.0,
            revoked_at: row.try_get::<_, Option<Timestamp>>("revoked_at")?.map(|time| time.0),
        })
    })
    .transpose()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn revoke(transaction: &Transaction<'_>, jti: Uuid, now: Micros) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/refresh_revoke.sql")).await?;
    transaction.execute(&statement, &[&jti, &Timestamp(now)]).await?;
    Ok(())
}

/// Ends all that followed from one signing in, and answers how many were good until now.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn revoke_family(transaction: &Transaction<'_>, family: Uuid, now: Micros) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/refresh_revoke_family.sql")).await?;
    Ok(transaction.execute(&statement, &[&family, &Timestamp(now)]).await?)
}

/// Ends all of a person.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn revoke_all(transaction: &Transaction<'_>, of: UserId, now: Micros) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/refresh_revoke_all.sql")).await?;
    Ok(transaction.execute(&statement, &[&of.0, &Timestamp(now)]).await?)
}

/// Removes up to `rows_max` tokens whose time is over.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn expire(transaction: &Transaction<'_>, now: Micros, rows_max: i64) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/refresh_expire.sql")).await?;
    Ok(transaction.execute(&statement, &[&Timestamp(now), &rows_max]).await?)
}
