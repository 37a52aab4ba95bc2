//! Prometheus: 1,000 series with a sample each, in remote write 1.0 and 2.0 and as text, decoded; 1.0 also out of its
//! snappy block. Per sample and per byte of the message; run with `cargo bench --bench prometheus`.

#[path = "../tests/it/harness/remote_write.rs"]
mod remote_write;

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use millrace::model::{Intake, Micros};
use millrace::wire::prometheus::{Exposition, Grouping, Room, TextTimes, decode_write1, decode_write2};
use prost::Message;
use remote_write::{BucketSpan, Histogram, Metadata, WriteRequest, series};

const SERIES: usize = 1_000;
const TIME_MS: i64 = 1_763_640_000_000;
const ROOM: Room = Room { points: 100_000, text_bytes: 16 << 20 };

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let request = request();
    let message = request.encode_to_vec();
    measure(&mut criterion, "write_1", &message, |body, text, intake| decode_write1(body, text, ROOM, intake).is_ok());
    let block = snap::raw::Encoder::new().compress_vec(&message).expect("a message fits a block");
    let mut decoder = snap::raw::Decoder::new();
    measure(&mut criterion, "write_1_with_snappy", &message, |body, text, intake| {
        let whole = decoder.decompress(black_box(&block), body).is_ok();
        whole && decode_write1(body, text, ROOM, intake).is_ok()
    });
    let other = request.to_version_2().encode_to_vec();
    measure(&mut criterion, "write_2", &other, |body, text, intake| decode_write2(body, text, ROOM, intake).is_ok());
    let grouping = Grouping::default();
    let exposition = Exposition { times: TextTimes::Millis, now: Micros(0), grouping: &grouping };
    let shown = shown(&request);
    measure(&mut criterion, "text", shown.as_bytes(), |body, text, intake| {
        exposition.decode(body, text, ROOM, intake).is_ok()
    });
    let histograms = histograms(&request).encode_to_vec();
    let mut intake = Intake::default();
    criterion.bench_function("prometheus_native_histograms", |bencher| {
        bencher.iter(|| {
            intake.clear();
            let (mut body, mut text) = (histograms.clone(), Vec::new());
            assert!(decode_write1(&mut body, &mut text, ROOM, &mut intake).is_ok());
        });
    });
    criterion.final_summary();
}

fn measure(
    criterion: &mut Criterion,
    name: &str,
    message: &[u8],
    mut decode: impl FnMut(&mut Vec<u8>, &mut Vec<u8>, &mut Intake) -> bool,
) {
    let mut intake = Intake::default();
    let (mut body, mut text) = (message.to_vec(), Vec::new());
    for (unit, throughput) in
        [("samples", Throughput::Elements(SERIES as u64)), ("bytes", Throughput::Bytes(message.len() as u64))]
    {
        let mut group = criterion.benchmark_group(format!("prometheus_{unit}"));
        group.throughput(throughput);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                intake.clear();
                // A decoder leaves its own text in place of the body; to put it back is a copy, which is counted.
                body.clear();
                body.extend_from_slice(black_box(message));
                assert!(decode(&mut body, &mut text, &mut intake));
                assert_eq!(intake.points.len(), SERIES);
            });
        });
        group.finish();
    }
}

/// What a scrape of a host comes to: labels as exporters have them, values of all sizes.
fn request() -> WriteRequest {
    let one = |place: usize| {
        let (cpu, value) = ((place / 8).to_string(), (place as f64 * 37.0).sin().mul_add(1e4, 1e4));
        let labels = [
            ("instance", "web-1.example.com:9100"),
            ("job", "node"),
            ("env", "production"),
            ("region", "eu-west-1"),
            ("cpu", cpu.as_str()),
            ("mode", ["idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"][place % 8]),
        ];
        series("node_cpu_seconds_total", &labels, &[((value * 100.0).round() / 100.0, TIME_MS)])
    };
    let metadata = vec![Metadata { kind: 1, family: "node_cpu_seconds_total".to_owned() }];
    WriteRequest { timeseries: (0..SERIES).map(one).collect(), metadata }
}

fn shown(request: &WriteRequest) -> String {
    let mut text = "# TYPE node_cpu_seconds_total counter\n".to_owned();
    for series in &request.timeseries {
        let labels = series.labels.iter().filter(|label| label.name != "__name__");
        let labels: Vec<String> = labels.map(|label| format!("{}=\"{}\"", label.name, label.value)).collect();
        let sample = series.samples[0];
        writeln!(text, "node_cpu_seconds_total{{{}}} {} {}", labels.join(","), sample.value, sample.timestamp)
            .expect("writing into memory cannot fail");
    }
    text
}

/// A hundred of the series with a native histogram of thirty buckets each.
fn histograms(request: &WriteRequest) -> WriteRequest {
    let histogram = Histogram {
        count_int: Some(465),
        sum: 1234.5,
        schema: 3,
        positive_spans: vec![BucketSpan { offset: -5, length: 30 }],
        positive_deltas: vec![1; 30],
        timestamp: TIME_MS,
        ..Histogram::default()
    };
    let mut timeseries = request.timeseries[..SERIES / 10].to_vec();
    for series in &mut timeseries {
        series.samples.clear();
        series.histograms.push(histogram.clone());
    }
    WriteRequest { timeseries, metadata: Vec::new() }
}
