//! Waits until a server that was just started answers.

use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};

use super::error::EmbeddedError;
use super::postmaster::Postmaster;

/// For a server that does not answer at all.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);
/// For one that answers that it is recovering: replaying some gigabytes of log takes its time.
const RECOVERY_DEADLINE: Duration = Duration::from_secs(600);
const POLL_INTERVAL_MIN: Duration = Duration::from_millis(5);
const POLL_INTERVAL_MAX: Duration = Duration::from_millis(100);
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

/// Returns when the server accepts connections.
///
/// # Errors
/// When it ends meanwhile or a deadline of this module passes; both come with the last lines of its log.
pub(super) async fn accepting(postmaster: &Postmaster, config: &Config) -> Result<(), EmbeddedError> {
    tokio::select! {
        status = postmaster.ended() => Err(EmbeddedError::EndedAtStart { status, log: postmaster.log_tail() }),
        answer = poll(postmaster, config) => answer,
    }
}

async fn poll(postmaster: &Postmaster, config: &Config) -> Result<(), EmbeddedError> {
    let begun = Instant::now();
    let mut interval = POLL_INTERVAL_MIN;
    let mut told = Duration::ZERO;
    loop {
        let deadline = match attempt(config).await {
            Attempt::Accepted => return Ok(()),
            Attempt::Recovering => RECOVERY_DEADLINE,
            Attempt::Unanswered => ANSWER_DEADLINE,
        };
        let waited = begun.elapsed();
        if waited > deadline {
            return Err(EmbeddedError::NotReady { waited, log: postmaster.log_tail() });
        }
        if waited > told + PROGRESS_INTERVAL {
            told = waited;
            tracing::info!(waited_s = waited.as_secs(), log = postmaster.log_tail(), "waiting for PostgreSQL");
        }
        tokio::time::sleep(interval).await;
        interval = (interval * 2).min(POLL_INTERVAL_MAX);
    }
}

enum Attempt {
    Accepted,
    Recovering,
    Unanswered,
}

async fn attempt(config: &Config) -> Attempt {
    match config.connect(NoTls).await {
        Ok(_) => Attempt::Accepted,
        Err(error) if error.code() == Some(&SqlState::CANNOT_CONNECT_NOW) => Attempt::Recovering,
        Err(_) => Attempt::Unanswered,
    }
}
