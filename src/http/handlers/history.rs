//! `GET /history/{agent_id}/cpu|memory|disk|network|summary`: windows of an agent's metrics, in the words of the system
//! its dashboards come from. `agent_id` is the number of an agent, or else of a server of the fleet; what is not known or
//! not within reach has no data.

mod range; // start, stop, interval

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Answering, Services, aggregate, output};
use crate::http::{ApiError, Request, response};
use crate::model::{Micros, Reach};
use crate::query::aggregate::{Answer, Fill, Function, Group, GroupKey, Points, Shape, Windows};
use crate::query::{AggregateRequest, Format};
use crate::store::series::SeriesFilter;
use crate::store::servers;
use crate::wire::gauges::{self, Gauge};
use range::Range;

/// Longest mount point that is looked for.
const MOUNTPOINT_BYTES_MAX: usize = 1024;

pub(super) fn metric(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let agent_id = request.param("agent_id").unwrap_or_default();
        let agent_id: i32 = agent_id
            .parse()
            .map_err(|_| ApiError::unprocessable("bad_parameter", "agent_id should be a valid integer"))?;
        let metric = request.param("metric").unwrap_or_default().to_owned();
        let reach = &request.principal.reach;
        let history = History { services: &services, reach, agent_id, query: request.query()? };
        let answer = match metric.as_str() {
            "cpu" => history.gauge("cpu", gauges::CPU).await?,
            "memory" => history.gauge("memory", gauges::MEMORY).await?,
            "disk" => history.disk().await?,
            "network" => history.network().await?,
            "summary" => history.summary().await?,
            _ => return Err(ApiError::not_found("Not Found")),
        };
        response::json(StatusCode::OK, &answer)
    })
}

struct History<'a> {
    services: &'a Arc<Services>,
    reach: &'a Reach,
    agent_id: i32,
    query: crate::http::query::Query,
}

impl History<'_> {
    async fn gauge(&self, metric: &str, gauge: Gauge) -> Result<Value, ApiError> {
        let range = self.range("-1h", None)?;
        let windows = windows(range.step_micros, vec![Function::Avg], vec![GroupKey::MetricName]);
        let answer = self.read(&range, &[gauge], windows, Vec::new()).await?;
        let data: Vec<Value> = preferred(answer, gauge)
            .iter()
            .flat_map(|(_, points)| points.times.iter().zip(&points.values))
            .map(|(start, value)| point(&range, *start, *value))
            .collect();
        Ok(json!({ "metric": metric, "agent_id": self.agent_id, "data": data, "bucket": range.bucket,
            "interval": range.interval }))
    }

    async fn disk(&self) -> Result<Value, ApiError> {
        let range = self.range("-1h", None)?;
        let mountpoint = self.query.get(gauges::MOUNTPOINT).filter(|text| !text.is_empty());
        if mountpoint.is_some_and(|text| text.len() > MOUNTPOINT_BYTES_MAX) {
            return Err(ApiError::bad_request("bad_parameter", "Invalid mountpoint"));
        }
        let label = mountpoint.map(|text| (gauges::MOUNTPOINT.to_owned(), text.to_owned()));
        let keys = vec![GroupKey::MetricName, GroupKey::Label(gauges::MOUNTPOINT.to_owned())];
        let windows = windows(range.step_micros, vec![Function::Avg], keys);
        let answer = self.read(&range, &[gauges::DISK], windows, label.into_iter().collect()).await?;
        let mut data = Vec::new();
        for (group, points) in preferred(answer, gauges::DISK) {
            let mountpoint = group.labels.first().map(|(_, value)| value.to_string());
            data.extend(points.times.iter().zip(&points.values).map(|(start, value)| {
                let mut point = point(&range, *start, *value);
                point["mountpoint"] = mountpoint.clone().into();
                point
            }));
        }
        Ok(json!({ "metric": "disk", "agent_id": self.agent_id, "data": data, "bucket": range.bucket,
            "interval": range.interval }))
    }

    /// Counters as they stood at the end of each window; those of several interfaces together.
    async fn network(&self) -> Result<Value, ApiError> {
        let range = self.range("-1h", Some("1m"))?;
        let windows = Windows { group_by: None, ..windows(range.step_micros, vec![Function::Last], Vec::new()) };
        let answer = self.read(&range, &[gauges::BYTES_SENT, gauges::BYTES_RECEIVED], windows, Vec::new()).await?;
        let total = |gauge: Gauge| -> Vec<Value> {
            let mut totals: BTreeMap<Micros, f64> = BTreeMap::new();
            let is_it = |group: &Group| group.metric_name.as_deref() == gauge.metric_names.first().copied();
            for (_, points) in answer.groups.iter().filter(|(group, _)| is_it(group)) {
                for (start, value) in points.times.iter().zip(&points.values) {
                    *totals.entry(*start).or_default() += value;
                }
            }
            totals.into_iter().map(|(start, value)| point(&range, start, value)).collect()
        };
        Ok(json!({ "metric": "network", "agent_id": self.agent_id, "bytes_sent": total(gauges::BYTES_SENT),
            "bytes_recv": total(gauges::BYTES_RECEIVED), "bucket": range.bucket, "interval": range.interval }))
    }

    async fn summary(&self) -> Result<Value, ApiError> {
        let range = self.range("-24h", None)?;
        let functions = vec![Function::Sum, Function::Count, Function::Min, Function::Max];
        let keys = vec![GroupKey::MetricType, GroupKey::MetricName];
        let windows = windows(range.bucket_step_micros, functions, keys);
        let answer = self.read(&range, &[gauges::CPU, gauges::MEMORY], windows, Vec::new()).await?;
        let (cpu, memory): (Vec<_>, Vec<_>) = answer
            .groups
            .into_iter()
            .partition(|(group, _)| group.metric_type.as_deref() == Some(gauges::CPU.metric_type));
        let of = |groups: Vec<(Group, Points)>, gauge| summed_up(&first_named(groups, gauge), range.counts_samples);
        Ok(json!({ "agent_id": self.agent_id, "period": { "start": range.start_text, "stop": range.stop_text },
            "bucket": range.bucket, "cpu": of(cpu, gauges::CPU), "memory": of(memory, gauges::MEMORY) }))
    }

    fn range(&self, start: &'static str, interval: Option<&'static str>) -> Result<Range, ApiError> {
        let range = Range::parse(|name| self.query.get(name), start, interval, self.services.clock.now());
        range.map_err(|error| ApiError::bad_request("bad_parameter", error.to_string()))
    }

    async fn read(
        &self,
        range: &Range,
        gauges: &[Gauge],
        windows: Windows,
        labels: Vec<(String, String)>,
    ) -> Result<Answer, ApiError> {
        let client = self.services.database.client().await?;
        let server = servers::of_number(&client, self.agent_id, self.reach).await?;
        drop(client);
        let names = gauges.iter().flat_map(|gauge| gauge.metric_names).map(|name| (*name).to_owned());
        let types = gauges.iter().map(|gauge| gauge.metric_type.to_owned());
        let asked = AggregateRequest {
            filter: SeriesFilter {
                reach: self.reach.clone(),
                server_ids: Some(server.into_iter().collect()),
                metric_types: Some(types.collect()),
                metric_names: Some(names.collect()),
                labels,
            },
            from: range.start,
            to: range.stop,
            shape: Shape::Windows(windows),
            resolution: None,
            is_clipped: true,
            format: Format::Json,
        };
        aggregate::read(self.services, &asked).await
    }
}

