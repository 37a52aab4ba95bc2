//! One connection of a lane, and what to do when it breaks.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::{Client, Statement};
use tokio_util::sync::CancellationToken;

use crate::model::Origin;
use crate::store::journal::{self, FlushRows};
use crate::store::{Database, StoreError};

/// An attempt that takes longer is given up with its connection; the flush is then tried on a new one.
const ATTEMPT_MAX: Duration = Duration::from_secs(20);
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Writer {
    database: Database,
    session: Option<Session>,
}

#[derive(Debug)]
struct Session {
    client: Client,
    append: Statement,
    connection: JoinHandle<()>,
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
        Self { database, session: None }
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
            self.hang_up();
            retried();
            tokio::select! {
                () = abandon.cancelled() => return Fate::Abandoned,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// One try. After a failed one the journal is asked first; should the old connection's commit arrive even later,
    /// the primary key refuses the second copy. A first try that is refused so has met the flush of someone else, as in
    /// a database that was set back while this process ran, and must not take it for its own.
    async fn attempt(
        &mut self,
        origin: Origin,
        sequence: u64,
        rows: &FlushRows,
        may_be_committed: bool,
    ) -> Result<(), StoreError> {
        let session = self.session().await?;
        if may_be_committed && journal::is_committed(&session.client, origin, sequence).await? {
            return Ok(());
        }
        match journal::append(&session.client, &session.append, rows).await {
            Err(error) if may_be_committed && is_duplicate(&error) => Ok(()),
            outcome => outcome,
        }
    }

    async fn session(&mut self) -> Result<&Session, StoreError> {
        if self.session.as_ref().is_none_or(|session| session.client.is_closed()) {
            self.hang_up();
            self.session = Some(Session::open(&self.database).await?);
        }
        self.session.as_ref().ok_or_else(|| StoreError::unavailable("no connection"))
    }

    fn hang_up(&mut self) {
        if let Some(session) = self.session.take() {
            session.connection.abort();
        }
    }
}

impl Session {
    async fn open(database: &Database) -> Result<Self, StoreError> {
        let (client, connection) = database.dedicated().await?;
        // The lane's own runtime drives it, and only while the lane works.
        let connection = tokio::runtime::Handle::current().spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "journal connection ended");
            }
        });
        let append = journal::prepare_append(&client).await?;
        Ok(Self { client, append, connection })
    }
}

/// A flush with the same key is in the journal.
fn is_duplicate(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused(error) if error.code() == Some(&tokio_postgres::error::SqlState::UNIQUE_VIOLATION))
}
