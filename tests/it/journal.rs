//! The journal against real PostgreSQL: what is acknowledged is there, exactly, once and in order, whatever happens.

mod breaks; // connections that break in the midst of a commit
mod lanes; // order, bounds, closing
mod outages; // PostgreSQL goes away under a whole server
mod replays; // the same samples again, and other values for them

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use millrace::admit::{Budget, Permit};
use millrace::clock::SystemClock;
use millrace::codec::block;
use millrace::journal::{CommitError, Config, Journal, Lanes, Surroundings};
use millrace::model::{Batch, CommitListener, Committed, Micros, SeriesId};
use millrace::store::database::PoolConfig;
use millrace::store::{Database, migrations, nodes};
use millrace::telemetry::Metrics;
use tokio_postgres::Client;

use crate::harness::TestDatabase;
use crate::harness::server::PATIENCE;

/// Series, time and value of a sample.
type Sample = (u32, i64, f64);
type Committing<'a> = Pin<Box<dyn Future<Output = Result<(), CommitError>> + Send + 'a>>;

/// A journal at work, without anything around it.
struct Running {
    journal: Journal,
    lanes: Lanes,
    witness: Arc<Witness>,
    database: TestDatabase,
}

/// Remembers the flushes it was handed, in order.
#[derive(Debug, Default)]
struct Witness(Mutex<Vec<Arc<Committed>>>);

impl CommitListener for Witness {
    fn committed(&self, flush: &Arc<Committed>) {
        self.0.lock().unwrap().push(Arc::clone(flush));
    }
}

impl Witness {
    fn flushes(&self) -> Vec<Arc<Committed>> {
        self.0.lock().unwrap().clone()
    }

    fn samples(&self) -> Vec<Sample> {
        self.flushes().iter().flat_map(|flush| samples(&flush.batch)).collect()
    }
}

impl Running {
    async fn start(config: Config) -> Self {
        let database = TestDatabase::create().await;
        let way = database.config();
        Self::start_through(config, database, way).await
    }

    /// With `way` instead of the direct way to the database.
    async fn start_through(config: Config, database: TestDatabase, way: tokio_postgres::Config) -> Self {
        let direct = Database::new(database.config(), PoolConfig::default()).unwrap();
        migrations::migrate(&direct).await.unwrap();
        let node = nodes::register(&direct.client().await.unwrap(), "test").await.unwrap();
        let witness = Arc::<Witness>::default();
        let surroundings = Surroundings {
            database: Database::new(way, PoolConfig::default()).unwrap(),
            node,
            clock: Arc::new(SystemClock),
            metrics: Arc::new(Metrics::new()),
            listeners: vec![Arc::<Witness>::clone(&witness) as Arc<dyn CommitListener>],
        };
        let (journal, mut lanes) = Journal::new(config, &surroundings);
        lanes.start().unwrap();
        Self { journal, lanes, witness, database }
    }

    fn commit(&self, of: &[Sample], affinity: u64) -> Committing<'_> {
        let batch = batch(of);
        Box::pin(self.journal.commit(batch, affinity, permit()))
    }

    /// Every sample in the table, as often as it is there.
    async fn stored(&self) -> Vec<Sample> {
        stored(&self.database.connect().await).await
    }

    async fn stop(self) -> Result<(), usize> {
        self.journal.close();
        self.lanes.stop(PATIENCE).await
    }
}

fn batch(of: &[Sample]) -> Batch {
    let mut batch = Batch::default();
    of.iter().for_each(|(series, time, value)| batch.push(SeriesId(*series), Micros(*time), *value));
    batch
}

fn samples(batch: &Batch) -> Vec<Sample> {
    let places = 0..batch.len();
    places.map(|place| (batch.series[place].0, batch.times[place].0, batch.values[place])).collect()
}

/// One sample of series 1.
fn one(time: i64) -> [Sample; 1] {
    [(1, time, time as f64)]
}

async fn stored(client: &Client) -> Vec<Sample> {
    let rows = client.query("SELECT block FROM journal ORDER BY node, lane, sequence, part", &[]).await.unwrap();
    let mut all = Vec::new();
    for row in rows {
        let mut decoded = Batch::default();
        block::decode(row.get(0), &mut decoded).unwrap();
        all.extend(samples(&decoded));
    }
    all
}

/// Keeps every writer out of the journal until the client commits.
async fn lock(client: &Client) {
    client.batch_execute("BEGIN; LOCK TABLE journal").await.unwrap();
}

fn single_lane() -> Config {
    Config { lanes: 1, commit_wait: Duration::from_secs(30), ..Config::default() }
}

/// Room that is never missing.
pub(super) fn permit() -> Permit {
    Budget::new(u64::MAX).try_take(0).expect("nothing is always to be had")
}
