//! Passwords: Argon2id, a bounded number at one time, beside the async workers.
//!
//! Looking at a password takes as long when there is nobody of that name as when there is. What is stored is looked at
//! only as far as it costs no more than a bounded amount of memory and time.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use tokio::sync::Semaphore;

/// Longer passwords are refused: hashing them would cost us more than it costs whoever sends them.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Shorter ones are refused wherever they are chosen by our own rules.
pub const PASSWORD_BYTES_MIN: usize = 8;
/// How long one waits for its turn.
const TURN_WAIT_MAX: Duration = Duration::from_secs(2);

/// What one of ours costs: 19 MiB, twice.
const MEMORY_KIB: u32 = 19 * 1024;
const ITERATIONS: u32 = 2;
const LANES: u32 = 1;
/// What a stored one may cost at most, whoever stored it.
const MEMORY_KIB_MAX: u32 = 128 * 1024;
const ITERATIONS_MAX: u32 = 8;
const LANES_MAX: u32 = 8;

/// What is looked at when there is nobody. No password leads to it.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdCEh$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("too many are signing in at this moment")]
    Busy,
    #[error("a password cannot be hashed")]
    Failed(#[source] argon2::password_hash::Error),
    #[error("the work was given up")]
    Abandoned(#[source] tokio::task::JoinError),
}

#[derive(Clone, Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Passwords {
    pub fn new(at_one_time: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(at_one_time.clamp(1, Semaphore::MAX_PERMITS))) }
    }

    /// What is stored of a password.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when no turn came; the others are defects.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let password = password.to_owned();
        self.in_turn(move || {
            let hash = hasher().and_then(|hasher| hasher.hash_password(password.as_bytes()));
            hash.map(|hash: PasswordHash| hash.to_string()).map_err(PasswordError::Failed)
        })
        .await?
    }

    /// Whether it is the password of which `stored` is kept. Without one it is not, which takes as long to find out.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when no turn came; the others are defects.
    pub async fn is_right(&self, password: &str, stored: Option<&str>) -> Result<bool, PasswordError> {
        let (password, is_somebodys) = (password.to_owned(), stored.is_some());
        let stored = stored.unwrap_or(NOBODYS).to_owned();
        self.in_turn(move || matches(&password, &stored) && is_somebodys).await
    }

    /// The turn goes with the work, which goes on when nobody waits for it any more.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
        let turn = tokio::time::timeout(TURN_WAIT_MAX, Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.map_err(|_| PasswordError::Busy)?.map_err(|_| PasswordError::Busy)?;
        let working = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        working.await.map_err(PasswordError::Abandoned)
    }
}

fn hasher() -> Result<Argon2<'static>, argon2::password_hash::Error> {
    let params = Params::new(MEMORY_KIB, ITERATIONS, LANES, None).map_err(argon2::password_hash::Error::from)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn matches(password: &str, stored: &str) -> bool {
    let Ok(hash) = PasswordHash::new(stored) else { return false };
    let Ok(params) = Params::try_from(&hash) else { return false };
    let is_bounded =
        params.m_cost() <= MEMORY_KIB_MAX && params.t_cost() <= ITERATIONS_MAX && params.p_cost() <= LANES_MAX;
    is_bounded && Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let passwords = Passwords::new(2);
        let (stored, again) = (passwords.hash("hunter22").await.unwrap(), passwords.hash("hunter22").await.unwrap());
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && stored != again, "{stored} {again}");
        assert!(passwords.is_right("hunter22", Some(&stored)).await.unwrap());
        assert!(!passwords.is_right("hunter23", Some(&stored)).await.unwrap());
        assert!(!passwords.is_right("hunter22", None).await.unwrap());
    }

    #[test]
    fn looking_for_nobody_costs_what_looking_for_somebody_does() {
        let params = Params::try_from(&PasswordHash::new(NOBODYS).unwrap()).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, ITERATIONS, LANES));
    }

    #[test]
    fn what_would_cost_too_much_or_is_no_hash_is_never_right() {
        for stored in [
            "",
            "hunter22",
            "$2b$12$abcdefghijklmnopqrstuv",
            "$argon2id$v=19$m=4194304,t=2,p=1$bm9ib2R5J3Mgc2FsdCEh$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=64,t=4000000,p=1$bm9ib2R5J3Mgc2FsdCEh$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdCEh",
        ] {
            assert!(!matches("hunter22", stored), "{stored}");
        }
    }

    #[test]
    fn a_hash_made_by_another_program_is_known() {
        // Made with the reference implementation: -id -t 3 -m 16 -p 4, password "password", salt "somesaltsomesalt".
        let stored = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(65_536, 3, 4, None).unwrap());
        let stored: PasswordHash = stored.hash_password_with_salt(b"password", b"somesaltsomesalt").unwrap();
        assert!(matches("password", &stored.to_string()) && !matches("passwort", &stored.to_string()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gets_no_turn_within_two_seconds_is_sent_away_and_those_at_work_are_bounded() {
        let passwords = Passwords::new(1);
        let taken = Arc::clone(&passwords.turns).acquire_owned().await.unwrap();
        let started = tokio::time::Instant::now();
        let refused = passwords.is_right("hunter22", None).await;
        assert!(matches!(refused, Err(PasswordError::Busy)), "{refused:?}");
        assert_eq!(started.elapsed(), TURN_WAIT_MAX);
        drop(taken);
        assert!(!passwords.is_right("hunter22", None).await.unwrap());
    }

    #[tokio::test]
    async fn work_nobody_waits_for_keeps_its_turn_until_it_is_done() {
        let passwords = Passwords::new(1);
        let (begin, begun) = tokio::sync::oneshot::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        {
            let working = passwords.in_turn(move || {
                begin.send(()).unwrap();
                ended.recv().ok();
            });
            tokio::select! {
                _ = working => panic!("nobody ended it"),
                started = begun => started.unwrap(),
            }
        }
        assert_eq!(passwords.turns.available_permits(), 0, "given up, and still at work");
        drop(end);
        drop(passwords.turns.acquire().await.unwrap());
    }
}
