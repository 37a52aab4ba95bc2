//! The follower, driven step by step on a time of the test's: rows of other nodes are written straight into the
//! journal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use millrace::clock::{ManualClock, SystemClock};
use millrace::codec::block::{self, Samples};
use millrace::jobs::{Context, fold};
use millrace::journal::{Coherence, CoherenceFuture, Follower, Surroundings};
use millrace::model::{CommitListener, Committed, Micros, Origin, SeriesId};
use millrace::store::appender::Appender;
use millrace::store::database::PoolConfig;
use millrace::store::journal::{FlushRows, NewBlock};
use millrace::store::{Database, StoreError, migrations, nodes};
use millrace::telemetry::Metrics;
use tokio_postgres::Client;

use crate::harness::TestDatabase;

/// What the follower handed on and asked for, in order.
#[derive(Debug, Default)]
struct Log {
    flushes: Mutex<Vec<(Origin, u64, Vec<u32>)>>,
    loads: Mutex<Vec<Vec<u32>>>,
    catalog_checks: Mutex<u32>,
    /// As often as this PostgreSQL is not there when series are loaded.
    failures_to_come: Mutex<u32>,
}

impl CommitListener for Log {
    fn committed(&self, flush: &Arc<Committed>) {
        let series = flush.batch.series.iter().map(|series| series.0).collect();
        self.flushes.lock().unwrap().push((flush.origin, flush.sequence, series));
    }
}

impl Coherence for Log {
    fn load<'a>(&'a self, series: &'a [SeriesId]) -> CoherenceFuture<'a> {
        self.loads.lock().unwrap().push(series.iter().map(|series| series.0).collect());
        let mut failures = self.failures_to_come.lock().unwrap();
        let fails = *failures > 0;
        *failures = failures.saturating_sub(1);
        Box::pin(async move { if fails { Err(StoreError::unavailable("gone for a moment")) } else { Ok(()) } })
    }

    fn judge_anew(&self, _after: i64) -> CoherenceFuture<'_> {
        Box::pin(async { Ok(()) })
    }

    fn forget_deleted(&self) -> CoherenceFuture<'_> {
        *self.catalog_checks.lock().unwrap() += 1;
        Box::pin(async { Ok(()) })
    }
}

/// A follower on a database, and connections that play the other nodes and an operator.
struct Followed {
    surroundings: Surroundings,
    log: Arc<Log>,
    follower: Follower,
    others: Appender,
    client: Client,
    now: Instant,
    _database: TestDatabase,
}

impl Followed {
    /// Node 1, on a journal that holds the flushes `1..=sequence` of each of `before`.
    async fn start(before: &[(Origin, u64)]) -> Self {
        let test = TestDatabase::create().await;
        // One connection, so that a step that needed two at a time would not come to its end.
        let pool = PoolConfig { connections_max: 1, ..PoolConfig::default() };
        let database = Database::new(test.config(), pool).unwrap();
        migrations::migrate(&database).await.unwrap();
        let node = nodes::register(&database.client().await.unwrap(), "test").await.unwrap();
        let (others, client) = (Appender::open(&database, node).await.unwrap(), test.connect().await);
        for &(origin, newest) in before {
            for sequence in 1..=newest {
                write(&others, origin, sequence, 1).await;
            }
        }
        let log = Arc::new(Log::default());
        let surroundings = Surroundings {
            database: database.clone(),
            node,
            clock: Arc::new(SystemClock),
            metrics: Arc::new(Metrics::new()),
            listeners: vec![Arc::<Log>::clone(&log)],
        };
        let marks = nodes::news(&database.client().await.unwrap()).await.unwrap().writers;
        let follower = Follower::new(&surroundings, Arc::<Log>::clone(&log), &marks);
        Self { surroundings, log, follower, others, client, now: Instant::now(), _database: test }
    }

    async fn write(&self, origin: Origin, sequence: u64, blocks: u32) {
        write(&self.others, origin, sequence, blocks).await;
    }

    /// Steps until `span` has passed, each step when the one before said so.
    async fn let_pass(&mut self, span: Duration) {
        let end = self.now + span;
        while self.now < end {
            self.now += self.follower.step(self.now).await.unwrap();
        }
    }

    /// Folds what is in the journal, and empties it some time after.
    async fn fold_and_empty(&self) {
        let clock = Arc::new(ManualClock::at(Micros(150_000_000)));
        let context =
            Context { database: self.surroundings.database.clone(), clock: Arc::<ManualClock>::clone(&clock) };
        fold::run(&context, false).await.unwrap();
        clock.set(Micros(170_000_000));
        fold::run(&context, false).await.unwrap();
        let left: i64 = self.client.query_one("SELECT count(*) FROM journal", &[]).await.unwrap().get(0);
        assert_eq!(left, 0);
    }

    fn queries(&self) -> u64 {
        self.surroundings.metrics.journal.follow_queries.get()
    }

