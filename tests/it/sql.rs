//! SQL for people: what the views and functions over packed rows answer is what the program itself would.

mod rows; // the functions under the views
mod model; // random rows against a naive model
mod answers; // the views beside the API
mod ranges; // which samples and which tables a range of time takes

use millrace::model::{Micros, SeriesId};
use millrace::store::database::PoolConfig;
use millrace::store::levels::samples::StoredSamples;
use millrace::store::partitions::{self, Monthly};
use millrace::store::{Database, GenericClient, migrations};

use crate::harness::TestDatabase;

const MINUTE: i64 = 60 * Micros::PER_SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A migrated database with the months of `moments`, and with one server whose series are called m1, m2, and so on,
/// after their numbers.
async fn database(moments: &[Micros], series: i32) -> (TestDatabase, Database) {
    let test = TestDatabase::create().await;
    let database = Database::new(test.config(), PoolConfig::default()).unwrap();
    migrations::migrate(&database).await.unwrap();
    let client = database.client().await.unwrap();
    for table in Monthly::ALL {
        for moment in moments {
            partitions::make(&client, table, *moment).await.unwrap();
        }
    }
    client.execute("INSERT INTO servers (hostname, ip_address) VALUES ('web-1', '10.0.0.1')", &[]).await.unwrap();
    let add = "INSERT INTO series (server, metric_type, metric_name, labels, identity)
        SELECT key, 'cpu', 'm' || number, '{}', int4send(number) FROM servers, generate_series(1, $1) AS number";
    client.execute(add, &[&series]).await.unwrap();
    (test, database)
}

fn stored(series: u32, samples: &[(i64, f64)]) -> StoredSamples {
    let times: Vec<Micros> = samples.iter().map(|(time, _)| Micros(*time)).collect();
    let values: Vec<f64> = samples.iter().map(|(_, value)| *value).collect();
    StoredSamples { series: SeriesId(series), row: millrace::codec::samples_row::encode(&times, &values) }
}

/// The plan of a statement, as text.
async fn plan(client: &impl GenericClient, statement: &str) -> String {
    let rows = client.query(&format!("EXPLAIN {statement}"), &[]).await.unwrap();
    rows.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>().join("\n")
}
