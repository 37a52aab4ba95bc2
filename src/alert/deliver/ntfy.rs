//! Messages for ntfy: the text as the body, what goes around it as parameters of the topic. Pure.

use super::Wording;
use super::post::Post;
use super::wording::Urgency;
use crate::alert::notice::Body;

/// ntfy turns longer ones into attachments.
const TEXT_BYTES_MAX: usize = 4_000;

pub(super) fn post(url: &str, token: Option<&str>, body: &Body) -> Post {
    let Wording { subject, text, urgency } = Wording::of(body);
    let (priority, tag) = match urgency {
        Urgency::Critical => ("5", "rotating_light"),
        Urgency::Warning => ("4", "warning"),
        Urgency::Info => ("3", "information_source"),
        Urgency::Calm => ("3", "white_check_mark"),
    };
    let mut headers =
        vec![("x-title", encoded(&subject)), ("x-priority", priority.to_owned()), ("x-tags", tag.to_owned())];
    headers.extend(token.map(|token| ("authorization", format!("Bearer {token}"))));
    let fits = text.floor_char_boundary(TEXT_BYTES_MAX);
    let text = if fits < text.len() { format!("{}…", &text[..fits]) } else { text };
    Post { url: url.to_owned(), content_type: "text/plain; charset=utf-8", headers, body: text.into(), is_ours: false }
}

/// A header holds ASCII only; other texts go there as RFC 2047 has it, which ntfy reads.
fn encoded(text: &str) -> String {
    use base64::Engine as _;
    if text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return text.to_owned();
    }
    format!("=?UTF-8?B?{}?=", base64::engine::general_purpose::STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_priority_and_tags_say_how_much_it_matters() {
        let alerts = vec![super::super::wording::tests::told("firing", "critical")];
        let posted = post("https://ntfy.sh/t", Some("tk_hunter2"), &Body::Alerts { alerts, more: 0 });
        let headers: Vec<(&str, &str)> = posted.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let expected = [
            ("x-title", "[critical firing] cpu is high on web-1"),
            ("x-priority", "5"),
            ("x-tags", "rotating_light"),
            ("authorization", "Bearer tk_hunter2"),
        ];
        assert_eq!(headers, expected);
        let body = Body::Worded { subject: "é".to_owned(), message: "é".repeat(3_000) };
        let posted = post("https://ntfy.sh/t", None, &body);
        assert_eq!(posted.headers[0].1, "=?UTF-8?B?w6k=?=");
        assert_eq!(posted.body.len(), 4_000 + "…".len());
    }
}
