//! A writer's own connection, with the statements of the journal prepared on it.

use std::pin::pin;

use futures_util::SinkExt;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Statement};

use super::journal::FlushRows;
use super::nodes::Node;
use super::{Database, StoreError, Timestamp};

/// Statements end before the writer gives up on them, so that a blocked one does not stay behind in PostgreSQL, nor does
/// a transaction of a writer that stands still; and a commit is on disk when it is reported, whatever the database's
/// default.
const SETTINGS: &str = "SET statement_timeout = '15s'; SET idle_in_transaction_session_timeout = '20s';
    SET default_transaction_isolation = 'read committed'; SET synchronous_commit = on";

/// Hangs up when dropped; what it was writing is then rolled back, unless it was committed already.
#[derive(Debug)]
pub struct Appender {
    client: Client,
    append: Statement,
    has: Statement,
    connection: JoinHandle<()>,
}

impl Appender {
    /// Connects, on the caller's runtime, which must go on running for the connection to work.
    ///
    /// # Errors
    /// When PostgreSQL is not available or the schema is not ours. [`StoreError::SetBack`] when it does not know `node`:
    /// setting a database back breaks its connections, so asking once for each is enough.
    pub async fn open(database: &Database, node: Node) -> Result<Self, StoreError> {
        let (client, connection) = database.dedicated().await?;
        let connection = tokio::runtime::Handle::current().spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "journal connection ended");
            }
        });
        // The connection ends by itself when the client is dropped by an early return.
        client.batch_execute(SETTINGS).await?;
        let known = include_str!("../../sql/queries/node_is_known.sql");
        if !client.query_one(known, &[&(node.id as i32), &node.token]).await?.try_get::<_, bool>("is_known")? {
            return Err(StoreError::SetBack);
        }
        let append = client.prepare(include_str!("../../sql/queries/journal_append.sql")).await?;
        let has = client.prepare(include_str!("../../sql/queries/journal_has.sql")).await?;
        Ok(Self { client, append, has, connection })
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Writes and commits one flush.
    ///
    /// The library takes the row count that ends a COPY for its success, but PostgreSQL sends that before it commits, and
    /// an error or a shutdown may still come in between. So the commit is a statement of its own, whose answer follows
    /// the deed. Nothing waits longer for it: what needs no answer first is sent together. The test
    /// `a_flush_whose_connection_ends_at_the_commit_itself_is_sent_again` guards this.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when there is a flush with this number already. After an error that is `unavailable`
    /// the flush may or may not be committed. After any error the connection may be in the midst of a transaction and is
    /// of no more use than for hanging up.
    pub async fn append(&self, rows: &FlushRows) -> Result<(), StoreError> {
        let (begun, sink) = tokio::join!(biased; self.client.batch_execute("BEGIN"), self.client.copy_in(&self.append));
        begun?;
        let mut sink = pin!(sink?);
        sink.send(rows.copy.clone()).await?;
        // A transaction whose COPY failed is rolled back by this, so the COPY's own answer counts first.
        let (copied, committed) = tokio::join!(biased; sink.finish(), self.client.batch_execute("COMMIT"));
        copied?;
        Ok(committed?)
    }

    /// Whether exactly this flush is in the journal.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn is_committed(&self, rows: &FlushRows) -> Result<bool, StoreError> {
        let (node, lane, sequence) = (rows.origin.node as i32, rows.origin.lane as i16, rows.sequence as i64);
        let row = self.client.query_one(&self.has, &[&node, &lane, &sequence, &Timestamp(rows.committed_at)]).await?;
        Ok(row.try_get("committed")?)
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
