//! What tokens cost: the same requests to a server that is open to everybody, and to the same server when it is open to
//! nobody and every request shows a token.

use std::time::Duration;

use serde_json::json;

use super::{ScenarioError, Setup, complaints, ms};
use crate::cli::Common;
use crate::data::stream::Shape;
use crate::output::{Table, magnitude};
use crate::report::Report;
use crate::schedule::{Outcome, Plan};

/// 1,000 samples a request: an agent that sends what it gathered.
const SHAPE: Shape = Shape { hosts: 1, steps: 100 };
/// Of what the open server takes, the server with tokens must take this share.
const SHARE_MIN: f64 = 0.95;
const CLOSED: &[&str] = &["--set", "anonymous=none"];

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Length of each run.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) duration_s: u64,
    /// Sending before anything is measured, after each start.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub(crate) warm_up_s: u64,
    /// Runs of each kind.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Servers with ten series each.
    #[arg(long, default_value_t = 1000)]
    pub(crate) hosts: u32,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    let mut setup = Setup::start(common, settings.hosts, SHAPE)?;
    let token = setup.server.make_token(&["ingest"])?;
    let mut table = Table::with_heading(&["run", "samples/s", "p50 ms", "p99 ms"]);
    let mut failures = Vec::new();
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for round in 1..=settings.rounds {
        for shown in [None, Some(token.as_str())] {
            let label = format!("{} {round}", if shown.is_some() { "with tokens" } else { "open" });
            let outcome = one(&mut setup, settings, shown, &label)?;
            let latency = outcome.latencies.quantiles();
            let rate = outcome.samples_per_s();
            table.row([label.clone(), magnitude(rate), ms(latency.p50_ms), ms(latency.p99_ms)]);
            failures.extend(complaints(&label, &outcome));
            if shown.is_some() { &mut closed } else { &mut open }.push(rate);
        }
    }
    let share = median(&mut closed) / median(&mut open);
    table.row(["share, medians".into(), format!("{:.1} %", share * 100.0)]);
    if share < SHARE_MIN {
        failures.push(format!("with tokens only {:.1} % of the open rate", share * 100.0));
    }
    setup.server.stop()?;
    Ok(Report {
        scenario: "auth",
        settings: json!({
            "duration_s": settings.duration_s, "rounds": settings.rounds, "connections": common.connections,
            "samples_per_request": SHAPE.samples(),
        }),
        results: json!({"open_per_s": open, "with_tokens_per_s": closed, "share": share}),
        table,
        failures,
    })
}

/// One run on a server that was just started, whose caches are warm again.
fn one(setup: &mut Setup, settings: &Settings, token: Option<&str>, label: &str) -> Result<Outcome, ScenarioError> {
    setup.server.reopen(if token.is_some() { CLOSED } else { &[] })?;
    setup.senders.iter_mut().for_each(|sender| sender.show(token));
    setup.run("warm-up", Plan::Closed { duration: Duration::from_secs(settings.warm_up_s) });
    setup.peak(label, Duration::from_secs(settings.duration_s))
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
