//! Messages for programs: JSON of ours, of a source system, or by a template of the receiver; signed where there is a
//! secret. Pure.
//!
//! The signature is HMAC-SHA256 over the time in the head, a dot and the body, as senders of signed reports make theirs.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::json;
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
        None => plain(letter)?,
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

/// In this order.
#[derive(Serialize)]
struct Worded<'a> {
    subject: &'a str,
    message: &'a str,
}

/// The body where its receiver has not said how it is to be.
fn plain(letter: Letter<'_>) -> Result<String, DeliveryError> {
    let Wording { subject, text, .. } = Wording::of(letter.body);
    let worded = |subject: &str, message: &str| serde_json::to_string(&Worded { subject, message });
    let written = match letter.body {
        Body::Worded { subject, message } => worded(subject, message),
        Body::Telegram { text } => worded(&subject, text),
        Body::Alerts { alerts, more } => serde_json::to_string(&json!({
            "type": "alerts", "notice": letter.id, "subject": subject, "message": text, "alerts": alerts, "more": more,
        })),
        Body::Test => serde_json::to_string(&json!({
            "type": "test", "subject": subject, "message": text, "alerts": [], "more": 0,
        })),
    };
    written.map_err(|error| DeliveryError::Message(error.to_string()))
}

fn signature(secret: &str, seconds: &str, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(text, "{byte:02x}").ok();
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
        assert_eq!(post.body, br#"{"subject":"Low disk","message":"{\n}"}"#);
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
