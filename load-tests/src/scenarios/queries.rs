//! Queries as dashboards ask them, on a schedule of their own beside whatever else a scenario does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{ScenarioError, ms};
use crate::client::Client;
use crate::clock;
use crate::data::walk::mix;
use crate::data::{Fleet, METRIC_TYPE, METRICS};
use crate::histogram::Latencies;
use crate::output::{Table, magnitude};

const MS_PER_HOUR: i64 = 3_600_000;
const QUERIES_MAX: u64 = 1_000_000;

/// A kind of query and how it went.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: String,
    path: String,
    pub(crate) latencies: Latencies,
    answer_bytes: u64,
    pub(crate) failed: u64,
}

impl Kind {
    fn new(name: &str, path: &str) -> Self {
        let (name, path) = (name.to_owned(), path.to_owned());
        Self { name, path, latencies: Latencies::default(), answer_bytes: 0, failed: 0 }
    }

    pub(crate) fn mean_bytes(&self) -> u64 {
        self.answer_bytes / self.latencies.quantiles().count.max(1)
    }
}

/// The kinds every run asks, and those of the command line.
pub(crate) fn kinds(extra: &[String]) -> Result<Vec<Kind>, ScenarioError> {
    let series = format!("metric_type={METRIC_TYPE}&metric_name={{metric_name}}&from={{from}}&to={{to}}&limit=10000");
    let mut kinds = vec![
        Kind::new("latest of a server", "/api/v1/latest?server_id={server_id}"),
        Kind::new("newest rows of a server", "/api/v1/metrics?server_id={server_id}&limit=100"),
        Kind::new("1 h raw of a series", &format!("/api/v1/metrics?server_id={{server_id}}&{series}")),
        Kind::new("newest rows of a type", &format!("/api/v1/metrics?metric_type={METRIC_TYPE}&limit=100")),
    ];
    for text in extra {
        let (name, path) = text
            .split_once('=')
            .filter(|(_, path)| path.starts_with('/'))
            .ok_or_else(|| ScenarioError::Settings(format!("\"{text}\" is not NAME=/path")))?;
        kinds.push(Kind::new(name, path));
    }
    Ok(kinds)
}

/// Kinds about the month before `end_ms`, for servers that have one.
pub(crate) fn history_kinds(end_ms: i64, days: i64) -> Vec<Kind> {
    let range = |ms: i64| format!("&from={}&to={}", clock::rfc3339_text(end_ms - ms), clock::rfc3339_text(end_ms - 1));
    let path = |range: String, rest: &str| format!("/api/v1/metrics?server_id={{old_server_id}}{range}{rest}");
    let (day_ms, one) = (24 * MS_PER_HOUR, format!("&metric_name={}", METRICS[0]));
    vec![
        Kind::new("24 h by minute of ten series", &path(range(day_ms), "&step=1m&agg=avg")),
        Kind::new("all days by hour of a series", &path(range(days * day_ms), &format!("&step=1h&agg=avg,max{one}"))),
        Kind::new("all days by hour of ten series", &path(range(days * day_ms), "&step=1h&agg=avg")),
    ]
}

/// One connection that asks on a schedule until the samples have all been sent.
pub(crate) struct Asking<'a> {
    pub(crate) client: Client,
    pub(crate) fleet: &'a Fleet,
    /// Samples lie before this time.
    pub(crate) end_ms: i64,
    /// So many of the first hosts have a history.
    pub(crate) old_hosts: usize,
    pub(crate) interval: Duration,
    pub(crate) done: &'a AtomicBool,
}

impl Asking<'_> {
    pub(crate) fn run(mut self, kinds: &mut [Kind]) {
        let start = Instant::now();
        for turn in 0..QUERIES_MAX {
            if self.done.load(Ordering::Acquire) {
                break;
            }
            let due = start + self.interval.mul_f64(turn as f64);
            clock::wait_until(due);
            let place = turn as usize % kinds.len();
            let kind = &mut kinds[place];
            let path = self.fill_in(&kind.path, turn);
            match self.client.get(&path) {
                Ok(answer) if answer.status == 200 => {
                    kind.answer_bytes += answer.body.len() as u64;
                    kind.latencies.record(due.elapsed());
                }
                Ok(_) | Err(_) => kind.failed += 1,
            }
        }
    }

    fn fill_in(&self, path: &str, turn: u64) -> String {
        let random = mix(self.fleet.seed ^ mix(turn));
        let host = &self.fleet.hosts[(random % self.fleet.hosts.len() as u64) as usize];
        let old_host = &self.fleet.hosts[(random >> 20) as usize % self.old_hosts.max(1)];
        path.replace("{server_id}", &host.id.to_string())
            .replace("{old_server_id}", &old_host.id.to_string())
            .replace("{metric_name}", METRICS[(random >> 40) as usize % METRICS.len()])
            .replace("{from}", &clock::rfc3339_text(self.end_ms - MS_PER_HOUR))
            .replace("{to}", &clock::rfc3339_text(self.end_ms))
    }
}

/// For the file of results.
pub(crate) fn summary(kinds: &[Kind]) -> Vec<Value> {
    let summary = |kind: &Kind| {
        json!({
            "query": kind.name, "latency": kind.latencies.quantiles(), "failed": kind.failed,
            "answer_bytes": kind.mean_bytes(),
        })
    };
    kinds.iter().map(summary).collect()
}

pub(crate) fn table(kinds: &[Kind], samples_per_s: f64) -> Table {
    let mut table = Table::with_heading(&["query", "count", "p50 ms", "p90 ms", "p99 ms", "max ms", "bytes"]);
    for kind in kinds {
        let latency = kind.latencies.quantiles();
        let times = [latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.max_ms].map(ms);
        let head = [kind.name.clone(), latency.count.to_string()];
        table.row(head.into_iter().chain(times).chain([kind.mean_bytes().to_string()]));
    }
    table.row(["meanwhile, samples/s".into(), magnitude(samples_per_s)]);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_queries_are_named_and_have_a_path() {
        assert_eq!(kinds(&["mine=/x?a={from}".into()]).unwrap()[4].path, "/x?a={from}");
        assert!(kinds(&["mine".into()]).is_err());
        assert!(kinds(&["mine=http://elsewhere/".into()]).is_err());
    }
}