    /// The sequences handed on of each writer, in the order they came.
    fn handed_on(&self) -> BTreeMap<Origin, Vec<u64>> {
        let mut handed_on = BTreeMap::<_, Vec<u64>>::new();
        for (origin, sequence, _) in &*self.log.flushes.lock().unwrap() {
            handed_on.entry(*origin).or_default().push(*sequence);
        }
        handed_on
    }
}

/// Commits one flush: each block holds one sample, of the series with the number of the block.
async fn write(others: &Appender, origin: Origin, sequence: u64, blocks: u32) {
    let rows: Vec<NewBlock> = (0..blocks).map(new_block).collect();
    others.append(&FlushRows::new(origin, sequence, Micros(0), &rows)).await.unwrap();
}

fn new_block(number: u32) -> NewBlock {
    let (series, time) = (SeriesId(number), Micros(i64::from(number)));
    let mut packed = Vec::new();
    block::encode(Samples { series: &[series], times: &[time], values: &[1.0] }, &mut packed);
    NewBlock {
        part: number as i16,
        series_min: series,
        series_max: series,
        time_min: time,
        time_max: time,
        samples: 1,
        block: packed,
    }
}

const fn origin(node: u32, lane: u16) -> Origin {
    Origin { node, lane }
}

#[tokio::test]
async fn an_idle_node_asks_at_most_twice_a_second() {
    let mut followed = Followed::start(&[(origin(7, 0), 3)]).await;
    followed.write(origin(7, 0), 4, 1).await;
    followed.let_pass(Duration::from_secs(15)).await;
    assert_eq!(followed.handed_on(), BTreeMap::from([(origin(7, 0), vec![4])]));
    let before = followed.queries();
    followed.let_pass(Duration::from_secs(60)).await;
    assert!(followed.queries() - before <= 120, "{} queries in a minute", followed.queries() - before);
    followed.write(origin(7, 0), 5, 1).await;
    followed.let_pass(Duration::from_secs(2)).await;
    assert_eq!(followed.handed_on(), BTreeMap::from([(origin(7, 0), vec![4, 5])]));
}

#[tokio::test]
async fn following_begins_at_the_marks_and_leaves_out_what_this_node_wrote() {
    let mut followed = Followed::start(&[(origin(7, 0), 3), (origin(7, 1), 1)]).await;
    let own = followed.surroundings.node.id;
    for (written, sequence) in [(origin(7, 0), 4), (origin(own, 0), 1), (origin(9, 1), 1), (origin(9, 1), 2)] {
        followed.write(written, sequence, 1).await;
    }
    followed.let_pass(Duration::from_secs(2)).await;
    assert_eq!(followed.handed_on(), BTreeMap::from([(origin(7, 0), vec![4]), (origin(9, 1), vec![1, 2])]));
}

#[tokio::test]
async fn a_flush_of_more_blocks_than_a_read_takes_is_put_together_in_order() {
    let mut followed = Followed::start(&[]).await;
    let writer = origin(7, 0);
    for (sequence, blocks) in [(1, 3), (2, 200), (3, 1)] {
        followed.write(writer, sequence, blocks).await;
    }
    followed.let_pass(Duration::from_secs(1)).await;
    let expected: Vec<_> =
        [(1, 3), (2, 200), (3, 1)].map(|(sequence, blocks)| (writer, sequence, (0..blocks).collect())).into();
    assert_eq!(*followed.log.flushes.lock().unwrap(), expected);
    let loads: Vec<Vec<u32>> = vec![(0..3).collect(), (3..200).collect()];
    assert_eq!(*followed.log.loads.lock().unwrap(), loads, "each series once, before its flush");
}

#[tokio::test]
async fn a_node_far_behind_catches_up_without_a_pause() {
    let mut followed = Followed::start(&[]).await;
    for sequence in 1..=300 {
        followed.write(origin(7, 0), sequence, 1).await;
        followed.write(origin(7, 1), sequence, 1).await;
    }
    while followed.follower.step(followed.now).await.unwrap().is_zero() {}
    let all: Vec<u64> = (1..=300).collect();
    assert_eq!(followed.handed_on(), BTreeMap::from([(origin(7, 0), all.clone()), (origin(7, 1), all)]));
}

#[tokio::test]
async fn whatever_the_order_of_writes_and_steps_each_flush_comes_once_and_in_order() {
    let mut followed = Followed::start(&[]).await;
    let mut written = BTreeMap::<Origin, Vec<u64>>::new();
    let mut random = 1_u64;
    for _ in 0..400 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let choice = random >> 40;
        if choice.is_multiple_of(4) {
            let span = Duration::from_millis(choice / 4 % 3000);
            followed.let_pass(span).await;
            continue;
        }
        let writer = origin(5 + (choice / 4 % 3) as u32, (choice / 16 % 2) as u16);
        let sequences = written.entry(writer).or_default();
        sequences.push(sequences.len() as u64 + 1);
        let sequence = sequences.len() as u64;
        followed.write(writer, sequence, 1 + (choice / 64 % 5) as u32).await;
    }
    followed.let_pass(Duration::from_secs(2)).await;
    assert_eq!(followed.handed_on(), written);
}

