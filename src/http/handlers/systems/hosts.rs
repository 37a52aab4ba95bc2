//! `/api/ui/…`: what the pages of the fleet's system show, as JSON: the dashboard, hosts, a search, and the last day of a
//! host as lines of a chart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value as Json, json};

use super::super::{Answering, Services, output, samples, validation};
use super::fleet::KIND;
use crate::http::{ApiError, Request, response};
use crate::model::{Micros, Sample};
use crate::settings::{self, Alerts};
use crate::store::fleet::{self, Host, Volume, Wanted};
use crate::store::series::SeriesFilter;

/// Hosts of the dashboard and of a list; further ones are found by their names.
const HOSTS_MAX: i64 = 10_000;
/// Hosts, and people, that a search finds.
const FOUND_MAX: i64 = 25;
const TOP_HOSTS: usize = 5;
const LOW_DISKS_MAX: i64 = 50;
/// Longest text that is looked for.
const TEXT_BYTES_MAX: usize = 256;
const DAY_US: i64 = 86_400_000_000;
/// Points of one chart; of a day with more the latest.
const POINTS_MAX: usize = 200_000;

/// A chart: the metric type of its series, and of each metric name what a line is called.
struct Chart {
    name: &'static str,
    metric_type: &'static str,
    lines: &'static [(&'static str, Title)],
}

/// What a line of a chart is called, by the label that sets it apart.
enum Title {
    Fixed(&'static str),
    Before(&'static str, &'static str),
    After(&'static str, &'static str),
}

const CHARTS: [Chart; 8] = [
    Chart { name: "cpu", metric_type: "cpu", lines: &[("utilization_pct", Title::Fixed("CPU Util %"))] },
    Chart { name: "mem", metric_type: "memory", lines: &[("used_pct", Title::Fixed("Memory Used %"))] },
    Chart {
        name: "disk_queue",
        metric_type: "disk_io",
        lines: &[("avg_queue_length", Title::After("Disk Avg Queue Length - ", "instance"))],
    },
    Chart {
        name: "disk_read_lat",
        metric_type: "disk_io",
        lines: &[("read_latency_ms", Title::After("Disk Read Latency (ms) - ", "instance"))],
    },
    Chart {
        name: "disk_write_lat",
        metric_type: "disk_io",
        lines: &[("write_latency_ms", Title::After("Disk Write Latency (ms) - ", "instance"))],
    },
    Chart { name: "vol_free", metric_type: "disk", lines: &[("free_pct", Title::Before("mountpoint", " Free %"))] },
    Chart {
        name: "nic_bps",
        metric_type: "network",
        lines: &[("bits_total_per_sec", Title::Before("interface", " bps"))],
    },
    Chart {
        name: "nic_err",
        metric_type: "network",
        lines: &[
            ("packets_in_errors", Title::Before("interface", " in_err")),
            ("packets_out_errors", Title::Before("interface", " out_err")),
        ],
    },
];

/// `GET /api/ui/dashboard`.
pub(in crate::http::handlers) fn dashboard(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let reach = &request.principal.reach;
        let settings = settings::read(&services.database, settings::Group::Alerts).await?;
        let threshold = settings.value["low_disk_free_pct_threshold"].as_f64();
        let threshold = threshold.unwrap_or_else(|| Alerts::default().low_disk_free_pct_threshold);
        let client = services.database.client().await?;
        let all = Wanted { text: None, one: None, hosts_max: HOSTS_MAX };
        let hosts = fleet::hosts(&client, KIND, all, reach).await?;
        let low = fleet::low_disks(&client, KIND, threshold, LOW_DISKS_MAX, reach).await?;
        drop(client);
        let now = services.clock.now();
        let shown: Vec<Json> = hosts.iter().map(|host| shown(host, now)).collect();
        let answer = json!({
            "top_cpu": top(&hosts, now, |host| host.cpu_percent),
            "top_mem": top(&hosts, now, |host| host.memory_percent),
            "low_disk_free_pct_threshold": threshold,
            "low_disk": low.iter().map(volume).collect::<Vec<Json>>(),
            "hosts": shown,
        });
        response::json(StatusCode::OK, &answer)
    })
}

/// `GET /api/ui/hosts?q=`.
pub(in crate::http::handlers) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let text = query.get("q").filter(|text| !text.is_empty()).map(looked_for).transpose()?;
        let client = services.database.client().await?;
        let wanted = Wanted { text, one: None, hosts_max: HOSTS_MAX };
        let hosts = fleet::hosts(&client, KIND, wanted, &request.principal.reach).await?;
        let now = services.clock.now();
        response::json(StatusCode::OK, &hosts.iter().map(|host| shown(host, now)).collect::<Vec<Json>>())
    })
}

/// `GET /api/ui/host/{id}`.
pub(in crate::http::handlers) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let host = host(&services, &request).await?;
        let now = services.clock.now();
        let cpu = &CHARTS[0];
        let day = samples_of(&services, &request, &host, cpu).await?;
        let mut answer = shown(&host, now);
        answer["snapshots_24h"] = day.len().into();
        response::json(StatusCode::OK, &answer)
    })
}

/// `GET /api/ui/search?q=`: hosts, and where people are logged in.
pub(in crate::http::handlers) fn search(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let text = query.get("q").ok_or_else(|| validation::refused(vec![validation::missing(&["query", "q"])]))?;
        let text = looked_for(text)?;
        let (reach, client) = (&request.principal.reach, services.database.client().await?);
        let wanted = Wanted { text: Some(text), one: None, hosts_max: FOUND_MAX };
        let hosts = fleet::hosts(&client, KIND, wanted, reach).await?;
        let people = fleet::logged_in(&client, KIND, text, FOUND_MAX, reach).await?;
        let now = services.clock.now();
        let person = |one: &fleet::LoggedIn| json!({ "username": one.username, "server_id": one.server_id, "hostname": one.hostname });
        let answer = json!({
            "hosts": hosts.iter().map(|host| shown(host, now)).collect::<Vec<Json>>(),
            "users": people.iter().map(person).collect::<Vec<Json>>(),
        });
        response::json(StatusCode::OK, &answer)
    })
}

