//! A server with next to nothing to do: how fast a small request is committed, and what doing nothing costs.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{ScenarioError, Setup, complaints, ms, run_plan};
use crate::cli::Common;
use crate::clock;
use crate::data::stream::Shape;
use crate::output::{Table, mebibytes};
use crate::report::Report;
use crate::schedule::Plan;

/// Ten samples: one reading of one host.
const SHAPE: Shape = Shape { hosts: 1, steps: 1 };

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// How long small requests are sent, and how long nothing is.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) duration_s: u64,
    #[arg(long, default_value_t = 10.0)]
    pub(crate) requests_per_s: f64,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    if !(0.1..=10_000.0).contains(&settings.requests_per_s) {
        return Err(ScenarioError::Settings("requests per second must lie between 0.1 and 10,000".into()));
    }
    let mut setup = Setup::start(common, 8, SHAPE)?;
    let duration = Duration::from_secs(settings.duration_s);
    let plan = |duration| Plan::Open { duration, requests_per_s: settings.requests_per_s };
    // The first requests create the series; they are not what is promised.
    run_plan("warm-up", plan(Duration::from_secs(2)), &mut setup.senders[..1]);
    let outcome = run_plan("small requests", plan(duration), &mut setup.senders[..1]);

    let (start, cpu_before_s) = (Instant::now(), setup.server.cpu_seconds());
    clock::wait_until(start + duration);
    let idle_cpu_percent = (setup.server.cpu_seconds() - cpu_before_s) / start.elapsed().as_secs_f64() * 100.0;
    let resident_bytes = setup.server.resident_bytes();

    let latency = outcome.latencies.quantiles();
    let mut table = Table::with_heading(&["idle server", "value"]);
    table.row(["request of 10 samples, p50 ms".into(), ms(latency.p50_ms)]);
    table.row(["request of 10 samples, p99 ms".into(), ms(latency.p99_ms)]);
    table.row(["CPU without requests, % of a core".into(), format!("{idle_cpu_percent:.2}")]);
    table.row(["server memory".into(), mebibytes(resident_bytes)]);
    setup.server.stop()?;
    Ok(Report {
        scenario: "idle",
        settings: json!({"duration_s": settings.duration_s, "requests_per_s": settings.requests_per_s}),
        results: json!({
            "run": outcome.summary(), "idle_cpu_percent": idle_cpu_percent, "resident_bytes": resident_bytes,
        }),
        table,
        failures: complaints("small requests", &outcome).into_iter().collect(),
    })
}
