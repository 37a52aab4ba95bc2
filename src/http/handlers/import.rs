//! `POST /api/v1/import`: lines as an export writes them, of any number, committed as they come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::{Answering, Services};
use crate::auth::Principal;
use crate::http::body::{BodyError, BodyStream};
use crate::http::streamed_body::{self, BodyWriter, ClientGone};
use crate::http::{ApiError, Request, Response, response};
use crate::model::reject::Sender;
use crate::query::export::{flag, line_format};
use crate::rejects;
use crate::transfer::{Import, ImportError, Options, Pieces, Report, Stages};
use crate::wire::lines::LineFormat;

/// Progress that waits for a client that does not read it.
const STREAM_BYTES_MAX: u32 = 64 * 1024;
/// Between two lines of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

impl Pieces for BodyStream {
    type Error = BodyError;

    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        Self::next(self).await
    }

    fn wire_bytes(&self) -> u64 {
        Self::wire_bytes(self)
    }
}

pub(super) fn import(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let get = |name| query.get(name).filter(|text| !text.is_empty());
        let is_csv = request.header(CONTENT_TYPE).is_some_and(|content_type| content_type.starts_with("text/csv"));
        let format = match get("format") {
            None if is_csv => LineFormat::Csv,
            named => line_format(named)?,
        };
        let create_servers = flag("create_servers", get("create_servers"))?;
        let with_progress = flag("progress", get("progress"))?;
        let options = Options { format, create_servers, peer: request.peer.ip() };
        let principal = Arc::clone(&request.principal);
        services.metrics.ingest.requests.inc();
        let sender = Arc::new(rejects::sender(&principal, request.peer.ip()));
        let body = request.stream_body()?;
        if with_progress {
            return Ok(in_steps(services, (principal, sender), options, body));
        }
        let (started, mut report) = (Instant::now(), Report::default());
        let outcome = run(stages(&services, (&principal, &sender)), options, body, &mut report).await;
        outcome.map_err(|error| ApiError::from(error).with_details(vec![counted(&report)]))?;
        // As with every request of which nothing could be stored: agents would take a 2xx for "committed".
        let nothing_stored = report.imported == 0 && report.refused > 0;
        let status = if nothing_stored { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        response::json(status, &shown(&report, started.elapsed()))
    })
}

async fn run(
    stages: Stages<'_>,
    options: Options,
    body: BodyStream,
    report: &mut Report,
) -> Result<(), ImportError<BodyError>> {
    let mut import = Import::new(stages, options, body)?;
    let outcome = loop {
        match import.step().await {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    report.clone_from(import.report());
    outcome
}

/// The head of the answer goes out at once; how it ends is in the last line.
fn in_steps(
    services: Arc<Services>,
    (principal, sender): (Arc<Principal>, Arc<Sender>),
    options: Options,
    body: BodyStream,
) -> Response {
    let (writer, answer) = streamed_body::channel(STREAM_BYTES_MAX);
    let tasks = services.readers.clone();
    drop(tasks.spawn("import", async move {
        // Who does not want to know how it goes any more has broken the import off.
        if tell_steps(stages(&services, (&principal, &sender)), options, body, writer).await.is_err() {
            tracing::debug!("import broken off");
        }
    }));
    response::streamed(StatusCode::OK, LineFormat::Ndjson.content_type(), answer)
}

async fn tell_steps(
    stages: Stages<'_>,
    options: Options,
    body: BodyStream,
    writer: BodyWriter,
) -> Result<(), ClientGone> {
    let started = Instant::now();
    let (mut report, mut told) = (Report::default(), started);
    let outcome = match Import::new(stages, options, body) {
        Err(error) => Err(error),
        Ok(mut import) => loop {
            let step = import.step().await;
            report.clone_from(import.report());
            match step {
                Ok(true) if told.elapsed() >= PROGRESS_INTERVAL => {
                    told = Instant::now();
                    writer.write(line(&counted(&report))).await?;
                }
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        },
    };
    let mut last = shown(&report, started.elapsed());
    last["done"] = outcome.is_ok().into();
    if let Err(error) = outcome {
        let error = ApiError::from(error);
        if let Some(source) = std::error::Error::source(&error) {
            tracing::warn!(error = source, "import failed");
        }
        last["error"] = json!({ "code": error.code(), "message": error.message() });
    }
    writer.write(line(&last)).await?;
    writer.finish().await
}

fn stages<'a>(services: &'a Services, (principal, sender): (&'a Principal, &'a Arc<Sender>)) -> Stages<'a> {
    Stages {
        catalog: &services.catalog,
        journal: &services.journal,
        budget: &services.budget,
        rates: &services.rates,
        metrics: &services.metrics,
        rejects: &services.rejects,
        sender,
        clock: services.clock.as_ref(),
        past: services.past,
        future: services.future,
        reach: &principal.reach,
        whom: principal.whom(),
    }
}

fn line(value: &Value) -> Bytes {
    format!("{value}\n").into()
}

fn counted(report: &Report) -> Value {
    json!({ "lines": report.lines, "imported": report.imported, "refused": report.refused })
}

fn shown(report: &Report, duration: Duration) -> Value {
    let verdicts = report
        .listed
        .iter()
        .map(|verdict| json!({ "line": verdict.line, "code": verdict.code.as_str(), "message": verdict.message }));
    let mut shown = counted(report);
    shown["verdicts"] = verdicts.collect();
    shown["duration_ms"] = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).into();
    shown
}
