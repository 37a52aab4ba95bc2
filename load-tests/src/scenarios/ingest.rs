//! Ingest in one dialect: how many samples a second are acknowledged after their commit, and how long that takes below
//! the peak. Afterwards some series are read back whole and compared.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use super::{ScenarioError, Setup, complaints, ms};
use crate::cli::Common;
use crate::data::stream::Shape;
use crate::output::{Table, magnitude, mebibytes};
use crate::report::Report;
use crate::schedule::{Outcome, Plan};
use crate::sender::Endpoint;

/// What is sent, where to: 1,000 samples a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    scenario: &'static str,
    shape: Shape,
    endpoint: fn(SocketAddr) -> Endpoint,
}

/// An agent that sends what it gathered.
pub(crate) const JSON: Way =
    Way { scenario: "ingest_json", shape: Shape { hosts: 1, steps: 100 }, endpoint: Endpoint::native };
/// A hundred hosts at one time, as TSBS sends them.
pub(crate) const INFLUX: Way = Way {
    scenario: "ingest_influx",
    shape: Shape { hosts: 100, steps: 1 },
    endpoint: |address| Endpoint::influx(address, "/write"),
};
/// The same from Prometheus.
pub(crate) const REMOTE_WRITE: Way =
    Way { scenario: "ingest_remote_write", shape: Shape { hosts: 100, steps: 1 }, endpoint: Endpoint::remote_write };

const SHARES_OF_PEAK: [f64; 3] = [0.5, 0.7, 0.9];

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Length of the peak and of each scheduled run.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) duration_s: u64,
    /// Sending before anything is measured.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub(crate) warm_up_s: u64,
    /// Servers with ten series each.
    #[arg(long, default_value_t = 1000)]
    pub(crate) hosts: u32,
    /// Series that are read back and compared.
    #[arg(long, default_value_t = 20)]
    pub(crate) spot_checks: usize,
}

pub(crate) fn run(common: &Common, settings: &Settings, way: Way) -> Result<Report, ScenarioError> {
    let mut setup = Setup::start_with(common, settings.hosts, way.shape, way.endpoint)?;
    setup.run("warm-up", Plan::Closed { duration: Duration::from_secs(settings.warm_up_s) });
    let duration = Duration::from_secs(settings.duration_s);
    let cpu_before_s = setup.server.cpu_seconds();
    let peak = setup.peak("peak", duration)?;
    let cores_used = (setup.server.cpu_seconds() - cpu_before_s) / peak.elapsed.as_secs_f64();
    let peak_per_s = peak.samples_per_s();

    let mut failures: Vec<String> = complaints("peak", &peak).into_iter().collect();
    let mut table = Table::with_heading(&["load", "samples/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"]);
    row(&mut table, "peak (closed loop)", &peak);
    let mut at_shares = Vec::new();
    for share in SHARES_OF_PEAK {
        let label = format!("{:.0} % of peak", share * 100.0);
        let outcome = setup.run(&label, setup.open_plan(duration, share * peak_per_s));
        row(&mut table, &label, &outcome);
        failures.extend(complaints(&label, &outcome));
        at_shares.push(json!({"share": share, "run": outcome.summary()}));
    }
    let resident_bytes = setup.server.resident_bytes();
    let findings = setup.spot_check(settings.spot_checks)?;
    if !findings.is_clean() {
        failures.push(findings.sentence());
    }
    table.row(["samples read back".into(), findings.found.to_string()]);
    table.row(["server memory".into(), mebibytes(resident_bytes)]);
    table.row(["cores used at peak".into(), format!("{cores_used:.2}")]);
    let start_s = setup.server.start_s();
    setup.server.stop()?;
    Ok(Report {
        scenario: way.scenario,
        settings: json!({
            "duration_s": settings.duration_s, "hosts": setup.fleet.hosts.len(), "connections": common.connections,
            "samples_per_request": way.shape.samples(),
        }),
        results: json!({
            "peak": peak.summary(), "open_loop": at_shares, "read_back": findings, "resident_bytes": resident_bytes,
            "cores_used_at_peak": cores_used, "first_start_s": start_s,
        }),
        table,
        failures,
    })
}

fn row(table: &mut Table, label: &str, outcome: &Outcome) {
    let latency = outcome.latencies.quantiles();
    let quantiles = [latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.p999_ms, latency.max_ms].map(ms);
    table.row([label.to_owned(), magnitude(outcome.samples_per_s())].into_iter().chain(quantiles));
}
