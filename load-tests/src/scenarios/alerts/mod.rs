//! What alerting costs and how soon it tells: native JSON ingest with many rules judged and with none, taking turns; then
//! the time from a commit to the notice of it.
//!
//! In the turns without rules the server leaves judging to others, of whom there are none: it does not even look at what
//! it takes in.

mod delivery; // from a commit to its notice
mod rules; // what is watched

use std::time::{Duration, Instant};

use serde_json::json;

use self::delivery::Delivery;
use super::{ScenarioError, Setup, complaints, ms};
use crate::alerting;
use crate::cli::Common;
use crate::data::METRICS;
use crate::data::stream::Shape;
use crate::output::{Table, magnitude};
use crate::report::Report;
use crate::schedule::{Outcome, Plan};

/// 1,000 samples a request: an agent that sends what it gathered.
const SHAPE: Shape = Shape { hosts: 1, steps: 100 };
/// Of what the server takes without rules, it must take this share with them.
const SHARE_MIN: f64 = 0.9;
const P99_MAX_MS: f64 = 100.0;
const UNJUDGED: &[&str] = &["--set", "alerts.judge_elsewhere=true"];
/// How long it may take until every series has come once.
const MEET_WAIT: Duration = Duration::from_secs(120);
const MEET_TURN: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Length of each run.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) duration_s: u64,
    /// Runs of each kind.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Servers with ten series each.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) hosts: u32,
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=19_000))]
    pub(crate) rules: u32,
    /// How long thresholds are crossed.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) delivery_s: u64,
    /// Other samples that arrive meanwhile.
    #[arg(long, default_value_t = 200_000.0)]
    pub(crate) others_per_s: f64,
}

/// The rates of all turns, in samples a second.
#[derive(Debug, Default)]
struct Rates {
    unjudged: Vec<f64>,
    judged: Vec<f64>,
    /// Flushes that were read from what is stored because judging fell behind.
    dropped: f64,
    instances: f64,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    let common = common.with_server_arguments(&alerting::TELLS_LOOPBACK);
    let mut setup = Setup::start(&common, settings.hosts, SHAPE)?;
    let begin = Instant::now();
    alerting::add_rules(setup.server.address(), &rules::rules(settings.rules, &setup.fleet))?;
    let adding_s = begin.elapsed().as_secs_f64();
    let mut table = Table::with_heading(&["run", "samples/s", "p50 ms", "p99 ms"]);
    let mut failures = Vec::new();
    let mut rates = take_turns(&mut setup, settings, &mut table, &mut failures)?;
    let share = median(&mut rates.judged) / median(&mut rates.unjudged);
    table.row(["share, medians".into(), format!("{:.1} %", share * 100.0)]);
    if share < SHARE_MIN {
        failures.push(format!("with rules only {:.1} % of the rate without", share * 100.0));
    }
    let Delivery { latency, commit, others, notices, failures: of_delivery } = delivery::measure(&mut setup, settings)?;
    failures.extend(of_delivery);
    table.row(["commit to notice".into(), latency.count.to_string(), ms(latency.p50_ms), ms(latency.p99_ms)]);
    table.row(["sent to committed".into(), commit.count.to_string(), ms(commit.p50_ms), ms(commit.p99_ms)]);
    table.row(["others meanwhile".into(), magnitude(others.samples_per_s)]);
    if latency.p99_ms > P99_MAX_MS {
        failures.push(format!("p99 {:.1} ms from commit to notice is more than {P99_MAX_MS} ms", latency.p99_ms));
    }
    setup.server.stop()?;
    Ok(Report {
        scenario: "alerts",
        settings: json!({
            "duration_s": settings.duration_s, "rounds": settings.rounds, "connections": common.connections,
            "rules": settings.rules, "series": setup.fleet.hosts.len() * METRICS.len(),
            "samples_per_request": SHAPE.samples(), "delivery_s": settings.delivery_s,
        }),
        results: json!({
            "adding_rules_s": adding_s, "unjudged_per_s": rates.unjudged, "judged_per_s": rates.judged, "share": share,
            "instances": rates.instances, "flushes_dropped": rates.dropped, "commit_to_notice": latency,
            "sent_to_committed": commit, "others": others, "notices": notices,
        }),
        table,
        failures,
    })
}

fn take_turns(
    setup: &mut Setup,
    settings: &Settings,
    table: &mut Table,
    failures: &mut Vec<String>,
) -> Result<Rates, ScenarioError> {
    let mut rates = Rates::default();
    for round in 1..=settings.rounds {
        for is_judged in [false, true] {
            let label = format!("{} {round}", if is_judged { "with rules" } else { "without" });
            let outcome = one(setup, settings, is_judged, &label)?;
            let (latency, rate) = (outcome.latencies.quantiles(), outcome.samples_per_s());
            table.row([label.clone(), magnitude(rate), ms(latency.p50_ms), ms(latency.p99_ms)]);
            failures.extend(complaints(&label, &outcome));
            if is_judged { &mut rates.judged } else { &mut rates.unjudged }.push(rate);
            if is_judged {
                rates.dropped += setup.server.number("millrace_alert_flushes_dropped_total").unwrap_or(0.0);
                rates.instances = setup.server.number("millrace_alert_instances").unwrap_or(0.0);
            }
        }
    }
    table.row(["rules and series judged together".into(), magnitude(rates.instances)]);
    table.row(["flushes judged from what is stored".into(), magnitude(rates.dropped)]);
    Ok(rates)
}

/// One run on a server that was just started and has met every series again.
fn one(setup: &mut Setup, settings: &Settings, is_judged: bool, label: &str) -> Result<Outcome, ScenarioError> {
    setup.server.reopen(if is_judged { &[] } else { UNJUDGED })?;
    if is_judged {
        alerting::wait_until_judged(&setup.server, settings.rules as usize)?;
    }
    meet_every_series(setup)?;
    setup.peak(label, Duration::from_secs(settings.duration_s))
}

/// Sends until each host has come once more.
fn meet_every_series(setup: &mut Setup) -> Result<(), ScenarioError> {
    let sent = |setup: &Setup| setup.senders.iter().flat_map(|sender| sender.sent()).collect::<Vec<_>>();
    let (before, begin) = (sent(setup), Instant::now());
    while before.iter().zip(sent(setup)).any(|((_, before), (_, now))| now <= *before) {
        if begin.elapsed() > MEET_WAIT {
            return Err(ScenarioError::NothingAcknowledged("not every series came in time".into()));
        }
        setup.run("warm-up", Plan::Closed { duration: MEET_TURN });
    }
    Ok(())
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
