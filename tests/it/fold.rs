//! From the journal to recent: everything once, whatever comes in between, and nothing seen from outside.

mod breaks; // folds that are cut off in their midst
mod moves; // what is moved, against a naive model
mod ring; // emptying the journal

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace::clock::{Clock, ManualClock};
use millrace::codec::{block, samples_row};
use millrace::jobs::fold::{self, Limits};
use millrace::jobs::{Context, JobError};
use millrace::model::{Batch, Micros, Origin, SeriesId};
use millrace::store::appender::Appender;
use millrace::store::database::PoolConfig;
use millrace::store::journal::{self, BlockOrder, BlockQuery, FlushRows, Mark, NewBlock};
use millrace::store::levels::{progress, samples};
use millrace::store::{Database, migrations, nodes};

use crate::harness::TestDatabase;

const SECOND: i64 = 1_000_000;
/// An hour before the end of a slot of recent, so that folds of one test use several.
const BEGIN: i64 = 490_000 * 3_600 * SECOND;
/// Series are numbered from one up to this.
const SERIES: u32 = 12;
/// Samples in a block.
const BLOCK: usize = 5;

/// Series and time to value.
type Samples = BTreeMap<(u32, i64), f64>;
type Sample = (u32, i64, f64);

/// A database with a journal that a test writes as if it were several nodes.
struct Store {
    context: Context,
    clock: Arc<ManualClock>,
    writer: Appender,
    sequences: BTreeMap<Origin, u64>,
    test: TestDatabase,
}

impl Store {
    async fn create() -> Self {
        let test = TestDatabase::create().await;
        let database = Database::new(test.config(), PoolConfig::default()).unwrap();
        migrations::migrate(&database).await.unwrap();
        let clock = Arc::new(ManualClock::at(Micros(BEGIN)));
        let node = nodes::register(&database.client().await.unwrap(), "test").await.unwrap();
        let writer = Appender::open(&database, node).await.unwrap();
        let context = Context { database, clock: Arc::<ManualClock>::clone(&clock) };
        Self { context, clock, writer, sequences: BTreeMap::new(), test }
    }

    fn let_pass(&self, seconds: i64) {
        self.clock.set(Micros(self.clock.now().0 + seconds * SECOND));
    }

    /// Commits the next flush of a writer now.
    async fn commit(&mut self, origin: Origin, samples: &[Sample]) -> u64 {
        let now = self.clock.now();
        self.commit_at(origin, now, samples).await
    }

    /// Commits the next flush of a writer whose clock says `time`.
    async fn commit_at(&mut self, origin: Origin, time: Micros, samples: &[Sample]) -> u64 {
        let sequence = self.sequences.entry(origin).or_default();
        *sequence += 1;
        self.writer.append(&flush(origin, *sequence, time, samples)).await.unwrap();
        *sequence
    }

    async fn fold(&self) -> Result<u64, JobError> {
        fold::run(&self.context, false).await
    }

    async fn fold_within(&self, blocks_max: usize, samples_max: u64, pass_samples_max: usize) -> u64 {
        fold::run_within(&self.context, Limits { blocks_max, samples_max, pass_samples_max }).await.unwrap()
    }

    /// Everything, as a reader sees it.
    async fn seen(&self) -> Samples {
        let client = self.context.database.client().await.unwrap();
        let marks = progress::fold_marks(&client).await.unwrap();
        let unfolded = marks.iter().map(|(origin, folded)| Mark { origin: *origin, low: *folded, high: u64::MAX >> 1 });
        let query = BlockQuery {
            order: BlockOrder::Oldest,
            time_min: Micros::FIRST,
            time_max: Micros::LAST,
            series_min: SeriesId(0),
            series_max: SeriesId(u32::MAX),
            marks: unfolded.collect(),
            unmarked: true,
            edge: None,
        };
        let mut blocks = journal::read_blocks(&client, &query, None, 100_000).await.unwrap();
        blocks.sort_by_key(|block| (block.committed_at, block.origin, block.sequence, block.part));
        let mut seen = Samples::new();
        for (series, time, value) in self.parts().await {
            seen.insert((series, time), value);
        }
        for stored in blocks {
            let mut batch = Batch::default();
            block::decode(&stored.block, &mut batch).unwrap();
            for place in 0..batch.len() {
                seen.insert((batch.series[place].0, batch.times[place].0), batch.values[place]);
            }
        }
        seen
    }

    /// What is in recent, that of later folds later.
    async fn parts(&self) -> Vec<Sample> {
        let client = self.context.database.client().await.unwrap();
        let series: Vec<SeriesId> = (1..=SERIES).map(SeriesId).collect();
        let rows = samples::read_recent(&client, &series, Micros::FIRST, Micros::LAST, u64::MAX).await.unwrap();
        let mut parts = Vec::new();
        for stored in rows {
            let (mut times, mut values) = (Vec::new(), Vec::new());
            samples_row::decode(&stored.row, &mut times, &mut values).unwrap();
            parts.extend(times.iter().zip(values).map(|(time, value)| (stored.series.0, time.0, value)));
        }
        parts
    }

    /// The one number that a statement answers.
    async fn number(&self, query: &str) -> i64 {
        self.test.connect().await.query_one(query, &[]).await.unwrap().get(0)
    }

    async fn journal_rows(&self) -> i64 {
        self.number("SELECT count(*) FROM journal").await
    }
}

fn flush(origin: Origin, sequence: u64, time: Micros, samples: &[Sample]) -> FlushRows {
    let ordered: Samples = samples.iter().map(|(series, time, value)| ((*series, *time), *value)).collect();
    let ordered: Vec<Sample> = ordered.into_iter().map(|((series, time), value)| (series, time, value)).collect();
    let blocks: Vec<NewBlock> =
        ordered.chunks(BLOCK).enumerate().map(|(part, samples)| new_block(part as i16, samples)).collect();
    FlushRows::new(origin, sequence, time, &blocks)
}

fn new_block(part: i16, samples: &[Sample]) -> NewBlock {
    let series: Vec<SeriesId> = samples.iter().map(|(series, _, _)| SeriesId(*series)).collect();
    let times: Vec<Micros> = samples.iter().map(|(_, time, _)| Micros(*time)).collect();
    let values: Vec<f64> = samples.iter().map(|(_, _, value)| *value).collect();
    let mut packed = Vec::new();
    block::encode(block::Samples { series: &series, times: &times, values: &values }, &mut packed);
    NewBlock {
        part,
        series_min: series[0],
        series_max: series[series.len() - 1],
        time_min: times.iter().copied().min().unwrap(),
        time_max: times.iter().copied().max().unwrap(),
        samples: samples.len() as i32,
        block: packed,
    }
}

const fn origin(node: u32, lane: u16) -> Origin {
    Origin { node, lane }
}
