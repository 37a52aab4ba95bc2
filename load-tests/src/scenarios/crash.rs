//! Kills the server or its PostgreSQL at random moments while samples arrive, again and again, then looks up every
//! acknowledged sample. One lost or wrong sample breaks the promise.
//!
//! Meanwhile samples are moved on all the time, so that kills hit jobs too; at the end the store checks itself.
//!
//! A request that was not acknowledged is sent again unchanged, as an agent would; that must change nothing.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{ScenarioError, Setup};
use crate::cli::Common;
use crate::client::Client;
use crate::clock;
use crate::data::METRICS;
use crate::data::stream::Shape;
use crate::data::walk::mix;
use crate::output::{Bar, Table};
use crate::report::Report;
use crate::sender::{HttpSender, Sender};
use crate::server::Server;
use crate::verify::{self, Fate, Findings};

const SHAPE: Shape = Shape { hosts: 1, steps: 10 };
/// How long the server may take to notice that its PostgreSQL died, and to be ready again, before it is restarted.
const RECOVERY_WAIT: Duration = Duration::from_secs(20);
const RETRY_PAUSE: Duration = Duration::from_millis(50);
const CLEAN_WAIT: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Kills; the server and its PostgreSQL take turns.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    #[arg(long, default_value_t = 64)]
    pub(crate) hosts: u32,
    /// Requests of 100 samples a second, over all connections.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) requests_per_s: u64,
    /// Longest time from one recovery to the next kill.
    #[arg(long, default_value_t = 3000, value_parser = clap::value_parser!(u64).range(300..=60_000))]
    pub(crate) round_ms_max: u64,
}

/// What the killing side saw.
#[derive(Debug, Default)]
struct Rounds {
    recovery_ms: Vec<u64>,
    recovered_alone: u32,
    failures: Vec<String>,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    let mut setup = Setup::start(common, settings.hosts, SHAPE)?;
    let (done, retries) = (AtomicBool::new(false), AtomicU64::new(0));
    let pause = Duration::from_secs_f64(setup.senders.len() as f64 / settings.requests_per_s as f64);
    let (server, senders) = (&mut setup.server, &mut setup.senders);
    let (address, moves) = (server.address(), AtomicU64::new(0));
    let rounds = std::thread::scope(|scope| {
        for sender in senders.iter_mut() {
            scope.spawn(|| send_until(sender, pause, &done, &retries));
        }
        scope.spawn(|| move_on(address, &done, &moves));
        let rounds = kill_in_rounds(server, common.seed, settings);
        // The senders finish what they have begun, which needs a server that answers.
        done.store(true, Ordering::Release);
        rounds
    })?;
    let findings = look_up_everything(&setup)?;
    setup.server.settle()?;
    let settled = look_up_everything(&setup)?;
    let verified = setup.server.verify()?;
    let retries = retries.load(Ordering::Acquire);
    setup.server.stop()?;

    let mut failures = rounds.failures;
    if !findings.is_clean() {
        failures.push(findings.sentence());
    }
    if !settled.is_clean() {
        failures.push(format!("after everything was moved on: {}", settled.sentence()));
    }
    failures.extend(verified.err().map(|said| format!("the store's own check found: {said}")));
    let moves = moves.load(Ordering::Acquire);
    let slowest_ms = rounds.recovery_ms.iter().max().copied().unwrap_or(0);
    let mut table = Table::with_heading(&["crash", "count"]);
    table.row(["kills".into(), settings.rounds.to_string()]);
    table.row(["acknowledged samples".into(), findings.acknowledged.to_string()]);
    table.row(["found".into(), findings.found.to_string()]);
    table.row(["lost".into(), findings.lost.to_string()]);
    table
        .row(["wrong, double or foreign".into(), (findings.wrong + findings.duplicate + findings.foreign).to_string()]);
    table.row(["jobs run to their end meanwhile".into(), moves.to_string()]);
    table.row(["requests sent again".into(), retries.to_string()]);
    table.row(["slowest recovery, ms".into(), slowest_ms.to_string()]);
    table.row(["PostgreSQL kills survived without restart".into(), rounds.recovered_alone.to_string()]);
    Ok(Report {
        scenario: "crash",
        settings: json!({
            "rounds": settings.rounds, "hosts": setup.fleet.hosts.len(), "connections": common.connections,
            "requests_per_s": settings.requests_per_s,
        }),
        results: json!({
            "findings": findings, "findings_settled": settled, "jobs_run": moves, "requests_sent_again": retries, "recovery_ms": rounds.recovery_ms,
            "recovered_without_restart": rounds.recovered_alone,
        }),
        table,
        failures,
    })
}

