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
/// For one attempt: a server in trouble may take a connection and say nothing on it.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
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
    // The timeout in the configuration is for the socket only.
    match tokio::time::timeout(ATTEMPT_TIMEOUT, config.connect(NoTls)).await {
        Ok(Ok(_)) => Attempt::Accepted,
        Ok(Err(error)) if error.code() == Some(&SqlState::CANNOT_CONNECT_NOW) => Attempt::Recovering,
        Ok(Err(_)) | Err(_) => Attempt::Unanswered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::directory::PORT;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_takes_a_connection_and_says_nothing_does_not_hold_us_up() {
        let directory = std::env::temp_dir().join(format!("millrace-ready-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let silent = tokio::net::UnixListener::bind(directory.join(format!(".s.PGSQL.{PORT}"))).unwrap();
        let mut config = Config::new();
        config.host_path(&directory).port(PORT).user("nobody");
        let begun = tokio::time::Instant::now();
        assert!(matches!(attempt(&config).await, Attempt::Unanswered));
        assert_eq!(begun.elapsed().as_secs(), ATTEMPT_TIMEOUT.as_secs());
        drop(silent);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
