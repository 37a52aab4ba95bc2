//! The settings as plain values, grouped by who takes them.
//!
//! What each is for, and what breaks when it is too high or
//! too low, is written once, in `table`. Only `load` makes a [`Config`] that has been checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::secret::DatabaseUrl;

#[derive(Clone, Debug)]
pub struct Config {
    pub mode: Mode,
    /// Never empty.
    pub listen: Vec<SocketAddr>,
    pub tls: Option<Tls>,
    pub database: Database,
    pub http: Http,
    pub admit: Admit,
    pub window: TimeWindow,
    pub catalog: Catalog,
    pub journal: Journal,
    pub influx: Influx,
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

#[derive(Clone, Debug, Default)]
pub struct Influx {
    /// What is done with fields that are texts.
    pub strings: InfluxStrings,
    /// Never empty.
    pub host_tags: Vec<String>,
    pub default_host: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InfluxStrings {
    #[default]
    Count,
    Refuse,
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
    pub timeout: Duration,
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
