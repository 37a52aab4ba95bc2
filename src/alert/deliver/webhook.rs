//! Messages for programs: JSON of ours, of a source system, or by a template of the receiver; signed where there is a
//! secret. Pure.
//!
//! The signature is HMAC-SHA256 over the time in the head, a dot and the body, as senders of signed reports make theirs.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::error::DeliveryError;
use super::post::Post;
use super::{Letter, Wording, template};
use crate::alert::notice::Body;
use crate::model::Micros;

pub(super) fn post(
    url: &str,
    secret: Option<&str>,
    template: Option<&str>,
    letter: Letter<'_>,
) -> Result<Post, DeliveryError> {
    let body = match template {
        Some(template) => template::fill(template, letter.body)?,
        None => plain(letter).to_string(),
    };
    let seconds = letter.at.0.div_euclid(Micros::PER_SECOND).to_string();
    let mut headers = vec![("x-millrace-notice", letter.id.to_string())];
    if let Some(signature) = secret.and_then(|secret| signature(secret, &seconds, body.as_bytes())) {
        headers.push(("x-millrace-signature", signature));
    }
    headers.push(("x-millrace-timestamp", seconds));
    let content_type = "application/json";
    Ok(Post { url: url.to_owned(), content_type, headers, body: body.into_bytes(), is_ours: false })
}

/// The body where its receiver has not said how it is to be.
fn plain(letter: Letter<'_>) -> Value {
    let Wording { subject, text, .. } = Wording::of(letter.body);
    match letter.body {
        Body::Worded { subject, message } => json!({ "subject": subject, "message": message }),
        Body::Telegram { text } => json!({ "subject": subject, "message": text }),
        Body::Alerts { alerts, more } => json!({
            "type": "alerts", "notice": letter.id, "subject": subject, "message": text, "alerts": alerts, "more": more,
        }),
        Body::Test => json!({ "type": "test", "subject": subject, "message": text, "alerts": [], "more": 0 }),
    }
}

fn signature(secret: &str, seconds: &str, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::signature::{Signed, verify};

    fn letter(body: &Body) -> Letter<'_> {
        Letter { body, id: 7, at: Micros(1_763_632_800_900_000) }
    }

    #[test]
    fn what_a_source_system_has_worded_is_sent_as_it_sent_it() {
        let body = Body::Worded { subject: "Low disk".to_owned(), message: "{\n}".to_owned() };
        let post = post("https://h/x", None, None, letter(&body)).unwrap();
        let sent: Value = serde_json::from_slice(&post.body).unwrap();
        assert_eq!(sent, json!({ "subject": "Low disk", "message": "{\n}" }));
        assert!(!post.headers.iter().any(|(name, _)| *name == "x-millrace-signature"));
    }

    #[test]
    fn a_signature_is_one_that_we_would_take_ourselves() {
        let post = post("https://h/x", Some("hunter2"), None, letter(&Body::Test)).unwrap();
        let header = |name: &str| post.headers.iter().find(|(of, _)| *of == name).map(|(_, value)| value.as_str());
        assert_eq!(header("x-millrace-timestamp"), Some("1763632800"));
        let signature = header("x-millrace-signature").unwrap();
        assert!(signature.starts_with("sha256=") && signature.len() == 71);
        let signed = Signed { signature, timestamp: header("x-millrace-timestamp") };
        assert_eq!(verify(b"hunter2", &signed, &post.body, Micros(1_763_632_800_000_000)), Ok(()));
        assert!(verify(b"hunter3", &signed, &post.body, Micros(1_763_632_800_000_000)).is_err());
    }
}