/// `GET /api/ui/host/{id}/timeseries?metric=`: the last day.
pub(in crate::http::handlers) fn timeseries(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let host = host(&services, &request).await?;
        let query = request.query()?;
        let metric = query.get("metric");
        let metric = metric.ok_or_else(|| validation::refused(vec![validation::missing(&["query", "metric"])]))?;
        let chart = CHARTS.iter().find(|chart| chart.name == metric);
        let chart = chart.ok_or_else(|| ApiError::bad_request("bad_parameter", "Unknown metric"))?;
        let samples = samples_of(&services, &request, &host, chart).await?;
        response::json(StatusCode::OK, &drawn(chart, &samples))
    })
}

/// The host of the path.
async fn host(services: &Services, request: &Request) -> Result<Host, ApiError> {
    let one = request.param("id").filter(|text| text.len() <= TEXT_BYTES_MAX && !text.contains('\0'));
    let wanted = Wanted { text: None, one: Some(one.unwrap_or_default()), hosts_max: 1 };
    let client = services.database.client().await?;
    let found = fleet::hosts(&client, KIND, wanted, &request.principal.reach).await?;
    found.into_iter().next().ok_or_else(|| ApiError::not_found("Host not found"))
}

fn looked_for(text: &str) -> Result<&str, ApiError> {
    let is_good = text.len() <= TEXT_BYTES_MAX && !text.contains('\0');
    if is_good { Ok(text) } else { Err(ApiError::bad_request("bad_parameter", "q is too long, or holds a NUL")) }
}

async fn samples_of(
    services: &Services,
    request: &Request,
    host: &Host,
    chart: &Chart,
) -> Result<Vec<Sample>, ApiError> {
    let filter = SeriesFilter {
        reach: request.principal.reach.clone(),
        server_ids: Some(vec![host.server_id]),
        metric_types: Some(vec![chart.metric_type.to_owned()]),
        metric_names: Some(chart.lines.iter().map(|(name, _)| (*name).to_owned()).collect()),
        labels: Vec::new(),
    };
    let now = services.clock.now();
    samples::newest(services, filter, (Micros(now.0 - DAY_US), now), POINTS_MAX).await
}

/// A point of time that a line has no value for is null.
fn drawn(chart: &Chart, samples: &[Sample]) -> Json {
    let times: BTreeSet<Micros> = samples.iter().map(|sample| sample.time).collect();
    let mut lines: BTreeMap<String, BTreeMap<Micros, f64>> = BTreeMap::new();
    for sample in samples {
        lines.entry(chart.title(sample)).or_default().insert(sample.time, sample.value);
    }
    let at = |line: &BTreeMap<Micros, f64>, time: &Micros| line.get(time).map(|value| output::number(*value));
    let line = |(name, line): (String, BTreeMap<Micros, f64>)| {
        let data: Vec<Option<Json>> = times.iter().map(|time| at(&line, time)).collect();
        json!({ "name": name, "data": data })
    };
    let labels: Vec<String> = times.iter().map(|time| output::iso(*time)).collect();
    json!({ "labels": labels, "series": lines.into_iter().map(line).collect::<Vec<Json>>() })
}

impl Chart {
    fn title(&self, sample: &Sample) -> String {
        let identity = &sample.series.identity;
        let label = |name: &str| identity.labels().get(name).unwrap_or_default();
        match self.lines.iter().find(|(name, _)| *name == identity.metric_name()) {
            Some((_, Title::Fixed(title))) => (*title).to_owned(),
            Some((_, Title::After(title, name))) => format!("{title}{}", label(name)),
            Some((_, Title::Before(name, title))) => format!("{}{title}", label(name)),
            None => identity.metric_name().to_owned(),
        }
    }
}

fn shown(host: &Host, now: Micros) -> Json {
    let Host { server_id, hostname, machine_id, .. } = host;
    let seen = host.last_seen.max(host.taken_at);
    json!({
        "id": host.number.map_or_else(|| json!(server_id), Json::from), "server_id": server_id, "hostname": hostname,
        "machine_id": machine_id, "last_seen": seen.map(output::iso),
        "seconds_ago": seen.map(|seen| (now.0 - seen.0).max(0) / Micros::PER_SECOND),
        "last_interval_seconds": host.interval_seconds, "cpu_pct": host.cpu_percent.map(output::number),
        "mem_pct": host.memory_percent.map(output::number),
    })
}

fn top(hosts: &[Host], now: Micros, of: impl Fn(&Host) -> Option<f64>) -> Vec<Json> {
    let mut known: Vec<(f64, &Host)> = hosts.iter().filter_map(|host| Some((of(host)?, host))).collect();
    // The sort is stable: of equal ones those first whose names are.
    known.sort_by(|left, right| right.0.total_cmp(&left.0));
    known.iter().take(TOP_HOSTS).map(|(_, host)| shown(host, now)).collect()
}

fn volume(volume: &Volume) -> Json {
    let Volume { server_id, hostname, mount, .. } = volume;
    json!({
        "server_id": server_id, "hostname": hostname, "mount": mount, "free_pct": output::number(volume.free_percent),
        "free_bytes": volume.free_bytes.map(output::number), "total_bytes": volume.total_bytes.map(output::number),
    })
}
