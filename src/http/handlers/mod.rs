//! What answers each path: take the request apart, call the stage that knows, put the answer together. No SQL, no
//! decisions that belong to a stage.

mod admin_forms; // forms of administrators, as one of the source systems has them
mod admin_settings; // what administrators set
mod admin_users; // who may sign in
mod alerts; // what is watched, and what was found
mod admission; // room for bodies
mod agents; // agents of persons
mod aggregate; // samples put together
mod audit; // who did what
mod cron; // scheduled commands
mod documents; // how servers are
mod endpoints; // agents of the fleet
mod endpoint_forms; // the same as forms and files
mod entries; // events and log lines
mod erase; // samples that are to go
mod export; // all samples of some series
mod import; // lines of samples, of any number
mod influx; // the write endpoints of InfluxDB
mod influx_answer; // what they answer
mod otlp; // OpenTelemetry
mod otlp_answer; // what it is answered
mod prometheus; // remote write, and samples as text
mod prometheus_answer; // what they answer
mod ingest; // bulk metrics
mod history; // windows of fixed metrics, as one of the source systems answers them
mod input; // JSON bodies of the small endpoints
mod jobs; // what moves data on
mod latest; // the last value of each series
mod metrics; // stored samples
mod output; // what the small endpoints' answers share
mod multipart; // forms that pages put together
mod people; // registration and tokens
mod ports; // port probes
mod probes; // health, readiness, self-metrics, the API's description
mod quarantine; // what handlers refuse, kept
mod refusal; // a stage's error to an answer
mod rejects; // what was refused, and why
mod samples; // samples of a stretch of time
mod scratch; // buffers that requests share
mod series; // the catalog
mod servers; // registration
mod session; // signing in and out
mod snapshots; // process and container lists
mod stream; // live push
mod systems; // agents and dashboards of the systems that are replaced
mod tokens; // tokens that people make for programs
mod validation; // what is missing in a request

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::Method;

use super::cors::Origins;
use super::error::ErrorShape::{self, Both, Detail, Influx, Plain, Rpc, Structured, Text};
use super::router::{RouteError, RouterBuilder};
use super::{ApiError, Handler, Request, Response, Router, Words};
use crate::admit::budget::Budget;
use crate::admit::rate::Rates;
use crate::alert::Alerts;
use crate::auth::{Access, People, Presence, Right, Signatures, Tokens};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::jobs::Runner;
use crate::jobs::keep::MonthsWatch;
use crate::jobs::retention::Policy;
use crate::journal::Journal;
use crate::live::{HeartbeatConfig, Hub, Replays, Reports};
use crate::query;
use crate::rejects::Rejects;
use crate::shutdown::Tasks;
use crate::store::Database;
use crate::telemetry::{IngestLog, Machine, Metrics};
use crate::wire::otlp::Reading;
use crate::wire::prometheus::Naming;
pub use influx::InfluxReading;
pub use scratch::ScratchPool;
pub use systems::report_of_agent;

/// What handlers work with: the entry point of every stage.
#[derive(Debug)]
pub struct Services {
    pub catalog: Arc<Catalog>,
    pub journal: Arc<Journal>,
    pub hub: Arc<Hub>,
    pub replays: Arc<Replays>,
    pub alerts: Alerts,
    /// Reports of agents, for those who listen.
    pub reports: Arc<Reports>,
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
    pub people: Arc<People>,
    pub database: Database,
    pub tokens: Arc<Tokens>,
    /// For routes that take signed bodies.
    pub signatures: Signatures,
    pub speaks_tls: bool,
    pub budget: Budget,
    pub rates: Arc<Rates>,
    pub months: MonthsWatch,
    pub retention: Arc<Policy>,
    pub past: Duration,
    pub future: Duration,
    /// How lines of InfluxDB are read.
    /// How OpenTelemetry is read.
    pub dialects: Dialects,
    /// How labels of Prometheus become series.
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub rejects: Arc<Rejects>,
    pub scratch: ScratchPool,
    pub readiness: Arc<Readiness>,
    /// Where reports are shown to people, when they are.
    pub ingest_log: IngestLog,
    /// What the server runs on.
    pub machine: Machine,
}

