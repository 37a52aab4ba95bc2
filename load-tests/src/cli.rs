//! The command line: one subcommand a scenario, each with defaults that make a short run.

use std::path::PathBuf;

use clap::{Args, FromArgMatches, Parser, Subcommand};

use crate::report::Report;
use crate::scenarios::{
    ScenarioError, alert_crash, alerts, auth, compare, crash, generator, idle, ingest, live_fanout, query_mix,
    reconnect, sizes, sustained,
};

/// Load, fault and comparison tests for Millrace, on loopback only.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    scenario: Scenario,
}

/// What every scenario needs.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// The server under test.
    #[arg(long, global = true, default_value = "target/release/millrace")]
    pub(crate) server_binary: PathBuf,
    /// Handed on to the server; may be given several times.
    #[arg(long = "server-arg", global = true, allow_hyphen_values = true)]
    pub(crate) server_arguments: Vec<String>,
    /// Where the JSON results go.
    #[arg(long, global = true, default_value = "load-tests/results")]
    pub(crate) results_dir: PathBuf,
    /// Keep data and logs below this directory instead of in a temporary one.
    #[arg(long, global = true)]
    pub(crate) work_dir: Option<PathBuf>,
    /// Chooses all values.
    #[arg(long, global = true, default_value_t = 20_251_120)]
    pub(crate) seed: u64,
    /// Connections that send samples.
    #[arg(long, global = true, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(crate) connections: u16,
    /// From one sample of a series to the next.
    #[arg(long, global = true, default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(1..))]
    pub(crate) step_ms: i64,
    /// How far back the first sample lies; what is sent ends at the present.
    #[arg(long, global = true, default_value_t = 7, value_parser = clap::value_parser!(i64).range(1..=60))]
    pub(crate) span_days: i64,
}

#[derive(Clone, Debug, Subcommand)]
enum Scenario {
    /// The cost of the generator itself, against a server that does nothing.
    Generator(generator::Settings),
    /// Peak of native JSON ingest, then latencies at shares of it.
    IngestJson(ingest::Settings),
    /// The same with lines of InfluxDB.
    IngestInflux(ingest::Settings),
    /// The same with remote write 1.0.
    IngestRemoteWrite(ingest::Settings),
    /// Latency of small requests on an idle server, and what idling costs.
    Idle(idle::Settings),
    /// Memory and latency over time at a share of the peak.
    Sustained(sustained::Settings),
    /// Many WebSocket subscribers with distinct filters, every frame checked.
    LiveFanout(live_fanout::Settings),
    /// Query latencies while samples arrive.
    QueryMix(query_mix::Settings),
    /// Kills server and PostgreSQL at random moments; nothing acknowledged may be lost.
    Crash(crash::Settings),
    /// The same data into Millrace, plain COPY and installed peers.
    Compare(compare::Settings),
    /// Bytes a sample of five kinds of data, beside VictoriaMetrics.
    Sizes(sizes::Settings),
    /// Native JSON ingest open and with tokens, taking turns.
    Auth(auth::Settings),
    /// Many agents that connect at once, each with a token the server has forgotten.
    Reconnect(reconnect::Settings),
    /// What many rules cost ingest, and how soon people are told of what was committed.
    Alerts(alerts::Settings),
    /// Kills the server while alerts fire and are over; nobody may miss one, and the history has each once.
    AlertCrash(alert_crash::Settings),
    /// Every scenario with its defaults.
    All,
}

/// A scenario ready to be run.
pub(crate) type Run = Box<dyn Fn(&Common) -> Result<Report, ScenarioError>>;

impl Cli {
    pub(crate) fn runs(&self) -> Vec<Run> {
        self.scenario.clone().runs()
    }
}

impl Scenario {
    fn runs(self) -> Vec<Run> {
        match self {
            Self::Generator(settings) => vec![Box::new(move |common| generator::run(common, &settings))],
            Self::IngestJson(settings) => vec![ingesting(settings, ingest::JSON)],
            Self::IngestInflux(settings) => vec![ingesting(settings, ingest::INFLUX)],
            Self::IngestRemoteWrite(settings) => vec![ingesting(settings, ingest::REMOTE_WRITE)],
            Self::Idle(settings) => vec![Box::new(move |common| idle::run(common, &settings))],
            Self::Sustained(settings) => vec![Box::new(move |common| sustained::run(common, &settings))],
            Self::LiveFanout(settings) => vec![Box::new(move |common| live_fanout::run(common, &settings))],
            Self::QueryMix(settings) => vec![Box::new(move |common| query_mix::run(common, &settings))],
            Self::Crash(settings) => vec![Box::new(move |common| crash::run(common, &settings))],
            Self::Compare(settings) => vec![Box::new(move |common| compare::run(common, &settings))],
            Self::Sizes(settings) => vec![Box::new(move |common| sizes::run(common, &settings))],
            Self::Auth(settings) => vec![Box::new(move |common| auth::run(common, &settings))],
            Self::Reconnect(settings) => vec![Box::new(move |common| reconnect::run(common, &settings))],
            Self::Alerts(settings) => vec![Box::new(move |common| alerts::run(common, &settings))],
            Self::AlertCrash(settings) => vec![Box::new(move |common| alert_crash::run(common, &settings))],
            Self::All => Self::every().into_iter().flat_map(Self::runs).collect(),
        }
    }

    fn every() -> [Self; 15] {
        [
            Self::Generator(defaults()),
            Self::IngestJson(defaults()),
            Self::IngestInflux(defaults()),
            Self::IngestRemoteWrite(defaults()),
            Self::Idle(defaults()),
            Self::Sustained(defaults()),
            Self::LiveFanout(defaults()),
            Self::QueryMix(defaults()),
            Self::Crash(defaults()),
            Self::Compare(defaults()),
            Self::Sizes(defaults()),
            Self::Auth(defaults()),
            Self::Reconnect(defaults()),
            Self::Alerts(defaults()),
            Self::AlertCrash(defaults()),
        ]
    }
}

fn ingesting(settings: ingest::Settings, way: ingest::Way) -> Run {
    Box::new(move |common| ingest::run(common, &settings, way))
}

/// The settings of a scenario when nothing is said.
fn defaults<S: Args + FromArgMatches>() -> S {
    let command = S::augment_args(clap::Command::new("defaults"));
    let matches = command.get_matches_from(["defaults"]);
    S::from_arg_matches(&matches).expect("every setting has a default, which a test asks for")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn every_scenario_runs_without_settings() {
        assert_eq!(Scenario::All.runs().len(), 15);
        let cli = Cli::parse_from(["load", "ingest-json", "--seed", "7", "--duration-s", "1"]);
        assert_eq!((cli.common.seed, cli.runs().len()), (7, 1));
    }
}
