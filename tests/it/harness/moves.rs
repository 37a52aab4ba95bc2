//! Moves data from level to level as plainly as can be, a part of them if so wished, so that readers meet every mixture.

use std::collections::{BTreeMap, BTreeSet};

use millrace::codec::{block, samples_row};
use millrace::model::{Batch, Micros, Origin, SeriesId};
use millrace::store::database::PoolConfig;
use millrace::store::journal::{self, BlockOrder, BlockQuery, Mark, StoredBlock};
use millrace::store::levels::samples::{self, StoredSamples};
use millrace::store::levels::{FoldMarks, progress};
use millrace::store::partitions::{self, Monthly};
use millrace::store::{Client, Database, Transaction};
use tokio_postgres::Config;

const HOUR: i64 = 3_600_000_000;
/// Samples in a row: few, so that an hour has several rows.
const ROW_SAMPLES: usize = 7;

type Hours = BTreeMap<(SeriesId, i64), BTreeMap<i64, f64>>;

pub(crate) struct Moves {
    database: Database,
}

impl Moves {
    pub(crate) fn of(config: Config) -> Self {
        Self { database: Database::new(config, PoolConfig::default()).unwrap() }
    }

    /// Folds the first `quarters` of all flushes that were not folded. In order of their commit: of two samples with the
    /// same series and time the one that stays in the journal counts as the later one.
    pub(crate) async fn fold(&self, quarters: usize) {
        let mut client = self.database.client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        // As the real one, it is alone.
        transaction.batch_execute("LOCK TABLE progress IN EXCLUSIVE MODE").await.unwrap();
        let (marks, fold) = marks_and_fold(&transaction).await;
        let other = self.database.client().await.unwrap();
        let mut blocks = unfolded(&other, &marks).await;
        blocks.sort_by_key(|block| (block.committed_at, block.origin, block.sequence, block.part));
        let flush = |block: &StoredBlock| (block.origin, block.sequence);
        let flushes = blocks.chunk_by(|left, right| flush(left) == flush(right));
        let taken = flushes.clone().count() * quarters / 4;
        let taken: usize = flushes.take(taken).map(<[StoredBlock]>::len).sum();
        blocks.truncate(taken);
        let (mut hours, mut marks) = (Hours::new(), FoldMarks::new());
        for stored in &blocks {
            let mut batch = Batch::default();
            block::decode(&stored.block, &mut batch).unwrap();
            for (place, series) in batch.series.iter().enumerate() {
                let time = batch.times[place].0;
                hours.entry((*series, time.div_euclid(HOUR))).or_default().insert(time, batch.values[place]);
            }
            let mark = marks.entry(stored.origin).or_default();
            *mark = stored.sequence.max(*mark);
        }
        samples::append_recent(&transaction, (fold % 4) as i16, fold, &rows(&hours)).await.unwrap();
        for (origin, sequence) in marks {
            let upsert =
                "INSERT INTO fold_marks VALUES ($1, $2, $3) ON CONFLICT (node, lane) DO UPDATE SET sequence = $3";
            let (node, lane) = (origin.node as i32, origin.lane as i16);
            transaction.execute(upsert, &[&node, &lane, &(sequence as i64)]).await.unwrap();
        }
        transaction.batch_execute("UPDATE progress SET runs = runs + 1 WHERE name = 'fold'").await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Seals the hours of series that `takes` says yes to, given the series and the hour since the epoch.
    pub(crate) async fn seal(&self, takes: impl Fn(SeriesId, i64) -> bool) {
        let mut client = self.database.client().await.unwrap();
        let parts = client.query("SELECT DISTINCT series FROM recent", &[]).await.unwrap();
        let all: Vec<SeriesId> = parts.iter().map(|row| SeriesId(row.get::<_, i32>(0) as u32)).collect();
        let (from, to) = (Micros(i64::MIN), Micros(i64::MAX));
        let parts = samples::read_recent(&client, &all, from, to, u64::MAX).await.unwrap();
        let moved: BTreeSet<(SeriesId, i64)> =
            parts.iter().map(hour_of).filter(|(one, hour)| takes(*one, *hour)).collect();
        let mut hours = Hours::new();
        for stored in samples::read(&client, &all, from, to).await.unwrap().iter().chain(&parts) {
            if moved.contains(&hour_of(stored)) {
                let (mut times, mut values) = (Vec::new(), Vec::new());
                samples_row::decode(&stored.row, &mut times, &mut values).unwrap();
                let samples = times.into_iter().map(|time| time.0).zip(values);
                hours.entry(hour_of(stored)).or_default().extend(samples);
            }
        }
        for (_, hour) in &moved {
            partitions::make(&client, Monthly::Samples, Micros(hour * HOUR)).await.unwrap();
        }
        let transaction = client.transaction().await.unwrap();
        for (series, hour) in &moved {
            for table in ["recent", "samples"] {
                let delete = format!(
                    "DELETE FROM {table} WHERE series = {} AND date_bin('1 hour', start, timestamptz 'epoch') =
                         timestamptz 'epoch' + interval '1 hour' * {hour}",
                    series.0
                );
                transaction.batch_execute(&delete).await.unwrap();
            }
        }
        samples::append(&transaction, &rows(&hours)).await.unwrap();
        transaction.batch_execute("UPDATE progress SET runs = runs + 1 WHERE name = 'seal'").await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Takes everything that is folded out of the journal.
    pub(crate) async fn empty_journal(&self) {
        let delete = "DELETE FROM journal USING fold_marks AS mark WHERE journal.node = mark.node
            AND journal.lane = mark.lane AND journal.sequence <= mark.sequence";
        self.database.client().await.unwrap().batch_execute(delete).await.unwrap();
    }
}

async fn marks_and_fold(transaction: &Transaction<'_>) -> (FoldMarks, u64) {
    let fold = progress::read(transaction).await.unwrap().folds + 1;
    (progress::fold_marks(transaction).await.unwrap(), fold)
}

async fn unfolded(client: &Client, marks: &FoldMarks) -> Vec<StoredBlock> {
    let mark = |(origin, low): (&Origin, &u64)| Mark { origin: *origin, low: *low, high: i64::MAX as u64 };
    let query = BlockQuery {
        order: BlockOrder::Oldest,
        time_min: Micros(i64::MIN),
        time_max: Micros(i64::MAX),
        series_min: SeriesId(0),
        series_max: SeriesId(u32::MAX),
        marks: marks.iter().map(mark).collect(),
        unmarked: true,
        edge: None,
    };
    journal::read_blocks(client, &query, None, u32::MAX).await.unwrap()
}

fn hour_of(stored: &StoredSamples) -> (SeriesId, i64) {
    (stored.series, stored.row.start.0.div_euclid(HOUR))
}

fn rows(hours: &Hours) -> Vec<StoredSamples> {
    let of_hour = |((series, _), samples): (&(SeriesId, i64), &BTreeMap<i64, f64>)| {
        let samples: Vec<(i64, f64)> = samples.iter().map(|(time, value)| (*time, *value)).collect();
        let row = |samples: &[(i64, f64)]| {
            let (times, values): (Vec<Micros>, Vec<f64>) =
                samples.iter().map(|(time, value)| (Micros(*time), *value)).unzip();
            StoredSamples { series: *series, row: samples_row::encode(&times, &values) }
        };
        samples.chunks(ROW_SAMPLES).map(row).collect::<Vec<_>>()
    };
    hours.iter().flat_map(of_hour).collect()
}
