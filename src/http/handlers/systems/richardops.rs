//! `RichardOps`' reports, and what its dashboard asks: recent metrics, events, lines, containers.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::super::{Answering, Services, output, probes, samples, validation};
use super::report::{self, Report};
use crate::admit::budget::Permit;
use crate::alert::reports::Sender;
use crate::http::{ApiError, Request, Response, response};
use crate::model::Micros;
use crate::store::documents;
use crate::store::entries::{self, EntryQuery, StoredEntry};
use crate::store::series::SeriesFilter;
use crate::telemetry::ingest_log::Shown;
use crate::wire::systems::console;
use crate::wire::systems::richardops::{LOCAL_ALERT, RULES, read, weight};
use crate::wire::tree::{Leniency, Tree};

/// The kind its reports are kept as.
const KIND: &str = "richardops";
/// What lines and containers are found among when nobody says since when.
const RECENT_US: i64 = 7 * 86_400_000_000;
const HOUR_US: i64 = 3_600_000_000;
/// The times that can be asked for, in hours.
const PERIODS: [(&str, i64); 3] = [("1h", 1), ("6h", 6), ("12h", 12)];
/// Most reports of one answer.
const REPORTS_MAX: usize = 20_000;
/// What the metrics of reports are stored as.
const METRIC_TYPE: &str = "host";
/// What a metric is shown as, and what agents call it.
const METRICS: [(&str, &str); 6] = [
    ("cpu_usage", "cpu_usage"),
    ("memory_usage", "memory_usage"),
    ("disk_usage", "disk_usage"),
    ("network_rx", "network_rx_bytes_per_sec"),
    ("network_tx", "network_tx_bytes_per_sec"),
    ("tcp_connections", "tcp_connections"),
];
/// Events that the state of containers is read from.
const CONTAINER_EVENTS_MAX: i64 = 5_000;

pub(super) async fn ingest(
    services: &Arc<Services>,
    request: &Request,
    (body, permit): (&[u8], Permit),
) -> Result<Response, ApiError> {
    let tree = Tree::read(body, Leniency::Strict).map_err(|fault| validation::no_json(0, &fault.to_string()))?;
    let root = tree.root();
    let report = read(root).map_err(|problems| {
        let details = problems.detail().as_array().cloned().unwrap_or_default();
        ApiError::unprocessable("invalid_report", problems.to_string()).with_details(details)
    })?;
    let server = report::fleet_server(services, request, &report.host).await?;
    let document = (KIND, String::from_utf8_lossy(root.raw()).into_owned());
    let kept = Report {
        server,
        time: report.time,
        samples: (root, RULES),
        document,
        events: report.events,
        lines: report.lines,
        sender: Sender::Host,
    };
    report::keep(services, request, kept, permit).await?;
    let now = services.clock.now();
    services.ingest_log.write(|| Shown { entry: console::entry(root, now), block: console::block(root, now) });
    let message = format!("Monitoring data received from {}", report.host);
    let timestamp = output::iso(now);
    response::json(StatusCode::OK, &json!({ "status": "success", "message": message, "timestamp": timestamp }))
}

/// `GET /healthz`.
pub(in crate::http::handlers) fn healthz(services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async move {
        let is_up = probes::is_database_up(&services).await;
        let (status, database) = if is_up { ("ok", "connected") } else { ("degraded", "unavailable") };
        let now = services.clock.now().to_string();
        let health = json!({
            "status": status, "timestamp": now, "service": "monitoring-backend", "version": "1.0.0",
            "checks": { "database": { "status": database } },
        });
        response::json(StatusCode::OK, &health)
    })
}

/// `GET /readiness`.
pub(in crate::http::handlers) fn readiness(services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async move {
        probes::check_ready(&services).await?;
        let now = services.clock.now().to_string();
        response::json(StatusCode::OK, &json!({ "status": "ready", "timestamp": now, "service": "monitoring-backend" }))
    })
}

