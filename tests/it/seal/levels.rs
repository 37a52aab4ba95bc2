//! A database with levels, a clock that is set by hand, and what is in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace::clock::{Clock, ManualClock};
use millrace::codec::rollup_row;
use millrace::codec::samples_row::{self, ROW_SAMPLES_MAX};
use millrace::jobs::Context;
use millrace::jobs::merge::Samples;
use millrace::model::{Bucket, Micros, Resolution, SeriesId};
use millrace::rollup;
use millrace::store::database::PoolConfig;
use millrace::store::levels::samples::{self, StoredSamples, WINDOW_MICROS};
use millrace::store::levels::{Progress, progress, recent, rollups};
use millrace::store::locks::{self, Moving};
use millrace::store::{Client, Database, migrations};

use crate::harness::{TestDatabase, eventually};

pub(super) const MINUTE: i64 = 60 * Micros::PER_SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
pub(super) const SERIES: u32 = 5;

/// Series and time.
pub(super) type Key = (u32, i64);
/// Values as their bits, as NaN is not equal to itself.
pub(super) type Model = BTreeMap<Key, u64>;

pub(super) struct Levels {
    pub(super) test: TestDatabase,
    pub(super) clock: Arc<ManualClock>,
    pub(super) context: Context,
    folds: u64,
}

pub(super) fn reached(test: &TestDatabase) -> Database {
    Database::new(test.config(), PoolConfig::default()).unwrap()
}

pub(super) fn time(text: &str) -> i64 {
    Micros::parse_rfc3339(text.as_bytes()).unwrap().0
}

impl Levels {
    pub(super) async fn create(now: i64) -> Self {
        let test = TestDatabase::create().await;
        let database = reached(&test);
        migrations::migrate(&database).await.unwrap();
        let clock = Arc::new(ManualClock::at(Micros(now)));
        let context = Context { database, clock: Arc::<ManualClock>::clone(&clock) };
        Self { test, clock, context, folds: 0 }
    }

    pub(super) async fn client(&self) -> Client {
        self.context.database.client().await.unwrap()
    }

    /// PostgreSQL ends what was given up a moment later.
    pub(super) async fn until_nobody_moves_data(&self) {
        let mut client = self.client().await;
        eventually("nobody holds the lock", async || {
            let transaction = client.transaction().await.unwrap();
            locks::try_lock(&transaction, Moving::Levels).await.unwrap()
        })
        .await;
    }