fn windows(step_micros: i64, functions: Vec<Function>, keys: Vec<GroupKey>) -> Windows {
    Windows { step_micros, functions, group_by: Some(keys), fill: Fill::None }
}

/// Of groups that differ by their metric name only, the one with the first name that there is; by labels.
fn preferred(answer: Answer, gauge: Gauge) -> Vec<(Group, Points)> {
    let mut by_labels: BTreeMap<_, Vec<(Group, Points)>> = BTreeMap::new();
    for (group, points) in answer.groups {
        by_labels.entry(group.labels.clone()).or_default().push((group, points));
    }
    let first = |groups: Vec<(Group, Points)>| groups.into_iter().min_by_key(|(group, _)| rank(group, gauge));
    by_labels.into_values().filter_map(first).collect()
}

fn first_named(groups: Vec<(Group, Points)>, gauge: Gauge) -> Points {
    groups.into_iter().min_by_key(|(group, _)| rank(group, gauge)).map(|(_, points)| points).unwrap_or_default()
}

fn rank(group: &Group, gauge: Gauge) -> usize {
    let named = group.metric_name.as_deref();
    gauge.metric_names.iter().position(|name| named == Some(*name)).unwrap_or(usize::MAX)
}

/// Sum, count, least and greatest of each window, as those of all of them.
fn summed_up(points: &Points, counts_samples: bool) -> Value {
    let windows = points.values.as_chunks::<4>().0;
    if windows.is_empty() {
        return json!({ "avg": 0, "max": 0, "min": 0, "data_points": 0 });
    }
    let (mut all, mut samples) = (0.0, 0.0);
    let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
    for [sum, count, min, max] in windows {
        (all, samples) = (all + sum, samples + count);
        (least, greatest) = (least.min(*min), greatest.max(*max));
    }
    let data_points = if counts_samples { samples as u64 } else { windows.len() as u64 };
    json!({ "avg": output::number(all / samples), "max": output::number(greatest), "min": output::number(least),
        "data_points": data_points })
}

/// A window has the time of its end; the last one ends with the range.
fn point(range: &Range, start: Micros, value: f64) -> Value {
    let end = Micros(start.0.saturating_add(range.step_micros)).min(range.stop);
    json!({ "time": output::iso(end), "value": output::number(value) })
}
