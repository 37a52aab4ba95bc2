//! Influx lines: 100 lines of 10 tags and 10 fields, decoded. Per sample and per byte; run with
//! `cargo bench --bench influx`.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use millrace::model::{Intake, Micros};
use millrace::wire::influx::{Options, Precision, Strings, decode};

const LINES: usize = 100;
const FIELDS: usize = 10;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, "decimals", &body(|line, field| format!("{}.{:02}", (line * 7 + field) % 100, field * 9)));
    measure(&mut criterion, "integers", &body(|line, field| format!("{}i", (line * 7 + field * 13) % 101)));
    measure(
        &mut criterion,
        "17_digits",
        &body(|line, field| format!("{:?}", ((line * 31 + field) as f64 + 0.37).sin() * 1e3)),
    );
    criterion.final_summary();
}

fn measure(criterion: &mut Criterion, name: &str, body: &str) {
    let options = Options { precision: Precision::Nanosecond, now: Micros(0), strings: Strings::Count };
    let mut intake = Intake::default();
    for (unit, throughput) in
        [("samples", Throughput::Elements((LINES * FIELDS) as u64)), ("bytes", Throughput::Bytes(body.len() as u64))]
    {
        let mut group = criterion.benchmark_group(format!("influx_{unit}"));
        group.throughput(throughput);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                intake.clear();
                decode(black_box(body.as_bytes()), &options, &mut intake);
                assert_eq!(intake.points.len(), LINES * FIELDS);
            });
        });
        group.finish();
    }
}

/// The shape of the usual benchmark of time-series databases.
fn body(value: impl Fn(usize, usize) -> String) -> String {
    const FIELD_NAMES: [&str; FIELDS] =
        ["user", "system", "idle", "nice", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"];
    let mut body = String::new();
    for line in 0..LINES {
        write!(
            body,
            "cpu,hostname=host_{line},region=eu-west-1,datacenter=eu-west-1b,rack=67,os=Ubuntu16.10,arch=x64,team=NYC,\
             service=7,service_version=0,service_environment=production "
        )
        .expect("writing into memory cannot fail");
        let fields: Vec<String> = FIELD_NAMES
            .iter()
            .enumerate()
            .map(|(field, name)| format!("usage_{name}={}", value(line, field)))
            .collect();
        writeln!(body, "{} 1763640000000000000", fields.join(",")).expect("writing into memory cannot fail");
    }
    body
}
