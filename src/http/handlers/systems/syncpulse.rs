//! `SyncPulse`: an agent posts whatever it knows; the latest report of each device is handed out as it came.

use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::ACCEPT;
use serde_json::{Value as Json, json};

use super::super::{Answering, Services, probes};
use super::report::{self, Report};
use crate::admit::budget::Permit;
use crate::alert::reports::Sender;
use crate::auth::Access;
use crate::http::{ApiError, Request, Response, response};
use crate::model::Micros;
use crate::store::documents::{self, StoredDocument};
use crate::store::servers::{self, Standing};
use crate::wire::json::Kind;
use crate::wire::systems::syncpulse::{RULES, device, time};
use crate::wire::tree::{Leniency, Tree};

/// The kind its reports are kept as.
pub(super) const KIND: &str = "syncpulse";
/// Longest report: an answer holds one of each device.
const BODY_BYTES_MAX: usize = 256 << 10;
/// Devices one answer lists.
const DEVICES_MAX: i64 = 500;
/// What a history has when it is not asked for more.
const HISTORY_DEFAULT: usize = 24;
const MICROS_PER_SECOND: f64 = 1e6;
/// Gaps between two reports that say something of the interval, in seconds.
const GAP_MAX: f64 = 120.0;
const INTERVAL_DEFAULT: u64 = 5;
const INTERVAL_MAX: u64 = 60;

/// `POST /metrics`.
pub(in crate::http::handlers) fn add(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let (body, permit) = report::body(&services, &mut request, BODY_BYTES_MAX).await?;
        let answer = keep(&services, &request, (&body, permit)).await;
        report::answered(&services, &request, &body, answer)
    })
}

async fn keep(
    services: &Arc<Services>,
    request: &Request,
    (body, permit): (&[u8], Permit),
) -> Result<Response, ApiError> {
    let tree = Tree::read(body, Leniency::Strict).ok().filter(|tree| tree.root().kind() == Kind::Object);
    let tree = tree.ok_or_else(|| ApiError::unprocessable("not_an_object", "Input should be a valid dictionary"))?;
    let root = tree.root();
    let said = time(root).map_err(|refused| ApiError::unprocessable("invalid_timestamp", refused.to_string()))?;
    let now = services.clock.now();
    let text = String::from_utf8_lossy(root.raw());
    let document = if said.is_some() { text.into_owned() } else { stamped(&text, now) };
    let device = device(root);
    let server = report::fleet_server(services, request, &device).await?;
    let report = Report {
        server,
        time: said.unwrap_or(now),
        samples: (root, RULES),
        document: (KIND, document),
        events: Vec::new(),
        lines: Vec::new(),
        sender: Sender::Device(&device),
    };
    report::keep(services, request, report, permit).await?;
    response::json(StatusCode::OK, &json!({ "ok": true }))
}

/// `GET /metrics`: the latest report of each device; or, for a scraper, the server's own metrics.
pub(in crate::http::handlers) fn list(services: Arc<Services>, request: Request) -> Answering {
    if is_scrape(&request) {
        return if request.principal.may(Access::OBSERVE) {
            probes::self_metrics(services, request)
        } else {
            Box::pin(async { Err(ApiError::forbidden("the server's own metrics are not for everybody")) })
        };
    }
    Box::pin(async move {
        let client = services.database.client().await?;
        let latest = documents::latest_of_all(&client, KIND, DEVICES_MAX, &request.principal.reach).await?;
        let bodies: Vec<&str> = latest.iter().map(|report| report.body.get()).collect();
        Ok(verbatim(format!("[{}]", bodies.join(","))))
    })
}

/// `GET /metrics/{agent_id}`: the latest report of a device, or an empty object.
pub(in crate::http::handlers) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let reports = reports(&services, &request, 1).await?;
        Ok(verbatim(reports.first().map_or("{}", |report| report.body.get()).to_owned()))
    })
}

