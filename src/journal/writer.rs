//! One connection of a lane, and what to do when it breaks.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::model::Origin;
use crate::store::appender::Appender;
use crate::store::journal::FlushRows;
use crate::store::{Database, StoreError};

/// An attempt that takes longer is given up with its connection; the flush is then tried on a new one.
const ATTEMPT_MAX: Duration = Duration::from_secs(20);
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Writer {
    database: Database,
    connection: Option<Appender>,
}

/// What became of a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Committed,
    /// PostgreSQL refused it for good; it is not in the journal.
    Refused,
    /// The lane was told to give up; it may or may not be in the journal.
    Abandoned,
}

impl Writer {
    pub(super) fn new(database: Database) -> Self {
        Self { database, connection: None }
    }

    /// Writes one flush, however often PostgreSQL goes away meanwhile. `retried` is called before every further attempt.
    pub(super) async fn write(
        &mut self,
        origin: Origin,
        sequence: u64,
        rows: &FlushRows,
        abandon: &CancellationToken,
        mut retried: impl FnMut(),
    ) -> Fate {
        let mut pause = PAUSE_MIN;
        let mut may_be_committed = false;
        loop {
            let attempt = self.attempt(origin, sequence, rows, may_be_committed);
            let outcome = tokio::select! {
                // First, so that after being told to give up nothing is sent at all.
                biased;
                () = abandon.cancelled() => return Fate::Abandoned,
                outcome = tokio::time::timeout(ATTEMPT_MAX, attempt) => outcome,
            };
            let error = match outcome {
                Ok(Ok(())) => return Fate::Committed,
                Ok(Err(error)) if !error.is_unavailable() => {
                    tracing::error!(
                        lane = origin.lane,
                        sequence,
                        error = &error as &dyn std::error::Error,
                        "flush refused"
                    );
                    return Fate::Refused;
                }
                Ok(Err(error)) => error,
                Err(elapsed) => StoreError::unavailable(elapsed),
            };
            tracing::warn!(
                lane = origin.lane,
                sequence,
                error = &error as &dyn std::error::Error,
                "commit failed, trying again"
            );
            may_be_committed = true;
            self.connection = None;
            retried();
            tokio::select! {
                () = abandon.cancelled() => return Fate::Abandoned,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// One try. After a failed one the journal is asked first; should the old connection's commit arrive even later,
    /// the primary key refuses the second copy, and the third try finds the first.
    async fn attempt(
        &mut self,
        origin: Origin,
        sequence: u64,
        rows: &FlushRows,
        may_be_committed: bool,
    ) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        if may_be_committed && connection.is_committed(origin, sequence).await? {
            return Ok(());
        }
        match connection.append(rows).await {
            // Only the same flush can have the same key: an earlier try did commit.
            Err(StoreError::Duplicate) => Ok(()),
            outcome => outcome,
        }
    }

    async fn connection(&mut self) -> Result<&Appender, StoreError> {
        match self.connection.take() {
            Some(open) if !open.is_closed() => Ok(self.connection.insert(open)),
            _ => Ok(self.connection.insert(Appender::open(&self.database).await?)),
        }
    }
}
