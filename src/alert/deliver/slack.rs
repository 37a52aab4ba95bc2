//! Messages for Slack, in its markup. Pure.

use serde_json::json;

use super::Wording;
use super::post::Post;
use super::wording::cut;
use crate::alert::notice::Body;

/// Slack cuts longer ones itself, between bytes of its own markup.
const TEXT_CHARS_MAX: usize = 3_500;

pub(super) fn post(url: &str, body: &Body) -> Post {
    let Wording { subject, text, .. } = Wording::of(body);
    let text = format!("*{}*\n{}", escaped(&subject), escaped(&cut(&text, TEXT_CHARS_MAX)));
    Post::json(url, &json!({ "text": text }))
}

/// The three characters that Slack's markup rests on.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        let body = Body::Worded { subject: "<!channel> & co".to_owned(), message: "a > b".to_owned() };
        let post = post("https://hooks/x", &body);
        assert_eq!(post.body, br#"{"text":"*&lt;!channel&gt; &amp; co*\na &gt; b"}"#);
    }
}
