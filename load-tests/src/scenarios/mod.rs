//! One promise of the server a file: what is done to it, what is measured, what counts as broken.

pub(crate) mod alert_crash;
pub(crate) mod alerts;
pub(crate) mod auth;
pub(crate) mod compare;
pub(crate) mod crash;
pub(crate) mod generator;
mod history;
pub(crate) mod idle;
pub(crate) mod ingest;
pub(crate) mod live_fanout;
mod queries;
pub(crate) mod query_mix;
pub(crate) mod reconnect;
pub(crate) mod sizes;
pub(crate) mod sustained;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::Common;
use crate::client::{Client, ClientError};
use crate::clock;
use crate::data::stream::{Block, Shape, Stream};
use crate::data::walk::mix;
use crate::data::{Fleet, METRICS, TimeGrid};
use crate::directory::WorkDir;
use crate::output::Bar;
use crate::peers::PeerError;
use crate::process::ProcessError;
use crate::schedule::{self, Outcome, Plan};
use crate::sender::{Endpoint, HttpSender, Sender};
use crate::server::{Launch, Server, ServerError};
use crate::verify::{self, Findings, VerifyError};

const MS_PER_DAY: i64 = 86_400_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ScenarioError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("a file or socket of the test itself failed")]
    Io(#[from] io::Error),
    #[error("the WebSocket failed")]
    WebSocket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    #[error("{0}")]
    Settings(String),
    #[error("nothing was acknowledged: {0}")]
    NothingAcknowledged(String),
}

/// A running server with a registered fleet and connections ready to send to it.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) server: Server,
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) senders: Vec<HttpSender>,
    pub(crate) shape: Shape,
    // Last, so that the directory outlives the server that works in it.
    _dir: WorkDir,
}

impl Setup {
    /// Starts the server over a new directory and registers at least `hosts` hosts.
    pub(crate) fn start(common: &Common, hosts: u32, shape: Shape) -> Result<Self, ScenarioError> {
        Self::start_with(common, hosts, shape, Endpoint::native)
    }

    /// The same with connections to another endpoint of the server.
    pub(crate) fn start_with(
        common: &Common,
        hosts: u32,
        shape: Shape,
        endpoint: fn(SocketAddr) -> Endpoint,
    ) -> Result<Self, ScenarioError> {
        let workers = usize::from(common.connections);
        let mut fleet = Fleet::new(common.seed, shape.hosts_rounded(hosts, workers), common.time_grid());
        let dir = WorkDir::new(common.work_dir.as_deref())?;
        let server = Server::start(common.launch(&dir))?;
        server.register(&mut fleet, workers)?;
        let fleet = Arc::new(fleet);
        let senders = senders_to(&endpoint(server.address()), &fleet, shape, workers)?;
        Ok(Self { server, fleet, senders, shape, _dir: dir })
    }

    pub(crate) fn run(&mut self, label: &str, plan: Plan) -> Outcome {
        run_plan(label, plan, &mut self.senders)
    }

    /// As fast as the server answers; an error when it takes nothing at all.
    pub(crate) fn peak(&mut self, label: &str, duration: Duration) -> Result<Outcome, ScenarioError> {
        let outcome = self.run(label, Plan::Closed { duration });
        if outcome.samples == 0 {
            return Err(ScenarioError::NothingAcknowledged(outcome.first_failure.unwrap_or_default()));
        }
        Ok(outcome)
    }

    /// On schedule, in samples a second.
    pub(crate) fn open_plan(&self, duration: Duration, samples_per_s: f64) -> Plan {
        Plan::Open { duration, requests_per_s: (samples_per_s / self.shape.samples() as f64).max(0.1) }
    }

    /// Reads back some series chosen by the seed and compares every sample of them.
    pub(crate) fn spot_check(&self, series: usize) -> Result<Findings, ScenarioError> {
        let mut client = Client::new(self.server.address())?;
        let mut findings = Findings::default();
        let known: Vec<(usize, u32, &[Block])> = self
            .senders
            .iter()
            .filter_map(|sender| Some((sender, sender.unacknowledged()?)))
            .flat_map(|(sender, open)| sender.sent().map(move |(host, steps)| (host, steps, open)))
            .collect();
        if known.is_empty() {
            return Err(ScenarioError::NothingAcknowledged(
                "too many requests failed to know what must be there".into(),
            ));
        }
        for pick in 0..series as u64 {
            let random = mix(self.fleet.seed ^ mix(pick));
            let (host, steps, open) = known[(random % known.len() as u64) as usize];
            let metric = (random >> 32) as usize % METRICS.len();
            let fates = verify::fates(host, steps, open);
            findings.add(&verify::check_series(&mut client, &self.fleet, host, metric, &fates)?);
        }
        Ok(findings)
    }
}

impl Common {
    pub(crate) fn launch(&self, dir: &WorkDir) -> Launch {
        Launch {
            binary: self.server_binary.clone(),
            arguments: self.server_arguments.clone(),
            dir: dir.path().to_owned(),
        }
    }

    /// The same with further arguments for the server.
    pub(crate) fn with_server_arguments(&self, arguments: &[&str]) -> Self {
        let mut common = self.clone();
        common.server_arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        common
    }

    pub(crate) fn time_grid(&self) -> TimeGrid {
        TimeGrid { end_ms: clock::now_ms(), span_ms: self.span_days * MS_PER_DAY, step_ms: self.step_ms }
    }
}

pub(crate) fn senders(
    server: &Server,
    fleet: &Arc<Fleet>,
    shape: Shape,
    workers: usize,
) -> Result<Vec<HttpSender>, ScenarioError> {
    senders_to(&Endpoint::native(server.address()), fleet, shape, workers)
}

fn senders_to(
    endpoint: &Endpoint,
    fleet: &Arc<Fleet>,
    shape: Shape,
    workers: usize,
) -> Result<Vec<HttpSender>, ScenarioError> {
    let sender = |worker| HttpSender::new(endpoint, shape, Stream::new(fleet, shape, worker, workers));
    Ok((0..workers).map(sender).collect::<Result<_, _>>()?)
}

pub(crate) fn run_plan<S: Sender>(label: &str, plan: Plan, senders: &mut [S]) -> Outcome {
    let (Plan::Closed { duration } | Plan::Open { duration, .. }) = plan;
    schedule::run(plan, senders, &Bar::new(label, duration))
}

/// What is wrong with a run that should have had no failure.
pub(crate) fn complaints(label: &str, outcome: &Outcome) -> Option<String> {
    let Outcome { refused, failed, missed, exhausted, .. } = outcome;
    let first = outcome.first_failure.as_deref().unwrap_or("none");
    (!outcome.is_clean()).then(|| {
        format!(
            "{label}: {refused} refused, {failed} failed, {missed} missed, out of data: {exhausted}; first: {first}"
        )
    })
}

/// Milliseconds for a table.
pub(crate) fn ms(value: f64) -> String {
    format!("{value:.2}")
}
