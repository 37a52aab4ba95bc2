//! The settings as plain values, grouped by who takes them.
//!
//! What each is for, and what breaks when it is too high or
//! too low, is written once, in `table`. Only `load` makes a [`Config`] that has been checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::delivery::Delivery;
use super::secret::{DatabaseUrl, Secret};

#[derive(Clone, Debug)]
pub struct Config {
    pub mode: Mode,
    /// Never empty.
    pub listen: Vec<SocketAddr>,
    pub tls: Option<Tls>,
    /// What is open to callers that show nothing.
    pub anonymous: Anonymous,
    pub auth: Auth,
    pub people: People,
    pub delivery: Delivery,
    pub database: Database,
    pub http: Http,
    pub admit: Admit,
    pub window: TimeWindow,
    pub catalog: Catalog,
    pub journal: Journal,
    pub jobs: Jobs,
    pub retention: Retention,
    pub dialects: Dialects,
    pub live: Live,
    pub query: Query,
    pub log: Log,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// An embedded PostgreSQL cluster in `data_dir`.
    Dev { data_dir: PathBuf },
    /// A PostgreSQL server that someone else runs.
    Production { database: DatabaseUrl },
}

/// What is open to callers that show nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anonymous {
    #[default]
    Nothing,
    Ingest,
    Read,
    IngestAndRead,
    Everything,
}

/// How callers are recognized.
#[derive(Clone, Debug, Default)]
pub struct Auth {
    /// Tokens that a process keeps in memory.
    pub cached_max: usize,
    /// What senders sign requests with.
    pub ingest_secret: Option<Secret>,
}

/// People who sign in.
#[derive(Clone, Debug)]
pub struct People {
    /// In production always there, unless everything is open to everybody.
    pub secret_key: Option<Secret>,
    pub registration: Registration,
    /// E-mail and password of the first administrator.
    pub bootstrap: Option<(String, Secret)>,
    pub password_checks_max: usize,
    /// How long it is kept who did what.
    pub audit: Duration,
}

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    Open,
    Invite,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Debug, Default)]
pub struct Database {
    pub connections_max: usize,
    pub connect_timeout: Duration,
    pub wait_timeout: Duration,
    pub statement_timeout: Duration,
}

#[derive(Clone, Debug, Default)]
pub struct Http {
    pub connections_max: usize,
    pub body_bytes_max: usize,
    pub inflated_bytes_max: usize,
    pub in_flight_bytes_max: usize,
    pub header_timeout: Duration,
    pub body_timeout: Duration,
    pub idle_timeout: Duration,
    pub drain_deadline: Duration,
    /// `*` alone allows every origin.
    pub cors_origins: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Admit {
    /// 0: no limit.
    pub samples_per_second: usize,
    pub burst: Duration,
    pub clients_max: usize,
}

#[derive(Clone, Debug, Default)]
pub struct TimeWindow {
    /// Never longer than anything is kept.
    pub past: Duration,
    pub future: Duration,
}

#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub servers_max: usize,
    pub series_max: usize,
    pub series_per_server_max: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Journal {
    pub lanes: usize,
    pub flush_samples_max: usize,
    pub commit_wait: Duration,
}

#[derive(Clone, Debug)]
pub struct Retention {
    /// For series that no override is for.
    pub others: Tiers,
    /// The first one that fits counts.
    pub overrides: Vec<RetentionOverride>,
    pub entries: Entries,
}

/// How long each form of the data is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tiers {
    pub raw: Duration,
    pub minutes: Duration,
    pub hours: Duration,
}

/// Other times for some series. `*` stands for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionOverride {
    pub metric_type: String,
    pub metric_name: String,
    pub hostname: String,
    pub tiers: Tiers,
}

#[derive(Clone, Debug, Default)]
pub struct Jobs {
    pub fold_interval: Duration,
    pub fleet_interval: Duration,
    /// False: the fleet is not looked at.
    pub fleet_look: bool,
}

/// How what agents of others send is read.
#[derive(Clone, Debug, Default)]
pub struct Dialects {
    pub influx: Influx,
    pub prometheus: Prometheus,
    pub otlp: Otlp,
    pub graphite: LineListener,
    pub statsd: LineListener,
    pub richardops: Richardops,
}

#[derive(Clone, Debug, Default)]
pub struct Influx {
    /// What is done with fields that are texts.
    pub strings: InfluxStrings,
    /// Never empty.
    pub host_tags: Vec<String>,
    pub default_host: String,
}

#[derive(Clone, Debug, Default)]
pub struct Prometheus {
    pub metric_type: String,
    /// Never empty.
    pub host_labels: Vec<String>,
    pub default_host: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InfluxStrings {
    #[default]
    Count,
    Refuse,
}

#[derive(Clone, Debug, Default)]
pub struct Otlp {
    /// Never empty.
    pub host_attributes: Vec<String>,
    pub default_host: String,
    pub resource_labels: Vec<String>,
    pub scope_labels: bool,
}

/// What reports of one of the source systems are shown as besides.
#[derive(Clone, Debug, Default)]
pub struct Richardops {
    pub console: bool,
    pub ingest_log: Option<PathBuf>,
}

/// Sockets for lines that are answered nothing.
#[derive(Clone, Debug, Default)]
pub struct LineListener {
    /// Without one there are none.
    pub listen: Option<SocketAddr>,
    pub default_host: String,
    pub connections_max: usize,
    pub flush_interval: Duration,
}

#[derive(Clone, Debug, Default)]
pub struct Live {
    pub sessions_max: usize,
    pub queue_frames_max: usize,
    pub queue_bytes_max: usize,
    pub ping_interval: Duration,
    pub stall_timeout: Duration,
}

#[derive(Clone, Debug, Default)]
pub struct Query {
    pub running_max: usize,
    pub series_max: usize,
    pub samples_max: usize,
    pub points_max: usize,
    pub timeout: Duration,
}

/// How long events, log lines and what was refused are kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entries {
    pub events: Duration,
    pub logs: Duration,
    /// What happened with alerts.
    pub alerts: Duration,
    pub rejects: Duration,
}

#[derive(Clone, Debug, Default)]
pub struct Log {
    /// A level, or directives such as `info,millrace::journal=debug`.
    pub level: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people, coloured on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl TimeWindow {
    /// What is older than anything that is kept would be thrown away at once, so it does not enter. Without a past of
    /// its own the window is as wide as that.
    pub(super) fn within(&self, longest: Duration) -> Self {
        let past = if self.past.is_zero() { longest } else { self.past.min(longest) };
        Self { past, future: self.future }
    }
}

impl Retention {
    /// The longest time that anything is kept for.
    pub(super) fn longest(&self) -> Duration {
        let tiers = self.overrides.iter().map(|one| one.tiers).chain([self.others]);
        tiers.flat_map(|tiers| [tiers.raw, tiers.minutes, tiers.hours]).max().unwrap_or_default()
    }
}

impl RetentionOverride {
    pub(super) fn is_for_the_same(&self, other: &Self) -> bool {
        (&self.metric_type, &self.metric_name, &self.hostname)
            == (&other.metric_type, &other.metric_name, &other.hostname)
    }
}
