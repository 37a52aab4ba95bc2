//! Requests signed with a secret that sender and server share: HMAC-SHA256 over a time and the body.
//!
//! No memory of signatures that came before: senders queue what they could not send and send it again with its old time,
//! and a sample that comes twice is stored once.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::principal::Principal;
use crate::clock::Clock;
use crate::model::Micros;

/// How old, or how far ahead, the time of a request may be.
const STALE_SECONDS: i64 = 86_400;
const PREFIX: &str = "sha256=";

/// What a signed request shows in its head.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// Hexadecimal, perhaps with its method before it.
    pub signature: &'a str,
    /// Unix seconds, as they were signed.
    pub timestamp: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("Server configuration error")]
    NoSecret,
    #[error("Invalid timestamp format")]
    BadTimestamp,
    #[error("Invalid signature")]
    BadSignature,
    #[error("Request timestamp is extremely stale")]
    Stale,
}

/// The secret, and who knows it.
pub struct Signatures {
    secret: Option<Box<[u8]>>,
    clock: Arc<dyn Clock>,
    signer: Arc<Principal>,
}

impl Signatures {
    /// Without a secret no signature is right.
    pub fn new(secret: Option<&str>, clock: Arc<dyn Clock>) -> Self {
        let secret = secret.map(|secret| secret.as_bytes().into());
        Self { secret, clock, signer: Arc::new(Principal::signer()) }
    }

    pub fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// The principal of a signed request, for the one that has its body: there is no other way to it.
    ///
    /// # Errors
    /// When the signature is not of this body and time, or the time is not now.
    pub fn prove(&self, signed: &Signed<'_>, body: &[u8]) -> Result<Arc<Principal>, SignatureError> {
        let secret = self.secret.as_ref().ok_or(SignatureError::NoSecret)?;
        verify(secret, signed, body, self.clock.now())?;
        Ok(Arc::clone(&self.signer))
    }
}

/// # Errors
/// When `signed` is not what `secret` makes of its time and `body`, or the time is not about `now`.
pub fn verify(secret: &[u8], signed: &Signed<'_>, body: &[u8], now: Micros) -> Result<(), SignatureError> {
    let text = signed.timestamp.ok_or(SignatureError::BadTimestamp)?;
    let seconds: i64 = text.trim().parse().map_err(|_| SignatureError::BadTimestamp)?;
    let hex = signed.signature.trim();
    let claimed = bytes(hex.strip_prefix(PREFIX).unwrap_or(hex)).ok_or(SignatureError::BadSignature)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| SignatureError::NoSecret)?;
    mac.update(text.as_bytes());
    mac.update(b".");
    mac.update(body);
    // Takes as long whatever is wrong.
    mac.verify_slice(&claimed).map_err(|_| SignatureError::BadSignature)?;
    let is_stale = (now.0 / Micros::PER_SECOND).abs_diff(seconds) > STALE_SECONDS.unsigned_abs();
    if is_stale { Err(SignatureError::Stale) } else { Ok(()) }
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

impl fmt::Debug for Signatures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Signatures").field("has_secret", &self.has_secret()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Signed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Signed").field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const SECONDS: i64 = 1_705_754_096;
    const SIGNATURE: &str = "271b49e7a1bcad714c516b0dd8311d18b274f04efb801db9c824997c8a33ec42";
    const BODY: &[u8] = br#"{"host":"a"}"#;

    fn check(signature: &str, timestamp: &str, body: &[u8], seconds_later: i64) -> Result<(), SignatureError> {
        let signed = Signed { signature, timestamp: Some(timestamp) };
        verify(b"test-secret", &signed, body, Micros((SECONDS + seconds_later) * Micros::PER_SECOND))
    }

    #[test]
    fn what_the_senders_sign_is_what_we_look_at() {
        let timestamp = SECONDS.to_string();
        assert_eq!(check(SIGNATURE, &timestamp, BODY, 0), Ok(()));
        assert_eq!(check(&format!("sha256={SIGNATURE}"), &timestamp, BODY, 0), Ok(()));
        assert_eq!(check(&SIGNATURE.to_uppercase(), &timestamp, BODY, 0), Ok(()));
    }

    #[test]
    fn another_body_time_or_secret_is_refused() {
        let timestamp = SECONDS.to_string();
        assert_eq!(check(SIGNATURE, &timestamp, b"{}", 0), Err(SignatureError::BadSignature));
        assert_eq!(check(SIGNATURE, "1705754097", BODY, 0), Err(SignatureError::BadSignature));
        assert_eq!(check(SIGNATURE, " 1705754096", BODY, 0), Err(SignatureError::BadSignature), "as it was signed");
        assert_eq!(check("", &timestamp, BODY, 0), Err(SignatureError::BadSignature));
        assert_eq!(check(&"zz".repeat(32), &timestamp, BODY, 0), Err(SignatureError::BadSignature));
        assert_eq!(check(SIGNATURE, "today", BODY, 0), Err(SignatureError::BadTimestamp));
        let other = verify(b"other", &Signed { signature: SIGNATURE, timestamp: Some(&timestamp) }, BODY, Micros(0));
        assert_eq!(other, Err(SignatureError::BadSignature));
    }

    #[test]
    fn what_waited_in_a_senders_queue_for_up_to_a_day_is_taken() {
        let timestamp = SECONDS.to_string();
        for (later, expected) in [
            (86_400, Ok(())),
            (-86_400, Ok(())),
            (86_401, Err(SignatureError::Stale)),
            (-86_401, Err(SignatureError::Stale)),
        ] {
            assert_eq!(check(SIGNATURE, &timestamp, BODY, later), expected, "{later}");
        }
    }

    #[test]
    fn only_with_the_secret_and_the_body_is_there_a_principal_and_the_secret_is_never_printed() {
        let clock = Arc::new(ManualClock::at(Micros(SECONDS * Micros::PER_SECOND)));
        let timestamp = SECONDS.to_string();
        let signed = Signed { signature: SIGNATURE, timestamp: Some(&timestamp) };
        let signatures = Signatures::new(Some("test-secret"), Arc::<ManualClock>::clone(&clock));
        assert_eq!(*signatures.prove(&signed, BODY).unwrap(), Principal::signer());
        assert_eq!(signatures.prove(&signed, b""), Err(SignatureError::BadSignature));
        assert_eq!(Signatures::new(None, clock).prove(&signed, BODY), Err(SignatureError::NoSecret));
        assert!(!format!("{signatures:?} {signed:?}").contains("test-secret"));
    }
}
