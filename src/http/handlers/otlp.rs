//! OpenTelemetry: metrics become samples, log records lines of the log; traces have no place here.

use std::sync::Arc;
use std::time::Instant;

use super::ingest::{DECODE_INLINE_BYTES_MAX, commit};
use super::otlp_answer::{self, Form, Outcome};
use super::scratch::Scratch;
use super::{Answering, Services, admission, quarantine};
use crate::admit::budget::Permit;
use crate::admit::window::{self, Window};
use crate::catalog::LineNaming;
use crate::http::body::off_worker;
use crate::http::error::ErrorStatus;
use crate::http::{ApiError, CollectedBody, Request};
use crate::model::{Code, LogLine, Points, SeriesId, Whom};
use crate::store::entries;
use crate::wire::otlp::schema::Message;
use crate::wire::otlp::{self, LOGS, METRICS, Record, Room, Unread};

/// A point and the series that is found for it.
const POINT_BYTES: usize = Points::POINT_BYTES + size_of::<SeriesId>();

pub(super) fn metrics(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let form = Form::of(&request)?;
        let received = receive(&services, &mut request).await?;
        let mut scratch = services.scratch.take();
        let stored = store(&services, &request, (received, form), &mut scratch).await;
        keep_refused(&services, &request, (&scratch, stored.as_ref().err()));
        let answered = stored.and_then(|accepted| otlp_answer::metrics(form, &Outcome::of(&scratch.intake, accepted)));
        services.scratch.give(scratch);
        answered
    })
}

pub(super) fn logs(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let form = Form::of(&request)?;
        let received = receive(&services, &mut request).await?;
        let mut scratch = services.scratch.take();
        let stored = store_logs(&services, &request, (received, form), &mut scratch).await;
        keep_refused(&services, &request, (&scratch, stored.as_ref().err()));
        let answered = stored.and_then(|accepted| otlp_answer::logs(form, &Outcome::of(&scratch.intake, accepted)));
        services.scratch.give(scratch);
        answered
    })
}

pub(super) fn traces(_services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async { Err(ApiError::not_found("traces are not stored here, metrics and logs are")) })
}

/// Keeps what was refused; items stand too deep in the message to be found again.
fn keep_refused(services: &Services, request: &Request, (scratch, error): (&Scratch, Option<&ApiError>)) {
    let (sent, verdicts) = ((quarantine::OTLP, scratch.body.as_slice()), &scratch.intake.verdicts);
    match error {
        Some(error) => quarantine::whole(services, request, sent, error),
        None => quarantine::items(services, request, sent, verdicts, std::iter::empty()),
    }
}

type Received = (CollectedBody, Permit);

async fn receive(services: &Services, request: &mut Request) -> Result<Received, ApiError> {
    services.metrics.ingest.requests.inc();
    services.rates.admit(request.peer.ip(), 0, Instant::now())?;
    let (body, permit) = admission::collect(services, request).await?;
    services.metrics.ingest.bytes.inc_by(body.wire_bytes() as u64);
    Ok((body, permit))
}

/// From the body as it came to committed samples; what was refused or left out is in the scratch's intake.
async fn store(
    services: &Services,
    request: &Request,
    ((body, mut permit), form): (Received, Form),
    scratch: &mut Scratch,
) -> Result<usize, ApiError> {
    scratch.body = admission::decoded(body, &mut permit, std::mem::take(&mut scratch.body)).await?;
    unfold(request, (form, &METRICS), &mut permit, scratch, |Scratch { body, text, intake }, room| {
        otlp::decode(body, &services.dialects.otlp, (text, intake), room)
    })?;
    let Scratch { text, intake, .. } = scratch;
    permit.shrink_to((text.len() + intake.points.len() * POINT_BYTES) as u64);
    let samples = intake.points.len() as u64 + u64::from(intake.verdicts.total());
    services.rates.admit(request.peer.ip(), samples, Instant::now())?;
    window::refuse_outside(intake, Window::around(services.clock.now(), services.past, services.future));
    let naming = LineNaming { host: &otlp::host, canonical: &otlp::identity };
    let resolved = services.catalog.resolve_lines(text, intake, naming, request.principal.whom()).await?;
    services.metrics.ingest.values_left_out.inc_by(u64::from(intake.left_out.values));
    commit(services, resolved, &intake.verdicts, permit).await
}

