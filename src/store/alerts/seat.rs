//! The place of the one node that judges: a connection whose lock nobody else can have. What is found is written over it,
//! so that a node that lost its place cannot write.

use std::collections::HashMap;

use deadpool_postgres::{ClientWrapper, Transaction};
use tokio_postgres::IsolationLevel;

use super::record::{Finding, record};
use crate::model::{Micros, ServerKey};
use crate::store::locks::{self, JUDGING};
use crate::store::{Database, StoreError, Timestamp};

/// A connection that has the lock, or is to try for it.
#[derive(Debug)]
pub struct Seat {
    pub(super) client: ClientWrapper,
}

/// How far alerting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub judged_at: Micros,
    pub rules_revision: i64,
}

impl Seat {
    /// Connects, without the lock.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        Ok(Self { client: database.own_client().await? })
    }

    /// Whether the lock is this connection's now.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn take(&self) -> Result<bool, StoreError> {
        locks::try_for_session(&self.client, JUDGING).await
    }

    /// Whether the connection is gone, and the lock with it.
    pub fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    /// # Errors
    /// When PostgreSQL is not available, and so the lock may be gone.
    pub async fn progress(&self) -> Result<Progress, StoreError> {
        let statement =
            self.client.prepare_cached(include_str!("../../../sql/queries/alert_progress_read.sql")).await?;
        let row = self.client.query_one(&statement, &[]).await?;
        let judged_at = row.try_get::<_, Timestamp>("judged_at")?.0;
        Ok(Progress { judged_at, rules_revision: row.try_get("rules_revision")? })
    }

    /// What servers are called, as far as they exist.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn hosts(&self, servers: &[ServerKey]) -> Result<HashMap<ServerKey, String>, StoreError> {
        let keys: Vec<i32> = servers.iter().map(|server| server.0).collect();
        let statement = self.client.prepare_cached(include_str!("../../../sql/queries/alert_hosts.sql")).await?;
        let rows = self.client.query(&statement, &[&keys]).await?;
        rows.iter().map(|row| Ok((ServerKey(row.try_get("key")?), row.try_get("hostname")?))).collect()
    }

    /// Writes what was found, and up to when everything was judged, in one transaction.
    ///
    /// # Errors
    /// When PostgreSQL is not available, or something it refers to was deleted in this very moment.
    pub async fn record(&mut self, finding: &Finding, judged_at: Micros, now: Micros) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        let statement = include_str!("../../../sql/queries/alert_progress_put.sql");
        let statement = transaction.prepare_cached(statement).await?;
        // First, as everybody does who changes rules or states: so nobody waits for another in a circle.
        transaction.execute(&statement, &[&Timestamp(judged_at)]).await?;
        record(&transaction, finding, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes away how rules stood that are not judged any more, and answers how many states that were.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn forget_disabled(&self) -> Result<u64, StoreError> {
        let statement = include_str!("../../../sql/queries/alert_states_of_disabled.sql");
        let statement = self.client.prepare_cached(statement).await?;
        Ok(self.client.execute(&statement, &[]).await?)
    }

    async fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        Ok(self.client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?)
    }
}
