//! Queries while samples arrive: the latest samples of a server, an hour of one series, the latest of a type.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{ScenarioError, Setup, complaints, ms, run_plan};
use crate::cli::Common;
use crate::client::Client;
use crate::clock;
use crate::data::stream::Shape;
use crate::data::walk::mix;
use crate::data::{Fleet, METRIC_TYPE, METRICS};
use crate::histogram::Latencies;
use crate::output::{Table, magnitude};
use crate::report::Report;

const SHAPE: Shape = Shape { hosts: 1, steps: 100 };
const MS_PER_HOUR: i64 = 3_600_000;
const QUERIES_MAX: u64 = 1_000_000;
const PREFILL: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) duration_s: u64,
    #[arg(long, default_value_t = 1000)]
    pub(crate) hosts: u32,
    /// Samples a second that arrive meanwhile, instead of half of a measured peak.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// From one query to the next, whatever its kind.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) query_interval_ms: u64,
    /// Another query, as NAME=PATH; {`server_id`}, {`metric_name`}, {from} and {to} are filled in.
    #[arg(long = "query")]
    pub(crate) queries: Vec<String>,
}

/// A kind of query and how it went.
#[derive(Debug)]
struct Kind {
    name: String,
    path: String,
    latencies: Latencies,
    answer_bytes: u64,
    failed: u64,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    let mut kinds = kinds(&settings.queries)?;
    let mut setup = Setup::start(common, settings.hosts, SHAPE)?;
    let peak = setup.peak("prefill", PREFILL)?;
    let rate = settings.rate.unwrap_or_else(|| peak.samples_per_s() / 2.0);
    let steps = setup.senders.iter().flat_map(|sender| sender.sent()).map(|(_, steps)| steps).min().unwrap_or(0);
    let plan = setup.open_plan(Duration::from_secs(settings.duration_s), rate);
    let client = Client::new(setup.server.address())?;
    let (fleet, senders, done) = (&setup.fleet, &mut setup.senders, &AtomicBool::new(false));
    let interval = Duration::from_millis(settings.query_interval_ms);
    let outcome = std::thread::scope(|scope| {
        let ask = Asking { client, fleet, end_ms: fleet.time_ms(steps), interval, done };
        let kinds = &mut kinds;
        let asking = scope.spawn(move || ask.run(kinds));
        let outcome = run_plan("ingest under queries", plan, senders);
        done.store(true, Ordering::Release);
        asking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        outcome
    });
    setup.server.stop()?;
    let mut failures: Vec<String> = complaints("ingest", &outcome).into_iter().collect();
    let failed = kinds.iter().filter(|kind| kind.failed > 0);
    failures.extend(failed.map(|kind| format!("{}: {} queries failed", kind.name, kind.failed)));
    let results = kinds.iter().map(|kind| {
        json!({"query": kind.name, "latency": kind.latencies.quantiles(), "failed": kind.failed, "answer_bytes": kind.mean_bytes()})
    });
    Ok(Report {
        scenario: "query_mix",
        settings: json!({"duration_s": settings.duration_s, "hosts": setup.fleet.hosts.len(), "samples_per_s": rate}),
        results: json!({"queries": results.collect::<Vec<_>>(), "ingest": outcome.summary()}),
        table: table(&kinds, outcome.samples_per_s()),
        failures,
    })
}

impl Kind {
    fn new(name: &str, path: &str) -> Self {
        let (name, path) = (name.to_owned(), path.to_owned());
        Self { name, path, latencies: Latencies::default(), answer_bytes: 0, failed: 0 }
    }

    fn mean_bytes(&self) -> u64 {
        self.answer_bytes / self.latencies.quantiles().count.max(1)
    }
}

fn kinds(extra: &[String]) -> Result<Vec<Kind>, ScenarioError> {
    let mut kinds = vec![
        Kind::new("latest of a server", "/api/v1/metrics?server_id={server_id}&limit=100"),
        Kind::new(
            "1 h raw of a series",
            &format!(
                "/api/v1/metrics?server_id={{server_id}}&metric_type={METRIC_TYPE}&metric_name={{metric_name}}\
                 &from={{from}}&to={{to}}&limit=10000"
            ),
        ),
        Kind::new("latest of a type", &format!("/api/v1/metrics?metric_type={METRIC_TYPE}&limit=100")),
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

/// One connection that asks on a schedule until the samples have all been sent.
struct Asking<'a> {
    client: Client,
    fleet: &'a Fleet,
    /// Samples lie before this time.
    end_ms: i64,
    interval: Duration,
    done: &'a AtomicBool,
}

impl Asking<'_> {
    fn run(mut self, kinds: &mut [Kind]) {
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
        path.replace("{server_id}", &host.id.to_string())
            .replace("{metric_name}", METRICS[(random >> 40) as usize % METRICS.len()])
            .replace("{from}", &clock::rfc3339_text(self.end_ms - MS_PER_HOUR))
            .replace("{to}", &clock::rfc3339_text(self.end_ms))
    }
}

fn table(kinds: &[Kind], samples_per_s: f64) -> Table {
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
        assert_eq!(kinds(&["mine=/x?a={from}".into()]).unwrap()[3].path, "/x?a={from}");
        assert!(kinds(&["mine".into()]).is_err());
        assert!(kinds(&["mine=http://elsewhere/".into()]).is_err());
    }
}
