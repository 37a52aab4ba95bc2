//! What is no number: events, log lines, and documents that describe how a server is.

use super::series::ServerKey;
use super::time::Micros;

/// Something that happened on a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub server: ServerKey,
    pub time: Micros,
    /// What sort of event, and how bad, in the sender's words.
    pub kind: String,
    pub severity: String,
    pub title: String,
    /// Whatever else the sender said.
    pub attributes: serde_json::Map<String, serde_json::Value>,
}

/// A line of a log of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub server: ServerKey,
    pub time: Micros,
    /// Which log, and how bad, in the sender's words.
    pub source: String,
    pub level: String,
    pub message: String,
}

/// How something on a server is; the latest one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub server: ServerKey,
    pub time: Micros,
    pub kind: String,
    /// JSON, as it came.
    pub body: String,
}
