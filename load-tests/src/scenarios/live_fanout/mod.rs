//! Many WebSocket subscribers, each with a filter of its own, while samples arrive. Every frame is compared with what
//! was sent: nothing missing, nothing foreign, nothing twice. One client that never reads must not hurt the others.

mod ledger;
mod socket;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use self::ledger::Ledger;
use self::socket::Crowd;
use super::{ScenarioError, Setup, complaints, ms, run_plan, senders};
use crate::cli::Common;
use crate::data::stream::{Shape, Stream};
use crate::data::{Fleet, METRICS, TimeGrid};
use crate::histogram::Quantiles;
use crate::output::{Table, magnitude};
use crate::process;
use crate::report::Report;
use crate::schedule::Outcome;
use crate::sender::{Endpoint, HttpSender, SendError, Sender};

/// Files other than sockets that client and server need.
const OTHER_FILES: u64 = 500;
const PEAK_DURATION: Duration = Duration::from_secs(5);
const MS_PER_DAY: i64 = 86_400_000;
/// What is subscribed to lies on a grid of seconds just before the present.
const STEP_MS: i64 = 1000;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// One for each series; a multiple of ten times the connections is best.
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(10..=50_000))]
    pub(crate) sockets: u32,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) duration_s: u64,
    /// Samples a second, instead of half of a measured peak.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Samples a request is ten times this.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) steps_per_request: u32,
    #[arg(long, default_value_t = 20.0)]
    pub(crate) p99_ms_max: f64,
}

/// What the subscribers found, over all of them.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(crate) struct Frames {
    pub(crate) received: u64,
    pub(crate) missing: u64,
    pub(crate) foreign: u64,
    pub(crate) wrong: u64,
    pub(crate) duplicate: u64,
    /// Frames that carry no sample, such as a notice that some were dropped.
    pub(crate) notices: u64,
    pub(crate) closed_early: u64,
    pub(crate) sent_to_received: Quantiles,
    pub(crate) acknowledged_to_received: Quantiles,
}

/// Notes in the ledger when each block was sent and when it was acknowledged.
struct Noting {
    inner: HttpSender,
    ledger: Arc<Ledger>,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    let files = u64::from(settings.sockets) + OTHER_FILES;
    let files_max = process::raise_open_files(files);
    if files_max < files {
        let text =
            format!("{files} open files are needed and {files_max} allowed: raise `ulimit -n` or lower --sockets");
        return Err(ScenarioError::Settings(text));
    }
    let shape = Shape { hosts: 1, steps: settings.steps_per_request };
    let mut setup = Setup::start(common, settings.sockets.div_ceil(METRICS.len() as u32), shape)?;
    let rate = probe_rate(common, settings, &mut setup)?;
    let ledger = Arc::new(Ledger::new(planned_fleet(&setup.fleet, settings, rate), shape)?);

    let resident_before = setup.server.resident_bytes();
    let crowd = Crowd::connect(setup.server.address(), &ledger, settings.sockets)?;
    let resident_after = setup.server.resident_bytes();
    let memory_per_socket = resident_after.saturating_sub(resident_before) / u64::from(settings.sockets);

    let mut noting = noting_senders(&setup, &ledger, usize::from(common.connections))?;
    let plan = setup.open_plan(Duration::from_secs(settings.duration_s), rate);
    let outcome = run_plan("live fan-out", plan, &mut noting);
    let open = noting.iter().all(|sender| sender.inner.unacknowledged().is_some_and(<[_]>::is_empty));
    let sent = noting.iter().flat_map(|sender| sender.inner.sent()).collect::<Vec<_>>();
    let frames = crowd.finish(&ledger, &sent)?;
    let reading_s = ledger.last_received().as_secs_f64().max(outcome.elapsed.as_secs_f64());
    let resident_end = setup.server.resident_bytes();
    setup.server.stop()?;

    let mut failures: Vec<String> = complaints("ingest", &outcome).into_iter().collect();
    failures.extend(verdict(&frames, open, settings.p99_ms_max));
    let frames_per_s = frames.received as f64 / reading_s;
    Ok(Report {
        scenario: "live_fanout",
        settings: json!({
            "sockets": settings.sockets, "duration_s": settings.duration_s, "samples_per_s": rate,
            "samples_per_request": shape.samples(), "connections": common.connections, "stalled_clients": 1,
        }),
        table: table(&frames, &outcome, frames_per_s, memory_per_socket),
        results: json!({
            "frames": frames, "frames_per_s": frames_per_s, "ingest": outcome.summary(),
            "memory_per_socket_bytes": memory_per_socket, "resident_bytes": resident_end,
        }),
        failures,
    })
}

