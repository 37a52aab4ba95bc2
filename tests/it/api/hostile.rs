//! Requests made to hurt, to every route that takes samples or reports: each is answered by name within what the settings
//! allow, gives back the memory it held, and leaves a server that goes on.

use hyper::Method;
use serde_json::json;

use super::{NOW, metric, start_with};
use crate::harness::{TestServer, eventually};

const MANY: usize = 1_000_000;
const DEEP: usize = 100_000;
/// More than the server of these tests unfolds.
const BOMB_BYTES: usize = 40 << 20;

/// In what a route is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    Native,
    Influx,
    Lines,
    OtlpJson,
    OtlpBytes,
    OtlpLogs,
    RemoteWrite,
    Exposition,
    Report,
    Snapshot,
}

#[derive(Clone, Copy, Debug)]
enum Attack {
    Bomb,
    Claim,
    Labels,
    Levels,
}

const ATTACKS: [Attack; 4] = [Attack::Bomb, Attack::Claim, Attack::Labels, Attack::Levels];

/// Small bodies that unfold to large ones.
struct Bombs {
    zstd: Vec<u8>,
    snapped: Vec<u8>,
}

impl Bombs {
    fn new() -> Self {
        Self { zstd: zstd::encode_all(&vec![b' '; BOMB_BYTES][..], 1).unwrap(), snapped: snapped(&vec![0; BOMB_BYTES]) }
    }
}

