//! The store's check of itself: silent about what is right, and it names what was changed by hand.

use millrace::codec::{rollup_row, samples_row};
use millrace::model::{Micros, Resolution, SeriesId};
use millrace::rollup;
use millrace::store::database::PoolConfig;
use millrace::store::levels::rollups::{self, StoredRollup};
use millrace::store::levels::samples::{self, StoredSamples};
use millrace::store::partitions::{self, Monthly};
use millrace::store::{Database, migrations};
use millrace::verify::{self, Report};

use crate::harness::TestDatabase;

const HOUR: i64 = 3_600_000_000;
const DAY_START: i64 = 20_400 * 24 * HOUR;

/// Two series with a day of samples each, rolled up, and the day done.
async fn stored_day() -> (TestDatabase, Database) {
    let test = TestDatabase::create().await;
    let database = Database::new(test.config(), PoolConfig::default()).unwrap();
    migrations::migrate(&database).await.unwrap();
    let mut client = database.client().await.unwrap();
    for table in Monthly::ALL {
        partitions::make(&client, table, Micros(DAY_START)).await.unwrap();
    }
    let (mut rows, mut hours) = (Vec::new(), Vec::new());
    for series in [SeriesId(1), SeriesId(2)] {
        let times: Vec<Micros> = (0..2_000).map(|place| Micros(DAY_START + place * 40_000_000)).collect();
        let values: Vec<f64> = (0..2_000).map(|place| f64::from(place * 7 % 100) / 10.0).collect();
        for hour in times.chunks(90) {
            let first = ((hour[0].0 - DAY_START) / 40_000_000) as usize;
            let row = samples_row::encode(hour, &values[first..first + hour.len()]);
            rows.push(StoredSamples { series, row });
        }
        let mut buckets = Vec::new();
        rollup::roll_up(&times, &values, Resolution::Hour, &mut buckets);
        hours.push(StoredRollup { series, row: rollup_row::encode(&buckets, Resolution::Hour) });
    }
    let transaction = client.transaction().await.unwrap();
    samples::append(&transaction, &rows).await.unwrap();
    samples::append_recent(&transaction, 0, 1, &rows[..3]).await.unwrap();
    rollups::append(&transaction, Resolution::Hour, &hours).await.unwrap();
    transaction.commit().await.unwrap();
    let done = "UPDATE progress SET up_to = '2100-01-01' WHERE name = 'day'";
    test.connect().await.batch_execute(done).await.unwrap();
    (test, database)
}

async fn check(database: &Database) -> Report {
    verify::run(database, Micros(DAY_START)).await.unwrap()
}

#[tokio::test]
async fn what_is_right_passes_and_is_counted() {
    let (_test, database) = stored_day().await;
    let report = check(&database).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.rows, report.parts, report.samples), (46, 3, 4_000));
    assert_eq!(report.hours, 46, "every hour of the two days is compared");
}

#[tokio::test]
async fn every_kind_of_change_is_found_and_named() {
    for (change, fault) in [
        ("UPDATE rollup_1h SET value_base = value_base + 1 WHERE series = 2", "series 2: the hour"),
        ("DELETE FROM rollup_1h WHERE series = 1", "is None"),
        ("UPDATE samples SET count = count - 1 WHERE series = 1", "is damaged"),
        ("UPDATE samples SET seconds = seconds - 1 WHERE series = 1", "it ends at another time than it says"),
        // Eighty seconds in the place of forty.
        (
            "UPDATE samples SET packed = overlay(packed PLACING '\\xc202' FROM 2) WHERE series = 2",
            "it reaches into another hour",
        ),
        (
            "UPDATE samples SET start = start - interval '30 minutes' \
             WHERE series = 2 AND start = (SELECT max(start) FROM samples)",
            "it overlaps the one before",
        ),
        ("UPDATE recent SET packed = packed || '\\x00'", "part of series 1"),
        (
            "INSERT INTO rollup_1m (start, value_base, increase_base, series, count_base, value_scale, buckets) \
             SELECT min(start), 0, 0, 1, 1, 0, repeat('1', 60)::bit varying FROM samples WHERE series = 1",
            "is kept both as samples and as minutes",
        ),
        (
            "INSERT INTO journal VALUES (1, 0, 0, 1, 0, 1, 1, now(), now(), 1, now(), 'no block')",
            "journal node 1 lane 0 sequence 1 part 0",
        ),
        ("UPDATE rollup_1h SET buckets = B'1' WHERE series = 2", "row of rollup_1h of series 2"),
        (
            "DELETE FROM samples WHERE series = 2; UPDATE rollup_1h SET increases = B'1' WHERE series = 2",
            "row of rollup_1h of series 2",
        ),
        ("UPDATE rollup_1h SET start = start + interval '1 hour' WHERE series = 2", "row of rollup_1h of series 2"),
        (
            "INSERT INTO set_aside (level, place, reason, found_by, found_at, bytes) \
             VALUES ('samples', '{\"series\": 7}', 'bits', 'seal', now(), '')",
            "a row of samples was set aside by seal",
        ),
        ("DROP TABLE samples_2025_11", "samples has no part for 2025_11"),
        ("CREATE TABLE rest PARTITION OF samples DEFAULT", "samples has a part for all the rest"),
    ] {
        let (test, database) = stored_day().await;
        test.connect().await.batch_execute(change).await.unwrap();
        let report = check(&database).await;
        assert!(!report.is_clean(), "{change}");
        assert!(report.listed.iter().any(|listed| listed.contains(fault)), "{change}: {report}");
    }
}
