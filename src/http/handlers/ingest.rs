//! `POST /api/v1/ingest`: a body of samples, acknowledged when it is committed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use serde::Serialize;

use super::scratch::Scratch;
use super::{Answering, Services, admission, input, quarantine, systems};
use crate::admit::budget::Permit;
use crate::admit::window::{self, Window};
use crate::catalog::Resolved;
use crate::http::body::off_worker;
use crate::http::{ApiError, CollectedBody, Request, Response, response};
use crate::model::Verdicts;
use crate::wire::native::{self, DocumentError};

/// Decoding a body larger than this would hold up the other requests of the worker thread.
pub(super) const DECODE_INLINE_BYTES_MAX: usize = 1 << 20;

pub(super) fn bulk(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let started = Instant::now();
        services.metrics.ingest.requests.inc();
        services.rates.admit(request.peer.ip(), 0, started)?;
        let (body, permit) = admission::collect(&services, &mut request).await?;
        let mut scratch = services.scratch.take();
        let answer = take_in(&services, &request, (body, permit), &mut scratch, started).await;
        services.scratch.give(scratch);
        answer
    })
}

/// A document that is none of this system's may be one of the system that shares the path.
async fn take_in(
    services: &Arc<Services>,
    request: &Request,
    (body, mut permit): (CollectedBody, Permit),
    scratch: &mut Scratch,
    started: Instant,
) -> Result<Response, ApiError> {
    services.metrics.ingest.bytes.inc_by(body.wire_bytes() as u64);
    scratch.body = admission::decoded(body, &mut permit, std::mem::take(&mut scratch.body)).await?;
    input::not_empty(&scratch.body)?;
    if let Err(error) = decode(scratch) {
        return match systems::fleet::on_shared_path(services, request, (&scratch.body, permit)).await {
            Some(answer) => answer,
            None => {
                let error = ApiError::from(error);
                quarantine::whole(services, request, (quarantine::JSON, &scratch.body), &error);
                Err(error)
            }
        };
    }
    let inserted = store(services, request, permit, scratch).await?;
    let Scratch { body, intake, .. } = scratch;
    quarantine::items(services, request, (quarantine::JSON, body), &intake.verdicts, native::item_spans(body));
    answer(inserted, &scratch.intake.verdicts, started.elapsed())
}

/// From decoded points to committed samples; the refused items are in the scratch's verdicts.
async fn store(
    services: &Services,
    request: &Request,
    permit: Permit,
    scratch: &mut Scratch,
) -> Result<usize, ApiError> {
    services.rates.admit(request.peer.ip(), u64::from(scratch.intake.items), Instant::now())?;
    let now = services.clock.now();
    window::refuse_outside(&mut scratch.intake, Window::around(now, services.past, services.future));
    let Scratch { body, intake, .. } = scratch;
    let resolved = services.catalog.resolve(body, intake, native::identity, &request.principal.reach).await?;
    commit(services, resolved, &intake.verdicts, permit).await
}

/// Commits what a request came to and answers how many samples that were.
pub(super) async fn commit(
    services: &Services,
    resolved: Resolved,
    verdicts: &Verdicts,
    permit: Permit,
) -> Result<usize, ApiError> {
    let Resolved { batch, servers, misses, .. } = resolved;
    services.metrics.catalog.misses.inc_by(misses as u64);
    services.metrics.ingest.refused(verdicts);
    let samples = batch.len();
    let affinity = servers.first().map_or(0, |server| server.key().0.unsigned_abs());
    services.journal.commit(batch, u64::from(affinity), permit).await?;
    // The time after the commit: the one before may lie before the last time these were written down.
    let now = services.clock.now();
    servers.iter().for_each(|server| server.seen(now));
    services.metrics.ingest.samples_committed.inc_by(samples as u64);
    Ok(samples)
}

fn decode(scratch: &mut Scratch) -> Result<(), DocumentError> {
    let Scratch { body, intake, .. } = scratch;
    let mut decoding = || native::decode(body, intake);
    if body.len() > DECODE_INLINE_BYTES_MAX { off_worker(decoding) } else { decoding() }
}

#[derive(Serialize)]
struct Answer<'a> {
    success: bool,
    inserted: usize,
    failed: u32,
    duration_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ItemError<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_total: Option<u32>,
}

#[derive(Serialize)]
struct ItemError<'a> {
    index: u32,
    code: &'static str,
    message: &'a str,
}

/// A request of which nothing could be stored is a refusal: agents would take a 2xx for "committed".
fn answer(inserted: usize, verdicts: &Verdicts, duration: Duration) -> Result<Response, ApiError> {
    let failed = verdicts.total();
    let mut errors: Vec<ItemError<'_>> = verdicts
        .listed()
        .iter()
        .map(|verdict| ItemError { index: verdict.index, code: verdict.code.as_str(), message: &verdict.message })
        .collect();
    errors.sort_by_key(|error| error.index);
    let nothing_stored = inserted == 0 && failed > 0;
    let error = errors.first().map(|error| error.message).filter(|_| nothing_stored);
    let status = if nothing_stored { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let (success, duration_ms) = (failed == 0, duration.as_millis());
    let errors_total = (failed > 0).then_some(failed);
    response::json(status, &Answer { success, inserted, failed, duration_ms, error, errors, errors_total })
}
