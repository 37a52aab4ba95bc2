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
