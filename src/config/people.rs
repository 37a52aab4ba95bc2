//! Who may register, how the first administrator comes, and the secret that signed things rest on: what fits together.

use super::problem::Problem;
use super::secret::Secret;
use super::settings::{Anonymous, People, Registration};

/// A shorter secret can be found by trying.
pub(super) const SECRET_BYTES_MIN: usize = 32;
/// What stands in examples, in lower case. Everybody knows these, and whatever is made of them only.
const KNOWN_SECRETS: [&str; 7] =
    ["change-me", "changeme", "change_me", "dev-secret", "your-secret-key", "your_secret_key", "secret"];

/// As they were given.
#[derive(Debug, Default)]
pub(super) struct PeopleDraft {
    pub(super) secret_key: Option<Secret>,
    pub(super) registration: Option<Registration>,
    pub(super) admin_email: Option<String>,
    pub(super) admin_password: Option<Secret>,
    pub(super) password_checks_max: usize,
    pub(super) audit: std::time::Duration,
}

impl PeopleDraft {
    /// In development what is missing is made up, and anyone may register.
    pub(super) fn finish(self, dev: bool, anonymous: Anonymous, problems: &mut Vec<Problem>) -> People {
        if !dev {
            check_secret(self.secret_key.as_ref(), anonymous, problems);
        }
        let bootstrap = match (self.admin_email, self.admin_password) {
            (Some(email), Some(password)) => Some((email, password)),
            (None, None) => None,
            _ => {
                let rule = "give both or neither";
                problems.push(Problem::Conflict { keys: "bootstrap.admin_email and bootstrap.admin_password", rule });
                None
            }
        };
        let default = if dev { Registration::Open } else { Registration::Invite };
        People {
            secret_key: self.secret_key,
            registration: self.registration.unwrap_or(default),
            bootstrap,
            password_checks_max: self.password_checks_max,
            audit: self.audit,
        }
    }
}

/// Where everybody may do everything without signing in, nothing rests on it.
fn check_secret(secret: Option<&Secret>, anonymous: Anonymous, problems: &mut Vec<Problem>) {
    match secret {
        None if anonymous == Anonymous::Everything => {}
        None => problems.push(Problem::Missing {
            key: "SECRET_KEY",
            needed: "give a random text of 32 bytes or more, for example the output of: openssl rand -hex 32",
        }),
        Some(secret) if is_weak(secret.reveal()) => problems.push(Problem::BadValue {
            origin: "SECRET_KEY".to_owned(),
            given: "the secret given".to_owned(),
            accepted: "give a random text of 32 bytes or more, for example the output of: openssl rand -hex 32"
                .to_owned(),
        }),
        Some(_) => {}
    }
}

/// Short, all of one piece, or nothing but a well-known word that was filled up.
fn is_weak(secret: &str) -> bool {
    /// A random hex text of 32 letters has fewer than this about never.
    const DISTINCT_MIN: usize = 6;
    let distinct: std::collections::BTreeSet<u8> = secret.bytes().collect();
    let lower = secret.to_ascii_lowercase();
    let is_known = KNOWN_SECRETS.iter().any(|known| lower.starts_with(known));
    secret.len() < SECRET_BYTES_MIN || distinct.len() < DISTINCT_MIN || is_known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_can_be_guessed_are_weak() {
        for weak in [
            "change-me",
            "a-word-that-is-31-bytes-long...",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "your-secret-key-keep-it-secret-please-do",
            "change-me-in-production-0123456789abcdef",
        ] {
            assert!(is_weak(weak), "{weak}");
        }
        assert!(!is_weak("b2f6a1c3d4e5968778695a4b3c2d1e0f"));
        assert!(!is_weak("correct horse battery staple and more"));
    }
}