/// The same for log records, of which it answers how many are committed.
async fn store_logs(
    services: &Services,
    request: &Request,
    ((body, mut permit), form): (Received, Form),
    scratch: &mut Scratch,
) -> Result<usize, ApiError> {
    scratch.body = admission::decoded(body, &mut permit, std::mem::take(&mut scratch.body)).await?;
    let records = unfold(request, (form, &LOGS), &mut permit, scratch, |Scratch { body, intake, .. }, room| {
        otlp::decode_logs(body, &services.dialects.otlp, intake, room)
    })?;
    let items = u64::from(scratch.intake.items);
    services.rates.admit(request.peer.ip(), items, Instant::now())?;
    let lines = name_servers(services, records, scratch, request.principal.whom()).await?;
    services.metrics.ingest.refused(&scratch.intake.verdicts);
    if !lines.is_empty() {
        entries::append_logs(&mut services.database.client().await?, &lines).await?;
    }
    Ok(lines.len())
}

/// The lines whose time is accepted and whose server is known now; the others are refused.
async fn name_servers(
    services: &Services,
    records: Vec<Record>,
    scratch: &mut Scratch,
    whom: Whom<'_>,
) -> Result<Vec<LogLine>, ApiError> {
    let window = Window::around(services.clock.now(), services.past, services.future);
    let verdicts = &mut scratch.intake.verdicts;
    let mut hosts: Vec<&str> = records.iter().map(|record| record.host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let servers = services.catalog.servers().of_hosts(&hosts, whom).await?;
    let mut lines = Vec::with_capacity(records.len());
    for record in &records {
        let server = hosts.binary_search(&record.host.as_str()).ok().and_then(|place| servers[place].as_ref());
        match server {
            _ if record.time < window.oldest => {
                verdicts.refuse(record.item, Code::TooOld, || format!("time is before {}", window.oldest));
            }
            _ if record.time > window.newest => {
                verdicts.refuse(record.item, Code::TooFarInFuture, || format!("time is after {}", window.newest));
            }
            None => verdicts.refuse(record.item, Code::TooManyServers, || "there are too many servers".to_owned()),
            Some(server) => lines.push(LogLine {
                server: server.key(),
                time: record.time,
                source: record.source.clone(),
                level: record.level.clone(),
                message: record.message.clone(),
            }),
        }
    }
    Ok(lines)
}

/// Reads the scratch's body, which becomes protobuf when it is not, and takes room as it unfolds.
fn unfold<T>(
    request: &Request,
    (form, message): (Form, &'static Message),
    permit: &mut Permit,
    scratch: &mut Scratch,
    read: impl FnOnce(&mut Scratch, &mut Room<'_>) -> Result<T, Unread>,
) -> Result<T, ApiError> {
    let bytes_max = request.body_limits().inflated_bytes_max;
    let is_large = scratch.body.len() > DECODE_INLINE_BYTES_MAX;
    let work = || {
        if form == Form::Json {
            let mut body = Vec::with_capacity(scratch.body.len() / 2);
            let text_bytes = scratch.body.len();
            let mut hold = |bytes: usize| permit.try_hold((text_bytes + bytes) as u64);
            otlp::transcode(&scratch.body, message, &mut body, &mut Room::new(bytes_max, &mut hold))?;
            scratch.body = body;
        }
        let body_bytes = scratch.body.len();
        let mut hold = |bytes: usize| permit.try_hold((body_bytes + bytes) as u64);
        read(scratch, &mut Room::new(bytes_max, &mut hold))
    };
    let outcome = if is_large { off_worker(work) } else { work() };
    outcome.map_err(|unread| match unread {
        Unread::NoRoom => admission::full(),
        Unread::TooLarge { .. } => ApiError::new(ErrorStatus::PayloadTooLarge, "payload_too_large", unread.to_string()),
        Unread::Message(_) | Unread::Document(_) | Unread::Shape { .. } => {
            ApiError::bad_request("malformed_document", unread.to_string())
        }
    })
}
