//! One document of one machine, kept whole: its samples in the journal; itself, its events, its lines and what is alerted
//! of it beside them, all in one transaction. Only when all of it is committed the agent is told so; what it sends again
//! after less is the same samples once more, and nothing else twice.

use std::sync::Arc;
use std::time::Instant;

use super::super::ingest::commit;
use super::super::{Services, admission, quarantine};
use crate::admit::budget::Permit;
use crate::admit::window::{self, Window};
use crate::alert::reports::{self, Reported, Sender};
use crate::catalog::ServerEntry;
use crate::http::{ApiError, Request, Response};
use crate::model::{Document, Event, Intake, LogLine, Micros, ServerKey};
use crate::store::{documents, entries, transactions};
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
    /// Whose alerts it may be about.
    pub(super) sender: Sender<'a>,
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
    let Report { server, time, samples, document: (kind, body), events, lines, sender } = report;
    let judged = Reported { server: (server.key(), server.id()), sender, report: samples.0, now: services.clock.now() };
    store_samples(services, request, (&server, time), samples, permit).await?;
    let events: Vec<Event> = events.into_iter().map(|event| event_of(server.key(), event)).collect();
    let lines: Vec<LogLine> = lines.into_iter().map(|line| line_of(server.key(), line)).collect();
    let mut client = services.database.client().await?;
    entries::make_months(&client, &events, &lines).await?;
    let transaction = transactions::begin(&mut client).await?;
    // First, because reports of one sender take turns from here on, and their numbers are to follow the same order.
    let has_found = reports::judge(&transaction, &judged).await?;
    entries::add_events(&transaction, &events).await?;
    entries::add_logs(&transaction, &lines).await?;
    let document = Document { server: server.key(), time, kind: kind.to_owned(), body };
    let id = documents::add_within(&transaction, &document).await?;
    transactions::commit(transaction).await?;
    if has_found {
        services.alerts.signals.recorded();
    }
    Ok(id)
}

fn event_of(server: ServerKey, event: Happening) -> Event {
    let Happening { time, kind, severity, title, attributes } = event;
    Event { server, time, kind, severity, title, attributes }
}

fn line_of(server: ServerKey, line: Line) -> LogLine {
    let Line { time, source, message } = line;
    LogLine { server, time, source, level: String::new(), message }
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
