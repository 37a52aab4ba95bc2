//! Keeps what handlers refuse for those who look for the reason.

use std::ops::Range;
use std::sync::Arc;

use super::Services;
use crate::http::error::ErrorStatus;
use crate::http::{ApiError, Request};
use crate::model::Verdicts;
use crate::rejects::{self, Occasion};

/// In what it came.
pub(super) const JSON: &str = "json";
pub(super) const INFLUX: &str = "influx";
pub(super) const PROMETHEUS: &str = "prometheus";
pub(super) const OTLP: &str = "otlp";
pub(super) const REPORT: &str = "report";

/// A body in its dialect.
pub(super) type Sent<'a> = (&'static str, &'a [u8]);

/// Keeps the refused items of a body whose items stand at `spans`.
pub(super) fn items(
    services: &Services,
    request: &Request,
    sent: Sent<'_>,
    verdicts: &Verdicts,
    spans: impl Iterator<Item = Range<usize>>,
) {
    if verdicts.total() > 0 {
        services.rejects.keep(&occasion(services, request, sent), verdicts.listed(), spans);
    }
}

/// Keeps a body that was refused for what is in it.
pub(super) fn whole(services: &Services, request: &Request, sent: Sent<'_>, error: &ApiError) {
    if matches!(error.status(), ErrorStatus::BadRequest | ErrorStatus::PayloadTooLarge | ErrorStatus::Unprocessable) {
        services.rejects.keep_whole(&occasion(services, request, sent), error.code(), error.message());
    }
}

fn occasion<'a>(services: &Services, request: &Request, (dialect, body): Sent<'a>) -> Occasion<'a> {
    let sender = Arc::new(rejects::sender(&request.principal, request.peer.ip()));
    Occasion { at: services.clock.now(), sender, dialect, body, first_item: 0 }
}