/// The rate asked for, or half of what the server takes without subscribers. The probe's samples lie weeks back.
fn probe_rate(common: &Common, settings: &Settings, setup: &mut Setup) -> Result<f64, ScenarioError> {
    if let Some(rate) = settings.rate {
        return Ok(rate);
    }
    let mut past = (*setup.fleet).clone();
    past.start_ms -= common.span_days * MS_PER_DAY;
    setup.senders = senders(&setup.server, &Arc::new(past), setup.shape, usize::from(common.connections))?;
    Ok(setup.peak("peak without subscribers", PEAK_DURATION)?.samples_per_s() / 2.0)
}

/// The same hosts with just the steps that the run will need, ending now.
fn planned_fleet(fleet: &Fleet, settings: &Settings, rate: f64) -> Fleet {
    let per_series = rate * settings.duration_s as f64 / (fleet.hosts.len() * METRICS.len()) as f64;
    let steps = (per_series.ceil() as i64 + 2 * i64::from(settings.steps_per_request)).max(1);
    let time = TimeGrid { end_ms: crate::clock::now_ms(), span_ms: steps * STEP_MS, step_ms: STEP_MS };
    Fleet { hosts: fleet.hosts.clone(), ..Fleet::new(fleet.seed, 0, time) }
}

fn noting_senders(setup: &Setup, ledger: &Arc<Ledger>, workers: usize) -> Result<Vec<Noting>, ScenarioError> {
    let endpoint = Endpoint::native(setup.server.address());
    let sender = |worker| {
        let stream = Stream::new(ledger.fleet(), setup.shape, worker, workers);
        let inner = HttpSender::new(&endpoint, setup.shape, stream)?;
        Ok(Noting { inner, ledger: Arc::clone(ledger) })
    };
    (0..workers).map(sender).collect()
}

impl Sender for Noting {
    fn prepare(&mut self) -> bool {
        self.inner.prepare()
    }

    fn send(&mut self) -> Result<u64, SendError> {
        let place = self.inner.block().map(|block| (block.hosts[0], block.steps.start));
        if let Some((host, step)) = place {
            self.ledger.sent(host, step).store(self.ledger.now_us(), Ordering::Release);
        }
        let outcome = self.inner.send();
        if let Some((host, step)) = place.filter(|_| outcome.is_ok()) {
            self.ledger.acknowledged(host, step).store(self.ledger.now_us(), Ordering::Release);
        }
        outcome
    }
}

/// When a request was not acknowledged its frames may rightly be missing.
fn verdict(frames: &Frames, all_acknowledged: bool, p99_ms_max: f64) -> Vec<String> {
    let Frames { missing, foreign, wrong, duplicate, closed_early, .. } = frames;
    let mut failures = Vec::new();
    if foreign + wrong + duplicate + closed_early > 0 || (all_acknowledged && *missing > 0) {
        failures.push(format!(
            "{missing} frames missing, {foreign} foreign, {wrong} wrong, {duplicate} double; {closed_early} sockets closed"
        ));
    }
    let p99_ms = frames.acknowledged_to_received.p99_ms;
    if p99_ms > p99_ms_max {
        failures
            .push(format!("acknowledged to received took {p99_ms:.1} ms at p99, at most {p99_ms_max} are promised"));
    }
    failures
}

fn table(frames: &Frames, outcome: &Outcome, frames_per_s: f64, memory_per_socket: u64) -> Table {
    let mut table = Table::with_heading(&["live fan-out", "value"]);
    table.row(["samples sent a second".into(), magnitude(outcome.samples_per_s())]);
    table.row(["frames delivered a second".into(), magnitude(frames_per_s)]);
    table.row(["frames received".into(), frames.received.to_string()]);
    let bad = [frames.missing, frames.foreign, frames.wrong, frames.duplicate];
    table.row(["missing / foreign / wrong / double".into(), bad.map(|count| count.to_string()).join(" / ")]);
    table.row(["notices".into(), frames.notices.to_string()]);
    for (label, quantiles) in
        [("sent to received", frames.sent_to_received), ("acknowledged to received", frames.acknowledged_to_received)]
    {
        table.row([format!("{label}, p50 ms"), ms(quantiles.p50_ms)]);
        table.row([format!("{label}, p99 ms"), ms(quantiles.p99_ms)]);
    }
    table.row(["server memory a socket, KiB".into(), format!("{:.1}", memory_per_socket as f64 / 1024.0)]);
    table
}
