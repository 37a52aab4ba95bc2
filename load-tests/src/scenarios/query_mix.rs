//! Queries while samples arrive, over what has just come in and over a history.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use super::history::History;
use super::queries::{self, Asking, Kind, kinds, table};
use super::{ScenarioError, Setup, complaints, run_plan};
use crate::cli::Common;
use crate::client::Client;
use crate::data::stream::Shape;
use crate::report::Report;

const SHAPE: Shape = Shape { hosts: 1, steps: 100 };
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
    /// Servers, of ten series each, that have a history; none is loaded for 0.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) history_hosts: u32,
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i64).range(1..=365))]
    pub(crate) history_days: i64,
    /// From one sample of the history to the next.
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(i64).range(1000..))]
    pub(crate) history_step_ms: i64,
    /// Another query, as NAME=PATH; {`server_id`}, {`metric_name`}, {from} and {to} are filled in.
    #[arg(long = "query")]
    pub(crate) queries: Vec<String>,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    let mut kinds = kinds(&settings.queries)?;
    let mut setup = Setup::start(common, settings.hosts.max(settings.history_hosts), SHAPE)?;
    let imported_per_s = load_history(&setup, common, settings, &mut kinds)?;
    let peak = setup.peak("prefill", PREFILL)?;
    let rate = settings.rate.unwrap_or_else(|| peak.samples_per_s() / 2.0);
    let steps = setup.senders.iter().flat_map(|sender| sender.sent()).map(|(_, steps)| steps).min().unwrap_or(0);
    let plan = setup.open_plan(Duration::from_secs(settings.duration_s), rate);
    let client = Client::new(setup.server.address())?;
    let (fleet, senders, done) = (&setup.fleet, &mut setup.senders, &AtomicBool::new(false));
    let interval = Duration::from_millis(settings.query_interval_ms);
    let outcome = std::thread::scope(|scope| {
        let ask = Asking {
            client,
            fleet,
            end_ms: fleet.time_ms(steps),
            old_hosts: settings.history_hosts as usize,
            interval,
            done,
        };
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
    Ok(Report {
        scenario: "query_mix",
        settings: json!({"duration_s": settings.duration_s, "hosts": setup.fleet.hosts.len(), "samples_per_s": rate}),
        results: json!({"queries": queries::summary(&kinds), "ingest": outcome.summary(), "imported_per_s": imported_per_s}),
        table: table(&kinds, outcome.samples_per_s()),
        failures,
    })
}

/// Before the first sample of the fleet, moved on to where old data stay.
fn load_history(
    setup: &Setup,
    common: &Common,
    settings: &Settings,
    kinds: &mut Vec<Kind>,
) -> Result<Option<f64>, ScenarioError> {
    if settings.history_hosts == 0 {
        return Ok(None);
    }
    let (hosts, days, step_ms) = (settings.history_hosts, settings.history_days, settings.history_step_ms);
    let history = History { hosts, days, step_ms, end_ms: setup.fleet.start_ms };
    let imported_per_s = history.load(&setup.server, &setup.fleet, usize::from(common.connections))?;
    setup.server.settle()?;
    kinds.extend(queries::history_kinds(setup.fleet.start_ms, days));
    Ok(Some(imported_per_s))
}
