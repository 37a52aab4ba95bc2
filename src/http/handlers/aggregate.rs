//! `GET /api/v1/metrics` with `step` or `max_points`: samples put together, in one answer.

use std::sync::Arc;
use std::time::Instant;

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};

use super::Services;
use crate::http::{ApiError, Response, response};
use crate::query::aggregate::{Answer, output};
use crate::query::{AggregateRequest, Format};

/// What a CSV answer was made of, as JSON answers have it in `spans`.
const SPANS: HeaderName = HeaderName::from_static("x-spans");

pub(super) async fn answer(services: &Arc<Services>, asked: &AggregateRequest) -> Result<Response, ApiError> {
    let answer = read(services, asked).await?;
    Ok(match asked.format {
        Format::Json => response::bytes(StatusCode::OK, "application/json", output::json(&answer).into()),
        Format::Ndjson => response::bytes(StatusCode::OK, "application/x-ndjson", output::ndjson(&answer).into()),
        Format::Csv => {
            let csv = output::csv(&answer).into();
            let mut response = response::bytes(StatusCode::OK, "text/csv; charset=utf-8", csv);
            let spans = HeaderValue::from_maybe_shared(output::spans_json(&answer.spans));
            response.headers_mut().insert(SPANS, spans.map_err(ApiError::internal)?);
            response
        }
    })
}

pub(super) async fn read(services: &Arc<Services>, asked: &AggregateRequest) -> Result<Answer, ApiError> {
    let started = Instant::now();
    let answer = services.query.aggregate(asked).await;
    services.metrics.query.requests.inc();
    services.metrics.query.duration.observe(started.elapsed().as_secs_f64());
    Ok(answer?)
}