/// A route, and what it answers to a bomb, a body that says to be a gigabyte, a million labels, and a hundred thousand
/// levels; 0 is not asked.
struct Route(&'static str, Spoken, [u16; 4]);

const ROUTES: [Route; 19] = [
    Route("/api/v1/ingest", Spoken::Native, [413, 413, 400, 400]),
    Route("/write", Spoken::Influx, [413, 413, 400, 400]),
    Route("/api/v2/write", Spoken::Influx, [413, 413, 400, 400]),
    Route("/api/v3/write_lp", Spoken::Influx, [413, 413, 400, 400]),
    // Imports may be of any length: what is too long is a line.
    Route("/api/v1/import", Spoken::Lines, [400, 0, 400, 400]),
    Route("/api/v1/import?format=csv", Spoken::Lines, [400, 0, 400, 400]),
    Route("/v1/metrics", Spoken::OtlpJson, [413, 413, 400, 400]),
    Route("/v1/metrics", Spoken::OtlpBytes, [413, 413, 400, 400]),
    Route("/api/v1/otlp/v1/metrics", Spoken::OtlpJson, [413, 413, 400, 400]),
    Route("/v1/logs", Spoken::OtlpLogs, [413, 413, 200, 400]),
    Route("/api/v1/write", Spoken::RemoteWrite, [413, 413, 400, 400]),
    Route("/api/v1/push", Spoken::RemoteWrite, [413, 413, 400, 400]),
    Route("/api/v1/import/prometheus", Spoken::Exposition, [413, 413, 400, 400]),
    Route("/metrics/job/a", Spoken::Exposition, [413, 413, 400, 400]),
    Route("/ingest", Spoken::Report, [413, 413, 413, 401]),
    Route("/metrics", Spoken::Report, [413, 413, 413, 422]),
    Route("/api/v1/ingest", Spoken::Report, [413, 413, 400, 400]),
    Route("/api/v1/ingest/processes", Spoken::Snapshot, [413, 413, 413, 400]),
    Route("/api/v1/ingest/containers", Spoken::Snapshot, [413, 413, 413, 400]),
];

#[tokio::test]
async fn what_is_made_to_hurt_is_refused_within_the_budget_on_every_route() {
    let bounds = [("http.inflated_bytes_max", "32MiB"), ("http.in_flight_bytes_max", "160MiB")];
    let server = start_with(&bounds).await;
    let id = server.register("server01").await;
    let (bombs, mut met, mut wrong) = (Bombs::new(), Vec::new(), Vec::new());
    for Route(path, spoken, expected) in &ROUTES {
        // What another route has shown of its decoder is not asked again.
        let attacks = if met.contains(spoken) { &ATTACKS[..2] } else { &ATTACKS };
        met.push(*spoken);
        for (attack, expected) in attacks.iter().zip(expected).filter(|(_, expected)| **expected != 0) {
            let answered = match attack {
                Attack::Claim if *spoken != Spoken::RemoteWrite => claimed(&server, path, *spoken).await,
                _ => attacked(&server, (path, *spoken), &attack.body(*spoken, &id, &bombs)).await,
            };
            if answered != *expected {
                wrong.push(format!("{path} as {spoken:?}, {attack:?}: {answered}, not {expected}"));
            }
            eventually("all is given back", async || held_bytes(&server).await == 0).await;
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let good = json!({ "server_id": id, "metrics": [metric("cpu", "usage", 1.0, NOW)] });
    assert_eq!(server.post("/api/v1/ingest", &good).await.json()["inserted"], 1, "the server goes on");
    server.stop().await.unwrap();
}

/// The bytes of bodies that the server says it holds.
async fn held_bytes(server: &TestServer) -> u64 {
    let page = server.get("/-/metrics").await;
    let line = page.text().lines().find_map(|line| line.strip_prefix("millrace_http_in_flight_bytes "));
    line.unwrap().parse().unwrap()
}

async fn attacked(server: &TestServer, (path, spoken): (&str, Spoken), (encoding, body): &(&str, Vec<u8>)) -> u16 {
    let headers = [("content-type", content_type(spoken)), ("content-encoding", encoding)];
    server.send(Method::POST, path, &headers, body).await.status.as_u16()
}

impl Attack {
    fn body(self, spoken: Spoken, id: &str, bombs: &Bombs) -> (&'static str, Vec<u8>) {
        let is_packed = spoken == Spoken::RemoteWrite;
        let body = match self {
            Self::Bomb if is_packed => return ("snappy", bombs.snapped.clone()),
            Self::Bomb => return ("zstd", bombs.zstd.clone()),
            // The length before a snappy block, and nothing of it.
            Self::Claim => return ("snappy", vec![0x80, 0x80, 0x80, 0x80, 0x04, 0x00, b'a']),
            Self::Labels => with_labels(spoken, id),
            Self::Levels => with_levels(spoken, id),
        };
        if is_packed { ("snappy", snapped(&body)) } else { ("identity", body) }
    }
}

/// A gigabyte in the head, and no byte of it.
async fn claimed(server: &TestServer, path: &str, spoken: Spoken) -> u16 {
    let length = 1 << 30;
    let content_type = content_type(spoken);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: {content_type}\r\n\
         content-length: {length}\r\n\r\n"
    );
    server.send_bytes(head.as_bytes()).await.status.as_u16()
}

fn content_type(spoken: Spoken) -> &'static str {
    match spoken {
        Spoken::OtlpBytes | Spoken::RemoteWrite => "application/x-protobuf",
        Spoken::Influx | Spoken::Lines | Spoken::Exposition => "text/plain",
        _ => "application/json",
    }
}

fn with_labels(spoken: Spoken, id: &str) -> Vec<u8> {
    let members = |between: &str, one: fn(usize) -> String| {
        let all = (0..MANY).fold(String::new(), |all, place| all + &one(place) + between);
        all.trim_end_matches(between).to_owned()
    };
    let labels = || members(",", |place| format!("\"l{place}\":\"\""));
    let attributes = || members(",", |place| format!("{{\"key\":\"l{place}\",\"value\":{{}}}}"));
    match spoken {
        Spoken::Native => native(id, &format!("{{{}}}", labels())),
        Spoken::Lines => labelled_line(id, &format!("{{{}}}", labels())).into(),
        Spoken::Influx => format!("cpu,host=a,{} v=1", members(",", |place| format!("l{place}=x"))).into(),
        Spoken::Exposition => format!("up{{{}}} 1", members(",", |place| format!("l{place}=\"x\""))).into(),
        Spoken::OtlpJson => gauge(&attributes()),
        Spoken::OtlpLogs => log_record(&format!("\"attributes\":[{}]", attributes())),
        Spoken::OtlpBytes => protobuf_gauge(&protobuf_attributes()),
        Spoken::RemoteWrite => {
            let label = part(1, &[part(1, b"a"), part(2, b"b")].concat());
            part(1, &[label.repeat(MANY), part(2, &[0x10, 1])].concat())
        }
        Spoken::Report | Spoken::Snapshot => format!("{{\"host\":\"a\",{}}}", labels()).into(),
    }
}

fn with_levels(spoken: Spoken, id: &str) -> Vec<u8> {
    let brackets = || format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP));
    match spoken {
        Spoken::Native => native(id, &brackets()),
        Spoken::Lines => labelled_line(id, &brackets()).into(),
        Spoken::Influx => format!("cpu,host=a v={}", brackets()).into(),
        Spoken::Exposition => format!("up{} 1", "{".repeat(DEEP)).into(),
        Spoken::OtlpJson => gauge(&brackets()),
        Spoken::OtlpLogs => log_record(&format!("\"body\":{}", brackets())),
        // A list within a list, each an attribute's value.
        Spoken::OtlpBytes => protobuf_gauge(&part(7, &[part(1, b"a"), nested(&[2, 5, 1])].concat())),
        Spoken::RemoteWrite => part(1, &[nested(&[1]), part(2, &[0x10, 1])].concat()),
        Spoken::Report | Spoken::Snapshot => format!("{{\"host\":{}}}", brackets()).into(),
    }
}

