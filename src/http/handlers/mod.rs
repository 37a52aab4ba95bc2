//! What answers each path: take the request apart, call the stage that knows, put the answer together. No SQL, no
//! decisions that belong to a stage.

mod admission; // room for bodies
mod aggregate; // samples put together
mod cron; // scheduled commands
mod documents; // how servers are
mod entries; // events and log lines
mod erase; // samples that are to go
mod export; // all samples of some series
mod import; // lines of samples, of any number
mod influx; // the write endpoints of InfluxDB
mod influx_answer; // what they answer
mod ingest; // bulk metrics
mod history; // windows of fixed metrics, as one of the source systems answers them
mod input; // JSON bodies of the small endpoints
mod jobs; // what moves data on
mod latest; // the last value of each series
mod metrics; // stored samples
mod output; // what the small endpoints' answers share
mod ports; // port probes
mod probes; // health, readiness, self-metrics, the API's description
mod refusal; // a stage's error to an answer
mod scratch; // buffers that requests share
mod series; // the catalog
mod servers; // registration
mod snapshots; // process and container lists
mod stream; // live push

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::Method;

use super::cors::Origins;
use super::error::ErrorShape::{Detail, Influx, Structured, Text};
use super::router::RouteError;
use super::{ApiError, Request, Response, Router};
use crate::admit::budget::Budget;
use crate::admit::rate::Rates;
use crate::auth::{Access, Presence};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::jobs::Runner;
use crate::jobs::keep::MonthsWatch;
use crate::jobs::retention::Policy;
use crate::journal::Journal;
use crate::live::{HeartbeatConfig, Hub, Replays};
use crate::query;
use crate::shutdown::Tasks;
use crate::store::Database;
use crate::telemetry::Metrics;
pub use influx::InfluxReading;
pub use scratch::ScratchPool;

/// What handlers work with: the entry point of every stage.
#[derive(Debug)]
pub struct Services {
    pub catalog: Arc<Catalog>,
    pub journal: Journal,
    pub hub: Arc<Hub>,
    pub replays: Arc<Replays>,
    pub heartbeat: HeartbeatConfig,
    /// Live sessions: they outlive the requests that opened them.
    pub sessions: Tasks,
    /// Who has one open.
    pub presence: Arc<Presence>,
    /// The pages that may open one.
    pub origins: Origins,
    /// Queries and exports: they may outlive the request, or the head of its answer.
    pub readers: Tasks,
    pub query: Arc<query::Engine>,
    pub jobs: Arc<Runner>,
    pub database: Database,
    pub budget: Budget,
    pub rates: Rates,
    pub months: MonthsWatch,
    pub retention: Arc<Policy>,
    pub past: Duration,
    pub future: Duration,
    /// How lines of InfluxDB are read.
    pub influx: InfluxReading,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub scratch: ScratchPool,
    pub readiness: Arc<Readiness>,
}

/// Whether requests should come here.
#[derive(Debug, Default)]
pub struct Readiness {
    draining: AtomicBool,
}

