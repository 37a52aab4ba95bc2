//! What a sample takes on disk once everything is where it stays, for five kinds of data, beside VictoriaMetrics.
//!
//! Both get the same lines of the same series; nothing is timed.

use std::io::Write;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::ScenarioError;
use crate::cli::Common;
use crate::client::Client;
use crate::clock;
use crate::data::walk::{self, Walk, mix};
use crate::data::{Fleet, TimeGrid};
use crate::directory::{self, WorkDir};
use crate::output::{Table, mebibytes};
use crate::peers::victoria;
use crate::process::Daemon;
use crate::report::Report;
use crate::server::{self, Server};

const READY_WAIT: Duration = Duration::from_secs(60);
const STOP_WAIT: Duration = Duration::from_secs(120);
const ANSWER_WAIT: Duration = Duration::from_secs(600);
const MS_PER_HOUR: i64 = 3_600_000;
/// The series of one host.
const SERIES_OF_A_HOST: u32 = 50;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(50..=100_000))]
    pub(crate) series: u32,
    /// How much of each series; whole hours are what is stored best, and what there is after a day.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(i64).range(1..=720))]
    pub(crate) hours: i64,
}

/// What the samples of a series are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Data {
    /// A random walk with two decimals, every ten seconds.
    Gauge,
    /// Bytes of a network card, every ten seconds.
    Counter,
    /// Seventeen digits, every ten seconds and up to three milliseconds late.
    Noisy,
    /// The same number every ten seconds.
    Constant,
    /// A walk, once in one to ten minutes.
    Sparse,
}

const KINDS: [Data; 5] = [Data::Gauge, Data::Counter, Data::Noisy, Data::Constant, Data::Sparse];

#[derive(Clone, Copy, Debug, Serialize)]
struct Size {
    data: Data,
    samples: u64,
    millrace_bytes: u64,
    victoria_bytes: Option<u64>,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    let mut sizes = Vec::new();
    for data in KINDS {
        let (samples, millrace_bytes) = in_millrace(common, settings, data)?;
        let victoria_bytes = if victoria::is_installed() { Some(in_victoria(common, settings, data)?) } else { None };
        sizes.push(Size { data, samples, millrace_bytes, victoria_bytes });
    }
    Ok(Report {
        scenario: "sizes",
        settings: json!({"series": settings.series, "hours": settings.hours}),
        results: json!({"sizes": sizes}),
        table: table(&sizes),
        failures: Vec::new(),
    })
}

/// Calls `each` with the time, in milliseconds, and the value of every sample of a series.
fn samples(
    data: Data,
    settings: &Settings,
    series: u32,
    mut each: impl FnMut(i64, f64) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let end_ms = clock::now_ms().div_euclid(MS_PER_HOUR) * MS_PER_HOUR;
    let mut time_ms = end_ms - settings.hours * MS_PER_HOUR;
    let mut walk = Walk::new(20_251_120, u64::from(series));
    let (mut counter, mut turn) = (0_u64, u64::from(series) << 32);
    while time_ms < end_ms {
        turn += 1;
        let (random, step) = (mix(turn), walk::value(walk.next_cents()));
        counter += 1000 + random % 100_000;
        let (late_ms, value) = match data {
            Data::Gauge | Data::Sparse => (0, step),
            Data::Counter => (0, counter as f64),
            Data::Noisy => ((random >> 50) as i64 % 4, step * (1.0 + (random as f64) * 1e-22)),
            Data::Constant => (0, 1.0),
        };
        each(time_ms + late_ms, value)?;
        time_ms += if data == Data::Sparse { 60_000 + (random % 540) as i64 * 1000 } else { 10_000 };
    }
    Ok(())
}

fn in_millrace(common: &Common, settings: &Settings, data: Data) -> Result<(u64, u64), ScenarioError> {
    let dir = WorkDir::new(common.work_dir.as_deref())?;
    let server = Server::start(common.launch(&dir))?;
    let hosts = settings.series.div_ceil(SERIES_OF_A_HOST);
    let mut fleet = Fleet::new(common.seed, hosts, TimeGrid { end_ms: 0, span_ms: 1, step_ms: 1 });
    server.register(&mut fleet, usize::from(common.connections))?;
    let before = directory::data_bytes(dir.path());
    let mut client = Client::new(server.address())?.waiting(ANSWER_WAIT);
    let (mut text, mut count) = (Vec::new(), 0_u64);
    for series in 0..settings.series {
        let id: Uuid = fleet.hosts[(series / SERIES_OF_A_HOST) as usize].id;
        samples(data, settings, series, |time_ms, value| {
            count += 1;
            let time = clock::rfc3339_text(time_ms);
            writeln!(
                text,
                "{{\"server_id\":\"{id}\",\"metric_type\":\"sizes\",\"metric_name\":\"series_{series}\",\
                 \"value\":{value},\"labels\":{{}},\"timestamp\":\"{time}\"}}"
            )
        })?;
        flush(&mut client, "/api/v1/import", &mut text, series + 1 == settings.series)?;
    }
    server.settle()?;
    server.stop()?;
    Ok((count, directory::data_bytes(dir.path()).saturating_sub(before)))
}

fn in_victoria(common: &Common, settings: &Settings, data: Data) -> Result<u64, ScenarioError> {
    let dir = WorkDir::new(common.work_dir.as_deref())?;
    let address = server::free_address()?;
    let mut daemon = Daemon::start(victoria::command(dir.path(), address), &dir.path().join("peer.log"))?;
    let mut client = Client::new(address)?.waiting(ANSWER_WAIT);
    daemon.wait_until_ready(READY_WAIT, || client.get("/health").is_ok_and(|answer| answer.status == 200))?;
    let mut text = Vec::new();
    for series in 0..settings.series {
        let host = series / SERIES_OF_A_HOST;
        samples(data, settings, series, |time_ms, value| {
            writeln!(text, "sizes,hostname=host_{host:06} series_{series}={value} {time_ms}000000")
        })?;
        flush(&mut client, "/write", &mut text, series + 1 == settings.series)?;
    }
    daemon.stop("TERM", STOP_WAIT)?;
    Ok(directory::data_bytes(&dir.path().join("data")))
}

/// Sends what has gathered, when it is enough or the last.
fn flush(client: &mut Client, path: &str, text: &mut Vec<u8>, is_last: bool) -> Result<(), ScenarioError> {
    const ENOUGH_BYTES: usize = 4 << 20;
    if text.is_empty() || (text.len() < ENOUGH_BYTES && !is_last) {
        return Ok(());
    }
    let answer = client.post(path, "application/x-ndjson", text)?;
    if !(200..300).contains(&answer.status) {
        let said: String = String::from_utf8_lossy(answer.body).chars().take(300).collect();
        return Err(ScenarioError::Settings(format!("{path} was answered {}: {said}", answer.status)));
    }
    text.clear();
    Ok(())
}

fn table(sizes: &[Size]) -> Table {
    let mut table =
        Table::with_heading(&["data", "samples", "Millrace", "bytes/sample", "VictoriaMetrics", "bytes/sample"]);
    for size in sizes {
        let each = |bytes: u64| format!("{:.2}", bytes as f64 / size.samples.max(1) as f64);
        table.row([
            format!("{:?}", size.data).to_lowercase(),
            size.samples.to_string(),
            mebibytes(size.millrace_bytes),
            each(size.millrace_bytes),
            size.victoria_bytes.map_or_else(|| "-".into(), mebibytes),
            size.victoria_bytes.map_or_else(|| "-".into(), each),
        ]);
    }
    table
}
