//! Kills the server again and again while alerts fire and are over, then compares what was sent with what was told and
//! with the history. Whatever was acknowledged was told once, or twice where a kill came between telling and writing it
//! down; the history has each once.
//!
//! Each series has a rule and a recipient of its own: a kill during a delivery holds up one line for as long as a notice
//! is claimed, and no other.

mod findings; // sent, told, written

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use uuid::Uuid;

use self::findings::{Findings, Series};
use super::{ScenarioError, Setup};
use crate::alerting::{self, Alerting};
use crate::cli::Common;
use crate::clock;
use crate::data::stream::Shape;
use crate::data::walk::mix;
use crate::output::{Bar, Table};
use crate::receiver::Receiver;
use crate::report::Report;
use crate::server::Server;

/// Nothing of the fleet is sent; it only has the servers.
const SHAPE: Shape = Shape { hosts: 1, steps: 1 };
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// How long a sample is tried again once the kills are over.
const CLEAN_WAIT: Duration = Duration::from_secs(30);
const ROUND_MS_MIN: u64 = 200;
/// A notice that was being delivered at a kill is claimed for a minute; then its line goes on.
const SETTLE_WAIT: Duration = Duration::from_secs(180);
const SETTLE_POLL: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Kills of the server.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// Servers with a series and a rule each.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) hosts: u32,
    /// From one crossing of a series to the next.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub(crate) crossing_ms: u64,
    /// Longest time from one recovery to the next kill.
    #[arg(long, default_value_t = 2200, value_parser = clap::value_parser!(u64).range(300..=60_000))]
    pub(crate) round_ms_max: u64,
}

/// What those who send share.
struct Run {
    address: SocketAddr,
    pause: Duration,
    done: AtomicBool,
    retries: AtomicU64,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    let mut setup = Setup::start(&common.with_server_arguments(&alerting::TELLS_LOOPBACK), settings.hosts, SHAPE)?;
    let receiver = Receiver::start()?;
    let servers: Vec<Uuid> = setup.fleet.hosts.iter().take(settings.hosts as usize).map(|host| host.id).collect();
    watch(&setup.server, &receiver, &servers)?;
    let run = Run {
        address: setup.server.address(),
        pause: Duration::from_millis(settings.crossing_ms),
        done: AtomicBool::new(false),
        retries: AtomicU64::new(0),
    };
    let (series, recovery_ms) = crash(&mut setup.server, &run, &servers, (common.seed, settings))?;
    let begin = Instant::now();
    let findings = settle(run.address, &series, &receiver)?;
    let settle_s = begin.elapsed().as_secs_f64();
    setup.server.stop()?;

    let failures = findings.failures();
    let retries = run.retries.load(Ordering::Acquire);
    let slowest_ms = recovery_ms.iter().max().copied().unwrap_or(0);
    let mut table = Table::with_heading(&["alert-crash", "count"]);
    let mut row = |what: &str, count: String| table.row([what.to_owned(), count]);
    row("kills", settings.rounds.to_string());
    findings.counts().into_iter().for_each(|(what, count)| row(what, count.to_string()));
    row("notices", receiver.notices().to_string());
    row("samples sent again", retries.to_string());
    row("slowest recovery, ms", slowest_ms.to_string());
    row("settled after, s", format!("{settle_s:.1}"));
    Ok(Report {
        scenario: "alert-crash",
        settings: json!({
            "rounds": settings.rounds, "hosts": servers.len(), "crossing_ms": settings.crossing_ms,
            "round_ms_max": settings.round_ms_max,
        }),
        results: json!({
            "findings": findings, "notices": receiver.notices(), "samples_sent_again": retries,
            "recovery_ms": recovery_ms, "settle_s": settle_s,
        }),
        table,
        failures,
    })
}

