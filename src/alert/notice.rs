//! What people are to be told, before it takes the form of a channel. Plain data, between those who find something and
//! those who deliver it.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::channel::Channel;
use crate::model::alert::RecipientId;

/// What one recipient is to be told, before it takes the form of its channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub to: To,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub enum To {
    Recipient(RecipientId),
    /// A channel of the settings, which is nobody's recipient.
    Channel(Channel),
}

/// What is told. Kept as JSON until it is delivered.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum Body {
    /// Alerts of rules: one, or several that changed at once; `more` are not listed.
    Alerts {
        alerts: Vec<Told>,
        #[serde(default)]
        more: u64,
    },
    /// A subject and a message that one of the source systems has put into words, sent as they are.
    Worded { subject: String, message: String },
    /// A message for Telegram in its Markdown, sent as it is.
    Telegram { text: String },
    /// To see whether a recipient can be reached.
    Test,
}

/// One alert as people are told of it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Told {
    /// `firing`, `reminder`, `resolved`, `no_data`.
    pub change: String,
    pub rule_id: i64,
    pub rule: String,
    pub severity: String,
    pub title: String,
    pub server_id: Option<Uuid>,
    pub hostname: String,
    pub metric_type: String,
    pub metric_name: String,
    pub labels: Map<String, Value>,
    /// Missing where nothing came.
    pub value: Option<f64>,
    /// In words: `> 90 for 5m`.
    pub condition: String,
    /// RFC 3339.
    pub at: String,
    pub notes: String,
}
