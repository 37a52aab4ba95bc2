//! Messages for Discord. Pure. Those that a source system has put into words are sent in its form.

use serde_json::json;

use super::Wording;
use super::post::Post;
use super::wording::cut_units;
use crate::alert::notice::Body;

/// Discord takes no longer message.
const CONTENT_UNITS_MAX: usize = 2_000;

pub(super) fn post(url: &str, body: &Body) -> Post {
    let content = |subject: &str, message: &str| cut_units(&format!("**{subject}**\n{message}"), CONTENT_UNITS_MAX);
    if let Body::Worded { subject, message } = body {
        return Post::json(url, &json!({ "content": content(subject, message) }));
    }
    let Wording { subject, text, .. } = Wording::of(body);
    let content = content(&escaped(&subject), &escaped(&text));
    // A host that is called @everyone is not to wake everyone.
    Post::json(url, &json!({ "content": content, "allowed_mentions": { "parse": [] } }))
}

/// Names of hosts and metrics are not markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '*' | '_' | '~' | '`' | '|' | '<') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_source_system_has_worded_is_sent_as_it_sent_it() {
        let body = Body::Worded { subject: "Low disk".to_owned(), message: "{\n  \"a\": 1\n}".to_owned() };
        let post = post("https://d/x", &body);
        assert_eq!(post.body, br#"{"content":"**Low disk**\n{\n  \"a\": 1\n}"}"#);
        let long = Body::Worded { subject: "a".to_owned(), message: "😀".repeat(2_000) };
        let sent: serde_json::Value = serde_json::from_slice(&super::post("https://d/x", &long).body).unwrap();
        assert!(sent["content"].as_str().unwrap().encode_utf16().count() <= 2_000);
    }

    #[test]
    fn names_are_no_markup_and_wake_nobody() {
        let mut told = super::super::wording::tests::told("firing", "warning");
        told.title = "@everyone *web_1*".to_owned();
        let post = post("https://d/x", &Body::Alerts { alerts: vec![told], more: 0 });
        let sent: serde_json::Value = serde_json::from_slice(&post.body).unwrap();
        assert!(sent["content"].as_str().unwrap().starts_with("**[warning firing] @everyone \\*web\\_1\\***\n"));
        assert_eq!(sent["allowed_mentions"], json!({ "parse": [] }));
    }
}