/// `GET /metrics/range?period=`: the six metrics of all reports of a time, oldest first; of very many the latest.
pub(in crate::http::handlers) fn range(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let period = PERIODS.iter().find(|(name, _)| query.get("period") == Some(name));
        let (_, hours) =
            period.ok_or_else(|| ApiError::bad_request("bad_parameter", "Invalid period. Use 1h, 6h, or 12h"))?;
        let to = services.clock.now();
        let filter = SeriesFilter {
            reach: request.principal.reach.clone(),
            server_ids: None,
            metric_types: Some(vec![METRIC_TYPE.to_owned()]),
            metric_names: Some(METRICS.iter().map(|(_, name)| (*name).to_owned()).collect()),
            labels: Vec::new(),
        };
        let from = Micros(to.0 - hours * HOUR_US);
        let rows = samples::newest(&services, filter, (from, to), REPORTS_MAX * METRICS.len()).await?;
        let mut reports: BTreeMap<(Micros, Uuid), Map<String, Json>> = BTreeMap::new();
        for row in &rows {
            let name = row.series.identity.metric_name();
            let Some((shown, _)) = METRICS.iter().find(|(_, metric)| *metric == name) else { continue };
            let report = reports.entry((row.time, row.series.server_id)).or_default();
            report.insert((*shown).to_owned(), output::number(row.value));
        }
        let shown = |((time, _), mut report): ((Micros, Uuid), Map<String, Json>)| {
            report.insert("timestamp".to_owned(), time.to_string().into());
            for (name, _) in METRICS {
                report.entry(name).or_insert(Json::Null);
            }
            report
        };
        response::json(StatusCode::OK, &reports.into_iter().map(shown).collect::<Vec<_>>())
    })
}

/// `GET /events/recent`, newest first.
pub(in crate::http::handlers) fn events(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let asked = EntryQuery { entries_max: limit(&request, 50, 1_000)?, ..recent(&services, &request) };
        let client = services.database.client().await?;
        let found = entries::events(&client, &asked).await?;
        let shown: Vec<Json> = found.iter().map(event).collect();
        response::json(StatusCode::OK, &shown)
    })
}

/// `GET /logs/recent`, newest first, of one container or all.
pub(in crate::http::handlers) fn recent_logs(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let container = request.query()?.get("container").filter(|name| !name.is_empty()).map(spellings);
        let asked = EntryQuery {
            entries_max: limit(&request, 50, 500)?,
            kinds: container.unwrap_or_default(),
            ..recent(&services, &request)
        };
        logs(&services, &asked).await
    })
}

/// `GET /logs/search?q=`.
pub(in crate::http::handlers) fn search_logs(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let text = request.query()?.get("q").filter(|text| !text.is_empty()).map(str::to_owned);
        let text = text.ok_or_else(|| validation::refused(vec![validation::missing(&["query", "q"])]))?;
        let asked =
            EntryQuery { entries_max: limit(&request, 50, 500)?, text: Some(text), ..recent(&services, &request) };
        logs(&services, &asked).await
    })
}

/// `GET /alerts?limit=`: what agents found by themselves, newest first.
pub(super) async fn local_alerts(services: &Services, request: &Request) -> Result<Response, ApiError> {
    let kinds = vec![LOCAL_ALERT.to_owned()];
    let asked = EntryQuery { entries_max: limit(request, 50, 1_000)?, kinds, ..recent(services, request) };
    let found = entries::events(&services.database.client().await?, &asked).await?;
    response::json(StatusCode::OK, &found.iter().map(local_alert).collect::<Vec<Json>>())
}

fn local_alert(entry: &StoredEntry) -> Json {
    let name = entry.text.split(':').next().unwrap_or_default();
    json!({ "id": entry.id, "timestamp": entry.time.to_string(), "severity": entry.severity.to_uppercase(),
        "type": name, "message": entry.text, "score": weight(name), "resolved": false })
}

