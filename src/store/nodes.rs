//! What the processes that share this database learn of each other: their numbers, and how far each has got.

use deadpool_postgres::{Client, GenericClient};
use uuid::Uuid;

use super::StoreError;
use crate::model::Origin;

/// Most writers told of, the latest first. A process takes a new number at each start, so those beyond are the oldest,
/// and what they wrote has long left the journal.
pub const WRITERS_MAX: usize = 4096;

/// How far everyone has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Another number means that servers were deleted; they are gone for whoever reads it.
    pub catalog_revision: i64,
    /// Another number means that owners or labels of servers changed.
    pub belongings: i64,
    /// The newest sequence of each writer, the highest writer first.
    pub writers: Vec<(Origin, u64)>,
    /// Those of them of whom nothing is left in the journal.
    pub drained: Vec<(Origin, u64)>,
}

/// What this process is to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    pub id: u32,
    /// Tells it from another one with the same number, as there may be in a database that was set back.
    pub(super) token: Uuid,
}

/// Takes a number for this process that no other start ever had.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn register(client: &Client, version: &str) -> Result<Node, StoreError> {
    let row = client.query_one(include_str!("../../sql/queries/node_register.sql"), &[&version]).await?;
    let id: i32 = row.try_get("id")?;
    let id = u32::try_from(id).map_err(|_| StoreError::Unreadable(format!("node id {id}")))?;
    Ok(Node { id, token: row.try_get("token")? })
}

/// Asks how far everyone has got: a few index look-ups for each writer, however much the journal holds.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn news(client: &impl GenericClient) -> Result<News, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/node_news.sql")).await?;
    let rows = client.query(&statement, &[&(WRITERS_MAX as i64)]).await?;
    let Some(first) = rows.first() else {
        return Err(StoreError::Unreadable("the catalog has no revision".to_owned()));
    };
    let mut news = News {
        catalog_revision: first.try_get("revision")?,
        belongings: first.try_get("belongings")?,
        writers: Vec::with_capacity(rows.len()),
        drained: Vec::new(),
    };
    for row in &rows {
        let (Some(node), Some(lane)) = (row.try_get::<_, Option<i32>>("node")?, row.try_get::<_, Option<i16>>("lane")?)
        else {
            continue;
        };
        let origin = Origin { node: node as u32, lane: lane as u16 };
        let (newest, folded): (Option<i64>, Option<i64>) = (row.try_get("sequence")?, row.try_get("folded")?);
        let known = newest.max(folded).unwrap_or_default() as u64;
        news.writers.push((origin, known));
        if newest.is_none() {
            news.drained.push((origin, known));
        }
    }
    Ok(news)
}
