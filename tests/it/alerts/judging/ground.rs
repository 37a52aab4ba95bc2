//! A server that judges, with one agent's samples, and what is found in its database.

use std::sync::Arc;

use millrace::clock::{Clock, ManualClock, SystemClock};
use millrace::model::Micros;
use millrace::store::Database;
use millrace::store::database::PoolConfig;
use serde_json::{Value, json};
use tokio_postgres::types::Json;
use tokio_postgres::{Client, Config};

use crate::harness::{TestDatabase, TestServer, eventually};

/// Times of samples are so many seconds after it: a while ago, so that nothing is of the future.
pub(super) const BEFORE_NOW_SECONDS: i64 = 1_000;

/// A server on a database of the test's, so that others may be started on it.
pub(super) struct Ground {
    server: Option<TestServer>,
    pub(super) sql: Client,
    pub(super) server_id: String,
    pub(super) config: Config,
    begin: Micros,
    _database: TestDatabase,
}

/// One thing that happened.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) rule: i64,
    pub(super) change: String,
    pub(super) title: String,
    pub(super) value: Option<f64>,
    /// Of the sample that decided.
    pub(super) at_second: Option<i64>,
}

/// Fires above a threshold.
pub(super) fn above(threshold: i64) -> Value {
    json!({ "metric_type": "cpu", "condition": { "op": "gt", "threshold": threshold }, "notes": "look there" })
}

pub(super) fn pool(config: &Config) -> Database {
    Database::new(config.clone(), PoolConfig::default()).unwrap()
}

impl Ground {
    /// With a node that judges.
    pub(super) async fn new() -> Self {
        let ground = Self::at(Arc::new(SystemClock)).await;
        ground.judges(ground.server()).await;
        ground
    }

    pub(super) async fn at(clock: Arc<dyn Clock>) -> Self {
        let database = TestDatabase::create().await;
        let (config, begin) = (database.config(), Micros(clock.now().0 - BEFORE_NOW_SECONDS * Micros::PER_SECOND));
        let server = TestServer::start_on(&config, &[], clock).await;
        let server_id = server.register("web-1").await;
        let sql = database.connect().await;
        Self { server: Some(server), sql, server_id, config, begin, _database: database }
    }

    pub(super) fn server(&self) -> &TestServer {
        self.server.as_ref().expect("a server runs")
    }

    /// Ends the server, with whatever it was doing.
    pub(super) async fn end(&mut self) {
        self.server.take().expect("a server runs").stop().await.unwrap();
    }

    pub(super) async fn begin_again(&mut self) {
        self.server = Some(self.another().await);
        self.judges(self.server()).await;
    }

    /// With a clock that is ahead by so many seconds.
    pub(super) async fn begin_again_later(&mut self, seconds: i64) {
        let clock = ManualClock::at(Micros(SystemClock.now().0 + seconds * Micros::PER_SECOND));
        self.server = Some(TestServer::start_on(&self.config, &[], Arc::new(clock)).await);
        self.judges(self.server()).await;
    }

    /// Another server on the same database.
    pub(super) async fn another(&self) -> TestServer {
        TestServer::start_on(&self.config, &[], Arc::new(SystemClock)).await
    }

    pub(super) async fn judges(&self, server: &TestServer) {
        eventually("it judges", async || server.gauge("alert_leading").await == 1).await;
    }

    pub(super) async fn stop(mut self) {
        self.end().await;
    }

    /// A rule of the fleet, known to the server.
    pub(super) async fn rule(&self, form: Value) -> i64 {
        let rule = self.add_rule(form).await;
        self.knows_rules().await;
        rule
    }

    pub(super) async fn add_rule(&self, form: Value) -> i64 {
        let insert = "INSERT INTO alert_rules (name, definition, created_at, updated_at)
            VALUES ('high', $1, now(), now()) RETURNING id";
        let rule = self.sql.query_one(insert, &[&Json(form)]).await.unwrap().get(0);
        self.revise().await;
        rule
    }

    pub(super) async fn broken_rule(&self, form: Value) {
        self.add_rule(form).await;
        eventually("it was met", async || self.server().gauge("alert_rules_unreadable").await == 1).await;
    }

    pub(super) async fn change(&self, rule: i64, form: Value) {
        self.write(rule, form).await;
        self.knows_rules().await;
    }

