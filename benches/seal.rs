//! Sealing and rolling up on a PostgreSQL of one's own that writes to disk: samples and rows a second, bytes a sample.

#![expect(clippy::print_stdout, reason = "a measurement is read by people")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use millrace::clock::ManualClock;
use millrace::codec::samples_row;
use millrace::embedded::{Cluster, Settings};
use millrace::jobs::{Context, day, seal};
use millrace::model::{Micros, SeriesId};
use millrace::store::database::PoolConfig;
use millrace::store::levels::samples::{self, StoredSamples};
use millrace::store::partitions::{self, Monthly};
use millrace::store::{Database, migrations};

type Failure = Box<dyn Error + Send + Sync>;

const HOUR: i64 = 3_600 * Micros::PER_SECOND;
const DAY: i64 = 24 * HOUR;
/// 2026-11-20T00:00:00Z
const START: i64 = 1_795_132_800_000_000;

/// What is sealed: so many series, samples of each in an hour, and folds that the hour took.
const SEALS: [(u32, i64, i64); 3] = [(10_000, 1_000, 1), (10_000, 1_000, 120), (100_000, 360, 12)];
const DAY_SERIES: u32 = 100_000;
const DAY_ROW_SAMPLES: i64 = 36;
/// Rows of one COPY.
const ROWS: usize = 20_000;

fn main() -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> Result<(), Failure> {
    let data_dir = std::env::temp_dir().join(format!("millrace-bench-seal-{}", std::process::id()));
    let mut cluster = Cluster::start(Settings { data_dir, durable: true, binaries: None, throw_away: true }).await?;
    let database = Database::new(cluster.config("postgres"), PoolConfig::default())?;
    migrations::migrate(&database).await?;
    let clock = Arc::new(ManualClock::at(Micros(START)));
    let context = Context { database, clock: Arc::<ManualClock>::clone(&clock) };
    for (place, (series, per_series, folds)) in SEALS.into_iter().enumerate() {
        let hour = START + place as i64 * HOUR;
        fill_recent(&context, hour, series, per_series, folds).await?;
        clock.set(Micros(hour + HOUR + seal::GRACE_MICROS));
        let (before, begun) = (samples_bytes(&context).await?, Instant::now());
        seal::run(&context, false).await?;
        let (seconds, bytes) = (begun.elapsed().as_secs_f64(), samples_bytes(&context).await? - before);
        let samples = f64::from(series) * per_series as f64;
        println!(
            "seal: {series} series, {per_series} samples, {folds} folds: {seconds:.1} s, {:.2} M samples/s, {:.2} M parts/s, \
             {:.2} bytes a sample; {}",
            samples / seconds / 1e6,
            f64::from(series) * folds as f64 / seconds / 1e6,
            bytes as f64 / samples,
            memory()
        );
    }
    fill_day(&context).await?;
    clock.set(Micros(START + 2 * DAY + seal::GRACE_MICROS));
    seal::run(&context, false).await?;
    let begun = Instant::now();
    let rows = day::run(&context, false).await?;
    println!(
        "day: {DAY_SERIES} series by 24 rows: {rows} rows in {:.1} s; {}",
        begun.elapsed().as_secs_f64(),
        memory()
    );
    cluster.stop(std::time::Duration::from_secs(10)).await?;
    Ok(())
}

/// Evenly spaced samples with two decimals that wander.
fn row(series: u32, start: i64, step: i64, count: i64) -> StoredSamples {
    let times: Vec<Micros> = (0..count).map(|place| Micros(start + place * step)).collect();
    let mut state = u64::from(series) << 20 | (start / step) as u64 & 0xf_ffff;
    let mut hundredths = 5_000_i64;
    let values: Vec<f64> = times
        .iter()
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            hundredths += (state >> 33) as i64 % 201 - 100;
            hundredths as f64 / 100.0
        })
        .collect();
    StoredSamples { series: SeriesId(series), row: samples_row::encode(&times, &values) }
}

async fn fill_recent(context: &Context, hour: i64, series: u32, per_series: i64, folds: i64) -> Result<(), Failure> {
    let step = HOUR / per_series;
    let mut client = context.database.client().await?;
    for fold in 0..folds {
        let (first, end) = (per_series * fold / folds, per_series * (fold + 1) / folds);
        let transaction = client.transaction().await?;
        let ids: Vec<u32> = (1..=series).collect();
        for ids in ids.chunks(ROWS) {
            let part = |id: &u32| row(*id, hour + first * step, step, end - first);
            let parts: Vec<StoredSamples> = ids.iter().map(part).collect();
            samples::append_recent(&transaction, 0, (hour / HOUR * 1_000 + fold) as u64, &parts).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

/// The day after, hour by hour, as sealing writes it.
async fn fill_day(context: &Context) -> Result<(), Failure> {
    let mut client = context.database.client().await?;
    partitions::make(&client, Monthly::Samples, Micros(START + DAY)).await?;
    for hour in 0..24 {
        let transaction = client.transaction().await?;
        let ids: Vec<u32> = (1..=DAY_SERIES).collect();
        for ids in ids.chunks(ROWS) {
            let of_hour = |id: &u32| row(*id, START + DAY + hour * HOUR, HOUR / DAY_ROW_SAMPLES, DAY_ROW_SAMPLES);
            samples::append(&transaction, &ids.iter().map(of_hour).collect::<Vec<_>>()).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

async fn samples_bytes(context: &Context) -> Result<i64, Failure> {
    let sum = "SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint FROM pg_partition_tree('samples')";
    Ok(context.database.client().await?.query_one(sum, &[]).await?.get(0))
}

/// The most this process has used so far.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned()
}
