//! The composition root: the only module that knows all others. Builds the stages from the settings, starts them in
//! one order and stops them in the other.
//!
//! Building binds sockets and reaches PostgreSQL but starts no task; [`App::run`] does. At the end: no new requests,
//! then the answers of those that were accepted, then the journal, then live sessions, then PostgreSQL.

mod admin; // what an operator does about people
mod chores; // small things done every few seconds
mod coherence; // what is kept of stored things, as the journal sees it
mod database; // one's own PostgreSQL, or someone else's
mod lines; // the sockets for lines
mod jobs; // what moves data on, and when
mod observe; // stages' numbers to self-metrics
mod people; // who may sign in, from the first start on
mod news; // what happened with alerts, for live sessions
mod past; // stored samples for live sessions and those who judge
mod alerting; // what judges, and what tells of it
mod reports; // reports that came in on other nodes
mod revocations; // the end of what goes on after its answer
mod plan; // settings to each module's own configuration
mod verify; // the check of all that is stored
mod signals; // what the operating system asks for

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::admit::budget::Budget;
use crate::alert::{Alerts, Intake};
use crate::auth::{Access, Gate, Presence, Tokens, Watch};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::config::Config;
use crate::embedded::{self, Cluster, EmbeddedError};
use crate::http::handlers::{self, Readiness, Services};
use crate::http::tls::Tls;
use crate::http::{self, Front, Listener};
use crate::jobs::Context;
use crate::jobs::fold::Trigger;
use crate::jobs::keep::{self, MonthsWatch};
use crate::jobs::retention::Policy;
use crate::jobs::runner::{Runner, Worker};
use crate::journal::{Follower, Journal, Lanes, Surroundings};
use crate::listen::{Dialect, Sockets};
use crate::live::{Hub, HubWorker, Replays, Reports};
use crate::model::{CommitListener, Origin};
use crate::query::{self, LatestSamples};
use crate::shutdown::Tasks;
use crate::store::{Database, migrations, nodes};
use crate::telemetry::ingest_log::IngestLogWriter;
use crate::telemetry::{Machine, Metrics};

pub use admin::administer;
pub use signals::Signals;
pub use verify::verify;

use coherence::Kept;
use past::StoredSamples;
use revocations::Revocations;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long each stage after the front has to end.
const STAGE_DEADLINE: Duration = Duration::from_secs(10);
/// The front's tasks end a little after the connections they serve were given up.
const FRONT_GRACE: Duration = Duration::from_secs(2);

/// What looks at what other nodes do, and the writer of what is shown besides.
#[derive(Debug)]
struct Watchers {
    follower: Follower,
    tokens: Watch,
    revocations: Revocations,
    reports: (Database, Arc<Reports>),
    ingest_log: Option<IngestLogWriter>,
}

impl Watchers {
    fn new(
        follower: Follower,
        tokens: Watch,
        gate: &Arc<Gate>,
        services: &Services,
        ingest_log: Option<IngestLogWriter>,
    ) -> Self {
        let revocations = Revocations::new(Arc::clone(gate), Arc::clone(&services.presence), tokens.revisions());
        let reports = (services.database.clone(), Arc::clone(&services.reports));
        Self { follower, tokens, revocations, reports, ingest_log }
    }

    fn start(self, tasks: &Tasks) {
        drop(tasks.spawn("follower", self.follower.run(tasks.stopping())));
        drop(tasks.spawn("tokens", self.tokens.run(tasks.stopping())));
        drop(tasks.spawn("revocations", self.revocations.run(tasks.stopping())));
        drop(tasks.spawn("reports", reports::run(self.reports, tasks.stopping())));
        if let Some(writer) = self.ingest_log {
            drop(tasks.spawn("ingest log", writer.run(tasks.stopping())));
        }
    }
}

/// Everything, built and not started.
#[derive(Debug)]
pub struct App {
    services: Arc<Services>,
    front: Arc<Front>,
    http: http::Config,
    listeners: Vec<Listener>,
    sockets: Vec<Sockets>,
    tls: Option<Arc<Tls>>,
    lanes: Lanes,
    hub_worker: HubWorker,
    watchers: Watchers,
    workers: Vec<Worker>,
    cluster: Option<Cluster>,
}