impl Readiness {
    /// From now on the server says that it is going away.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// Every route of the server.
///
/// # Errors
/// When two routes conflict, which a test would have shown.
pub fn router(services: &Arc<Services>) -> Result<Router, RouteError> {
    let with = |handler: AnyHandler| bind(services, handler);
    Router::builder()
        .route((Access::Open, Structured), Method::GET, "/-/healthy", with(probes::healthy))
        .route((Access::Open, Structured), Method::GET, "/-/ready", with(probes::ready))
        .route((Access::OBSERVE, Structured), Method::GET, "/-/metrics", with(probes::self_metrics))
        .route((Access::Open, Structured), Method::GET, "/openapi.json", with(probes::openapi))
        .route((Access::Open, Text), Method::GET, "/health", with(probes::health))
        .route((Access::READ, Text), Method::GET, "/api/v1/servers", with(servers::list))
        .route((Access::INGEST, Text), Method::POST, "/api/v1/servers", with(servers::register))
        .route((Access::READ, Text), Method::GET, "/api/v1/servers/{id}", with(servers::get))
        .route((Access::CHANGE, Text), Method::PATCH, "/api/v1/servers/{id}", with(servers::change))
        .route((Access::CHANGE, Text), Method::DELETE, "/api/v1/servers/{id}", with(servers::delete))
        .route((Access::INGEST, Text), Method::POST, "/api/v1/ingest", with(ingest::bulk))
        .route((Access::INGEST, Text), Method::POST, "/api/v1/ingest/processes", with(snapshots::add_processes))
        .route((Access::INGEST, Text), Method::POST, "/api/v1/ingest/containers", with(snapshots::add_containers))
        .route((Access::READ, Text), Method::GET, "/api/v1/processes", with(snapshots::processes))
        .route((Access::READ, Text), Method::GET, "/api/v1/containers", with(snapshots::containers))
        .route((Access::READ, Text), Method::GET, "/api/v1/cron/jobs", with(cron::jobs))
        .route((Access::INGEST, Text), Method::POST, "/api/v1/cron/jobs", with(cron::add_job))
        .route((Access::READ, Text), Method::GET, "/api/v1/cron/results", with(cron::results))
        .route((Access::INGEST, Text), Method::POST, "/api/v1/cron/results", with(cron::add_result))
        .route((Access::READ, Text), Method::GET, "/api/v1/ports/checks", with(ports::checks))
        .route((Access::INGEST, Text), Method::POST, "/api/v1/ports/checks", with(ports::add_check))
        .route((Access::READ, Text), Method::GET, "/api/v1/ports/results", with(ports::results))
        .route((Access::INGEST, Text), Method::POST, "/api/v1/ports/results", with(ports::add_result))
        .route((Access::READ, Text), Method::GET, "/api/v1/metrics", with(metrics::query))
        .route((Access::READ, Text), Method::GET, "/api/v1/latest", with(latest::query))
        .route((Access::READ, Detail), Method::GET, "/history/{agent_id}/{metric}", with(history::metric))
        .route((Access::READ, Detail), Method::GET, "/api/history/{agent_id}/{metric}", with(history::metric))
        .route((Access::READ, Text), Method::GET, "/api/v1/series", with(series::list))
        .route((Access::CHANGE, Text), Method::DELETE, "/api/v1/series", with(erase::erase))
        .route((Access::READ, Text), Method::GET, "/api/v1/stream", with(stream::open))
        .route((Access::OBSERVE, Structured), Method::GET, "/api/v1/jobs", with(jobs::list))
        .route((Access::ADMINISTER, Structured), Method::POST, "/api/v1/jobs/{name}/run", with(jobs::run))
        .route((Access::READ, Structured), Method::GET, "/api/v1/events", with(entries::events))
        .route((Access::READ, Structured), Method::GET, "/api/v1/logs", with(entries::logs))
        .route((Access::READ, Structured), Method::GET, "/api/v1/documents", with(documents::list))
        .route((Access::READ, Structured), Method::GET, "/api/v1/export", with(export::export))
        .route((Access::INGEST, Structured), Method::POST, "/api/v1/import", with(import::import))
        .route((Access::INGEST, Text), Method::POST, "/write", with(influx::write_v1))
        .route((Access::INGEST, Text), Method::POST, "/query", with(influx::query))
        .route((Access::Open, Text), Method::GET, "/ping", with(influx::ping))
        .route((Access::INGEST, Influx), Method::POST, "/api/v2/write", with(influx::write_v2))
        .route((Access::INGEST, Text), Method::POST, "/api/v3/write_lp", with(influx::write_v3))
        .build()
}

type AnyHandler = fn(Arc<Services>, Request) -> Answering;
type Answering = std::pin::Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send>>;

/// Gives a handler the services; boxed once here, so that all have one type.
fn bind(services: &Arc<Services>, handler: AnyHandler) -> impl Fn(Request) -> Answering + use<> {
    let services = Arc::clone(services);
    move |request| handler(Arc::clone(&services), request)
}
