//! Rows of the levels below the journal: what is written comes back.

use millrace::codec::{rollup_row, samples_row};
use millrace::model::{Bucket, Micros, Resolution, SeriesId};
use millrace::store::database::PoolConfig;
use millrace::store::levels::rollups::{self, StoredRollup};
use millrace::store::levels::samples::{self, StoredSamples};
use millrace::store::partitions::{self, Monthly};
use millrace::store::{Database, migrations};

use crate::harness::TestDatabase;

const HOUR: i64 = 3_600_000_000;

fn row(series: u32, start: i64, values: &[f64]) -> StoredSamples {
    let times: Vec<Micros> = (0..values.len() as i64).map(|place| Micros(start + place * place * 1_000)).collect();
    StoredSamples { series: SeriesId(series), row: samples_row::encode(&times, values) }
}

#[tokio::test]
async fn rows_of_samples_and_of_rollups_come_back_as_they_were_written() {
    let test = TestDatabase::create().await;
    let database = Database::new(test.config(), PoolConfig::default()).unwrap();
    migrations::migrate(&database).await.unwrap();
    let mut client = database.client().await.unwrap();
    let start = 490_000 * HOUR;
    for table in Monthly::ALL {
        assert!(partitions::make(&client, table, Micros(start)).await.unwrap());
        assert!(!partitions::make(&client, table, Micros(start)).await.unwrap(), "it is there now");
    }
    let rows = [row(1, start, &[1.5, 2.5, -3.25]), row(1, start + HOUR, &[1.0]), row(2, start + 7, &[f64::NAN, 0.1])];
    let bucket = Bucket { start: Micros(start), count: 3, sum: 0.1 + 0.2, max: 1.0 / 3.0, ..Bucket::default() };
    let resolution = Resolution::Minute;
    let rollup = StoredRollup { series: SeriesId(1), row: rollup_row::encode(&[bucket], resolution) };
    let transaction = client.transaction().await.unwrap();
    samples::append(&transaction, &rows).await.unwrap();
    samples::append_recent(&transaction, 3, 7, &rows).await.unwrap();
    rollups::append(&transaction, resolution, std::slice::from_ref(&rollup)).await.unwrap();
    transaction.commit().await.unwrap();

    let (from, to) = (Micros(start + 2_000), Micros(start + HOUR - 1));
    let bits = |rows: &[StoredSamples]| format!("{rows:?}");
    let read = samples::read(&client, &[SeriesId(1), SeriesId(2)], from, to).await.unwrap();
    assert_eq!(bits(&read), bits(&[rows[0].clone(), rows[2].clone()]));
    let read = samples::read_recent(&client, &[SeriesId(1)], from, to, 7).await.unwrap();
    assert_eq!(bits(&read), bits(&rows[..1]));
    assert!(samples::read_recent(&client, &[SeriesId(1)], from, to, 6).await.unwrap().is_empty());
    let read = rollups::read(&client, resolution, &[SeriesId(1)], from, to).await.unwrap();
    assert_eq!(read, [rollup]);
}