impl App {
    /// # Errors
    /// When an address is taken, a certificate cannot be read, or PostgreSQL does not come up.
    pub async fn build(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let (ingest_log, log_writer) = plan::ingest_log(config)?;
        let tls = config.tls.as_ref().map(|files| Tls::load(&files.certificate, &files.key)).transpose()?.map(Arc::new);
        // Bound before anything slow happens, so that a taken address is told at once.
        let listeners = listeners(config, tls.as_ref())?;
        let sockets = lines::bind(config).await?;
        let http = plan::http(config)?;
        let (database, cluster) = database::open(config).await?;
        migrations::migrate(&database).await?;
        let context = Context { database: database.clone(), clock: Arc::clone(&clock) };
        let months = prepare_months(context.clone()).await;
        let node = nodes::register(&database.client().await?, env!("CARGO_PKG_VERSION")).await?;
        let metrics = Arc::new(Metrics::new());
        let catalog = Arc::new(Catalog::open(database.clone(), plan::catalog(config)).await?);
        let (hub, hub_worker, marks) = live(config, &database, &catalog).await?;
        let (folds, latest, alerts) = (Arc::default(), Arc::default(), alerting::build(config, &clock)?);
        let retention = Arc::new(plan::retention(config));
        let surroundings = Surroundings {
            database: database.clone(),
            node,
            clock: Arc::clone(&clock),
            metrics: Arc::clone(&metrics),
            listeners: who_hears(&hub, &latest, &folds, &alerts),
        };
        let (journal, lanes) = Journal::new(plan::journal(config), &surroundings);
        let follower = Follower::new(&surroundings, Kept::of(&database, &catalog, &latest, &hub, &alerts), &marks);
        let (jobs, workers) =
            Runner::new(jobs::all(config, &folds, &retention, &alerts.signals), context, node.id, Arc::clone(&metrics));
        let (readers, kept_from) = (Tasks::default(), kept_from(&retention, &clock));
        let query = reading(config, &database, &catalog, latest, (&readers, kept_from));
        let (tokens, tokens_watch) = Tokens::new(database.clone(), Arc::clone(&clock), config.auth.cached_max);
        let services = Arc::new(Services {
            tokens,
            signatures: plan::signatures(config, &clock),
            speaks_tls: tls.is_some(),
            people: people::build(config, &database, &clock).await?,
            catalog,
            journal: Arc::new(journal),
            reports: Arc::new(Reports::new(Arc::clone(&hub))),
            hub,
            alerts,
            replays: Arc::new(Replays::new(Arc::new(StoredSamples(Arc::clone(&query))))),
            query,
            jobs,
            heartbeat: plan::heartbeat(config),
            sessions: Tasks::default(),
            presence: Arc::<Presence>::default(),
            origins: http.cors.origins.clone(),
            readers,
            database,
            budget: Budget::new(config.http.in_flight_bytes_max as u64),
            rates: Arc::new(plan::rates(config)),
            months,
            retention,
            past: config.window.past,
            future: config.window.future,
            dialects: plan::dialects(config),
            clock,
            metrics,
            rejects: Arc::default(),
            scratch: handlers::ScratchPool::default(),
            readiness: Arc::new(Readiness::default()),
            machine: Machine::detect(),
            ingest_log,
        });
        let gate = Arc::new(gate(config, &services));
        let watchers = Watchers::new(follower, tokens_watch, &gate, &services, log_writer);
        let front = front(&services, gate, &http)?;
        Ok(Self { services, front, http, listeners, sockets, tls, lanes, hub_worker, watchers, workers, cluster })
    }

    /// The addresses that were bound, ports that the system chose included.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(Listener::local_addr).collect()
    }

    /// The same for the sockets that take lines, with what they take.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn line_addresses(&self) -> std::io::Result<Vec<(Dialect, SocketAddr)>> {
        self.sockets.iter().map(|sockets| Ok((sockets.dialect(), sockets.local_addr()?))).collect()
    }

    /// Every method and path pattern that is answered, and what it asks of its callers.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &'static str, Access)> {
        self.front.router().routes().iter().map(|(method, pattern, access)| (method.as_str(), *pattern, *access))
    }

    /// Serves until `stop` resolves, then ends in order.
    ///
    /// # Errors
    /// When a stage could not be started, or did not end in time.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        let Self { services, front, http, listeners, sockets, tls, mut lanes, hub_worker, watchers, workers, cluster } =
            self;
        let (requests, background, storage) = (Tasks::default(), Tasks::default(), Tasks::default());
        let (jobs, judging) = (Tasks::default(), Tasks::default());
        let mut cluster = cluster.map(|cluster| {
            storage.spawn("postgresql", embedded::supervise(cluster, storage.stopping(), STAGE_DEADLINE))
        });
        lanes.start()?;
        drop(background.spawn("live hub", hub_worker.run(background.stopping())));
        watchers.start(&background);
        alerting::start_judging(&services, &judging);
        drop(background.spawn("chores", chores::run(Arc::clone(&services), background.stopping())));
        alerting::start_telling(&services, &background);
        for worker in workers {
            drop(jobs.spawn(worker.name(), worker.run(jobs.clone())));
        }
        if let Some(tls) = tls {
            drop(background.spawn("certificates", signals::reload_on_hangup(tls, background.stopping())));
        }
        lines::start(sockets, &services, &requests);
        let serving = {
            let (requests, http) = (requests.clone(), http.clone());
            async move { http::serve(listeners, front, &http, requests).await }
        };
        let served = background.spawn("http", serving);
        let failure: Option<Failure> = tokio::select! {
            () = stop => None,
            () = lanes.failed() => Some("a journal lane ended by itself".into()),
            failure = ended(cluster.as_mut()) => Some(failure),
        };

        tracing::info!("stopping");
        services.readiness.drain();
        jobs.ask_to_stop();
        let mut late = Vec::new();
        late.extend(requests.stop(http.connections.drain_deadline + FRONT_GRACE).await.err().unwrap_or_default());
        if let Ok(drained) = served.await {
            tracing::info!(connections.dropped = drained.connections_dropped, "answered what was accepted");
        }
        services.journal.close();
        if let Err(lanes) = lanes.stop(STAGE_DEADLINE).await {
            late.push(("journal lane", lanes));
        }
        // What was committed by now is judged; delivering it is for those who go on, here or elsewhere.
        late.extend(judging.stop(STAGE_DEADLINE).await.err().unwrap_or_default());
        services.hub.caught_up(STAGE_DEADLINE).await;
        late.extend(services.sessions.stop(STAGE_DEADLINE).await.err().unwrap_or_default());
        late.extend(services.readers.stop(STAGE_DEADLINE).await.err().unwrap_or_default());
        late.extend(jobs.stop(STAGE_DEADLINE).await.err().unwrap_or_default());
        late.extend(background.stop(STAGE_DEADLINE).await.err().unwrap_or_default());
        services.database.close();
        storage.ask_to_stop();
        match (failure, cluster) {
            (None, Some(cluster)) => cluster.await??,
            (None, None) => {}
            (Some(failure), cluster) => {
                // Its end may be the very failure, and was looked at then.
                if let Some(cluster) = cluster.filter(|cluster| !cluster.is_finished()) {
                    drop(cluster.await);
                }
                return Err(failure);
            }
        }
        if late.is_empty() { Ok(()) } else { Err(format!("did not end in time: {late:?}").into()) }
    }
}

