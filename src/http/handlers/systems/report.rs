//! One document of one machine, kept whole: its samples in the journal, itself, its events and its lines beside them.
//! Only when all of it is committed the agent is told so; what it sends again is the same samples once more.

use std::sync::Arc;
use std::time::Instant;

use super::super::ingest::commit;
use super::super::{Services, admission, quarantine};
use crate::admit::budget::Permit;
use crate::admit::window::{self, Window};
use crate::catalog::ServerEntry;
use crate::http::{ApiError, Request, Response};
use crate::model::{Document, Event, Intake, LogLine, Micros};
use crate::store::{documents, entries};
use crate::wire::composed;
use crate::wire::systems::{Happening, Line, write_samples};
use crate::wire::tree::Value;
use crate::wire::tree::series::Rule;

/// Longest document of one machine.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// What is to be kept.
pub(super) struct Report<'a> {
    pub(super) server: Arc<ServerEntry>,
    pub(super) time: Micros,
    /// Where its samples are.
    pub(super) samples: (Value<'a>, &'static [Rule]),
    /// What kind of document it is, and its text.
    pub(super) document: (&'static str, String),
    pub(super) events: Vec<Happening>,
    pub(super) lines: Vec<Line>,
}

/// The body of a report.
pub(super) async fn body(
    services: &Services,
    request: &mut Request,
    bytes_max: usize,
) -> Result<(Vec<u8>, Permit), ApiError> {
    services.metrics.ingest.requests.inc();
    services.rates.admit(request.peer.ip(), 0, Instant::now())?;
    admission::small(services, request, bytes_max).await
}

/// Keeps a report that was refused for what is in it; the answer stays what it is.
pub(super) fn answered(
    services: &Services,
    request: &Request,
    body: &[u8],
    answer: Result<Response, ApiError>,
) -> Result<Response, ApiError> {
    answer.inspect_err(|error| quarantine::whole(services, request, (quarantine::REPORT, body), error))
}

/// The server of the fleet with this host name; a new one is registered.
pub(super) async fn fleet_server(
    services: &Services,
    request: &Request,
    hostname: &str,
) -> Result<Arc<ServerEntry>, ApiError> {
    if hostname.is_empty() || hostname.len() > composed::HOST_BYTES_MAX || hostname.contains('\0') {
        let message =
            format!("the host name is {} bytes long, 1 to {} are allowed", hostname.len(), composed::HOST_BYTES_MAX);
        return Err(ApiError::bad_request("invalid_text", message));
    }
    let servers = services.catalog.servers();
    let found = servers.of_hosts(&[hostname], request.principal.whom()).await?.into_iter().next().flatten();
    found.ok_or_else(|| {
        let servers_max = servers.servers_max();
        ApiError::forbidden(format!(
            "no server {hostname:?} is known, and none may be added: there may be {servers_max}"
        ))
    })
}

/// Commits all of a report and answers its number, which grows from report to report of all servers.
pub(super) async fn keep(
    services: &Services,
    request: &Request,
    report: Report<'_>,
    permit: Permit,
) -> Result<i64, ApiError> {
    let Report { server, time, samples, document: (kind, body), events, lines } = report;
    store_samples(services, request, (&server, time), samples, permit).await?;
    let key = server.key();
    let mut client = services.database.client().await?;
    let event = |event: Happening| {
        let Happening { time, kind, severity, title, attributes } = event;
        Event { server: key, time, kind, severity, title, attributes }
    };
    let events: Vec<Event> = events.into_iter().map(event).collect();
    if !events.is_empty() {
        entries::append_events(&mut client, &events).await?;
    }
    let line = |line: Line| {
        let Line { time, source, message } = line;
        LogLine { server: key, time, source, level: String::new(), message }
    };
    let lines: Vec<LogLine> = lines.into_iter().map(line).collect();
    if !lines.is_empty() {
        entries::append_logs(&mut client, &lines).await?;
    }
    Ok(documents::add(&mut client, &Document { server: key, time, kind: kind.to_owned(), body }).await?)
}

/// A report whose time nobody keeps is refused as a whole.
async fn store_samples(
    services: &Services,
    request: &Request,
    (server, time): (&Arc<ServerEntry>, Micros),
    (document, rules): (Value<'_>, &'static [Rule]),
    permit: Permit,
) -> Result<(), ApiError> {
    let (mut text, mut intake) = (Vec::new(), Intake::default());
    intake.server_index(server.id());
    // The host stands in the spelling only: the server is known.
    write_samples((document, rules), ("-", time), &mut text, &mut intake);
    services.rates.admit(request.peer.ip(), intake.points.len() as u64, Instant::now())?;
    let samples = intake.points.len();
    window::refuse_outside(&mut intake, Window::around(services.clock.now(), services.past, services.future));
    if samples > 0 && intake.points.is_empty() {
        services.metrics.ingest.refused(&intake.verdicts);
        let reason = intake.verdicts.listed().first().map_or("nothing of it can be kept", |verdict| &verdict.message);
        return Err(ApiError::bad_request("bad_time", reason.to_owned()));
    }
    let resolved = services.catalog.resolve(&text, &mut intake, composed::identity, &request.principal.reach).await?;
    commit(services, resolved, &intake.verdicts, permit).await?;
    let sent = (quarantine::REPORT, document.raw());
    quarantine::items(services, request, sent, &intake.verdicts, std::iter::empty());
    Ok(())
}
