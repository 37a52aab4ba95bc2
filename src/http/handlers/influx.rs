//! The write endpoints of InfluxDB 1, 2 and 3, and the two requests its clients make before they write.

use std::sync::Arc;
use std::time::Instant;

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use memchr::memchr_iter;
use serde_json::json;

use super::influx_answer::{self, Outcome};
use super::ingest::{DECODE_INLINE_BYTES_MAX, commit};
use super::scratch::Scratch;
use super::{Answering, Services, admission, quarantine};
use crate::admit::budget::Permit;
use crate::admit::window::{self, Window};
use crate::catalog::LineNaming;
use crate::http::body::off_worker;
use crate::http::error::ErrorStatus;
use crate::http::query::Query;
use crate::http::{ApiError, CollectedBody, Request, Response, response};
use crate::model::{Points, SeriesId};
use crate::wire::influx::{Naming, Options, Precision, Strings, decode};
use crate::wire::spans;

/// What is said to clients that ask which InfluxDB this is: the last that speaks `/write` and `/ping` alone.
const VERSION: &str = "1.8.10";
const VERSION_HEADER: HeaderName = HeaderName::from_static("x-influxdb-version");
/// Longest body of `/query`.
const QUERY_BYTES_MAX: usize = 64 * 1024;
/// Fields and tags of one body. A sample takes more memory than its text may, so a body of nothing but short fields would
/// take many times its own size.
const MARKS_MAX: usize = 2_000_000;
/// A point and the series that is found for it.
const POINT_BYTES: usize = Points::POINT_BYTES + size_of::<SeriesId>();
/// The only statement that is answered, by saying yes: there are no databases to create.
const CREATE_DATABASE: [&str; 2] = ["create", "database"];

/// How lines are read, as the settings say.
#[derive(Clone, Debug, Default)]
pub struct InfluxReading {
    pub strings: Strings,
    pub naming: Naming,
}

pub(super) fn write_v1(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let precision = precision(&request, Precision::Nanosecond)?;
        let mut answer = write(&services, &mut request, (precision, Partial::Stored), influx_answer::v1).await?;
        answer.headers_mut().insert(VERSION_HEADER, HeaderValue::from_static(VERSION));
        Ok(answer)
    })
}

pub(super) fn write_v2(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let precision = precision(&request, Precision::Nanosecond)?;
        write(&services, &mut request, (precision, Partial::Stored), influx_answer::v2).await
    })
}

pub(super) fn write_v3(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let precision = precision(&request, Precision::Auto)?;
        let partial = match request.query()?.get("accept_partial") {
            None | Some("" | "true") => Partial::Stored,
            Some("false") => Partial::Refused,
            Some(_) => return Err(ApiError::bad_request("bad_parameter", "accept_partial is neither true nor false")),
        };
        write(&services, &mut request, (precision, partial), influx_answer::v3).await
    })
}

pub(super) fn ping(_services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async move {
        let mut answer = response::empty(StatusCode::NO_CONTENT);
        answer.headers_mut().insert(VERSION_HEADER, HeaderValue::from_static(VERSION));
        Ok(answer)
    })
}

/// The statement comes in the query or, as agents send it, in a form.
pub(super) fn query(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let statement = request.query()?.get("q").map(str::to_owned);
        let (form, _held) = admission::small(&services, &mut request, QUERY_BYTES_MAX).await?;
        let form = String::from_utf8(form).map_err(|_| ApiError::bad_request("bad_query", "the form is not UTF-8"))?;
        let statement = statement.or(Query::parse(form.trim())?.get("q").map(str::to_owned));
        let statement =
            statement.ok_or_else(|| ApiError::bad_request("bad_query", "missing required parameter \"q\""))?;
        let words: Vec<&str> = statement.split_whitespace().take(CREATE_DATABASE.len()).collect();
        let creates = words.len() == CREATE_DATABASE.len()
            && words.iter().zip(CREATE_DATABASE).all(|(word, expected)| word.eq_ignore_ascii_case(expected));
        if !creates {
            let message =
                "only CREATE DATABASE is answered here, and needs nothing done; read with GET /api/v1/metrics";
            return Err(ApiError::bad_request("bad_query", message));
        }
        response::json(StatusCode::OK, &json!({"results": [{"statement_id": 0}]}))
    })
}