/// How what agents of others send is read.
#[derive(Clone, Debug)]
pub struct Dialects {
    pub influx: InfluxReading,
    pub otlp: Reading,
    pub prometheus: Naming,
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

/// The paths of agents: theirs, and those behind the proxy that their dashboard has.
const AGENTS: [[&str; 4]; 2] = [
    ["/agents", "/agents/{id}", "/agents/{id}/regenerate-token", "/agents/validate-token"],
    [
        "/api/auth/agents",
        "/api/auth/agents/{id}",
        "/api/auth/agents/{id}/regenerate-token",
        "/api/auth/agents/validate-token",
    ],
];

/// The same for the rules that people have made for their agents, and what these found.
const AGENT_RULES: [[&str; 3]; 2] = [
    ["/rules", "/rules/{rule_id}", "/history"],
    ["/api/alerts/rules", "/api/alerts/rules/{rule_id}", "/api/alerts/history"],
];

/// Every route of the server.
///
/// # Errors
/// When two routes conflict, which a test would have shown.
pub fn router(services: &Arc<Services>) -> Result<Router, RouteError> {
    let with = |handler: AnyHandler| bind(services, handler);
    let stages = stage_routes(Router::builder(), with);
    let stages = delivery_routes(alert_routes(identity_routes(stages, with), with), with);
    people_routes(dialect_routes(system_routes(stages, with), with), with).build()
}

/// Who may send and read, and with which tokens.
fn identity_routes<H: Handler>(mut builder: RouterBuilder, with: impl Fn(AnyHandler) -> H) -> RouterBuilder {
    const READ: Access = Access::Own(Right::Read);
    const CHANGE: Access = Access::Own(Right::Change);
    const GRANT: Access = Access::Own(Right::Administer);
    for prefix in AGENTS {
        let [all, one, token, validation] = prefix;
        builder = builder
            .route((READ, Detail), Method::GET, all, with(agents::list))
            .route((CHANGE, Detail), Method::POST, all, with(agents::add))
            .route((READ, Detail), Method::GET, one, with(agents::get))
            .route((CHANGE, Detail), Method::DELETE, one, with(agents::delete))
            .route((CHANGE, Detail), Method::POST, token, with(agents::regenerate))
            .route((Access::ADMINISTER, Detail, Words::SignIn), Method::POST, validation, with(agents::validate));
    }
    for [rules, one, history] in AGENT_RULES {
        builder = builder
            .route((READ, Detail, Words::History), Method::GET, rules, with(systems::agent_rules::list))
            .route((CHANGE, Detail, Words::History), Method::POST, rules, with(systems::agent_rules::add))
            .route((CHANGE, Detail, Words::History), Method::DELETE, one, with(systems::agent_rules::delete))
            .route((READ, Detail, Words::History), Method::GET, history, with(systems::agent_rules::found))
            .route((CHANGE, Detail, Words::History), Method::DELETE, history, with(systems::agent_rules::clear));
    }
    builder
        .route((Access::ADMINISTER, Structured), Method::GET, "/api/v1/endpoints", with(endpoints::list))
        .route((Access::ADMINISTER, Structured), Method::POST, "/api/v1/endpoints", with(endpoints::add))
        .route((Access::ADMINISTER, Structured), Method::GET, "/api/v1/endpoints/{id}", with(endpoints::get))
        .route((Access::ADMINISTER, Structured), Method::PATCH, "/api/v1/endpoints/{id}", with(endpoints::change))
        .route((Access::ADMINISTER, Structured), Method::DELETE, "/api/v1/endpoints/{id}", with(endpoints::delete))
        .route((Access::ADMINISTER, Structured), Method::POST, "/api/v1/endpoints/{id}/rotate", with(endpoints::rotate))
        .route((Access::ADMINISTER, Detail), Method::GET, "/admin/endpoints", with(endpoint_forms::page))
        .route((Access::ADMINISTER, Detail), Method::POST, "/admin/endpoints", with(endpoint_forms::add))
        .route((Access::ADMINISTER, Detail), Method::POST, "/admin/endpoints/new", with(endpoint_forms::add))
        .route((Access::ADMINISTER, Detail), Method::GET, "/admin/endpoints/{id}/config", with(endpoint_forms::config))
        .route((GRANT, Structured), Method::GET, "/api/v1/tokens", with(tokens::list))
        .route((GRANT, Structured), Method::POST, "/api/v1/tokens", with(tokens::add))
        .route((GRANT, Structured), Method::DELETE, "/api/v1/tokens/{id}", with(tokens::revoke))
}

/// Our own API, and what agents and dashboards of the system it grew from ask.
fn stage_routes<H: Handler>(builder: RouterBuilder, with: impl Fn(AnyHandler) -> H) -> RouterBuilder {
    builder
        .route((Access::Open, Structured), Method::GET, "/-/healthy", with(probes::healthy))
        .route((Access::Open, Structured), Method::GET, "/-/ready", with(probes::ready))
        .route((Access::OBSERVE, Structured), Method::GET, "/-/metrics", with(probes::self_metrics))
        .route((Access::Open, Structured), Method::GET, "/openapi.json", with(probes::openapi))
        .route((Access::READ, Text), Method::GET, "/api/v1/servers", with(servers::list))
        .route((Access::INGEST, Text), Method::POST, "/api/v1/servers", with(servers::register))
        .route((Access::READ, Text), Method::GET, "/api/v1/servers/{id}", with(servers::get))
        .route((Access::CHANGE, Text), Method::PATCH, "/api/v1/servers/{id}", with(servers::change))
        .route((Access::CHANGE, Text), Method::DELETE, "/api/v1/servers/{id}", with(servers::delete))
        .route((Access::INGEST, Both), Method::POST, "/api/v1/ingest", with(ingest::bulk))
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
        .route(
            (Access::READ, Detail, Words::History),
            Method::GET,
            "/history/{agent_id}/{metric}",
            with(history::metric),
        )
        .route(
            (Access::READ, Detail, Words::History),
            Method::GET,
            "/api/history/{agent_id}/{metric}",
            with(history::metric),
        )
        .route((Access::READ, Text), Method::GET, "/api/v1/series", with(series::list))
        .route((Access::CHANGE, Text), Method::DELETE, "/api/v1/series", with(erase::erase))
        .route((Access::READ, Text), Method::GET, "/api/v1/stream", with(stream::open))
        .route((Access::OBSERVE, Structured), Method::GET, "/api/v1/jobs", with(jobs::list))
        .route((Access::ADMINISTER, Structured), Method::POST, "/api/v1/jobs/{name}/run", with(jobs::run))
        .route((Access::Own(Right::Observe), Structured), Method::GET, "/api/v1/rejects", with(rejects::list))
        .route((Access::READ, Structured), Method::GET, "/api/v1/events", with(entries::events))
        .route((Access::READ, Structured), Method::GET, "/api/v1/logs", with(entries::logs))
        .route((Access::READ, Structured), Method::GET, "/api/v1/documents", with(documents::list))
        .route((Access::READ, Structured), Method::GET, "/api/v1/export", with(export::export))
        .route((Access::INGEST, Structured), Method::POST, "/api/v1/import", with(import::import))
}

/// What is watched, what was found, and when nobody is told.
fn alert_routes<H: Handler>(builder: RouterBuilder, with: impl Fn(AnyHandler) -> H) -> RouterBuilder {
    const READ: (Access, ErrorShape) = (Access::READ, Structured);
    const CHANGE: (Access, ErrorShape) = (Access::Own(Right::Change), Structured);
    const ACKNOWLEDGE: &str = "/api/v1/alerts/{rule}/{series}/acknowledge";
    builder
        .route(READ, Method::GET, "/api/v1/alerts", with(alerts::states::list))
        .route(CHANGE, Method::POST, ACKNOWLEDGE, with(alerts::states::acknowledge))
        .route(READ, Method::GET, "/api/v1/alerts/history", with(alerts::history::list))
        .route(CHANGE, Method::DELETE, "/api/v1/alerts/history", with(alerts::history::erase))
        .route(READ, Method::POST, "/api/v1/alerts/preview", with(alerts::preview::preview))
        .route(READ, Method::GET, "/api/v1/alerts/rules", with(alerts::rules::list))
        .route(CHANGE, Method::POST, "/api/v1/alerts/rules", with(alerts::rules::add))
        .route(READ, Method::GET, "/api/v1/alerts/rules/{id}", with(alerts::rules::get))
        .route(CHANGE, Method::PUT, "/api/v1/alerts/rules/{id}", with(alerts::rules::put))
        .route(CHANGE, Method::PATCH, "/api/v1/alerts/rules/{id}", with(alerts::rules::patch))
        .route(CHANGE, Method::DELETE, "/api/v1/alerts/rules/{id}", with(alerts::rules::delete))
        .route(CHANGE, Method::POST, "/api/v1/alerts/rules/{id}/enable", with(alerts::rules::enable))
        .route(CHANGE, Method::POST, "/api/v1/alerts/rules/{id}/disable", with(alerts::rules::disable))
        .route(READ, Method::GET, "/api/v1/alerts/silences", with(alerts::silences::list))
        .route(CHANGE, Method::POST, "/api/v1/alerts/silences", with(alerts::silences::add))
        .route(READ, Method::GET, "/api/v1/alerts/silences/{id}", with(alerts::silences::get))
        .route(CHANGE, Method::PUT, "/api/v1/alerts/silences/{id}", with(alerts::silences::put))
        .route(CHANGE, Method::DELETE, "/api/v1/alerts/silences/{id}", with(alerts::silences::delete))
        .route(CHANGE, Method::POST, "/api/v1/alerts/silences/{id}/end", with(alerts::silences::end))
}

/// Who is told, and what they were told.
fn delivery_routes<H: Handler>(mut builder: RouterBuilder, with: impl Fn(AnyHandler) -> H) -> RouterBuilder {
    const READ: (Access, ErrorShape) = (Access::READ, Structured);
    const CHANGE: (Access, ErrorShape) = (Access::Own(Right::Change), Structured);
    for path in ["/recipient", "/api/alerts/recipient"] {
        builder = builder
            .route((Access::Own(Right::Read), Detail), Method::GET, path, with(systems::recipient::get))
            .route((Access::Own(Right::Change), Detail), Method::POST, path, with(systems::recipient::post));
    }
    builder
        .route(READ, Method::GET, "/api/v1/alerts/notices", with(alerts::notices::list))
        .route(READ, Method::GET, "/api/v1/alerts/recipients", with(alerts::recipients::list))
        .route(CHANGE, Method::POST, "/api/v1/alerts/recipients", with(alerts::recipients::add))
        .route(READ, Method::GET, "/api/v1/alerts/recipients/{id}", with(alerts::recipients::get))
        .route(CHANGE, Method::PUT, "/api/v1/alerts/recipients/{id}", with(alerts::recipients::put))
        .route(CHANGE, Method::DELETE, "/api/v1/alerts/recipients/{id}", with(alerts::recipients::delete))
        .route(CHANGE, Method::POST, "/api/v1/alerts/recipients/{id}/test", with(alerts::recipients::try_out))
}

/// What agents of the systems that are replaced send, and their dashboards ask.
fn system_routes<H: Handler>(builder: RouterBuilder, with: impl Fn(AnyHandler) -> H) -> RouterBuilder {
    builder
        .route((Access::Signed, Detail, Words::Agent), Method::POST, "/ingest", with(systems::ingest::ingest))
        .route((Access::Person, Detail, Words::Socket), Method::GET, "/ws", with(report_of_agent::open))
        .route((Access::Person, Detail, Words::Socket), Method::GET, "/ws/{agent_id}", with(report_of_agent::open))
        .route((Access::READ, Detail), Method::GET, "/api/ui/dashboard", with(systems::hosts::dashboard))
        .route((Access::READ, Detail), Method::GET, "/api/ui/hosts", with(systems::hosts::list))
        .route((Access::READ, Detail), Method::GET, "/api/ui/host/{id}", with(systems::hosts::get))
        .route((Access::READ, Detail), Method::GET, "/api/ui/host/{id}/timeseries", with(systems::hosts::timeseries))
        .route((Access::READ, Detail), Method::GET, "/api/ui/search", with(systems::hosts::search))
        .route((Access::Open, Detail), Method::GET, "/", with(systems::front_page::root))
        .route((Access::Open, Both), Method::GET, "/health", with(systems::front_page::health))
        .route((Access::Open, Detail), Method::GET, "/api/health", with(systems::front_page::health))
        .route((Access::READ, Detail), Method::GET, "/overview", with(systems::front_page::overview))
        .route((Access::READ, Detail), Method::GET, "/api/overview", with(systems::front_page::overview))
        .route((Access::Open, Detail), Method::GET, "/readiness", with(systems::richardops::readiness))
        .route((Access::READ, Detail), Method::GET, "/metrics/range", with(systems::richardops::range))
        .route((Access::Open, Detail), Method::GET, "/healthz", with(systems::richardops::healthz))
        .route((Access::READ, Detail), Method::GET, "/metrics/recent", with(systems::richardops::recent_metrics))
        .route((Access::READ, Detail), Method::GET, "/events/recent", with(systems::richardops::events))
        .route((Access::READ, Detail), Method::GET, "/logs/recent", with(systems::richardops::recent_logs))
        .route((Access::READ, Detail), Method::GET, "/logs/search", with(systems::richardops::search_logs))
        .route((Access::READ, Detail), Method::GET, "/containers", with(systems::richardops::containers))
        .route((Access::INGEST, Detail), Method::POST, "/metrics", with(systems::syncpulse::add))
        .route((Access::READ, Detail), Method::GET, "/metrics", with(systems::syncpulse::list))
        .route((Access::READ, Detail), Method::GET, "/metrics/{agent_id}", with(systems::syncpulse::get))
        .route((Access::READ, Detail), Method::GET, "/history/{agent_id}", with(systems::syncpulse::history))
        .route((Access::READ, Detail), Method::GET, "/gpu", with(systems::syncpulse::gpus))
        .route((Access::READ, Detail), Method::GET, "/api/metrics", with(systems::syncpulse::list))
        .route((Access::READ, Detail), Method::GET, "/api/metrics/{agent_id}", with(systems::syncpulse::get))
        .route((Access::READ, Detail), Method::GET, "/api/history/{agent_id}", with(systems::syncpulse::history))
        .route((Access::READ, Detail), Method::GET, "/api/gpu", with(systems::syncpulse::gpus))
        .route((Access::READ, Detail), Method::GET, "/alerts", with(systems::alerts::list))
        .route((Access::READ, Detail), Method::GET, "/api/alerts", with(systems::alerts::list))
}

/// What programs of others send.
fn dialect_routes<H: Handler>(builder: RouterBuilder, with: impl Fn(AnyHandler) -> H) -> RouterBuilder {
    builder
        .route((Access::INGEST, Text, Words::InfluxOne), Method::POST, "/write", with(influx::write_v1))
        .route((Access::INGEST, Text, Words::InfluxOne), Method::POST, "/query", with(influx::query))
        .route((Access::Open, Text), Method::GET, "/ping", with(influx::ping))
        .route((Access::INGEST, Influx), Method::POST, "/api/v2/write", with(influx::write_v2))
        .route((Access::INGEST, Text, Words::InfluxThree), Method::POST, "/api/v3/write_lp", with(influx::write_v3))
        .route((Access::INGEST, Rpc), Method::POST, "/v1/metrics", with(otlp::metrics))
        .route((Access::INGEST, Rpc), Method::POST, "/api/v1/otlp/v1/metrics", with(otlp::metrics))
        .route((Access::INGEST, Rpc), Method::POST, "/otlp/v1/metrics", with(otlp::metrics))
        .route((Access::INGEST, Rpc), Method::POST, "/opentelemetry/v1/metrics", with(otlp::metrics))
        .route((Access::INGEST, Rpc), Method::POST, "/v1/logs", with(otlp::logs))
        .route((Access::INGEST, Rpc), Method::POST, "/v1/traces", with(otlp::traces))
        .route((Access::INGEST, Plain), Method::POST, "/api/v1/write", with(prometheus::remote_write))
        .route((Access::INGEST, Plain), Method::POST, "/api/v1/push", with(prometheus::remote_write))
        .route((Access::INGEST, Plain), Method::POST, "/api/v1/import/prometheus", with(prometheus::import))
        .route((Access::INGEST, Plain), Method::POST, "/metrics/job/{*grouping}", with(prometheus::push))
        .route((Access::INGEST, Plain), Method::PUT, "/metrics/job/{*grouping}", with(prometheus::push))
        .route((Access::INGEST, Plain), Method::DELETE, "/metrics/job/{*grouping}", with(prometheus::forget))
        .route((Access::INGEST, Plain), Method::POST, "/metrics/job@base64/{*grouping}", with(prometheus::push))
        .route((Access::INGEST, Plain), Method::PUT, "/metrics/job@base64/{*grouping}", with(prometheus::push))
        .route((Access::INGEST, Plain), Method::DELETE, "/metrics/job@base64/{*grouping}", with(prometheus::forget))
}

/// Who signs in, and who may.
fn people_routes<H: Handler>(mut builder: RouterBuilder, with: impl Fn(AnyHandler) -> H) -> RouterBuilder {
    const OPEN: (Access, ErrorShape) = (Access::Open, Detail);
    for [register, token, refresh, logout, me] in [
        ["/register", "/token", "/refresh", "/logout", "/users/me"],
        ["/api/auth/register", "/api/auth/token", "/api/auth/refresh", "/api/auth/logout", "/api/auth/users/me"],
    ] {
        builder = builder
            .route(OPEN, Method::POST, register, with(people::register))
            .route(OPEN, Method::POST, token, with(people::token))
            .route(OPEN, Method::POST, refresh, with(people::refresh))
            .route(OPEN, Method::POST, logout, with(session::logout))
            .route((Access::Person, Detail), Method::GET, me, with(people::me));
    }
    const PERSON: (Access, ErrorShape) = (Access::Person, Structured);
    const ADMIN: (Access, ErrorShape) = (Access::ADMINISTER, Structured);
    const ADMIN_PAGE: (Access, ErrorShape) = (Access::ADMINISTER, Detail);
    builder
        .route(OPEN, Method::POST, "/login", with(session::login_form))
        .route((Access::Open, Structured), Method::POST, "/api/v1/session", with(session::sign_in))
        .route((Access::Open, Structured), Method::GET, "/api/v1/session", with(session::get))
        .route((Access::Open, Structured), Method::DELETE, "/api/v1/session", with(session::sign_out))
        .route(PERSON, Method::GET, "/api/v1/session/list", with(session::list))
        .route(PERSON, Method::DELETE, "/api/v1/session/list/{id}", with(session::revoke))
        .route(PERSON, Method::POST, "/api/v1/session/password", with(session::change_password))
        .route(ADMIN, Method::GET, "/api/v1/users", with(admin_users::list))
        .route(ADMIN, Method::POST, "/api/v1/users", with(admin_users::create))
        .route(ADMIN, Method::GET, "/api/v1/users/{id}", with(admin_users::get))
        .route(ADMIN, Method::PATCH, "/api/v1/users/{id}", with(admin_users::change))
        .route(ADMIN, Method::DELETE, "/api/v1/users/{id}", with(admin_users::delete))
        .route(ADMIN, Method::GET, "/api/v1/users/{id}/sessions", with(admin_users::sessions))
        .route(ADMIN, Method::DELETE, "/api/v1/users/{id}/sessions", with(admin_users::end_sessions))
        .route(ADMIN, Method::DELETE, "/api/v1/users/{id}/sessions/{session}", with(admin_users::end_sessions))
        .route(ADMIN, Method::GET, "/api/v1/invites", with(admin_users::invites))
        .route(ADMIN, Method::POST, "/api/v1/invites", with(admin_users::invite))
        .route(ADMIN, Method::DELETE, "/api/v1/invites/{id}", with(admin_users::revoke_invite))
        .route(ADMIN, Method::GET, "/api/v1/settings", with(admin_settings::list))
        .route(ADMIN, Method::GET, "/api/v1/settings/{key}", with(admin_settings::get))
        .route(ADMIN, Method::PUT, "/api/v1/settings/{key}", with(admin_settings::put))
        .route(ADMIN, Method::GET, "/api/v1/audit", with(audit::list))
        .route(ADMIN_PAGE, Method::GET, "/admin/users", with(admin_users::list))
        .route(ADMIN_PAGE, Method::POST, "/admin/users/new", with(admin_forms::add_user))
        .route(ADMIN_PAGE, Method::GET, "/admin/settings", with(admin_forms::settings))
        .route(ADMIN_PAGE, Method::POST, "/admin/settings", with(admin_forms::change_settings))
}

type AnyHandler = fn(Arc<Services>, Request) -> Answering;
type Answering = std::pin::Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send>>;

/// Gives a handler the services; boxed once here, so that all have one type.
fn bind(services: &Arc<Services>, handler: AnyHandler) -> impl Fn(Request) -> Answering + use<> {
    let services = Arc::clone(services);
    move |request| handler(Arc::clone(&services), request)
}