/// Sends at its pace. A request is repeated until it is acknowledged or the run is over, at the latest after
/// `CLEAN_WAIT`.
fn send_until(sender: &mut HttpSender, pause: Duration, done: &AtomicBool, retries: &AtomicU64) {
    let mut due = Instant::now();
    while !done.load(Ordering::Acquire) && sender.prepare() {
        let mut since_done = None;
        while sender.send_again().is_err() {
            retries.fetch_add(1, Ordering::AcqRel);
            if done.load(Ordering::Acquire) && since_done.get_or_insert_with(Instant::now).elapsed() > CLEAN_WAIT {
                sender.give_up();
                return;
            }
            clock::wait_until(Instant::now() + RETRY_PAUSE);
        }
        due = (due + pause).max(Instant::now());
        clock::wait_until(due);
    }
}

/// Runs one job after the other, each with all it can do, so that most kills come in the midst of one.
fn move_on(address: SocketAddr, done: &AtomicBool, moves: &AtomicU64) {
    let Ok(mut client) = Client::new(address) else { return };
    for job in ["fold", "seal", "day"].into_iter().cycle() {
        if done.load(Ordering::Acquire) {
            return;
        }
        match client.post(&format!("/api/v1/jobs/{job}/run?force=true"), "application/json", b"") {
            Ok(answer) if answer.status == 200 => drop(moves.fetch_add(1, Ordering::AcqRel)),
            Ok(_) | Err(_) => clock::wait_until(Instant::now() + RETRY_PAUSE),
        }
    }
}

fn kill_in_rounds(server: &mut Server, seed: u64, settings: &Settings) -> Result<Rounds, ScenarioError> {
    let mut rounds = Rounds::default();
    let bar = Bar::new("killing", Duration::from_millis(settings.round_ms_max * u64::from(settings.rounds)));
    let begin = Instant::now();
    for round in 0..settings.rounds {
        let random = mix(seed ^ mix(u64::from(round)));
        let wait_ms = 200 + random % (settings.round_ms_max - 200);
        clock::wait_until(Instant::now() + Duration::from_millis(wait_ms));
        bar.at(begin.elapsed());
        let killed = Instant::now();
        if round % 2 == 0 {
            server.kill();
            server.restart()?;
        } else {
            server.kill_postmaster()?;
            recover(server, &mut rounds)?;
        }
        rounds.recovery_ms.push(killed.elapsed().as_millis() as u64);
    }
    Ok(rounds)
}

/// Gives the server time to start its PostgreSQL again; if it cannot, it is restarted and the report says so.
fn recover(server: &mut Server, rounds: &mut Rounds) -> Result<(), ScenarioError> {
    // Readiness may lag behind the death by a moment; a write that is answered is the proof, which the senders give.
    let deadline = Instant::now() + RETRY_PAUSE * 4;
    while server.is_ready() && Instant::now() < deadline {
        clock::wait_until(Instant::now() + RETRY_PAUSE / 10);
    }
    match server.wait_until_ready(RECOVERY_WAIT) {
        Ok(()) => rounds.recovered_alone += 1,
        Err(error) => {
            rounds.failures.push(format!("after its PostgreSQL was killed the server had to be restarted: {error}"));
            server.restart()?;
        }
    }
    Ok(())
}

/// Every series of every host.
fn look_up_everything(setup: &Setup) -> Result<Findings, ScenarioError> {
    let mut client = Client::new(setup.server.address())?;
    let mut findings = Findings::default();
    for sender in &setup.senders {
        let open = sender.unacknowledged().unwrap_or_default();
        for (host, steps) in sender.sent() {
            let fates: Vec<Fate> = verify::fates(host, steps, open);
            for metric in 0..METRICS.len() {
                findings.add(&verify::check_series(&mut client, &setup.fleet, host, metric, &fates)?);
            }
        }
    }
    Ok(findings)
}
