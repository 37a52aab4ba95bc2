//! What programs show to be let in.

use deadpool_postgres::Client;
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{StoreError, Timestamp};
use crate::model::{Labels, Micros, UserId};

/// A token that is good now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    pub id: i64,
    pub bearer: Bearer,
    /// By name.
    pub rights: Vec<String>,
    /// The servers it is for; `None` does not restrict.
    pub servers: Option<Vec<Uuid>>,
    /// Labels a server must have for it.
    pub labels: Labels,
}

/// On whose behalf it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearer {
    Agent { id: i32, name: String, server: Uuid, owner: Option<UserId> },
    Maker { id: UserId, role: Option<String> },
    Nobody,
}

/// The token with this hash, if there is one that is good at that time.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn find(client: &Client, hash: &[u8], now: Micros) -> Result<Option<TokenRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/token_find.sql")).await?;
    client.query_opt(&statement, &[&hash, &Timestamp(now)]).await?.as_ref().map(token).transpose()
}

/// Another number means that someone may do less than before.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn revision(client: &Client) -> Result<i64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/auth_revision.sql")).await?;
    Ok(client.query_one(&statement, &[]).await?.try_get("revision")?)
}

fn token(row: &Row) -> Result<TokenRow, StoreError> {
    let user = |column| row.try_get::<_, Option<i64>>(column).map(|id| id.map(UserId));
    let bearer = match (row.try_get("agent")?, row.try_get("server")?, user("maker")?) {
        (Some(id), Some(server), _) => Bearer::Agent { id, name: row.try_get("name")?, server, owner: user("owner")? },
        (_, _, Some(id)) => Bearer::Maker { id, role: row.try_get("role")? },
        _ => Bearer::Nobody,
    };
    let (id, labels): (i64, Option<Value>) = (row.try_get("id")?, row.try_get("labels")?);
    let labels = labels.map(|labels| labels_of(&labels)).unwrap_or(Ok(Labels::default()));
    // One that cannot be read must not count as none: that would be more than was meant.
    let labels = labels.map_err(|()| StoreError::Unreadable(format!("labels of token {id}")))?;
    Ok(TokenRow { id, bearer, rights: row.try_get("rights")?, servers: row.try_get("servers")?, labels })
}

fn labels_of(labels: &Value) -> Result<Labels, ()> {
    let pairs = labels.as_object().ok_or(())?.iter();
    let pairs = pairs.map(|(name, value)| Some((name.as_str().into(), value.as_str()?.into())));
    Labels::new(pairs.collect::<Option<_>>().ok_or(())?).map_err(drop)
}
