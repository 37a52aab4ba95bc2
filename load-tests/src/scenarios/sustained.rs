//! A share of the peak for a long time over many series, with queries beside it: memory, latency and what is on its way
//! through the tables must stay where they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::queries::{self, Asking};
use super::{ScenarioError, Setup, complaints, ms};
use crate::cli::Common;
use crate::client::Client;
use crate::data::stream::Shape;
use crate::directory;
use crate::output::{Table, magnitude, mebibytes};
use crate::report::Report;

const SHAPE: Shape = Shape { hosts: 1, steps: 100 };
/// Memory may grow by this much from the first third of the run to the last before it counts as growing.
const GROWTH_MAX: f64 = 1.15;
/// Steps of an hour at the usual distance of ten seconds: there are samples so far when the queries begin.
const HOUR_STEPS: u32 = 360;
const TABLES: [&str; 5] = ["journal", "recent", "samples", "rollup_1m", "rollup_1h"];
const PEAK_DURATION: Duration = Duration::from_secs(8);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 1.0)]
    pub(crate) minutes: f64,
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) window_s: u64,
    /// Servers with ten series each.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) hosts: u32,
    #[arg(long, default_value_t = 0.6)]
    pub(crate) share_of_peak: f64,
    /// Samples a second, instead of a share of a measured peak.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    #[arg(long, default_value_t = 50.0)]
    pub(crate) p99_ms_max: f64,
    /// From one query to the next.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) query_interval_ms: u64,
}

/// What was seen over one stretch of the run.
#[derive(Clone, Debug, Serialize)]
struct Window {
    samples_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    resident_bytes: u64,
    data_bytes: u64,
    journal_bytes: u64,
    recent_bytes: u64,
    dead_rows: u64,
    cpu_cores: f64,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    if !(0.05..=1440.0).contains(&settings.minutes) || !(0.01..=1.0).contains(&settings.share_of_peak) {
        return Err(ScenarioError::Settings("minutes must be 0.05 to 1440 and the share 0.01 to 1".into()));
    }
    let mut setup = Setup::start(common, settings.hosts, SHAPE)?;
    let rate = match settings.rate {
        Some(rate) => rate,
        None => setup.peak("peak", PEAK_DURATION)?.samples_per_s() * settings.share_of_peak,
    };
    let mut kinds = queries::kinds(&[])?;
    let client = Client::new(setup.server.address())?;
    let (fleet, done) = (Arc::clone(&setup.fleet), AtomicBool::new(false));
    let interval = Duration::from_millis(settings.query_interval_ms);
    let (windows, mut failures) = std::thread::scope(|scope| {
        let asking =
            Asking { client, fleet: &fleet, end_ms: fleet.time_ms(HOUR_STEPS), old_hosts: 0, interval, done: &done };
        let kinds = &mut kinds;
        let asking = scope.spawn(move || asking.run(kinds));
        let seen = run_windows(&mut setup, settings, rate);
        done.store(true, Ordering::Release);
        asking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        seen
    });
    failures.extend(
        kinds
            .iter()
            .filter(|kind| kind.failed > 0)
            .map(|kind| format!("{}: {} queries failed", kind.name, kind.failed)),
    );
    failures.extend(verdict(&windows, settings.p99_ms_max));
    setup.server.stop()?;
    Ok(Report {
        scenario: "sustained",
        settings: json!({
            "minutes": settings.minutes, "window_s": settings.window_s, "series": setup.fleet.hosts.len() * 10,
            "samples_per_s": rate, "connections": common.connections,
        }),
        results: json!({"windows": windows, "memory_growth": growth(&windows), "queries": queries::summary(&kinds)}),
        table: table(&windows),
        failures,
    })
}

