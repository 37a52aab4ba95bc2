//! Samples of Prometheus: remote write 1.0 and 2.0, the text of exporters, and what is pushed.

use std::sync::Arc;
use std::time::Instant;

use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use memchr::memchr_iter;

use super::ingest::{DECODE_INLINE_BYTES_MAX, commit};
use super::prometheus_answer::{self, Histograms, Outcome, Written};
use super::scratch::Scratch;
use super::{Answering, Services, admission, quarantine};
use crate::admit::budget::Permit;
use crate::admit::window::{self, Window};
use crate::catalog::LineNaming;
use crate::http::body::encoding::Encoding;
use crate::http::body::{BodyError, off_worker};
use crate::http::error::ErrorStatus;
use crate::http::{ApiError, CollectedBody, Request, Response, response};
use crate::model::{Micros, Points, SeriesId};
use crate::wire::prometheus::{
    Exposition, Fault, Grouping, Room, TextTimes, decode_write1, decode_write2, of_write1, of_write2,
};
use crate::wire::spans;

const PROTOBUF: &str = "application/x-protobuf";
const MESSAGE_1: &str = "prometheus.WriteRequest";
const MESSAGE_2: &str = "io.prometheus.write.v2.Request";
const OPEN_METRICS: &str = "application/openmetrics-text";
/// Texts that are no text: the formats in which some clients push.
const BINARY: [&str; 2] = ["application/vnd.google.protobuf", PROTOBUF];

/// What one body may come to: samples, and bytes of names put together.
const ROOM_MAX: Room = Room { points: 2_000_000, text_bytes: 96 << 20 };
/// How few bytes a sample takes in ordinary bodies, those of its series included. One that packs them closer is decoded
/// again with more room.
const POINT_BYTES_EXPECTED: usize = 16;
/// How many times longer names are put together than they came, at first.
const TEXT_RATIO: usize = 4;
const TEXT_BYTES_MIN: usize = 64 << 10;
const ROOM_RATIO: usize = 8;
/// A point and the series that is found for it.
const POINT_BYTES: usize = Points::POINT_BYTES + size_of::<SeriesId>();

/// How a body is to be read.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Write1,
    Write2,
    Text(TextTimes, Grouping),
}

pub(super) fn remote_write(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let form = message(&request)?;
        if Encoding::of(&request.headers).map_err(BodyError::from)? != Encoding::Snappy {
            return Err(unsupported("the body must be compressed with snappy, and Content-Encoding must say so"));
        }
        write(&services, &mut request, form, StatusCode::NO_CONTENT).await
    })
}

pub(super) fn import(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let times = text_times(&request)?;
        let mut grouping = Grouping::default();
        for (_, pair) in request.query()?.pairs().filter(|(name, _)| *name == "extra_label") {
            grouping.add_pair(pair).map_err(|error| ApiError::bad_request("bad_parameter", error.to_string()))?;
        }
        write(&services, &mut request, Form::Text(times, grouping), StatusCode::NO_CONTENT).await
    })
}

pub(super) fn push(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let (times, grouping) = (text_times(&request)?, grouping(&request)?);
        write(&services, &mut request, Form::Text(times, grouping), StatusCode::OK).await
    })
}

/// There is no last push here that scrapers would go on finding: what was pushed is history, which stays.
pub(super) fn forget(_services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        grouping(&request)?;
        Ok(response::empty(StatusCode::ACCEPTED))
    })
}

/// The labels of the path.
fn grouping(request: &Request) -> Result<Grouping, ApiError> {
    let is_base64 = request.uri.path().starts_with("/metrics/job@base64/");
    let path = request.param("grouping").unwrap_or_default();
    Grouping::of_path(path, is_base64).map_err(|error| ApiError::bad_request("bad_path", error.to_string()))
}

/// The media type, and what it says after that.
fn content_type(request: &Request) -> (&str, &str) {
    let whole = request.header(CONTENT_TYPE).unwrap_or_default();
    let (name, parameters) = whole.split_once(';').unwrap_or((whole, ""));
    (name.trim(), parameters)
}

fn message(request: &Request) -> Result<Form, ApiError> {
    let (name, parameters) = content_type(request);
    let named = parameters.split(';').filter_map(|parameter| parameter.trim().strip_prefix("proto=")).next();
    match named.map(|message| message.trim_matches('"')) {
        _ if !name.eq_ignore_ascii_case(PROTOBUF) => Err(unsupported(
            "Content-Type must be application/x-protobuf, with proto= for what is not remote write 1.0",
        )),
        None | Some(MESSAGE_1) => Ok(Form::Write1),
        Some(MESSAGE_2) => Ok(Form::Write2),
        Some(_) => Err(unsupported("known messages are prometheus.WriteRequest and io.prometheus.write.v2.Request")),
    }
}

fn text_times(request: &Request) -> Result<TextTimes, ApiError> {
    let (name, _) = content_type(request);
    if BINARY.iter().any(|binary| name.eq_ignore_ascii_case(binary)) {
        return Err(unsupported("only the text format is taken here, as text/plain or application/openmetrics-text"));
    }
    Ok(if name.eq_ignore_ascii_case(OPEN_METRICS) { TextTimes::Seconds } else { TextTimes::Millis })
}

fn unsupported(message: &'static str) -> ApiError {
    ApiError::new(ErrorStatus::UnsupportedMediaType, "unsupported_media_type", message)
}

