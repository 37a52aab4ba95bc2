//! What the agent of the fleet really sends, which the schema refuses, as a snapshot that it takes: other names and units,
//! and no interval. Its counters may run past a hundred per cent, and are cut there.

use serde_json::{Map, Value as Json, json};

use super::super::python;
use crate::model::Micros;
use crate::wire::tree::Value;

/// The agent calls it a megabyte.
const BYTES_PER_MEGABYTE: f64 = 1_048_576.0;
const BITS_PER_BYTE: f64 = 8.0;
const MICROS_PER_MILLI: i64 = 1_000;
/// What the agent waits between two reports unless it is told otherwise; it does not say how long it does.
const INTERVAL_SECONDS: i64 = 30;

/// Whether a document is a report of the agent and not a snapshot.
pub fn is_agent_report(document: Value<'_>) -> bool {
    document.get("timestamp_unix_ms").is_some() && document.get("schema_version").is_none()
}

/// The snapshot that a report of the agent stands for.
///
/// # Errors
/// When it has no time or no host, in words.
pub fn translate(report: Value<'_>) -> Result<Json, String> {
    let millis = report.get("timestamp_unix_ms").and_then(Value::integer);
    let millis = millis.and_then(|millis| millis.checked_mul(MICROS_PER_MILLI));
    let time = millis.map(Micros).ok_or("timestamp_unix_ms is no integer")?;
    let hostname = text(report, "hostname").ok_or("hostname is missing or empty")?;
    // The registry may not let the agent read it.
    let machine_id = text(report, "machine_id").unwrap_or_else(|| hostname.clone());
    let mut written = Vec::new();
    time.write_rfc3339(&mut written);
    let mut snapshot = Map::new();
    let mut put = |name: &str, value: Json| drop(snapshot.insert(name.to_owned(), value));
    put("schema_version", json!("1.0"));
    put("timestamp_utc", json!(String::from_utf8_lossy(&written)));
    put("interval_seconds", json!(INTERVAL_SECONDS));
    put("host", json!({"hostname": hostname, "machine_id": machine_id}));
    if let Some(cpu) = report.get("cpu") {
        put("cpu", json!({"utilization_pct": percent(cpu, "utilization_pct"), "idle_pct": percent(cpu, "idle_pct")}));
    }
    if let Some(memory) = report.get("memory") {
        put("memory", self::memory(memory));
    }
    let physical: Vec<Json> = elements(report, "disks").map(disk).collect();
    let volumes: Vec<Json> = elements(report, "volumes").filter_map(volume).collect();
    put("disk", json!({"physical": physical, "volumes": volumes}));
    put("network", json!({"interfaces": elements(report, "network").map(interface).collect::<Vec<Json>>()}));
    let users: Vec<String> = elements(report, "users").filter_map(Value::text).map(|name| name.into_owned()).collect();
    let sessions: Vec<Json> = users.iter().map(|name| json!({"username": name, "session_type": "unknown"})).collect();
    put("users", json!({"logged_in": sessions, "count": users.len()}));
    Ok(Json::Object(snapshot))
}

fn memory(memory: Value<'_>) -> Json {
    let bytes = |name: &str| number(memory, name) * BYTES_PER_MEGABYTE;
    let (total, used) = (bytes("total_mb"), bytes("used_mb"));
    let used_pct = if total > 0.0 { (used / total * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    let whole = |bytes: f64| json!(bytes.max(0.0) as u64);
    json!({"total_bytes": whole(total), "used_bytes": whole(used), "free_bytes": whole(bytes("free_mb")), "used_pct": used_pct})
}

fn disk(disk: Value<'_>) -> Json {
    json!({
        "instance": text(disk, "disk").unwrap_or_else(|| "unknown".to_owned()),
        "reads_per_sec": positive(disk, "reads_per_sec"),
        "writes_per_sec": positive(disk, "writes_per_sec"),
        "avg_queue_length": positive(disk, "queue_length"),
        "read_latency_ms": positive(disk, "read_latency_ms"),
        "write_latency_ms": positive(disk, "write_latency_ms"),
        "utilization_pct": percent(disk, "utilization_pct"),
    })
}

/// A volume without a root is none.
fn volume(volume: Value<'_>) -> Option<Json> {
    let mount = text(volume, "root").filter(|root| root.chars().count() > 1)?;
    let bytes = |name: &str| json!(positive(volume, name) as u64);
    let free_pct = percent(volume, "free_pct");
    Some(
        json!({"mount": mount, "total_bytes": bytes("total_bytes"), "free_bytes": bytes("free_bytes"), "free_pct": free_pct}),
    )
}

fn interface(interface: Value<'_>) -> Json {
    let bytes = positive(interface, "bytes_per_sec");
    json!({
        "name": text(interface, "iface").unwrap_or_else(|| "unknown".to_owned()),
        "bytes_total_per_sec": bytes,
        "bits_total_per_sec": bytes * BITS_PER_BYTE,
        "utilization_pct": null,
        "packets_in_errors": 0,
        "packets_out_errors": 0,
    })
}

fn elements<'t>(object: Value<'t>, name: &str) -> impl Iterator<Item = Value<'t>> + use<'t> {
    object.get(name).into_iter().flat_map(Value::elements)
}

fn text(object: Value<'_>, name: &str) -> Option<String> {
    let value = object.get(name)?;
    let text = value.text().map(|text| text.into_owned());
    text.or_else(|| value.number().map(|_| python::number(value))).filter(|text| !text.is_empty())
}

/// A counter that could not be read is zero to the agent too.
fn number(object: Value<'_>, name: &str) -> f64 {
    object.get(name).and_then(Value::number).unwrap_or_default()
}

fn positive(object: Value<'_>, name: &str) -> f64 {
    number(object, name).max(0.0)
}

fn percent(object: Value<'_>, name: &str) -> f64 {
    number(object, name).clamp(0.0, 100.0)
}