fn native(id: &str, labels: &str) -> Vec<u8> {
    format!("{{\"server_id\":\"{id}\",\"metrics\":[{}]}}", labelled_line(id, labels)).into()
}

fn labelled_line(id: &str, labels: &str) -> String {
    format!(
        "{{\"server_id\":\"{id}\",\"metric_type\":\"a\",\"metric_name\":\"b\",\"value\":1,\"timestamp\":\"{NOW}\",\
         \"labels\":{labels}}}"
    )
}

fn gauge(attributes: &str) -> Vec<u8> {
    let point = format!("{{\"asInt\":\"1\",\"timeUnixNano\":\"1763640000000000000\",\"attributes\":[{attributes}]}}");
    let metrics = format!("[{{\"name\":\"g\",\"gauge\":{{\"dataPoints\":[{point}]}}}}]");
    format!("{{\"resourceMetrics\":[{{\"scopeMetrics\":[{{\"metrics\":{metrics}}}]}}]}}").into()
}

fn log_record(field: &str) -> Vec<u8> {
    let record = format!("{{\"timeUnixNano\":\"1763640000000000000\",{field}}}");
    format!("{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{record}]}}]}}]}}").into()
}

fn protobuf_attributes() -> Vec<u8> {
    part(7, &[part(1, b"a"), part(2, &part(1, b""))].concat()).repeat(MANY)
}

/// A gauge with one point that has these fields too.
fn protobuf_gauge(fields: &[u8]) -> Vec<u8> {
    let time = [&[3 << 3 | 1][..], &1_763_640_000_000_000_000_u64.to_le_bytes()].concat();
    let value = [&[4 << 3 | 1][..], &1.0_f64.to_le_bytes()].concat();
    let point = part(1, &[&time, &value, fields].concat());
    let metric = [part(1, b"g"), part(5, &point)].concat();
    part(1, &part(2, &part(2, &metric)))
}

/// Messages within each other, by these numbers in turn: built from within, so that no byte is copied twice.
fn nested(numbers: &[u8]) -> Vec<u8> {
    let (mut heads, mut length) = (Vec::new(), 0);
    for number in numbers.iter().rev().cycle().take(DEEP / numbers.len() * numbers.len()) {
        let head = head(*number, length);
        length += head.len();
        heads.push(head);
    }
    heads.reverse();
    heads.concat()
}

fn part(number: u8, content: &[u8]) -> Vec<u8> {
    [head(number, content.len()), content.to_vec()].concat()
}

/// The number of a field and its length.
fn head(number: u8, mut length: usize) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out
}

fn snapped(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}
