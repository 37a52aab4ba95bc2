//! The same data into Millrace and what it is compared with: samples a second, latency, bytes a sample.
//!
//! Each run starts its program over an empty directory, so no program works off another's run. The runs take turns
//! (A B C A B C …) and the median counts; only ratios within one call mean anything.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::{ScenarioError, ms, run_plan};
use crate::cli::Common;
use crate::data::Fleet;
use crate::data::body::Dialect;
use crate::data::stream::Shape;
use crate::directory::{self, WorkDir};
use crate::output::{self, Table, magnitude};
use crate::peers::Peer;
use crate::peers::copy::Copy;
use crate::peers::influx::Influx;
use crate::peers::millrace::{Millrace, Spoken};
use crate::peers::victoria::Victoria;
use crate::report::Report;
use crate::schedule::Plan;

/// Native JSON: one host's backlog, since the id of the host stands on top of the request.
const JSON: Shape = Shape { hosts: 1, steps: 100 };
/// 1,000 samples of a hundred hosts at one time, as TSBS sends them.
const LINES: Shape = Shape { hosts: 100, steps: 1 };
/// 10,000 samples of the same.
const LINES_LARGE: Shape = Shape { hosts: 100, steps: 10 };

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) duration_s: u64,
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub(crate) warm_up_s: u64,
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    #[arg(long, default_value_t = 1600)]
    pub(crate) hosts: u32,
    /// Where Millrace takes Influx lines; empty leaves that run out.
    #[arg(long, default_value = "/write")]
    pub(crate) influx_path: String,
    /// Only programs whose name holds this text.
    #[arg(long)]
    pub(crate) only: Option<String>,
}

/// One run of one program.
#[derive(Clone, Debug, Serialize)]
struct Run {
    samples_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// When the last sample was acknowledged.
    bytes_per_sample_at_first: f64,
    /// When everything was where it stays.
    bytes_per_sample: f64,
    refused_or_failed: u64,
    first_failure: Option<String>,
}

/// All runs of one program.
#[derive(Clone, Debug, Serialize)]
struct Contender {
    name: String,
    runs: Vec<Run>,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    let peers = peers(common, settings);
    let mut contenders: Vec<Contender> =
        peers.iter().map(|peer| Contender { name: peer.name(), runs: Vec::new() }).collect();
    let mut failures = Vec::new();
    for round in 1..=settings.rounds {
        for (peer, contender) in peers.iter().zip(&mut contenders) {
            let run = run_once(common, settings, peer.as_ref(), round)?;
            if let Some(failure) = &run.first_failure {
                failures.push(format!("{}: {failure}", contender.name));
            }
            contender.runs.push(run);
        }
    }
    Ok(Report {
        scenario: "compare",
        settings: json!({
            "duration_s": settings.duration_s, "rounds": settings.rounds, "hosts": settings.hosts,
            "connections": common.connections,
        }),
        results: json!({"contenders": contenders}),
        table: table(&contenders),
        failures,
    })
}

/// Everything that is installed and wanted, Millrace first.
fn peers(common: &Common, settings: &Settings) -> Vec<Box<dyn Peer>> {
    let millrace = |shape, spoken| {
        let (binary, arguments) = (common.server_binary.clone(), common.server_arguments.clone());
        Box::new(Millrace { binary, arguments, shape, spoken })
    };
    let mut peers: Vec<Box<dyn Peer>> = vec![millrace(JSON, Spoken::Json)];
    if !settings.influx_path.is_empty() {
        peers.push(millrace(LINES, Spoken::Influx(settings.influx_path.clone())));
    }
    peers.push(millrace(LINES, Spoken::RemoteWrite));
    peers.push(Box::new(Copy { shape: LINES }));
    peers.push(Box::new(Copy { shape: LINES_LARGE }));
    for dialect in [Dialect::Influx, Dialect::RemoteWrite] {
        peers.push(Box::new(Victoria { shape: LINES, dialect }));
    }
    peers.push(Box::new(Influx { shape: LINES }));
    peers.retain(|peer| settings.only.as_ref().is_none_or(|text| peer.name().contains(text)));
    let (installed, missing): (Vec<_>, Vec<_>) = peers.into_iter().partition(|peer| peer.is_installed());
    missing.iter().for_each(|peer| output::line(&format!("left out, not installed: {}", peer.name())));
    installed
}