/// What becomes of the good lines of a body that has bad ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Partial {
    Stored,
    Refused,
}

/// A misspelt unit would make every time wrong, so it is refused.
fn precision(request: &Request, default: Precision) -> Result<Precision, ApiError> {
    let query = request.query()?;
    let Some(name) = query.get("precision").filter(|name| !name.is_empty()) else { return Ok(default) };
    let unknown = || {
        let name: String = name.chars().take(32).collect();
        ApiError::bad_request("bad_parameter", format!("invalid precision \"{name}\", give ns, us, ms, s, m or h"))
    };
    Precision::parse(name).ok_or_else(unknown)
}

async fn write(
    services: &Services,
    request: &mut Request,
    (precision, partial): (Precision, Partial),
    answer: fn(&Outcome<'_>) -> Result<Response, ApiError>,
) -> Result<Response, ApiError> {
    services.metrics.ingest.requests.inc();
    services.rates.admit(request.peer.ip(), 0, Instant::now())?;
    let (body, permit) = admission::collect(services, request).await?;
    let mut scratch = services.scratch.take();
    let stored = store(services, request, (body, permit), (precision, partial), &mut scratch).await;
    let sent = (quarantine::INFLUX, &*scratch.body);
    match &stored {
        Ok(_) => quarantine::items(services, request, sent, &scratch.intake.verdicts, spans::lines(&scratch.body)),
        Err(error) => quarantine::whole(services, request, sent, error),
    }
    let answered = stored.and_then(|accepted| {
        let Scratch { body, intake, .. } = &*scratch;
        let outcome = Outcome { body, accepted, intake };
        let mut answer = answer(&outcome)?;
        influx_answer::tell(&outcome, answer.headers_mut());
        Ok(answer)
    });
    services.scratch.give(scratch);
    answered
}

/// Takes room for what the body is going to be decoded to. No field is without its mark, so that is known beforehand.
fn hold_columns(body: &[u8], permit: &mut Permit) -> Result<(), ApiError> {
    let marks = memchr_iter(b'=', body).count();
    if marks > MARKS_MAX {
        let message = format!("the body has {marks} fields and tags, at most {MARKS_MAX} are allowed");
        return Err(ApiError::new(ErrorStatus::PayloadTooLarge, "payload_too_large", message));
    }
    if permit.try_hold((body.len() + marks * POINT_BYTES) as u64) { Ok(()) } else { Err(admission::full()) }
}

/// From the body as it came to committed samples; what was refused or left out is in the scratch's intake.
async fn store(
    services: &Services,
    request: &Request,
    (body, mut permit): (CollectedBody, Permit),
    (precision, partial): (Precision, Partial),
    scratch: &mut Scratch,
) -> Result<usize, ApiError> {
    services.metrics.ingest.bytes.inc_by(body.wire_bytes() as u64);
    scratch.body = admission::decoded(body, &mut permit, std::mem::take(&mut scratch.body)).await?;
    hold_columns(&scratch.body, &mut permit)?;
    let InfluxReading { strings, naming } = &services.dialects.influx;
    let now = services.clock.now();
    let Scratch { body, intake, .. } = scratch;
    let mut decoding = || decode(body, &Options { precision, now, strings: *strings }, intake);
    if body.len() > DECODE_INLINE_BYTES_MAX {
        off_worker(decoding)
    } else {
        decoding()
    }
    let samples = intake.points.len();
    permit.shrink_to((body.len() + samples * POINT_BYTES) as u64);
    services.rates.admit(request.peer.ip(), samples as u64 + u64::from(intake.verdicts.total()), Instant::now())?;
    window::refuse_outside(intake, Window::around(now, services.past, services.future));
    let (host, canonical) = (|body: &[u8], raw| naming.host(body, raw), |body: &[u8], raw| naming.identity(body, raw));
    let naming = LineNaming { host: &host, canonical: &canonical };
    let resolved = services.catalog.resolve_lines(body, intake, naming, request.principal.whom()).await?;
    services.metrics.ingest.values_left_out.inc_by(u64::from(intake.left_out.values));
    if partial == Partial::Refused && intake.verdicts.total() > 0 {
        services.metrics.ingest.refused(&intake.verdicts);
        return Ok(0);
    }
    commit(services, resolved, &intake.verdicts, permit).await
}
