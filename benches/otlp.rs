//! OpenTelemetry: 100 resources of 10 metrics, and 100 histograms, decoded from protobuf and from JSON. Per sample and per
//! byte; run with `cargo bench --bench otlp`.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use millrace::model::Intake;
use millrace::wire::otlp::message::{close, open, put_bytes, put_fixed64, put_number};
use millrace::wire::otlp::{METRICS, Reading, Room, decode, transcode};
use serde_json::json;

const RESOURCES: usize = 100;
const METRICS_EACH: usize = 10;
const BUCKETS: usize = 15;
const TIME_NANOS: u64 = 1_763_640_000_000_000_000;
/// More than any body here needs.
const BYTES_MAX: usize = 1 << 30;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, "protobuf_gauges", RESOURCES * METRICS_EACH, &request(gauge), &[]);
    measure(&mut criterion, "protobuf_histograms", RESOURCES * METRICS_EACH * (BUCKETS + 3), &request(histogram), &[]);
    let json = json_gauges();
    measure(&mut criterion, "json_gauges", RESOURCES * METRICS_EACH, &[], json.as_bytes());
    criterion.final_summary();
}

/// Decodes `protobuf`, or what `json` is transcoded to.
fn measure(criterion: &mut Criterion, name: &str, samples: usize, protobuf: &[u8], json: &[u8]) {
    let (reading, mut text, mut intake) = (Reading::default(), Vec::new(), Intake::default());
    let bytes = protobuf.len().max(json.len()) as u64;
    for (unit, throughput) in [("samples", Throughput::Elements(samples as u64)), ("bytes", Throughput::Bytes(bytes))] {
        let mut group = criterion.benchmark_group(format!("otlp_{unit}"));
        group.throughput(throughput);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (mut hold, mut hold_too) = (|_| true, |_| true);
                let mut transcoded = Vec::new();
                if !json.is_empty() {
                    let mut room = Room::new(BYTES_MAX, &mut hold);
                    transcode(black_box(json), &METRICS, &mut transcoded, &mut room).expect("the body is good");
                }
                let body = if json.is_empty() { protobuf } else { &transcoded };
                text.clear();
                intake.clear();
                let mut room = Room::new(BYTES_MAX, &mut hold_too);
                decode(black_box(body), &reading, (&mut text, &mut intake), &mut room).expect("the body is good");
                assert_eq!(intake.points.len(), samples);
            });
        });
        group.finish();
    }
}

fn request(metric: fn(&mut Vec<u8>, usize)) -> Vec<u8> {
    let mut out = Vec::new();
    for resource in 0..RESOURCES {
        let resource_metrics = open(&mut out, 1);
        let attributes = open(&mut out, 1);
        attribute(&mut out, 1, "host.name", &format!("host_{resource}"));
        attribute(&mut out, 1, "service.name", "checkout");
        attribute(&mut out, 1, "os.type", "linux");
        close(&mut out, attributes);
        let scope = open(&mut out, 2);
        (0..METRICS_EACH).for_each(|place| metric(&mut out, place));
        close(&mut out, scope);
        close(&mut out, resource_metrics);
    }
    out
}

fn gauge(out: &mut Vec<u8>, place: usize) {
    let metric = open(out, 2);
    put_bytes(out, 1, format!("system.cpu.utilization.{place}").as_bytes());
    let data = open(out, 5);
    let point = open(out, 1);
    put_fixed64(out, 3, TIME_NANOS);
    put_fixed64(out, 4, (place as f64 / 7.0).to_bits());
    attribute(out, 7, "state", "user");
    attribute(out, 7, "cpu", "cpu0");
    close(out, point);
    close(out, data);
    close(out, metric);
}

fn histogram(out: &mut Vec<u8>, place: usize) {
    let metric = open(out, 2);
    put_bytes(out, 1, format!("http.server.request.duration.{place}").as_bytes());
    let data = open(out, 9);
    put_number(out, 2, 2);
    let point = open(out, 1);
    put_fixed64(out, 3, TIME_NANOS);
    put_fixed64(out, 4, BUCKETS as u64 + 1);
    put_fixed64(out, 5, 12.5_f64.to_bits());
    let packed = |numbers: &[u64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    put_bytes(out, 6, &packed(&[1; BUCKETS + 1]));
    let bounds: Vec<u64> = (0..BUCKETS).map(|bound| (bound as f64).to_bits()).collect();
    put_bytes(out, 7, &packed(&bounds));
    attribute(out, 9, "http.route", "/api/v1/orders");
    close(out, point);
    close(out, data);
    close(out, metric);
}

fn attribute(out: &mut Vec<u8>, number: u32, name: &str, value: &str) {
    let attribute = open(out, number);
    put_bytes(out, 1, name.as_bytes());
    let any = open(out, 2);
    put_bytes(out, 1, value.as_bytes());
    close(out, any);
    close(out, attribute);
}

fn json_gauges() -> String {
    let text = |name: &str, value: &str| json!({ "key": name, "value": { "stringValue": value } });
    let metric = |place: usize| {
        let point = json!({
            "timeUnixNano": TIME_NANOS.to_string(), "asDouble": place as f64 / 7.0,
            "attributes": [text("state", "user"), text("cpu", "cpu0")],
        });
        json!({ "name": format!("system.cpu.utilization.{place}"), "gauge": { "dataPoints": [point] } })
    };
    let resource = |place: usize| {
        let host = format!("host_{place}");
        json!({
            "resource": { "attributes": [text("host.name", &host), text("service.name", "checkout"), text("os.type", "linux")] },
            "scopeMetrics": [{ "metrics": (0..METRICS_EACH).map(metric).collect::<Vec<_>>() }],
        })
    };
    json!({ "resourceMetrics": (0..RESOURCES).map(resource).collect::<Vec<_>>() }).to_string()
}
