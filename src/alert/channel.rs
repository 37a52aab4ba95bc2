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

impl fmt::Debug for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}([redacted])", self.kind())
    }
}
