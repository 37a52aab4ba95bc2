//! Bodies in memory: every one holds its part of a common budget for as long as anything of it is there. At the bound
//! a request is refused, as early as its size is known, and nobody waits.

use std::time::Duration;

use hyper::header::CONTENT_LENGTH;

use super::Services;
use crate::admit::budget::Permit;
use crate::http::body::BodyError;
use crate::http::encoding::Encoding;
use crate::http::{ApiError, CollectedBody, Request};

/// What bodies of text compress to at best in practice. One that unfolds further is decoded again with more room.
const INFLATED_RATIO: usize = 16;

/// Reads the body as it came over the wire.
pub(super) async fn collect(services: &Services, request: &mut Request) -> Result<(CollectedBody, Permit), ApiError> {
    // A chunked body does not say how long it is; it takes what it needs as it comes.
    let announced = request.header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let announced: u64 = announced.unwrap_or(0);
    let mut permit = services.budget.try_take(announced.min(services.body_bytes_max as u64)).ok_or_else(full)?;
    let mut kept = 0;
    let mut meter = |bytes: usize| {
        kept += bytes as u64;
        permit.try_hold(kept)
    };
    let limits = request.body_limits().clone();
    let body = request.collect_body_metered(&limits, &mut meter).await?;
    Ok((body, permit))
}

/// The body as text, in `out`. Room for it is taken before it is inflated, so that small bodies which unfold to large
/// ones are bounded together like all others.
pub(super) async fn decoded(body: CollectedBody, permit: &mut Permit, mut out: Vec<u8>) -> Result<Vec<u8>, ApiError> {
    if body.encoding() == Encoding::Identity {
        return Ok(body.read(out).await?);
    }
    let inflated_max = body.inflated_bytes_max();
    let mut room = body.wire_bytes().saturating_mul(INFLATED_RATIO).min(inflated_max);
    loop {
        if !permit.try_hold(room as u64) {
            return Err(full());
        }
        match body.within(room).read(out).await {
            Err(BodyError::InflatedTooLarge { .. }) if room < inflated_max => {
                room = room.saturating_mul(INFLATED_RATIO).min(inflated_max);
                out = Vec::new();
            }
            outcome => return Ok(outcome?),
        }
    }
}

fn full() -> ApiError {
    ApiError::unavailable("engine_full", "too many bytes of request bodies are in memory", Duration::from_secs(1))
}