/// Sends to all series while the server is killed. Answers what each was sent, and how long each recovery took.
fn crash(
    server: &mut Server,
    run: &Run,
    servers: &[Uuid],
    (seed, settings): (u64, &Settings),
) -> Result<(Vec<Series>, Vec<u64>), ScenarioError> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = servers.iter().map(|server| scope.spawn(move || cross_until(run, *server))).collect();
        let recovery_ms = kill_in_rounds(server, seed, settings);
        // What was begun is finished, which needs a server that answers.
        run.done.store(true, Ordering::Release);
        let joined = threads.into_iter().map(|thread| thread.join());
        let series = joined.map(|series| series.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        Ok((series.collect::<Result<_, _>>()?, recovery_ms?))
    })
}

/// Adds a recipient and a rule for each server, and waits until they are judged.
fn watch(server: &Server, receiver: &Receiver, servers: &[Uuid]) -> Result<(), ScenarioError> {
    let mut alerting = Alerting::new(server.address())?;
    for (place, id) in servers.iter().enumerate() {
        let recipient = alerting.add_recipient(&format!("recipient {place}"), &receiver.url())?;
        alerting.add_rule(&alerting::probe_rule(&id.to_string(), recipient))?;
    }
    alerting::wait_until_judged(server, servers.len())?;
    Ok(())
}

/// Crosses the threshold of one series again and again. A sample is sent unchanged until it is acknowledged; only then
/// follows the next.
fn cross_until(run: &Run, server: Uuid) -> Result<Series, ScenarioError> {
    let mut alerting = Alerting::new(run.address)?;
    let id = server.to_string();
    let mut series = Series { server, acknowledged: 0, is_open: false };
    let (mut due, mut last_ms) = (Instant::now(), 0);
    while !run.done.load(Ordering::Acquire) {
        let value = alerting::crossing_value(series.acknowledged + 1);
        last_ms = clock::now_ms().max(last_ms + 1);
        let mut since_done = None;
        while !alerting.send_probe(&id, value, last_ms) {
            run.retries.fetch_add(1, Ordering::AcqRel);
            let is_done = run.done.load(Ordering::Acquire);
            if is_done && since_done.get_or_insert_with(Instant::now).elapsed() > CLEAN_WAIT {
                series.is_open = true;
                return Ok(series);
            }
            clock::wait_until(Instant::now() + RETRY_PAUSE);
        }
        series.acknowledged += 1;
        due = (due + run.pause).max(Instant::now());
        clock::wait_until(due);
    }
    Ok(series)
}

/// Answers how long each recovery took.
fn kill_in_rounds(server: &mut Server, seed: u64, settings: &Settings) -> Result<Vec<u64>, ScenarioError> {
    let bar = Bar::new("killing", Duration::from_millis(settings.round_ms_max * u64::from(settings.rounds)));
    let (begin, mut recovery_ms) = (Instant::now(), Vec::new());
    for round in 0..settings.rounds {
        let random = mix(seed ^ mix(u64::from(round)));
        let wait_ms = ROUND_MS_MIN + random % (settings.round_ms_max - ROUND_MS_MIN);
        clock::wait_until(Instant::now() + Duration::from_millis(wait_ms));
        bar.at(begin.elapsed());
        let killed = Instant::now();
        server.kill();
        server.restart()?;
        recovery_ms.push(killed.elapsed().as_millis() as u64);
    }
    Ok(recovery_ms)
}

/// Waits until everything is told and written, and nobody is to be told of anything any more.
fn settle(address: SocketAddr, series: &[Series], receiver: &Receiver) -> Result<Findings, ScenarioError> {
    let mut alerting = Alerting::new(address)?;
    let begin = Instant::now();
    loop {
        let has_waiting = alerting.has_waiting_notices()?;
        let findings = Findings::of(series, (&receiver.told(), receiver.unlisted()), &alerting.history()?);
        if (findings.is_complete() && !has_waiting) || begin.elapsed() > SETTLE_WAIT {
            return Ok(findings);
        }
        clock::wait_until(Instant::now() + SETTLE_POLL);
    }
}
