//! What the generator could send if the server cost nothing: the ceiling of every other measurement.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{ScenarioError, ms, run_plan};
use crate::cli::Common;
use crate::data::Fleet;
use crate::data::stream::{Shape, Stream};
use crate::output::{Table, magnitude};
use crate::report::Report;
use crate::schedule::Plan;
use crate::sender::{Endpoint, HttpSender};
use crate::sink::Sink;

const SHAPE: Shape = Shape { hosts: 1, steps: 100 };

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) duration_s: u64,
    #[arg(long, default_value_t = 1000)]
    pub(crate) hosts: u32,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    let workers = usize::from(common.connections);
    let fleet = Fleet::new(common.seed, SHAPE.hosts_rounded(settings.hosts, workers), common.time_grid());
    let fleet = Arc::new(fleet);
    let sink = Sink::start()?;
    let endpoint = Endpoint::native(sink.address());
    let sender = |worker| HttpSender::new(&endpoint, SHAPE, Stream::new(&fleet, SHAPE, worker, workers));
    let mut senders = (0..workers).map(sender).collect::<Result<Vec<_>, _>>()?;
    let duration = Duration::from_secs(settings.duration_s);
    let outcome = run_plan("generator against a sink", Plan::Closed { duration }, &mut senders);

    let bytes_per_sample = senders.first().map_or(0.0, |sender| sender.body_bytes() as f64) / SHAPE.samples() as f64;
    let bytes_per_s = sink.bytes() as f64 / outcome.elapsed.as_secs_f64();
    let latency = outcome.latencies.quantiles();
    let mut table = Table::with_heading(&["generator", "samples/s", "bytes/s", "bytes/sample", "p50 ms", "p99 ms"]);
    table.row([
        "against a sink".into(),
        magnitude(outcome.samples_per_s()),
        magnitude(bytes_per_s),
        format!("{bytes_per_sample:.1}"),
        ms(latency.p50_ms),
        ms(latency.p99_ms),
    ]);
    Ok(Report {
        scenario: "generator",
        settings: json!({"duration_s": settings.duration_s, "hosts": fleet.hosts.len(), "connections": workers}),
        results: json!({"run": outcome.summary(), "bytes_per_s": bytes_per_s, "bytes_per_sample": bytes_per_sample}),
        table,
        failures: super::complaints("generator", &outcome).into_iter().collect(),
    })
}