fn run_windows(setup: &mut Setup, settings: &Settings, rate: f64) -> (Vec<Window>, Vec<String>) {
    let window = Duration::from_secs(settings.window_s);
    let windows_count = (settings.minutes * 60.0 / window.as_secs_f64()).ceil().max(1.0) as usize;
    let mut windows = Vec::with_capacity(windows_count);
    let mut failures = Vec::new();
    for number in 1..=windows_count {
        let cpu_before_s = setup.server.cpu_seconds();
        let outcome = setup.run(&format!("window {number} of {windows_count}"), setup.open_plan(window, rate));
        let latency = outcome.latencies.quantiles();
        failures.extend(complaints(&format!("window {number}"), &outcome));
        let of_table = |number: &str, table: &str| {
            setup.server.number(&format!("millrace_storage_{number}{{table=\"{table}\"}}")).unwrap_or(0.0) as u64
        };
        windows.push(Window {
            samples_per_s: outcome.samples_per_s().round(),
            p50_ms: latency.p50_ms,
            p99_ms: latency.p99_ms,
            max_ms: latency.max_ms,
            resident_bytes: setup.server.resident_bytes(),
            data_bytes: directory::data_bytes(&setup.server.data_dir()),
            journal_bytes: of_table("table_bytes", "journal"),
            recent_bytes: of_table("table_bytes", "recent"),
            dead_rows: TABLES.iter().map(|table| of_table("dead_rows", table)).sum(),
            cpu_cores: (setup.server.cpu_seconds() - cpu_before_s) / outcome.elapsed.as_secs_f64(),
        });
        if outcome.exhausted || outcome.samples == 0 {
            break;
        }
    }
    (windows, failures)
}

/// The last third compared with the first, in resident memory.
fn growth(windows: &[Window]) -> f64 {
    let third = (windows.len() / 3).max(1);
    let mean = |part: &[Window]| part.iter().map(|window| window.resident_bytes as f64).sum::<f64>() / third as f64;
    if windows.is_empty() {
        return 1.0;
    }
    mean(&windows[windows.len() - third..]) / mean(&windows[..third]).max(1.0)
}

fn verdict(windows: &[Window], p99_ms_max: f64) -> Vec<String> {
    let mut failures = Vec::new();
    let growth = growth(windows);
    if growth > GROWTH_MAX {
        failures.push(format!("memory grew {growth:.2} times from the first third to the last"));
    }
    let slow = windows.iter().filter(|window| window.p99_ms > p99_ms_max).count();
    if slow > 0 {
        failures.push(format!("{slow} of {} windows had a p99 above {p99_ms_max} ms", windows.len()));
    }
    failures
}

fn table(windows: &[Window]) -> Table {
    let mut table = Table::with_heading(&[
        "window",
        "samples/s",
        "p50 ms",
        "p99 ms",
        "max ms",
        "memory",
        "files",
        "journal",
        "recent",
        "dead rows",
        "cores",
    ]);
    for (index, window) in windows.iter().enumerate() {
        table.row([
            (index + 1).to_string(),
            magnitude(window.samples_per_s),
            ms(window.p50_ms),
            ms(window.p99_ms),
            ms(window.max_ms),
            mebibytes(window.resident_bytes),
            mebibytes(window.data_bytes),
            mebibytes(window.journal_bytes),
            mebibytes(window.recent_bytes),
            window.dead_rows.to_string(),
            format!("{:.2}", window.cpu_cores),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(resident: &[u64], p99_ms: f64) -> Vec<Window> {
        let window = |bytes: &u64| Window {
            samples_per_s: 1.0,
            p50_ms: 1.0,
            p99_ms,
            max_ms: p99_ms,
            resident_bytes: *bytes,
            data_bytes: 0,
            journal_bytes: 0,
            recent_bytes: 0,
            dead_rows: 0,
            cpu_cores: 0.0,
        };
        resident.iter().map(window).collect()
    }

    #[test]
    fn flat_memory_and_quick_answers_are_no_failure() {
        assert!(verdict(&windows(&[100, 104, 99, 103, 101, 105], 10.0), 50.0).is_empty());
    }

    #[test]
    fn growth_and_slowness_are_named() {
        let failures = verdict(&windows(&[100, 100, 120, 130, 150, 160], 80.0), 50.0);
        assert_eq!(failures.len(), 2, "{failures:?}");
        assert!(failures[0].starts_with("memory grew 1.55 times"), "{failures:?}");
    }
}
