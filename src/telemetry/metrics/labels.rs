//! The labels of metrics. Each takes a bounded number of values.

use prometheus_client::encoding::EncodeLabelSet;

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
pub struct RequestLabels {
    /// The pattern of the route, never the path that was asked for.
    pub route: &'static str,
    pub method: &'static str,
    /// `2xx` and so on.
    pub status: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
pub struct RouteLabels {
    pub route: &'static str,
    pub method: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
pub struct CodeLabels {
    /// [`crate::model::Code::as_str`].
    pub code: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
pub struct TableLabels {
    pub table: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
pub struct JobLabels {
    /// The name of the job.
    pub job: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
pub struct DialectLabels {
    pub dialect: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
pub struct DropLabels {
    pub dialect: &'static str,
    /// [`DropReason::as_str`].
    pub reason: &'static str,
}

/// Why lines that nobody waits for an answer to were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The queue to the journal was full.
    QueueFull,
    /// Too many bytes were in memory.
    EngineFull,
    /// Their client sent more than it may.
    RateLimited,
    /// A line was longer than it may be.
    LineTooLong,
    /// The connection ended within a line.
    CutOff,
    /// PostgreSQL did not take them in time.
    NotCommitted,
    /// The server was stopping.
    Stopping,
}

impl DropReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::EngineFull => "engine_full",
            Self::RateLimited => "rate_limited",
            Self::LineTooLong => "line_too_long",
            Self::CutOff => "cut_off",
            Self::NotCommitted => "not_committed",
            Self::Stopping => "stopping",
        }
    }
}

/// A client may invent methods; those share one label.
pub(super) fn method_label(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("other")
}

pub(super) fn status_label(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
