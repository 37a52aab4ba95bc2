//! The settings while they are gathered: every key has its field here. Becomes a [`Config`] once the keys that depend
//! on each other have been looked at together.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::delivery::Delivery;
use super::people::PeopleDraft;
use super::problem::Problem;
use super::retention::parse_overrides;
use super::secret::DatabaseUrl;
use super::settings::{
    Admit, Anonymous, Auth, Catalog, Config, Database, Dialects, Entries, Http, Jobs, Journal, Live, Log, Mode, Query,
    Retention, Tiers, TimeWindow, Tls,
};

#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) dev: bool,
    pub(super) data_dir: PathBuf,
    pub(super) database_url: Option<DatabaseUrl>,
    /// A URL was given, perhaps a bad one, which has been told then.
    pub(super) database_url_given: bool,
    pub(super) listen: Vec<SocketAddr>,
    pub(super) port: u16,
    /// Without it, nothing is; in development everything.
    pub(super) anonymous: Option<Anonymous>,
    pub(super) auth: Auth,
    pub(super) people: PeopleDraft,
    pub(super) delivery: Delivery,
    pub(super) tls_certificate: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    pub(super) database: Database,
    pub(super) http: Http,
    pub(super) admit: Admit,
    /// A past of zero was not given.
    pub(super) window: TimeWindow,
    pub(super) catalog: Catalog,
    pub(super) journal: Journal,
    pub(super) jobs: Jobs,
    pub(super) retention: Tiers,
    /// As it was written.
    pub(super) retention_overrides: String,
    pub(super) dialects: Dialects,
    pub(super) live: Live,
    pub(super) query: Query,
    pub(super) entries: Entries,
    pub(super) log: Log,
}

fn tls(certificate: Option<PathBuf>, key: Option<PathBuf>, problems: &mut Vec<Problem>) -> Option<Tls> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
        (None, None) => None,
        _ => {
            problems.push(Problem::Conflict { keys: "tls.certificate and tls.key", rule: "give both or neither" });
            None
        }
    }
}

impl Draft {
    /// The finished settings; what does not fit together is added to `problems`, and then there are none.
    pub(super) fn finish(self, problems: &mut Vec<Problem>) -> Option<Config> {
        self.check_sizes(problems);
        let listen = self.listen();
        let mode = match (self.dev, self.database_url) {
            (true, _) => Some(Mode::Dev { data_dir: self.data_dir }),
            (false, Some(database)) => Some(Mode::Production { database }),
            (false, None) if self.database_url_given => None,
            (false, None) => {
                problems.push(Problem::Missing {
                    key: "DATABASE_URL",
                    needed: "name the PostgreSQL server, or start with --dev to have one of your own",
                });
                None
            }
        };
        let tls = tls(self.tls_certificate, self.tls_key, problems);
        let default = if self.dev { Anonymous::Everything } else { Anonymous::Nothing };
        let anonymous = self.anonymous.unwrap_or(default);
        let people = self.people.finish(self.dev, anonymous, problems);
        self.delivery.check(problems);
        let overrides = &self.retention_overrides;
        let overrides = if overrides.is_empty() { Vec::new() } else { parse_overrides(overrides, problems) };
        let retention = Retention { others: self.retention, overrides, entries: self.entries };
        let window = self.window.within(retention.longest());
        let Self { auth, delivery, database, http, admit, catalog, journal, dialects, jobs, live, query, log, .. } =
            self;
        Some(Config {
            mode: mode?,
            listen,
            tls,
            anonymous,
            auth,
            people,
            delivery,
            database,
            http,
            admit,
            window,
            catalog,
            journal,
            dialects,
            jobs,
            retention,
            live,
            query,
            log,
        })
    }

    /// In development nobody but this machine is let in.
    fn listen(&self) -> Vec<SocketAddr> {
        if !self.listen.is_empty() {
            return self.listen.clone();
        }
        let address = if self.dev { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        vec![SocketAddr::from((address, self.port))]
    }

    fn check_sizes(&self, problems: &mut Vec<Problem>) {
        let http = &self.http;
        if http.body_bytes_max > http.inflated_bytes_max {
            problems.push(Problem::Conflict {
                keys: "http.body_bytes_max and http.inflated_bytes_max",
                rule: "a body is no smaller inflated than it was, so the second must not be the smaller",
            });
        }
        if http.inflated_bytes_max > http.in_flight_bytes_max {
            problems.push(Problem::Conflict {
                keys: "http.inflated_bytes_max and http.in_flight_bytes_max",
                rule: "one body must fit into what may be in flight, so the second must not be the smaller",
            });
        }
        if self.query.running_max >= self.database.connections_max {
            problems.push(Problem::Conflict {
                keys: "query.running_max and database.connections_max",
                rule: "queries must leave connections for everything else, so the second must be larger",
            });
        }
        if self.catalog.series_per_server_max > self.catalog.series_max {
            problems.push(Problem::Conflict {
                keys: "catalog.series_per_server_max and catalog.series_max",
                rule: "a server cannot have more series than there may be",
            });
        }
    }
}
