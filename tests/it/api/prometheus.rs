//! Prometheus, its agents and its clients: what is stored of what they send, and what they are answered.

mod decoder; // messages against another implementation
mod remote_write; // versions 1.0 and 2.0
mod hostile; // bodies made to hurt
mod histograms; // native ones, as classic ones
mod text; // what exporters show
mod push; // what clients push
mod real; // the program itself

use std::collections::BTreeMap;

use hyper::Method;
use prost::Message;
use serde_json::Value;

use super::{NOW, start, start_with};
use crate::harness::TestServer;
use crate::harness::remote_write::WriteRequest;
use crate::harness::server::Answer;

/// [`NOW`] in milliseconds.
const NOW_MS: i64 = 1_763_640_000_000;
const VERSION_1: &str = "application/x-protobuf";
const VERSION_2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

async fn write(server: &TestServer, request: &WriteRequest) -> Answer {
    write_bytes(server, VERSION_1, &request.encode_to_vec()).await
}

async fn write_2(server: &TestServer, request: &WriteRequest) -> Answer {
    write_bytes(server, VERSION_2, &request.to_version_2().encode_to_vec()).await
}

async fn write_bytes(server: &TestServer, content_type: &str, message: &[u8]) -> Answer {
    let body = snap::raw::Encoder::new().compress_vec(message).unwrap();
    let headers = [("content-type", content_type), ("content-encoding", "snappy")];
    server.send(Method::POST, "/api/v1/write", &headers, &body).await
}

async fn send_text(server: &TestServer, path: &str, text: &str) -> Answer {
    server.send(Method::POST, path, &[("content-type", "text/plain; version=0.0.4")], text.as_bytes()).await
}

/// The ids of the registered servers by their host names.
async fn hosts(server: &TestServer) -> BTreeMap<String, String> {
    let listed = server.get("/api/v1/servers").await.json();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(|row| (text(row, "hostname"), text(row, "id"))).collect()
}

/// What is stored of a host, as `type name labels value timestamp`, sorted.
async fn stored(server: &TestServer, host: &str) -> Vec<String> {
    let id = hosts(server).await.remove(host).unwrap_or_default();
    let page = server.get(&format!("/api/v1/metrics?limit=1000&server_id={id}")).await.json();
    let row = |row: &Value| {
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        let (kind, name, time) = (text("metric_type"), text("metric_name"), text("timestamp"));
        format!("{kind} {name} {} {} {time}", row["labels"], row["value"])
    };
    let mut rows: Vec<String> = page["metrics"].as_array().unwrap().iter().map(row).collect();
    rows.sort();
    rows
}

/// The value of a line of an export, to the bit.
fn value_bits(line: &str) -> u64 {
    let (_, rest) = line.split_once("\"value\":").unwrap();
    let spelt = rest.split([',', '}']).next().unwrap().trim_matches('"');
    match spelt.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).unwrap(),
        None => spelt.parse::<f64>().unwrap().to_bits(),
    }
}

#[track_caller]
fn assert_told(answer: &Answer, status: u16, accepted: &str, rejected: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("x-millrace-accepted"), Some(accepted), "{answer:?}");
    assert_eq!(answer.header("x-millrace-rejected"), Some(rejected), "{answer:?}");
}