async fn write(
    services: &Services,
    request: &mut Request,
    form: Form,
    success: StatusCode,
) -> Result<Response, ApiError> {
    services.metrics.ingest.requests.inc();
    services.rates.admit(request.peer.ip(), 0, Instant::now())?;
    let (body, permit) = admission::collect(services, request).await?;
    let mut scratch = services.scratch.take();
    let stored = store(services, request, (body, permit), &form, &mut scratch).await;
    keep_refused(services, request, &form, (&scratch, stored.as_ref().err()));
    let answer = stored.map(|written| {
        let outcome = Outcome { written, intake: &scratch.intake };
        prometheus_answer::answer(&outcome, &form, success)
    });
    services.scratch.give(scratch);
    answer
}

/// Keeps what was refused. Where identities were put together, the body has become the text beside them.
fn keep_refused(services: &Services, request: &Request, form: &Form, (scratch, error): (&Scratch, Option<&ApiError>)) {
    let body = match form {
        Form::Write2 | Form::Text(..) if error.is_none() => &scratch.text,
        _ => &scratch.body,
    };
    let (sent, verdicts) = ((quarantine::PROMETHEUS, body.as_slice()), &scratch.intake.verdicts);
    match (error, form) {
        (Some(error), _) => quarantine::whole(services, request, sent, error),
        (None, Form::Write1) => quarantine::items(services, request, sent, verdicts, of_write1(body)),
        (None, Form::Write2) => quarantine::items(services, request, sent, verdicts, of_write2(body)),
        (None, Form::Text(..)) => quarantine::items(services, request, sent, verdicts, spans::lines(body)),
    }
}

/// From the body as it came to committed samples; what was refused or left out is in the scratch's intake.
async fn store(
    services: &Services,
    request: &Request,
    (body, mut permit): (CollectedBody, Permit),
    form: &Form,
    scratch: &mut Scratch,
) -> Result<Written, ApiError> {
    services.metrics.ingest.bytes.inc_by(body.wire_bytes() as u64);
    scratch.body = admission::decoded(body, &mut permit, std::mem::take(&mut scratch.body)).await?;
    let now = services.clock.now();
    if scratch.body.len() > DECODE_INLINE_BYTES_MAX {
        off_worker(|| decode(form, now, scratch, &mut permit))?;
    } else {
        decode(form, now, scratch, &mut permit)?;
    }
    let Scratch { body, intake, .. } = scratch;
    let samples = intake.points.len();
    permit.shrink_to((body.len() + samples * POINT_BYTES) as u64);
    services.rates.admit(request.peer.ip(), samples as u64 + u64::from(intake.verdicts.total()), Instant::now())?;
    window::refuse_outside(intake, Window::around(now, services.past, services.future));
    let histograms = Histograms::of(body, &intake.points);
    let naming = &services.dialects.prometheus;
    let (host, canonical) = (|text: &[u8], raw| naming.host(text, raw), |text: &[u8], raw| naming.identity(text, raw));
    let naming = LineNaming { host: &host, canonical: &canonical };
    let resolved = services.catalog.resolve_lines(body, intake, naming, request.principal.whom()).await?;
    services.metrics.ingest.values_left_out.inc_by(u64::from(intake.left_out.values));
    let written = histograms.written(&resolved);
    commit(services, resolved, &intake.verdicts, permit).await?;
    Ok(written)
}

/// Decodes the body into the scratch's intake. Room for what it comes to is taken before, as much as ordinary bodies
/// need at first, and more when that was not enough.
fn decode(form: &Form, now: Micros, scratch: &mut Scratch, permit: &mut Permit) -> Result<(), ApiError> {
    let mut room = first_room(form, &scratch.body);
    loop {
        let bytes = scratch.body.len() + room.points * POINT_BYTES + room.text_bytes;
        if !permit.try_hold(bytes as u64) {
            return Err(admission::full());
        }
        let Scratch { body, text, intake } = &mut *scratch;
        intake.clear();
        let decoded = match form {
            Form::Write1 => decode_write1(body, text, room, intake),
            Form::Write2 => decode_write2(body, text, room, intake),
            Form::Text(times, grouping) => Exposition { times: *times, now, grouping }.decode(body, text, room, intake),
        };
        match decoded {
            Ok(()) => return Ok(()),
            Err(Fault::NoRoom) if room != ROOM_MAX => room = within_max(room.points, room.text_bytes, ROOM_RATIO),
            Err(Fault::NoRoom) => {
                let Room { points, text_bytes } = ROOM_MAX;
                let message = format!("the body comes to more than {points} samples or {text_bytes} bytes of names");
                return Err(ApiError::new(ErrorStatus::PayloadTooLarge, "payload_too_large", message));
            }
            Err(fault @ Fault::Malformed { .. }) => return Err(ApiError::bad_request("bad_body", fault.to_string())),
        }
    }
}

fn first_room(form: &Form, body: &[u8]) -> Room {
    match form {
        Form::Write1 => within_max(body.len() / POINT_BYTES_EXPECTED + 1, TEXT_BYTES_MIN, 1),
        Form::Write2 => within_max(body.len() / POINT_BYTES_EXPECTED + 1, TEXT_RATIO * body.len() + TEXT_BYTES_MIN, 1),
        // No line has more than one sample.
        Form::Text(..) => within_max(memchr_iter(b'\n', body).count() + 1, TEXT_RATIO * body.len() + TEXT_BYTES_MIN, 1),
    }
}

fn within_max(points: usize, text_bytes: usize, ratio: usize) -> Room {
    let Room { points: points_max, text_bytes: text_max } = ROOM_MAX;
    Room {
        points: points.saturating_mul(ratio).min(points_max),
        text_bytes: text_bytes.saturating_mul(ratio).min(text_max),
    }
}
