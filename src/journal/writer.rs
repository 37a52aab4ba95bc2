//! One connection of a lane, and what to do when it breaks.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::store::appender::Appender;
use crate::store::journal::FlushRows;
use crate::store::nodes::Node;
use crate::store::{Database, StoreError};

/// An attempt that takes longer is given up with its connection; the flush is then tried on a new one. Statements are
/// ended by PostgreSQL before that.
const ATTEMPT_MAX: Duration = Duration::from_secs(20);
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Writer {
    database: Database,
    node: Node,
    connection: Option<Appender>,
}

/// What became of a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Committed,
    /// PostgreSQL refused it for good.
    Refused,
    /// The lane was told to give up; the flush may or may not be in the journal.
    Abandoned,
}

impl Writer {
    pub(super) fn new(database: Database, node: Node) -> Self {
        Self { database, node, connection: None }
    }

    /// Writes one flush, however often PostgreSQL goes away meanwhile. `retried` is called before every further attempt.
    pub(super) async fn write(
        &mut self,
        rows: &FlushRows,
        abandon: &CancellationToken,
        mut retried: impl FnMut(),
    ) -> Fate {
        let (lane, sequence) = (rows.origin().lane, rows.sequence());
        let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX);
        loop {
            let outcome = tokio::select! {
                // First, so that after being told to give up nothing is sent at all.
                biased;
                () = abandon.cancelled() => return Fate::Abandoned,
                outcome = tokio::time::timeout(ATTEMPT_MAX, self.attempt(rows)) => outcome,
            };
            let error = match outcome {
                Ok(Ok(())) => return Fate::Committed,
                Ok(Err(error)) => error,
                Err(elapsed) => StoreError::unavailable(elapsed),
            };
            // It may be in the midst of a transaction.
            self.connection = None;
            let (is_passing, error) = (error.is_unavailable(), &error as &dyn std::error::Error);
            if !is_passing {
                tracing::error!(lane, sequence, error, "flush refused");
                return Fate::Refused;
            }
            tracing::warn!(lane, sequence, error, "commit failed, trying again");
            retried();
            tokio::select! {
                () = abandon.cancelled() => return Fate::Abandoned,
                () = tokio::time::sleep(backoff.pause()) => {}
            }
        }
    }

    /// One try.
    ///
    /// An earlier try may have committed after its connection broke, even while this one runs: then the primary key
    /// refuses the second copy, and the journal tells whether it is this very flush that is there.
    async fn attempt(&mut self, rows: &FlushRows) -> Result<(), StoreError> {
        match self.connection().await?.append(rows).await {
            Err(StoreError::Duplicate) => {
                self.connection = None;
                let is_this_one = self.connection().await?.is_committed(rows).await?;
                if is_this_one { Ok(()) } else { Err(StoreError::Duplicate) }
            }
            outcome => outcome,
        }
    }

    async fn connection(&mut self) -> Result<&Appender, StoreError> {
        match self.connection.take() {
            Some(open) if !open.is_closed() => Ok(self.connection.insert(open)),
            _ => Ok(self.connection.insert(Appender::open(&self.database, self.node).await?)),
        }
    }
}
