//! Session cookies: a random text and its signature. The signature keeps what is made up from costing a look into the
//! database; whether a session is still there only that look tells.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::keys::{Keys, RandomError, hash_of, random_text};

/// How long one signing in lasts.
pub const SESSION_SECONDS: i64 = 14 * 86_400;

/// A session that was just made: what the browser gets, and what is stored.
#[derive(Clone)]
pub struct NewCookie {
    pub value: String,
    pub hash: [u8; 32],
}

impl std::fmt::Debug for NewCookie {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("NewCookie([redacted])")
    }
}

/// # Errors
/// When the system has no randomness.
pub fn mint(keys: &Keys) -> Result<NewCookie, RandomError> {
    let random = random_text()?;
    let signature = BASE64.encode(keys.sign_cookie(&random));
    Ok(NewCookie { value: format!("{random}.{signature}"), hash: hash_of(&random) })
}

/// What is stored of the session with that cookie; `None` when we never made it.
pub fn stored_hash(keys: &Keys, cookie: &str) -> Option<[u8; 32]> {
    let (random, signature) = cookie.split_once('.')?;
    let is_ours = keys.cookie_is_ours(random, &BASE64.decode(signature).ok()?);
    is_ours.then(|| hash_of(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_leads_to_its_session_and_a_made_up_one_to_none() {
        let keys = Keys::new(b"one");
        let cookie = mint(&keys).unwrap();
        assert_eq!(stored_hash(&keys, &cookie.value), Some(cookie.hash));
        assert_eq!(stored_hash(&Keys::new(b"other"), &cookie.value), None);
        let (random, signature) = cookie.value.split_once('.').unwrap();
        for made_up in ["", ".", random, &format!("{random}."), &format!("x{random}.{signature}")] {
            assert_eq!(stored_hash(&keys, made_up), None, "{made_up}");
        }
        assert!(!format!("{cookie:?}").contains(random));
    }
}
