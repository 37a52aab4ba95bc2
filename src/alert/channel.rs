//! How somebody is reached: by which kind of message, and where. Holds secrets: it can be stored and used, never shown.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One way to reach somebody.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Channel {
    Email {
        to: Vec<String>,
    },
    Webhook {
        url: String,
        /// What the body is signed with; without it there is no signature.
        #[serde(default)]
        secret: Option<String>,
        /// JSON with `{{placeholders}}`; without it the body is our own.
        #[serde(default)]
        template: Option<String>,
    },
    Discord {
        webhook_url: String,
    },
    Slack {
        webhook_url: String,
    },
    Telegram {
        chat_id: String,
        /// Without it the server's own bot is used.
        #[serde(default)]
        bot_token: Option<String>,
    },
    Ntfy {
        url: String,
        #[serde(default)]
        token: Option<String>,
    },
}

impl Channel {
    /// The word it has in the API and in the store.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Email { .. } => "email",
            Self::Webhook { .. } => "webhook",
            Self::Discord { .. } => "discord",
            Self::Slack { .. } => "slack",
            Self::Telegram { .. } => "telegram",
            Self::Ntfy { .. } => "ntfy",
        }
    }
}

impl Channel {
    /// Where it goes, as people may see it: without what would let them send there. E-mail addresses and chats are whole
    /// for those who may change them.
    pub fn shown(&self, is_whole: bool) -> String {
        match self {
            Self::Email { to } => {
                let shown = |address: &String| if is_whole { address.clone() } else { shortened(address) };
                to.iter().map(shown).collect::<Vec<_>>().join(", ")
            }
            Self::Telegram { chat_id, .. } if is_whole => format!("chat {chat_id}"),
            Self::Telegram { .. } => "a chat".to_owned(),
            Self::Discord { webhook_url: url }
            | Self::Slack { webhook_url: url }
            | Self::Webhook { url, .. }
            | Self::Ntfy { url, .. } => host_of(url),
        }
    }
}

/// The first letter and the domain.
fn shortened(address: &str) -> String {
    let first = address.chars().next().map(String::from).unwrap_or_default();
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain.trim_end_matches('>'));
    format!("{first}…@{domain}")
}

/// Scheme and host: paths of webhooks are secrets.
fn host_of(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "…".to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}/…")
}

impl fmt::Debug for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}([redacted])", self.kind())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_channel_shows_what_would_let_others_send_there() {
        for (channel, whole, others) in [
            (json!({"kind": "email", "to": ["ann@a.org", "bob@b.org"]}), "ann@a.org, bob@b.org", "a…@a.org, b…@b.org"),
            (
                json!({"kind": "slack", "webhook_url": "https://hooks.slack.com/x/hunter2"}),
                "https://hooks.slack.com/…",
                "",
            ),
            (json!({"kind": "discord", "webhook_url": "https://d?hunter2"}), "https://d/…", ""),
            (json!({"kind": "webhook", "url": "http://a:8080/hunter2", "secret": "hunter2"}), "http://a:8080/…", ""),
            (json!({"kind": "ntfy", "url": "https://ntfy.sh/hunter2", "token": "hunter2"}), "https://ntfy.sh/…", ""),
            (json!({"kind": "telegram", "chat_id": "42", "bot_token": "1:hunter2"}), "chat 42", "a chat"),
        ] {
            let channel: Channel = serde_json::from_value(channel).unwrap();
            assert_eq!(channel.shown(true), whole);
            assert_eq!(channel.shown(false), if others.is_empty() { whole } else { others });
            assert!(!format!("{channel:?}").contains("hunter2"));
        }
    }
}