#[tokio::test]
async fn a_flush_that_cannot_be_read_does_not_hold_up_those_behind_it() {
    let mut followed = Followed::start(&[]).await;
    followed.write(origin(7, 0), 1, 2).await;
    let damage = "UPDATE journal SET block = set_byte(block, 0, 255) WHERE part = 1";
    followed.client.batch_execute(damage).await.unwrap();
    followed.write(origin(7, 0), 2, 1).await;
    followed.let_pass(Duration::from_secs(1)).await;
    assert_eq!(followed.handed_on(), BTreeMap::from([(origin(7, 0), vec![2])]));
    assert_eq!(followed.surroundings.metrics.journal.follow_missed.get(), 1);
}

#[tokio::test]
async fn the_catalog_is_compared_only_after_servers_were_deleted() {
    let mut followed = Followed::start(&[]).await;
    followed.let_pass(Duration::from_secs(5)).await;

    let at_first = *followed.log.catalog_checks.lock().unwrap();
    let server = "INSERT INTO servers (hostname, ip_address) VALUES ('left', '10.0.0.1')";
    followed.client.batch_execute(server).await.unwrap();
    followed.client.batch_execute("DELETE FROM servers WHERE hostname = 'nobody'").await.unwrap();
    followed.let_pass(Duration::from_secs(5)).await;
    assert_eq!(*followed.log.catalog_checks.lock().unwrap(), at_first);
    followed.client.batch_execute("DELETE FROM servers").await.unwrap();
    followed.let_pass(Duration::from_secs(1)).await;
    assert_eq!(*followed.log.catalog_checks.lock().unwrap(), at_first + 1);
    followed.let_pass(Duration::from_secs(5)).await;
    assert_eq!(*followed.log.catalog_checks.lock().unwrap(), at_first + 2, "once more, a look later");
}

#[tokio::test]
async fn a_step_that_failed_is_taken_up_where_it_ended() {
    let mut followed = Followed::start(&[]).await;
    for sequence in 1..=3 {
        // Each flush has a series more than the one before, so each is preceded by a look into the catalog.
        followed.write(origin(7, 0), sequence, sequence as u32).await;
    }
    *followed.log.failures_to_come.lock().unwrap() = 2;
    for _ in 0..2 {
        assert!(followed.follower.step(followed.now).await.is_err());
        assert_eq!(followed.handed_on(), BTreeMap::new(), "not before its series are known");
    }
    followed.let_pass(Duration::from_secs(2)).await;
    assert_eq!(followed.handed_on(), BTreeMap::from([(origin(7, 0), vec![1, 2, 3])]));
}

#[tokio::test]
async fn a_node_that_starts_while_the_journal_is_empty_follows_the_writers_from_where_they_are() {
    let mut followed = Followed::start(&[(origin(7, 0), 5)]).await;
    followed.fold_and_empty().await;
    let surroundings = followed.surroundings.clone();
    let marks = nodes::news(&surroundings.database.client().await.unwrap()).await.unwrap().writers;
    assert_eq!(marks, [(origin(7, 0), 5)], "what was folded is known to be past");
    followed.follower = Follower::new(&surroundings, Arc::<Log>::clone(&followed.log), &marks);
    // The writer of 5 did not hear that it was committed, and sends it again.
    for sequence in 5..=7 {
        followed.write(origin(7, 0), sequence, 1).await;
    }
    followed.let_pass(Duration::from_secs(1)).await;
    assert_eq!(followed.handed_on(), BTreeMap::from([(origin(7, 0), vec![6, 7])]));
    assert_eq!(surroundings.metrics.journal.follow_missed.get(), 0);
}

#[tokio::test]
async fn a_node_behind_which_the_journal_is_emptied_counts_what_it_missed_keeps_nothing_and_goes_on() {
    let mut followed = Followed::start(&[(origin(7, 0), 3)]).await;
    followed.let_pass(Duration::from_secs(5)).await;
    let at_first = *followed.log.catalog_checks.lock().unwrap();
    for (writer, newest) in [(origin(7, 0), 4..=8), (origin(8, 1), 1..=2)] {
        for sequence in newest {
            followed.write(writer, sequence, 1).await;
        }
    }
    followed.fold_and_empty().await;
    followed.let_pass(Duration::from_secs(5)).await;
    assert_eq!(followed.surroundings.metrics.journal.follow_missed.get(), 5 + 2);
    assert_eq!(*followed.log.catalog_checks.lock().unwrap(), at_first + 2, "what is kept is begun anew");
    let before = followed.queries();
    followed.let_pass(Duration::from_secs(60)).await;
    assert!(followed.queries() - before <= 61, "nothing is looked for that is not there");
    followed.write(origin(7, 0), 9, 1).await;
    followed.let_pass(Duration::from_secs(2)).await;
    assert_eq!(followed.handed_on(), BTreeMap::from([(origin(7, 0), vec![9])]));
    assert_eq!(followed.surroundings.metrics.journal.follow_missed.get(), 7);
}
