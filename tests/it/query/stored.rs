//! Samples put into the levels below the journal, as jobs leave them there.

use std::collections::BTreeMap;

use millrace::codec::{rollup_row, samples_row};
use millrace::model::{Bucket, Micros, Resolution, SeriesId};
use millrace::rollup;
use millrace::store::Database;
use millrace::store::database::PoolConfig;
use millrace::store::levels::rollups::{self, StoredRollup};
use millrace::store::levels::samples::{self, StoredSamples};
use millrace::store::partitions::{self, Monthly};

use crate::harness::TestDatabase;

/// The samples of one series, by time.
pub(crate) type Samples = BTreeMap<i64, f64>;

/// The levels of a database, to be written to.
pub(crate) struct Levels {
    database: Database,
}

impl Levels {
    pub(crate) fn of(test: &TestDatabase) -> Self {
        Self { database: Database::new(test.config(), PoolConfig::default()).unwrap() }
    }

    /// Makes the tables for the month of a time.
    pub(crate) async fn make_month(&self, time: i64) {
        let client = self.database.client().await.unwrap();
        for table in Monthly::ALL {
            partitions::make(&client, table, Micros(time)).await.unwrap();
        }
    }

    pub(crate) async fn add_samples(&self, series: u32, added: &Samples) {
        let mut client = self.database.client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        samples::append(&transaction, &rows(series, added)).await.unwrap();
        transaction.commit().await.unwrap();
    }

    pub(crate) async fn add_recent(&self, fold: u64, series: u32, added: &Samples) {
        let mut client = self.database.client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        samples::append_recent(&transaction, (fold % 4) as i16, fold, &rows(series, added)).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Adds what samples are rolled up to.
    pub(crate) async fn add_rollups(&self, series: u32, rolled_up: &Samples, resolution: Resolution) {
        let (times, values): (Vec<Micros>, Vec<f64>) =
            rolled_up.iter().map(|(time, value)| (Micros(*time), *value)).unzip();
        let mut buckets = Vec::new();
        rollup::roll_up(&times, &values, resolution, &mut buckets);
        let row_of = |bucket: &Bucket| bucket.start.0.div_euclid(resolution.row_micros());
        let rows: Vec<StoredRollup> = buckets
            .chunk_by(|left, right| row_of(left) == row_of(right))
            .map(|of_row| StoredRollup { series: SeriesId(series), row: rollup_row::encode(of_row, resolution) })
            .collect();
        let mut client = self.database.client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        rollups::append(&transaction, resolution, &rows).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

/// One row an hour.
fn rows(series: u32, samples: &Samples) -> Vec<StoredSamples> {
    let all: Vec<(i64, f64)> = samples.iter().map(|(time, value)| (*time, *value)).collect();
    all.chunk_by(|left, right| hour(left.0) == hour(right.0))
        .map(|of_hour| {
            let (times, values): (Vec<Micros>, Vec<f64>) =
                of_hour.iter().map(|(time, value)| (Micros(*time), *value)).unzip();
            StoredSamples { series: SeriesId(series), row: samples_row::encode(&times, &values) }
        })
        .collect()
}

/// Which hour since the epoch a time is in.
pub(crate) fn hour(time: i64) -> i64 {
    time.div_euclid(Resolution::Hour.micros())
}

/// Says that `rollup_1h` holds all days before a time.
pub(crate) async fn set_days_to(test: &TestDatabase, time: i64) {
    let client = test.connect().await;
    let seconds = time as f64 / 1e6;
    let done = client.execute("UPDATE progress SET up_to = to_timestamp($1) WHERE name = 'day'", &[&seconds]).await;
    assert_eq!(done.unwrap(), 1);
}