fn run_once(common: &Common, settings: &Settings, peer: &dyn Peer, round: u32) -> Result<Run, ScenarioError> {
    let dir = WorkDir::new(common.work_dir.as_deref())?;
    let connections = usize::from(common.connections);
    let hosts = peer.shape().hosts_rounded(settings.hosts, connections);
    let mut fleet = Fleet::new(common.seed, hosts, common.time_grid());
    let running = peer.start(dir.path())?;
    running.register(&mut fleet, connections)?;
    let mut senders = running.senders(&Arc::new(fleet), connections)?;
    let bytes_before = directory::data_bytes(dir.path());
    let label = format!("{} ({round} of {})", peer.name(), settings.rounds);
    let plan = |seconds| Plan::Closed { duration: Duration::from_secs(seconds) };
    let warm_up = run_plan("warm-up", plan(settings.warm_up_s), &mut senders);
    let outcome = run_plan(&label, plan(settings.duration_s), &mut senders);
    drop(senders);
    let samples = (outcome.samples + warm_up.samples).max(1) as f64;
    let bytes_per_sample = || directory::data_bytes(dir.path()).saturating_sub(bytes_before) as f64 / samples;
    let bytes_per_sample_at_first = bytes_per_sample();
    running.settle()?;
    running.stop()?;
    let bytes_per_sample = bytes_per_sample();
    let latency = outcome.latencies.quantiles();
    output::line(&format!("{label}: {} samples/s", magnitude(outcome.samples_per_s())));
    Ok(Run {
        samples_per_s: outcome.samples_per_s().round(),
        p50_ms: latency.p50_ms,
        p99_ms: latency.p99_ms,
        bytes_per_sample_at_first,
        bytes_per_sample,
        refused_or_failed: outcome.refused + outcome.failed,
        first_failure: warm_up.first_failure.or(outcome.first_failure),
    })
}

impl Contender {
    fn median(&self, of: impl Fn(&Run) -> f64) -> f64 {
        let mut values: Vec<f64> = self.runs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        match values.len() {
            0 => 0.0,
            count if count % 2 == 1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        }
    }
}

/// Ratios are of the first rows, Millrace's, over each row.
fn table(contenders: &[Contender]) -> Table {
    let mut heading = vec!["medians", "samples/s", "p50 ms", "p99 ms", "bytes/sample at first", "bytes/sample"];
    let ours: Vec<&Contender> = contenders.iter().filter(|contender| contender.name.starts_with("Millrace")).collect();
    let titles: Vec<String> = ours.iter().map(|contender| format!("{} / it", contender.name)).collect();
    heading.extend(titles.iter().map(String::as_str));
    let mut table = Table::with_heading(&heading);
    for contender in contenders {
        let rate = contender.median(|run| run.samples_per_s);
        let ratios = ours.iter().map(|our| format!("{:.2}", our.median(|run| run.samples_per_s) / rate.max(1.0)));
        let own = [
            contender.name.clone(),
            magnitude(rate),
            ms(contender.median(|run| run.p50_ms)),
            ms(contender.median(|run| run.p99_ms)),
            format!("{:.2}", contender.median(|run| run.bytes_per_sample_at_first)),
            format!("{:.2}", contender.median(|run| run.bytes_per_sample)),
        ];
        table.row(own.into_iter().chain(ratios));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_counts_and_not_the_outlier() {
        let run = |samples_per_s| Run {
            samples_per_s,
            p50_ms: 0.0,
            p99_ms: 0.0,
            bytes_per_sample_at_first: 0.0,
            bytes_per_sample: 0.0,
            refused_or_failed: 0,
            first_failure: None,
        };
        let of = |rates: &[f64]| Contender { name: "x".into(), runs: rates.iter().copied().map(run).collect() };
        assert!((of(&[1.0, 100.0, 3.0]).median(|run| run.samples_per_s) - 3.0).abs() < 1e-9);
        assert!((of(&[1.0, 2.0]).median(|run| run.samples_per_s) - 1.5).abs() < 1e-9);
        assert!(of(&[]).median(|run| run.samples_per_s).abs() < 1e-9);
    }
}
