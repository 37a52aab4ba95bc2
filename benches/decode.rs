//! Decoding the native bulk body: our scanner against simd-json's tape, simd-json's serde and `serde_json`.
//!
//! Every contender starts from a body it did not write and ends with the same columns filled. simd-json rewrites its
//! input, so its scratch copy is part of its cost; its buffers and its tape are reused. Run with
//! `cargo bench --bench decode`. `DECODE_COUNT=ours|tape` runs one contender a fixed number of times instead, for
//! counting instructions.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use millrace::model::{Intake, Micros, RawIdentity};
use millrace::wire::native::decode;
use serde::Deserialize;
use simd_json::{Buffers, INPUT_PADDING, Node, StaticNode, Tape, fill_tape_padded};
use uuid::Uuid;

const ITEMS: usize = 1_000;
const SERVER: &str = "7b0c7a52-5c1e-4b0e-9d8f-6f8b7f0f9a11";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, body) in [
        ("hosts", hosts()),
        ("cores_each_with_server", cores()),
        ("all_different_17_digits", all_different()),
        ("spaced", spaced()),
    ] {
        compare(&mut criterion, name, &body);
    }
    criterion.final_summary();
}

fn compare(criterion: &mut Criterion, name: &str, body: &[u8]) {
    let mut group = criterion.benchmark_group(format!("decode_1000_items_{}_bytes_{name}", body.len()));
    group.throughput(Throughput::Elements(ITEMS as u64));
    let mut intake = Intake::default();
    group.bench_function("ours", |bencher| {
        bencher.iter(|| {
            intake.clear();
            decode(black_box(body), &mut intake).unwrap();
            assert_eq!(intake.points.len(), ITEMS);
        });
    });
    let mut by_tape = ByTape::new();
    group.bench_function("simd_json_tape_walk", |bencher| {
        bencher.iter(|| {
            by_tape.decode(black_box(body));
            assert_eq!(by_tape.columns.values.len(), ITEMS);
        });
    });
    group.bench_function("simd_json_tape_only", |bencher| bencher.iter(|| by_tape.parse(black_box(body))));
    let mut columns = Columns::default();
    let (mut scratch, mut buffers) = (Vec::new(), Buffers::default());
    group.bench_function("simd_json_serde", |bencher| {
        bencher.iter(|| {
            scratch.clear();
            scratch.extend_from_slice(black_box(body));
            let document: Document<'_> = simd_json::serde::from_slice_with_buffers(&mut scratch, &mut buffers).unwrap();
            columns.fill(document);
        });
    });
    group.bench_function("serde_json", |bencher| {
        bencher.iter(|| columns.fill(serde_json::from_slice(black_box(body)).unwrap()));
    });
    group.finish();
}

/// What every contender must end with.
#[derive(Default)]
struct Columns {
    servers: Vec<Uuid>,
    times: Vec<Micros>,
    values: Vec<f64>,
    identities: Vec<RawIdentity>,
}

impl Columns {
    fn clear(&mut self) {
        self.servers.clear();
        self.times.clear();
        self.values.clear();
        self.identities.clear();
    }

    fn fill(&mut self, document: Document<'_>) {
        self.clear();
        let server = document.server_id.parse().unwrap();
        for metric in document.metrics {
            self.servers.push(metric.server_id.map_or(server, |id| id.parse().unwrap()));
            self.times.push(Micros::parse_rfc3339(metric.timestamp.as_bytes()).unwrap());
            self.values.push(metric.value);
            black_box((metric.metric_type, metric.metric_name, metric.labels));
            self.identities.push(RawIdentity::default());
        }
    }
}

#[derive(Deserialize)]
struct Document<'a> {
    server_id: &'a str,
    #[serde(borrow)]
    metrics: Vec<Metric<'a>>,
}

#[derive(Deserialize)]
struct Metric<'a> {
    server_id: Option<&'a str>,
    metric_type: &'a str,
    metric_name: &'a str,
    value: f64,
    #[serde(borrow)]
    labels: Option<Pairs<'a>>,
    timestamp: &'a str,
}

/// Labels as a list of pairs, which is the cheapest thing serde can make of them.
struct Pairs<'a>(
    #[expect(dead_code, reason = "only made, as the catalog would be handed them")] Vec<(&'a str, &'a str)>,
);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Vec<(&'de str, &'de str)>;
            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("labels")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Visitor).map(Self)
    }
}

/// simd-json as well as it can be used: padded scratch, reused buffers and tape, the tape walked by hand.
struct ByTape {
    scratch: Vec<u8>,
    buffers: Buffers,
    tape: Option<Tape<'static>>,
    columns: Columns,
}

impl ByTape {
    fn new() -> Self {
        Self { scratch: Vec::new(), buffers: Buffers::default(), tape: Some(Tape::null()), columns: Columns::default() }
    }

    fn parse(&mut self, body: &[u8]) {
        self.with_tape(body, |tape, _| {
            black_box(tape);
        });
    }

    fn decode(&mut self, body: &[u8]) {
        self.with_tape(body, |tape, columns| walk(&tape.0, columns));
    }

