//! A writer's own connection, with the COPY of the journal prepared on it.

use tokio::task::JoinHandle;
use tokio_postgres::{Client, Statement};

use super::journal::{self, FlushRows};
use super::{Database, StoreError};
use crate::model::Origin;

/// Hangs up when dropped; what it was writing is then rolled back, unless it was committed already.
#[derive(Debug)]
pub struct Appender {
    client: Client,
    append: Statement,
    connection: JoinHandle<()>,
}

impl Appender {
    /// Connects, on the caller's runtime, which must go on running for the connection to work.
    ///
    /// # Errors
    /// When PostgreSQL is not available or the schema is not ours.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        let (client, connection) = database.dedicated().await?;
        let connection = tokio::runtime::Handle::current().spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "journal connection ended");
            }
        });
        match journal::prepare_append(&client).await {
            Ok(append) => Ok(Self { client, append, connection }),
            Err(error) => {
                connection.abort();
                Err(error)
            }
        }
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Writes and commits one flush.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when it is in the journal already. After an error that is `unavailable` it may or may
    /// not be committed.
    pub async fn append(&self, rows: &FlushRows) -> Result<(), StoreError> {
        journal::append(&self.client, &self.append, rows).await
    }

    /// Whether a flush is in the journal.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn is_committed(&self, origin: Origin, sequence: u64) -> Result<bool, StoreError> {
        journal::is_committed(&self.client, origin, sequence).await
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
