//! The views beside the API: once the journal has been folded, plain SQL shows the samples that were sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace::clock::SystemClock;
use millrace::codec::block;
use millrace::model::{Batch, Micros, SeriesId};
use millrace::store::database::PoolConfig;
use millrace::store::journal::{self, BlockOrder, BlockQuery, Mark, StoredBlock};
use millrace::store::levels::{progress, samples};
use millrace::store::{Database, Timestamp};
use serde_json::{Value, json};

use super::{HOUR, stored};
use crate::harness::agents::{Samples, export, rfc3339};
use crate::harness::{TestDatabase, TestServer};

const TIME_US: i64 = 1_763_632_800_000_000;
const FLUSHES: i64 = 6;
const BLOCKS_MAX: u32 = 1_000;

#[tokio::test]
async fn plain_sql_answers_what_the_api_does_once_the_journal_is_folded() {
    let test = TestDatabase::create().await;
    let server = TestServer::start_on(&test.config(), &[], Arc::new(SystemClock)).await;
    for hostname in ["web-1", "web-2"] {
        let id = server.register(hostname).await;
        for flush in 0..FLUSHES {
            server.ingest(&id, &metrics(flush)).await;
        }
    }
    let answered = export(server.address).await;
    assert!(answered.len() > 500, "{}", answered.len());
    server.stop().await.unwrap();

    let database = Database::new(test.config(), PoolConfig::default()).unwrap();
    fold(&database).await;
    assert_eq!(shown(&database).await, answered);
}

/// A counter, a measured value and an odd one. Half of the samples come again with the next flush, with other values.
fn metrics(flush: i64) -> Value {
    let metric = |name: &str, value: f64, time: i64| json!({ "metric_type": "cpu", "metric_name": name, "value": value, "timestamp": rfc3339(time) });
    let at = |place: i64| TIME_US + (flush * 30 + place) * 55_000_000;
    let of_place = |place: i64| {
        let number = (flush * 1_000 + place) as f64;
        let measured = (number * 7.0).rem_euclid(10_000.0) / 100.0;
        [
            metric("ticks", number * 1_000.0, at(place)),
            metric("usage", measured, at(place) + place % 7),
            metric("odd", if place % 9 == 0 { -0.0 } else { number / 3.0 }, at(place)),
        ]
    };
    (0..60).flat_map(of_place).collect::<Vec<_>>().into()
}

/// Moves every flush that was not folded to recent, each in a fold of its own.
async fn fold(database: &Database) {
    let mut client = database.client().await.unwrap();
    let marks = progress::fold_marks(&client).await.unwrap();
    let folded = marks.iter().map(|(origin, low)| Mark { origin: *origin, low: *low, high: i64::MAX as u64 });
    let query = BlockQuery {
        order: BlockOrder::Oldest,
        time_min: Micros(0),
        time_max: Micros(i64::MAX),
        series_min: SeriesId(0),
        series_max: SeriesId(u32::MAX),
        marks: folded.collect(),
        unmarked: true,
        edge: None,
    };
    let mut blocks = journal::read_blocks(&client, &query, None, BLOCKS_MAX).await.unwrap();
    assert!(blocks.len() < BLOCKS_MAX as usize);
    blocks.sort_by_key(|block| (block.committed_at, block.origin, block.sequence, block.part));
    let last: i64 = client.query_one("SELECT coalesce(max(fold), 0) FROM recent", &[]).await.unwrap().get(0);
    let transaction = client.transaction().await.unwrap();
    for (fold, block) in (last as u64 + 1..).zip(&blocks) {
        for ((series, _), window) in windows(block) {
            let row = stored(series, &window.into_iter().collect::<Vec<_>>());
            samples::append_recent(&transaction, (fold % 4) as i16, fold, &[row]).await.unwrap();
        }
    }
    transaction.commit().await.unwrap();
}

/// The samples of a block by series and hour.
fn windows(stored: &StoredBlock) -> BTreeMap<(u32, i64), BTreeMap<i64, f64>> {
    let mut batch = Batch::default();
    block::decode(&stored.block, &mut batch).unwrap();
    let mut windows: BTreeMap<_, BTreeMap<i64, f64>> = BTreeMap::new();
    for ((series, time), value) in batch.series.iter().zip(&batch.times).zip(&batch.values) {
        windows.entry((series.0, time.0.div_euclid(HOUR))).or_default().insert(time.0, *value);
    }
    windows
}

async fn shown(database: &Database) -> Samples {
    let client = database.client().await.unwrap();
    let all = r#"SELECT server_id::text, metric_name, "timestamp", value FROM metrics WHERE metric_type = 'cpu'"#;
    let rows = client.query(all, &[]).await.unwrap();
    let samples: Samples = rows
        .iter()
        .map(|row| ((row.get(0), row.get(1), row.get::<_, Timestamp>("timestamp").0.0), row.get("value")))
        .collect();
    assert_eq!(samples.len(), rows.len(), "no sample is shown twice");
    samples
}