    fn with_tape(&mut self, body: &[u8], use_tape: impl FnOnce(&Tape<'_>, &mut Columns)) {
        self.scratch.clear();
        self.scratch.extend_from_slice(body);
        self.scratch.resize(body.len() + INPUT_PADDING, 0);
        let mut tape = self.tape.take().unwrap().reset();
        fill_tape_padded(&mut self.scratch, body.len(), &mut self.buffers, &mut tape).unwrap();
        use_tape(&tape, &mut self.columns);
        self.tape = Some(tape.reset());
    }
}

fn walk(tape: &[Node<'_>], columns: &mut Columns) {
    columns.clear();
    let (mut server, mut at) = (Uuid::nil(), 1);
    let Node::Object { len, .. } = tape[0] else { panic!("an object") };
    for _ in 0..len {
        match (tape[at], tape[at + 1]) {
            (Node::String("server_id"), Node::String(id)) => {
                server = id.parse().unwrap();
                at += 2;
            }
            (Node::String("metrics"), Node::Array { len, .. }) => {
                at += 2;
                for _ in 0..len {
                    at = walk_item(tape, at, server, columns);
                }
            }
            _ => panic!("a known field"),
        }
    }
}

fn walk_item(tape: &[Node<'_>], start: usize, server: Uuid, columns: &mut Columns) -> usize {
    let Node::Object { len, .. } = tape[start] else { panic!("an object") };
    let (mut at, mut seen) = (start + 1, 0);
    let (mut server, mut time, mut value) = (server, Micros(0), 0.0);
    let mut identity = ["", ""];
    for _ in 0..len {
        let Node::String(name) = tape[at] else { panic!("a name") };
        seen += 1;
        match (name, tape[at + 1]) {
            ("metric_type", Node::String(text)) => identity[0] = text,
            ("metric_name", Node::String(text)) => identity[1] = text,
            ("timestamp", Node::String(text)) => time = Micros::parse_rfc3339(text.as_bytes()).unwrap(),
            ("server_id", Node::String(text)) => server = text.parse().unwrap(),
            ("value", Node::Static(StaticNode::F64(number))) => value = number,
            ("value", Node::Static(StaticNode::U64(number))) => value = number as f64,
            ("value", Node::Static(StaticNode::I64(number))) => value = number as f64,
            ("labels", Node::Object { count, .. }) => {
                black_box(&tape[at + 1..at + 2 + count]);
                at += count;
            }
            _ => panic!("a known field of its type"),
        }
        at += 2;
    }
    assert!(seen >= 5);
    columns.servers.push(server);
    columns.times.push(time);
    columns.values.push(value);
    black_box(identity);
    columns.identities.push(RawIdentity::default());
    at
}

fn document(items: impl Iterator<Item = String>) -> Vec<u8> {
    format!("{{\"server_id\":\"{SERVER}\",\"metrics\":[{}]}}", items.collect::<Vec<_>>().join(",")).into_bytes()
}

/// Ten metrics of each host in turn, one time for all: the shape of a collector that gathers a fleet.
fn hosts() -> Vec<u8> {
    const NAMES: [&str; 10] = [
        "usage_user",
        "usage_system",
        "usage_idle",
        "usage_nice",
        "usage_iowait",
        "usage_irq",
        "usage_softirq",
        "usage_steal",
        "usage_guest",
        "usage_guest_nice",
    ];
    document((0..ITEMS).map(|item| {
        let (host, name, value) = (item / 10, NAMES[item % 10], (item * 7919 % 10_000) as f64 / 100.0);
        format!(
            "{{\"metric_type\":\"cpu\",\"metric_name\":\"{name}\",\"value\":{value},\
             \"labels\":{{\"host\":\"host_{host}\",\"region\":\"eu-west-1\"}},\"timestamp\":\"2025-11-20T10:00:00Z\"}}"
        )
    }))
}

/// One metric of each core, the server in every item, a new time every eight items.
fn cores() -> Vec<u8> {
    document((0..ITEMS).map(|item| {
        let (second, core, value) = (item / 8 % 60, item % 8, (item * 7919 % 1_000_000) as f64 / 10_000.0);
        format!(
            "{{\"server_id\":\"{SERVER}\",\"timestamp\":\"2025-11-20T10:00:{second:02}Z\",\"metric_type\":\"cpu\",\
             \"metric_name\":\"usage\",\"value\":{value},\"labels\":{{\"core\":\"{core}\"}}}}"
        )
    }))
}

/// Nothing repeats: every label set and time is new, and every value has all the digits a float can have.
fn all_different() -> Vec<u8> {
    document((0..ITEMS).map(|item| {
        let value = (item as f64 + 0.5).sin() * 100.0;
        format!(
            "{{\"metric_type\":\"cpu\",\"metric_name\":\"usage\",\"value\":{value},\
             \"labels\":{{\"host\":\"host_{item}\",\"core\":\"{}\"}},\"timestamp\":\"2025-11-20T10:00:00.{:06}Z\"}}",
            item % 8,
            item * 997
        )
    }))
}

/// [`hosts`] with a blank behind every comma and colon, as Python prints it.
fn spaced() -> Vec<u8> {
    let compact = String::from_utf8(hosts()).unwrap();
    let spaced = compact.replace(",\"", ", \"").replace(",{", ", {").replace("\":", "\": ");
    spaced.into_bytes()
}
