//! What a fold costs: time, processor and memory of this process and of PostgreSQL. Half a minute of a journal that
//! takes 600,000 samples a second of 100,000 series, or of 16,000, folded as it comes in portions of several sizes.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints what it measured, or fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use millrace::clock::ManualClock;
use millrace::codec::block::{self, Samples};
use millrace::embedded::{Cluster, Settings};
use millrace::jobs::{Context, fold};
use millrace::model::{Micros, Origin, SeriesId};
use millrace::store::appender::Appender;
use millrace::store::database::PoolConfig;
use millrace::store::journal::{FlushRows, NewBlock};
use millrace::store::{Database, migrations, nodes};

/// Of each server.
const SERVER_SERIES: u32 = 1_000;
const FLUSH_SERVERS: u32 = 12;
const BLOCK: usize = 3_072;
const SAMPLES: u64 = 18_000_000;
const BEGIN: i64 = 490_000 * 3_600_000_000;
const TICKS_PER_SECOND: f64 = 100.0;

struct Filler {
    writer: Appender,
    sequences: BTreeMap<Origin, u64>,
    rounds: u64,
    written: u64,
    servers: u64,
}

impl Filler {
    /// Commits about so many samples: server after server, each with a sample of each of its series.
    async fn fill(&mut self, samples: u64) {
        let end = self.written + samples;
        while self.written < end {
            let flush_samples = FLUSH_SERVERS * SERVER_SERIES;
            let servers: Vec<u32> = (0..FLUSH_SERVERS)
                .map(|number| ((self.rounds * u64::from(FLUSH_SERVERS) + u64::from(number)) % self.servers) as u32)
                .collect();
            let time = |server: u32| {
                let round = (self.rounds * u64::from(FLUSH_SERVERS) + u64::from(server)) / self.servers;
                BEGIN + round as i64 * 166_000 + i64::from(server) * 1_000
            };
            let mut sorted = servers.clone();
            sorted.sort_unstable();
            let (mut series, mut times, mut values) = (Vec::new(), Vec::new(), Vec::new());
            for server in sorted {
                for number in 0..SERVER_SERIES {
                    series.push(SeriesId(1 + server * SERVER_SERIES + number));
                    times.push(Micros(time(server)));
                    values.push(((self.rounds * 31 + u64::from(number) * 7919) % 10_000) as f64 / 100.0);
                }
            }
            let blocks: Vec<NewBlock> = (0..series.len())
                .step_by(BLOCK)
                .enumerate()
                .map(|(part, start)| {
                    let end = (start + BLOCK).min(series.len());
                    let (series, times) = (&series[start..end], &times[start..end]);
                    let mut packed = Vec::new();
                    block::encode(Samples { series, times, values: &values[start..end] }, &mut packed);
                    NewBlock {
                        part: part as i16,
                        series_min: series[0],
                        series_max: series[series.len() - 1],
                        time_min: times.iter().copied().min().unwrap(),
                        time_max: times.iter().copied().max().unwrap(),
                        samples: series.len() as i32,
                        block: packed,
                    }
                })
                .collect();
            let origin = Origin { node: 1, lane: (self.rounds % 2) as u16 };
            let sequence = self.sequences.entry(origin).or_default();
            *sequence += 1;
            let committed_at = Micros(BEGIN + self.rounds as i64 * 20_000);
            self.writer.append(&FlushRows::new(origin, *sequence, committed_at, &blocks)).await.unwrap();
            self.rounds += 1;
            self.written += u64::from(flush_samples);
        }
    }
}

/// Seconds of processor time of a process and its children that are gone.
fn cpu_seconds(pid: &str) -> f64 {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0.0 };
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (11..13).map(|place| fields[place].parse::<f64>().unwrap()).sum::<f64>() / TICKS_PER_SECOND
}

/// The same of every process of the cluster.
fn postgres_seconds(postmaster: &str) -> f64 {
    let is_child = |pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(postmaster)
    };
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    pids.filter(|pid| is_child(pid)).map(|pid| cpu_seconds(&pid)).sum()
}

fn memory_kib(what: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn measure(cluster: &Cluster, postmaster: &str, servers: u64, portion: u64) {
    let name = format!("fold_{servers}_{portion}");
    cluster.ensure_database(&name).await.unwrap();
    let database = Database::new(cluster.config(&name), PoolConfig::default()).unwrap();
    migrations::migrate(&database).await.unwrap();
    let node = nodes::register(&database.client().await.unwrap(), "bench").await.unwrap();
    let writer = Appender::open(&database, node).await.unwrap();
    let mut filler = Filler { writer, sequences: BTreeMap::new(), rounds: 0, written: 0, servers };
    let context = Context { database: database.clone(), clock: Arc::new(ManualClock::at(Micros(BEGIN))) };
    let (mut rows, mut seconds, mut own, mut postgres, mut peak) = (0, 0.0, 0.0, 0.0, 0);
    while filler.written < SAMPLES {
        filler.fill(portion).await;
        fs::write("/proc/self/clear_refs", "5").ok();
        let (before, started) =
            ((memory_kib("VmRSS"), cpu_seconds("self"), postgres_seconds(postmaster)), Instant::now());
        rows += fold::run(&context, false).await.unwrap();
        seconds += started.elapsed().as_secs_f64();
        own += cpu_seconds("self") - before.1;
        postgres += postgres_seconds(postmaster) - before.2;
        peak = peak.max(memory_kib("VmHWM").saturating_sub(before.0));
    }
    let sizes = database.client().await.unwrap();
    let size = "SELECT sum(pg_total_relation_size('recent_' || slot))::bigint FROM generate_series(0, 3) AS slot";
    let bytes: i64 = sizes.query_one(size, &[]).await.unwrap().get(0);
    let samples = filler.written as f64;
    println!(
        "{servers},000 series, {portion} samples a fold: {:.2} M samples/s, of one core at 600 k/s {:.1} % here and {:.1} % in PostgreSQL, \
         {} MiB more memory, {rows} rows, {:.2} bytes a sample",
        samples / seconds / 1e6,
        own / samples * 600_000.0 * 100.0,
        postgres / samples * 600_000.0 * 100.0,
        peak / 1024,
        bytes as f64 / samples,
    );
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let data_dir = PathBuf::from("/dev/shm").join(format!("millrace-bench-{}", std::process::id()));
    let settings = Settings { data_dir: data_dir.clone(), durable: true, binaries: None, throw_away: true };
    let cluster = Cluster::start(settings).await.unwrap();
    let postmaster = fs::read_to_string(data_dir.join("postgres/postmaster.pid")).unwrap();
    let postmaster = postmaster.lines().next().unwrap().to_owned();
    for (servers, portion) in [(16, 2_000_000), (100, 2_000_000), (100, 6_000_000), (100, SAMPLES)] {
        measure(&cluster, &postmaster, servers, portion).await;
    }
    cluster.stop(std::time::Duration::from_secs(30)).await.unwrap();
}