/// `GET /containers`: what each container did last, and what it is after that.
pub(in crate::http::handlers) fn containers(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let client = services.database.client().await?;
        let kinds = vec!["container".to_owned()];
        let asked = EntryQuery { entries_max: CONTAINER_EVENTS_MAX, kinds, ..recent(&services, &request) };
        let mut last: BTreeMap<String, Json> = BTreeMap::new();
        for entry in entries::events(&client, &asked).await? {
            let Some(container) = attribute(&entry, "container") else { continue };
            last.entry(container.clone()).or_insert_with(|| {
                json!({ "container": container, "last_event_time": entry.time.to_string(), "last_action": entry.text,
                    "status": state_after(&entry.text) })
            });
        }
        response::json(StatusCode::OK, &last.into_values().collect::<Vec<Json>>())
    })
}

/// `GET /metrics/recent`: the six metrics of the latest reports, oldest first.
pub(in crate::http::handlers) fn recent_metrics(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let limit = limit(&request, 50, 1_000)?;
        let client = services.database.client().await?;
        let reports = documents::newest(&client, (KIND, "metrics"), limit, &request.principal.reach).await?;
        let shown: Vec<Json> = reports.iter().rev().map(metrics).collect();
        response::json(StatusCode::OK, &shown)
    })
}

fn metrics(report: &documents::StoredDocument) -> Json {
    let body: Json = serde_json::from_str(report.body.get()).unwrap_or_default();
    let of = |name: &str| body[name].clone();
    json!({
        "timestamp": report.time.to_string(), "cpu_usage": of("cpu_usage"), "memory_usage": of("memory_usage"),
        "disk_usage": of("disk_usage"), "network_rx": of("network_rx_bytes_per_sec"),
        "network_tx": of("network_tx_bytes_per_sec"), "tcp_connections": of("tcp_connections"),
    })
}

async fn logs(services: &Services, asked: &EntryQuery) -> Result<Response, ApiError> {
    let client = services.database.client().await?;
    let found = entries::logs(&client, asked).await?;
    let line = |entry: &StoredEntry| json!({ "id": entry.id, "timestamp": entry.time.to_string(), "container": entry.kind, "message": entry.text });
    response::json(StatusCode::OK, &found.iter().map(line).collect::<Vec<Json>>())
}

fn event(entry: &StoredEntry) -> Json {
    json!({ "id": entry.id, "timestamp": entry.time.to_string(), "type": entry.kind, "action": entry.text,
        "container": attribute(entry, "container"), "image": attribute(entry, "image") })
}

fn attribute(entry: &StoredEntry, name: &str) -> Option<String> {
    entry.attributes.as_ref()?.get(name)?.as_str().map(str::to_owned)
}

/// What a container is after an action of that name.
fn state_after(action: &str) -> &'static str {
    match action.split(':').next().unwrap_or_default() {
        "start" | "restart" | "unpause" | "health_status" | "exec_create" | "exec_start" => "running",
        "die" | "stop" | "kill" | "destroy" | "pause" | "oom" => "stopped",
        _ => "unknown",
    }
}

/// Lines carry the container's name with a slash before it, events without.
fn spellings(container: &str) -> Vec<String> {
    let plain = container.trim_start_matches('/');
    vec![plain.to_owned(), format!("/{plain}")]
}

fn recent(services: &Services, request: &Request) -> EntryQuery {
    let now = services.clock.now();
    EntryQuery {
        reach: request.principal.reach.clone(),
        server_ids: Vec::new(),
        kinds: Vec::new(),
        severities: Vec::new(),
        from: Micros(now.0.saturating_sub(RECENT_US)),
        to: Micros(i64::MAX),
        text: None,
        before: None,
        entries_max: 0,
    }
}

fn limit(request: &Request, default: i64, max: i64) -> Result<i64, ApiError> {
    let query = request.query()?;
    let Some(text) = query.get("limit").filter(|text| !text.is_empty()) else { return Ok(default) };
    let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
    limit.ok_or_else(|| ApiError::unprocessable("bad_parameter", format!("limit is not a number from 1 to {max}")))
}
