//! Messages for Telegram, from this server's bot or one of the recipient's own.

use serde_json::{Value, json};

use super::Wording;
use super::error::DeliveryError;
use super::post::{Answered, Post, Web, taken};
use super::wording::cut_units;
use crate::alert::notice::Body;

/// Telegram takes no longer message.
const TEXT_UNITS_MAX: usize = 4_096;
/// Of what Telegram says about a message that it refuses.
const REASON_CHARS_MAX: usize = 200;

pub(super) struct Bot {
    token: Option<String>,
    api: String,
}

impl Bot {
    pub(super) fn new(token: Option<String>, api: String) -> Self {
        Self { token, api }
    }

    pub(super) async fn send(
        &self,
        web: &Web,
        chat_id: &str,
        own_token: Option<&str>,
        body: &Body,
    ) -> Result<(), DeliveryError> {
        let token = own_token.or(self.token.as_deref()).ok_or(DeliveryError::NoBot)?;
        if !is_token(token) {
            return Err(DeliveryError::BadAddress("the token of the bot is none"));
        }
        let post = |message: &Value| {
            let url = format!("{}/bot{token}/sendMessage", self.api);
            Post { is_ours: true, ..Post::json(&url, message) }
        };
        let answered = web.exchange(post(&message(chat_id, body))).await?;
        // A name with an underscore can break the markup of a message that came with some; better plain than not at all.
        let answered = match plain_instead(chat_id, body) {
            Some(plain) if answered.status == 400 => web.exchange(post(&plain)).await?,
            _ => answered,
        };
        let reason = reason(&answered).map(|reason| reason.replace(token, "…"));
        taken(answered.host, answered.status, reason)
    }
}

impl std::fmt::Debug for Bot {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Bot([redacted])")
    }
}

/// Whether it can stand in a path.
pub(super) fn is_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_-".contains(&byte))
}

fn message(chat_id: &str, body: &Body) -> Value {
    match body {
        Body::Telegram { text } => json!({
            "chat_id": chat_id, "text": cut_units(text, TEXT_UNITS_MAX), "parse_mode": "Markdown",
        }),
        body => plain(chat_id, &Wording::of(body).whole()),
    }
}

fn plain(chat_id: &str, text: &str) -> Value {
    json!({ "chat_id": chat_id, "text": cut_units(text, TEXT_UNITS_MAX), "disable_web_page_preview": true })
}

fn plain_instead(chat_id: &str, body: &Body) -> Option<Value> {
    match body {
        Body::Telegram { text } => Some(plain(chat_id, text)),
        _ => None,
    }
}

fn reason(answered: &Answered) -> Option<String> {
    let answer: Value = serde_json::from_slice(&answered.body).ok()?;
    Some(answer["description"].as_str()?.chars().take(REASON_CHARS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_source_system_has_worded_is_sent_as_it_sent_it() {
        let body = Body::Telegram { text: "🚨 *Alert for web*\n".to_owned() };
        let expected = json!({ "chat_id": "42", "text": "🚨 *Alert for web*\n", "parse_mode": "Markdown" });
        assert_eq!(message("42", &body), expected);
        let long = message("42", &Body::Worded { subject: "a".to_owned(), message: "😀".repeat(3_000) });
        assert!(long["text"].as_str().unwrap().encode_utf16().count() <= TEXT_UNITS_MAX);
    }

    #[test]
    fn a_bot_is_never_printed_and_its_token_is_no_path() {
        let bot = Bot::new(Some("1:hunter2".to_owned()), String::new());
        assert!(!format!("{bot:?}").contains("hunter2"));
        assert!(is_token("123:AA-b_c") && !is_token("1:a/../x") && !is_token(""));
    }
}