/// Live push, and how far the journal was when it was built: what is committed up to there is the past to it, and the
/// follower begins exactly there.
async fn live(
    config: &Config,
    database: &Database,
    catalog: &Arc<Catalog>,
) -> Result<(Arc<Hub>, HubWorker, Vec<(Origin, u64)>), Failure> {
    let marks = nodes::news(&database.client().await?).await?.writers;
    let known = marks.iter().copied().collect();
    let (hub, worker) = Hub::build(plan::hub(config), Arc::<Catalog>::clone(catalog), known);
    Ok((hub, worker, marks))
}

/// Who hears of commits.
fn who_hears(
    hub: &Arc<Hub>,
    latest: &Arc<LatestSamples>,
    folds: &Arc<Trigger>,
    alerts: &Alerts,
) -> Vec<Arc<dyn CommitListener>> {
    let intake = Arc::<Intake>::clone(&alerts.intake);
    vec![Arc::<Hub>::clone(hub), Arc::<LatestSamples>::clone(latest), Arc::<Trigger>::clone(folds), intake]
}

/// What recognizes callers.
fn gate(config: &Config, services: &Services) -> Gate {
    let gate = Gate::new(plan::anyone(config))
        .with_tokens(Arc::clone(&services.tokens))
        .with_people(Arc::clone(&services.people));
    if services.signatures.has_secret() { gate.with_signatures() } else { gate }
}

/// What answers requests, and tells how it is doing.
fn front(services: &Arc<Services>, gate: Arc<Gate>, http: &http::Config) -> Result<Arc<Front>, Failure> {
    let front = Front::new(handlers::router(services)?, gate, http).observed_by(observe::answers(services));
    let front = Arc::new(front);
    observe::stages(services, &front);
    Ok(front)
}

/// The addresses to listen on, taken.
fn listeners(config: &Config, tls: Option<&Arc<Tls>>) -> std::io::Result<Vec<Listener>> {
    config.listen.iter().map(|address| Listener::bind(*address, tls.cloned())).collect()
}

/// What answers questions.
fn reading(
    config: &Config,
    database: &Database,
    catalog: &Arc<Catalog>,
    latest: Arc<LatestSamples>,
    (readers, kept_from): (&Tasks, Arc<query::KeptFrom>),
) -> Arc<query::Engine> {
    let engine =
        query::Engine::new(plan::query(config), database.clone(), Arc::clone(catalog), latest, readers.clone());
    Arc::new(engine.keeping(kept_from))
}

/// From when on the samples of a series are kept, for those who read.
fn kept_from(retention: &Arc<Policy>, clock: &Arc<dyn Clock>) -> Arc<query::KeptFrom> {
    let (retention, clock) = (Arc::clone(retention), Arc::clone(clock));
    Arc::new(move |identity| retention.kept_from(identity, clock.now()))
}

/// Makes the months that will be written. A server that cannot make one takes in samples all the same, but is not ready.
async fn prepare_months(context: Context) -> MonthsWatch {
    if let Err(error) = keep::make_months(&context).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a month could not be made");
    }
    MonthsWatch::new(context)
}

/// Resolves when PostgreSQL of our own has ended for good, which is a failure before anyone asked for it.
async fn ended(cluster: Option<&mut JoinHandle<Result<(), EmbeddedError>>>) -> Failure {
    let Some(cluster) = cluster else { return std::future::pending().await };
    match cluster.await {
        Ok(Ok(())) => "PostgreSQL ended".into(),
        Ok(Err(error)) => error.into(),
        Err(error) => error.into(),
    }
}