    /// Does what folding the journal does: one fold number, parts of one series and one hour each.
    pub(super) async fn fold(&mut self, arrivals: &[(u32, i64, f64)]) {
        self.folds += 1;
        let mut windows: BTreeMap<Key, BTreeMap<i64, f64>> = BTreeMap::new();
        for &(series, time, value) in arrivals {
            windows.entry((series, hour(time))).or_default().insert(time, value);
        }
        let mut parts = Vec::new();
        for ((series, _), samples) in &windows {
            let times: Vec<Micros> = samples.keys().map(|time| Micros(*time)).collect();
            let values: Vec<f64> = samples.values().copied().collect();
            for (times, values) in times.chunks(ROW_SAMPLES_MAX).zip(values.chunks(ROW_SAMPLES_MAX)) {
                parts.push(StoredSamples { series: SeriesId(*series), row: samples_row::encode(times, values) });
            }
        }
        let mut client = self.client().await;
        let transaction = client.transaction().await.unwrap();
        samples::append_recent(&transaction, recent::slot(self.clock.now()), self.folds, &parts).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// What a reader sees: of samples with the same series and time the one of the later fold, or of the upper level.
    pub(super) async fn union(&self) -> Model {
        let mut all = self.samples().await;
        for stored in self.parts().await {
            add(&stored, &mut all);
        }
        all
    }

    /// What is in `samples`. Fails when its rows are not as they should be.
    pub(super) async fn samples(&self) -> Model {
        let rows = samples::read(&self.client().await, &series(), Micros(-DAY), Micros(i64::MAX)).await.unwrap();
        let mut all = Model::new();
        for stored in &rows {
            let (before, first) = (all.len(), stored.row.start.0);
            let previous = all.last_key_value().map(|(key, _)| *key);
            assert!(previous < Some((stored.series.0, first)), "{stored:?} overlaps the row before");
            let last = add(stored, &mut all);
            assert_eq!(hour(first), hour(last), "{stored:?} is of two hours");
            assert_eq!(all.len() - before, stored.row.count as usize);
        }
        all
    }

    pub(super) async fn parts(&self) -> Vec<StoredSamples> {
        samples::read_recent(&self.client().await, &series(), Micros(-DAY), Micros(i64::MAX), u64::MAX).await.unwrap()
    }

    pub(super) async fn progress(&self) -> Progress {
        progress::read(&self.client().await).await.unwrap()
    }

    /// Every bucket of a rollup table.
    pub(super) async fn buckets(&self, resolution: Resolution) -> BTreeMap<Key, Bucket> {
        let client = self.client().await;
        let rows = rollups::read(&client, resolution, &series(), Micros(-DAY), Micros(i64::MAX)).await.unwrap();
        let mut all = BTreeMap::new();
        for stored in rows {
            let mut buckets = Vec::new();
            rollup_row::decode(&stored.row, resolution, &mut buckets).unwrap();
            all.extend(buckets.into_iter().map(|bucket| ((stored.series.0, bucket.start.0), bucket)));
        }
        all
    }

    /// Fails unless `rollup_1h` is what `samples` holds of the days that have been rolled up, to the bit.
    pub(super) async fn check_hours(&self) {
        let done_to = self.progress().await.days_to;
        let stored: Model = self.samples().await.into_iter().filter(|((_, time), _)| *time < done_to.0).collect();
        let mut hours = self.buckets(Resolution::Hour).await;
        // Late samples of a day that is closed write its hour before the day is rolled up.
        hours.retain(|(_, start), _| *start < done_to.0);
        assert_eq!(bits(&hours), bits(&roll_up(&stored, Resolution::Hour)));
    }
}

pub(super) fn hour(time: i64) -> i64 {
    rollup::start(Micros(time), WINDOW_MICROS).0
}

pub(super) fn series() -> Vec<SeriesId> {
    (0..=SERIES).map(SeriesId).collect()
}

/// The buckets that samples make.
pub(super) fn roll_up(model: &Model, resolution: Resolution) -> BTreeMap<Key, Bucket> {
    let mut all = BTreeMap::new();
    for series in 0..=SERIES {
        let of_series = || model.range((series, i64::MIN)..=(series, i64::MAX));
        let times: Vec<Micros> = of_series().map(|((_, time), _)| Micros(*time)).collect();
        let values: Vec<f64> = of_series().map(|(_, bits)| f64::from_bits(*bits)).collect();
        let mut buckets = Vec::new();
        rollup::roll_up(&times, &values, resolution, &mut buckets);
        all.extend(buckets.into_iter().map(|bucket| ((series, bucket.start.0), bucket)));
    }
    all
}

pub(super) fn bits(buckets: &BTreeMap<Key, Bucket>) -> Vec<(Key, u64, [u64; 6])> {
    let values = |bucket: &Bucket| [bucket.sum, bucket.min, bucket.max, bucket.first, bucket.last, bucket.increase];
    buckets.iter().map(|(key, bucket)| (*key, bucket.count, values(bucket).map(f64::to_bits))).collect()
}

/// Answers the time of the last sample.
fn add(stored: &StoredSamples, all: &mut Model) -> i64 {
    let mut samples = Samples::default();
    samples.add(&stored.row).unwrap();
    let last = samples.times.last().unwrap().0;
    for (time, value) in samples.times.into_iter().zip(samples.values) {
        all.insert((stored.series.0, time.0), value.to_bits());
    }
    last
}
