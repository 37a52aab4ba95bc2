//! Months ahead, retention behind: over years of an invented calendar, on a real database.

mod calendar; // day by day against a naive model
mod catching_up; // much at once, cut off, by two at once
mod held_up; // locks that others hold
mod model; // what should be left
mod ready; // a server without its months

use std::sync::Arc;
use std::time::Duration;

use millrace::clock::ManualClock;
use millrace::jobs::Context;
use millrace::jobs::keep::run;
use millrace::jobs::retention::{Policy, Rule, Tiers};
use millrace::model::{Identity, Labels, Micros, SeriesId};
use millrace::store::database::PoolConfig;
use millrace::store::partitions::{self, Monthly};
use millrace::store::servers::{self, Registration};
use millrace::store::{Database, migrations, series};

use crate::harness::TestDatabase;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// Type, name and host of every series, and days of raw, minutes and hours.
const SERIES: [(&str, &str, &str, [u32; 3]); 4] = [
    ("cpu", "usage", "web-1", [2, 60, 130]),
    ("cpu", "usage", "db-1", [10, 40, 100]),
    ("mem", "free", "db-1", [20, 5, 30]),
    ("disk", "busy", "web-1", [10, 40, 100]),
];

/// A database with a few series, and a clock to turn.
struct World {
    test: TestDatabase,
    clock: Arc<ManualClock>,
    context: Context,
    policy: Policy,
    /// In the order of [`SERIES`].
    series: Vec<SeriesId>,
}

impl World {
    async fn at(time: &str) -> Self {
        let test = TestDatabase::create().await;
        let database = Database::new(test.config(), PoolConfig::default()).unwrap();
        migrations::migrate(&database).await.unwrap();
        let clock = Arc::new(ManualClock::at(micros(time)));
        let context = Context { database, clock: Arc::<ManualClock>::clone(&clock) };
        let series = add_series(&context.database).await;
        Self { test, clock, context, policy: policy(), series }
    }

    async fn keep(&self) -> u64 {
        run(&self.context, &self.policy, false).await.unwrap()
    }

    /// Writes down that `day` has rolled up everything before `time`.
    async fn days_done_to(&self, time: Micros) {
        let done = format!("UPDATE progress SET up_to = '{time}' WHERE name = 'day'");
        self.context.database.client().await.unwrap().batch_execute(&done).await.unwrap();
    }

    /// The months of a table, as `2028-02`.
    async fn months(&self, table: Monthly) -> Vec<String> {
        let client = self.context.database.client().await.unwrap();
        let months = partitions::list(&client, table).await.unwrap();
        months.iter().filter(|stored| stored.is_part).map(|stored| stored.month.to_string()).collect()
    }

    async fn count(&self, query: &str) -> i64 {
        self.test.connect().await.query_one(query, &[]).await.unwrap().get(0)
    }
}

fn micros(time: &str) -> Micros {
    Micros::parse_rfc3339(time.as_bytes()).unwrap()
}

fn days([raw, minutes, hours]: [u32; 3]) -> Tiers {
    let days = |days: u32| days * Duration::from_secs(86_400);
    Tiers { raw: days(raw), minutes: days(minutes), hours: days(hours) }
}

/// What [`SERIES`] says, in rules.
fn policy() -> Policy {
    let rules = vec![
        Rule::new("cpu", "*", "web-*", days([2, 60, 130])),
        Rule::new("m*", "free", "*", days([20, 5, 30])),
        Rule::new("*", "usage", "web-1", days([1, 1, 1])),
    ];
    Policy::new(days([10, 40, 100]), rules)
}

async fn add_series(database: &Database) -> Vec<SeriesId> {
    let client = database.client().await.unwrap();
    let mut wanted = Vec::new();
    for (metric_type, metric_name, hostname, _) in SERIES {
        let registration = Registration {
            hostname: hostname.to_owned(),
            ip_address: [10, 0, 0, 1].into(),
            os: String::new(),
            cpu_model: String::new(),
            total_ram: String::new(),
            kernel_version: String::new(),
            uptime: String::new(),
            labels: None,
            agent_version: String::new(),
        };
        let (server, _) = servers::upsert(&client, &registration).await.unwrap();
        wanted.push((server.standing.key, Identity::new(metric_type, metric_name, Labels::default()).unwrap()));
    }
    series::add(&client, &wanted).await.unwrap().into_iter().map(Option::unwrap).collect()
}