    /// A new version of a rule, whether or not anybody judges.
    pub(super) async fn write(&self, rule: i64, form: Value) {
        let update = "UPDATE alert_rules SET definition = $2, version = version + 1 WHERE id = $1";
        self.sql.execute(update, &[&rule, &Json(form)]).await.unwrap();
        self.revise().await;
    }

    pub(super) async fn disable(&self, rule: i64) {
        let update = "UPDATE alert_rules SET enabled = false, version = version + 1 WHERE id = $1";
        self.sql.execute(update, &[&rule]).await.unwrap();
        self.revise().await;
        self.knows_rules().await;
    }

    pub(super) async fn recipient(&self) {
        let insert = "INSERT INTO alert_recipients (name, kind, target, created_at, updated_at)
            VALUES ('ops', 'ntfy', '{\"kind\": \"ntfy\", \"url\": \"http://127.0.0.1:9/\"}', now(), now())";
        self.sql.batch_execute(insert).await.unwrap();
        self.revise().await;
        self.knows_rules().await;
    }

    async fn revise(&self) {
        self.sql.batch_execute("UPDATE alert_progress SET rules_revision = rules_revision + 1").await.unwrap();
    }

    /// Waits until the server that judges has looked at what there is now.
    async fn knows_rules(&self) {
        let revision: i64 = self.sql.query_one("SELECT rules_revision FROM alert_progress", &[]).await.unwrap().get(0);
        eventually("the rules are known", async || {
            self.server().gauge("alert_rules_revision").await == revision.cast_unsigned()
        })
        .await;
    }

    pub(super) async fn samples(&self, name: &str, samples: &[(i64, f64)]) {
        self.samples_to(self.server(), name, samples).await;
    }

    /// Samples of a series, by the second, through this server.
    pub(super) async fn samples_to(&self, server: &TestServer, name: &str, samples: &[(i64, f64)]) {
        let metrics = self.metrics(name, samples);
        let answer = server.ingest(&self.server_id, &metrics).await;
        assert_eq!(answer["inserted"], samples.len());
    }

    /// The body of a request with such samples.
    pub(super) fn request(&self, name: &str, samples: &[(i64, f64)]) -> String {
        json!({ "server_id": self.server_id, "metrics": self.metrics(name, samples) }).to_string()
    }

    fn metrics(&self, name: &str, samples: &[(i64, f64)]) -> Value {
        let one = |(second, value): &(i64, f64)| {
            let time = Micros(self.begin.0 + second * Micros::PER_SECOND).to_string();
            json!({ "metric_type": "cpu", "metric_name": name, "value": value, "timestamp": time })
        };
        samples.iter().map(one).collect()
    }

    /// Waits until exactly this has happened.
    pub(super) async fn happens(&self, changes: &[&str]) {
        let mut found = Vec::new();
        eventually(&format!("{changes:?} happens"), async || {
            found = self.events().await.into_iter().map(|event| event.change).collect();
            found.len() >= changes.len()
        })
        .await;
        assert_eq!(found, changes);
    }

    pub(super) async fn events(&self) -> Vec<Event> {
        let select =
            "SELECT coalesce(rule, 0), change, title, value, (extract(epoch FROM sample_time) * 1000000)::bigint
            FROM alert_events ORDER BY id";
        let rows = self.sql.query(select, &[]).await.unwrap();
        let event = |row: &tokio_postgres::Row| Event {
            rule: row.get(0),
            change: row.get(1),
            title: row.get(2),
            value: row.get(3),
            at_second: row.get::<_, Option<i64>>(4).map(|time| (time - self.begin.0) / Micros::PER_SECOND),
        };
        rows.iter().map(event).collect()
    }

    /// How the rule stands with the only series it is known of.
    pub(super) async fn state(&self, rule: i64) -> Option<String> {
        let select = "SELECT phase FROM alert_states WHERE rule = $1";
        self.sql.query_opt(select, &[&rule]).await.unwrap().map(|row| row.get(0))
    }

    /// What people are told, in order.
    pub(super) async fn told(&self) -> Vec<Value> {
        let rows = self.sql.query("SELECT body FROM alert_notices ORDER BY id", &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, Json<Value>>(0).0).collect()
    }

    pub(super) async fn one(&self, select: &str) -> i32 {
        self.sql.query_one(select, &[]).await.unwrap().get(0)
    }
}