/// `GET /history/{agent_id}`: processor and memory of the last few reports, oldest first, filled up on the left.
pub(in crate::http::handlers) fn history(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let samples = request.query()?.get("samples").map_or(Some(HISTORY_DEFAULT), |text| text.parse().ok());
        let samples = samples.filter(|samples| (1..=documents::HISTORY_MAX as usize).contains(samples));
        let samples =
            samples.ok_or_else(|| ApiError::unprocessable("bad_parameter", "samples is not from 1 to 100"))?;
        let mut reports = reports(&services, &request, samples as i64).await?;
        reports.reverse();
        let of = |place: [&str; 2]| -> Vec<Json> {
            let value = |report: &StoredDocument| {
                let body: Json = serde_json::from_str(report.body.get()).unwrap_or_default();
                Some(body[place[0]][place[1]].clone()).filter(Json::is_number).unwrap_or_else(|| json!(0))
            };
            let known: Vec<Json> = reports.iter().map(value).collect();
            let first = known.first().cloned().unwrap_or_else(|| json!(0));
            std::iter::repeat_n(first, samples - known.len()).chain(known).collect()
        };
        let times: Vec<Micros> = reports.iter().map(|report| report.time).collect();
        let answer = json!({ "cpu": of(["cpu", "total_percent"]), "mem": of(["memory", "percent"]),
            "interval_sec": interval_seconds(&times) });
        response::json(StatusCode::OK, &answer)
    })
}

/// `GET /gpu`: the graphics cards of all devices.
pub(in crate::http::handlers) fn gpus(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let client = services.database.client().await?;
        let mut gpus = Vec::new();
        for report in documents::latest_of_all(&client, KIND, DEVICES_MAX, &request.principal.reach).await? {
            let body: Json = serde_json::from_str(report.body.get()).unwrap_or_default();
            gpus.extend(body["gpus"].as_array().cloned().unwrap_or_default());
        }
        response::json(StatusCode::OK, &json!({ "gpus": gpus }))
    })
}

async fn reports(services: &Services, request: &Request, reports_max: i64) -> Result<Vec<StoredDocument>, ApiError> {
    let device = request.param("agent_id").unwrap_or_default();
    let client = services.database.client().await?;
    let found = servers::by_hostname(&client, &[device]).await?;
    let Some((_, Standing { id, .. })) = found.first() else { return Ok(Vec::new()) };
    Ok(documents::history(&client, *id, KIND, reports_max, &request.principal.reach).await?)
}

/// A scraper says so; browsers and scripts that take anything do not.
fn is_scrape(request: &Request) -> bool {
    const KNOWN: [&str; 3] = ["application/openmetrics-text", "version=0.0.4", "application/vnd.google.protobuf"];
    let accepts = request.header(ACCEPT).unwrap_or_default();
    request.headers.contains_key("x-prometheus-scrape-timeout-seconds")
        || KNOWN.iter().any(|known| accepts.contains(known))
}

/// The report with the time it came at as its last member.
fn stamped(object: &str, now: Micros) -> String {
    let members = object.trim_end().strip_suffix('}').unwrap_or(object).trim_end();
    let comma = if members.ends_with('{') { "" } else { "," };
    format!("{members}{comma}\"timestamp\":{}}}", now.0 as f64 / MICROS_PER_SECOND)
}

/// The mean of the gaps that are no interruptions, in whole seconds.
fn interval_seconds(times: &[Micros]) -> u64 {
    let gaps = times.windows(2).map(|pair| (pair[1].0 - pair[0].0) as f64 / MICROS_PER_SECOND);
    let gaps: Vec<f64> = gaps.filter(|gap| *gap > 0.0 && *gap < GAP_MAX).collect();
    if gaps.is_empty() {
        return INTERVAL_DEFAULT;
    }
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    (mean.round_ties_even() as u64).clamp(1, INTERVAL_MAX)
}

fn verbatim(json: String) -> Response {
    response::bytes(StatusCode::OK, "application/json", Bytes::from(json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_without_a_time_gets_one_as_its_last_member() {
        let now = Micros(1_755_289_024_230_000);
        assert_eq!(stamped(r#"{"a":1 }"#, now), r#"{"a":1,"timestamp":1755289024.23}"#);
        assert_eq!(stamped("{ }", now), r#"{"timestamp":1755289024.23}"#);
    }

    #[test]
    fn the_interval_is_the_mean_of_the_gaps_that_are_no_interruptions() {
        let at = |seconds: &[i64]| -> Vec<Micros> { seconds.iter().map(|second| Micros(second * 1_000_000)).collect() };
        assert_eq!(interval_seconds(&at(&[0, 5, 10, 500, 505])), 5);
        assert_eq!(interval_seconds(&at(&[0, 90, 180])), 60);
        assert_eq!(interval_seconds(&at(&[0])), 5);
    }
}
