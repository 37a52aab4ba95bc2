//! Bodies in memory: every one takes its part of a common budget as it comes, and keeps it for as long as anything of
//! it is there. At the bound a request is refused, as early as its size is known, and nobody waits.

use std::time::Duration;

use hyper::header::CONTENT_LENGTH;

use super::Services;
use crate::admit::budget::Permit;
use crate::http::body::BodyError;
use crate::http::config::BodyLimits;
use crate::http::encoding::Encoding;
use crate::http::{ApiError, CollectedBody, Request};

/// What bodies of text compress to at best in practice. One that unfolds further is decoded again with more room.
const INFLATED_RATIO: usize = 16;

/// Reads the body as it came over the wire.
///
/// Nothing is taken for what is only announced: a client that announces much and sends little must not keep others out.
pub(super) async fn collect(services: &Services, request: &mut Request) -> Result<(CollectedBody, Permit), ApiError> {
    let limits = request.body_limits().clone();
    collect_within(services, request, &limits).await
}

/// The body as text, at most `bytes_max` long.
pub(super) async fn small(
    services: &Services,
    request: &mut Request,
    bytes_max: usize,
) -> Result<(Vec<u8>, Permit), ApiError> {
    let mut limits = request.body_limits().clone();
    limits.body_bytes_max = limits.body_bytes_max.min(bytes_max);
    limits.inflated_bytes_max = limits.inflated_bytes_max.min(bytes_max);
    let (body, mut permit) = collect_within(services, request, &limits).await?;
    let text = decoded(body, &mut permit, Vec::new()).await?;
    Ok((text, permit))
}

async fn collect_within(
    services: &Services,
    request: &mut Request,
    limits: &BodyLimits,
) -> Result<(CollectedBody, Permit), ApiError> {
    let announced: Option<u64> = request.header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let expected = announced.unwrap_or(0).min(limits.body_bytes_max as u64);
    if !services.budget.has_room(expected) {
        return Err(full());
    }
    let mut permit = services.budget.try_take(0).ok_or_else(full)?;
    let mut kept = 0;
    let mut meter = |bytes: usize| {
        kept += bytes as u64;
        permit.try_hold(kept)
    };
    let body = request.collect_body_metered(limits, &mut meter).await?;
    Ok((body, permit))
}

/// The body as text, in `out`. Room for it is taken before it is inflated, so that small bodies which unfold to large
/// ones are bounded together like all others; what it did not need is given back.
pub(super) async fn decoded(body: CollectedBody, permit: &mut Permit, mut out: Vec<u8>) -> Result<Vec<u8>, ApiError> {
    // Some clients name an encoding whether or not there is anything to encode.
    if body.wire_bytes() == 0 {
        out.clear();
        return Ok(out);
    }
    if body.encoding() == Encoding::Identity {
        return Ok(body.read(out).await?);
    }
    let (wire_bytes, inflated_max) = (body.wire_bytes(), body.inflated_bytes_max());
    let mut room = match body.stated_bytes()? {
        Some(stated) => stated,
        None => wire_bytes.saturating_mul(INFLATED_RATIO).min(inflated_max),
    };
    loop {
        if !permit.try_hold((wire_bytes + room) as u64) {
            return Err(full());
        }
        match body.within(room).read(out).await {
            Err(BodyError::InflatedTooLarge { .. }) if room < inflated_max => {
                room = room.saturating_mul(INFLATED_RATIO).min(inflated_max);
                out = Vec::new();
            }
            outcome => {
                let out = outcome?;
                permit.shrink_to(out.len() as u64);
                return Ok(out);
            }
        }
    }
}

pub(super) fn full() -> ApiError {
    ApiError::unavailable("engine_full", "too many bytes of request bodies are in memory", Duration::from_secs(1))
}
