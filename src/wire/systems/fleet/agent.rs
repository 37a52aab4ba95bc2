//! What the agent of the fleet really sends, which the schema refuses, in the form of a snapshot: other names and units,
//! and no interval. Values stay what they were: a share may be above a hundred per cent, and what could not be measured
//! is null, so the result need not satisfy the schema either.

use serde_json::{Map, Value as Json, json};

use super::super::python;
use crate::model::Micros;
use crate::wire::tree::Value;

/// The agent calls it a megabyte.
const BYTES_PER_MEGABYTE: f64 = 1_048_576.0;
const BITS_PER_BYTE: f64 = 8.0;
/// Larger floats are not exact.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// What stands for a disk or an interface without a name.
const UNKNOWN: &str = "unknown";
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
        put("cpu", json!({"utilization_pct": number(cpu, "utilization_pct"), "idle_pct": number(cpu, "idle_pct")}));
    }
    if let Some(memory) = report.get("memory") {
        put("memory", self::memory(memory));
    }
    let physical: Vec<Json> = elements(report, "disks").map(disk).collect();
    let volumes: Vec<Json> = elements(report, "volumes").map(volume).collect();
    put("disk", json!({"physical": physical, "volumes": volumes}));
    put("network", json!({"interfaces": elements(report, "network").map(interface).collect::<Vec<Json>>()}));
    let users: Vec<String> = elements(report, "users").filter_map(Value::text).map(|name| name.into_owned()).collect();
    let sessions: Vec<Json> = users.iter().map(|name| json!({"username": name, "session_type": "unknown"})).collect();
    put("users", json!({"logged_in": sessions, "count": users.len()}));
    Ok(Json::Object(snapshot))
}

fn memory(memory: Value<'_>) -> Json {
    let bytes = |name: &str| Some(number(memory, name)? * BYTES_PER_MEGABYTE);
    let (total, used) = (bytes("total_mb"), bytes("used_mb"));
    let used_pct = total.zip(used).filter(|(total, _)| *total > 0.0).map(|(total, used)| used / total * 100.0);
    json!({"total_bytes": whole(total), "used_bytes": whole(used), "free_bytes": whole(bytes("free_mb")), "used_pct": used_pct})
}

fn disk(disk: Value<'_>) -> Json {
    json!({
        "instance": text(disk, "disk").unwrap_or_else(|| UNKNOWN.to_owned()),
        "reads_per_sec": number(disk, "reads_per_sec"),
        "writes_per_sec": number(disk, "writes_per_sec"),
        "avg_queue_length": number(disk, "queue_length"),
        "read_latency_ms": number(disk, "read_latency_ms"),
        "write_latency_ms": number(disk, "write_latency_ms"),
        "utilization_pct": number(disk, "utilization_pct"),
    })
}

fn volume(volume: Value<'_>) -> Json {
    json!({
        "mount": text(volume, "root").unwrap_or_else(|| UNKNOWN.to_owned()),
        "total_bytes": whole(number(volume, "total_bytes")),
        "free_bytes": whole(number(volume, "free_bytes")),
        "free_pct": number(volume, "free_pct"),
    })
}

fn interface(interface: Value<'_>) -> Json {
    let bytes = number(interface, "bytes_per_sec");
    json!({
        "name": text(interface, "iface").unwrap_or_else(|| UNKNOWN.to_owned()),
        "bytes_total_per_sec": bytes,
        "bits_total_per_sec": bytes.map(|bytes| bytes * BITS_PER_BYTE),
        "utilization_pct": null,
    })
}

/// A number of bytes, without a fraction when it has none.
fn whole(bytes: Option<f64>) -> Json {
    match bytes {
        Some(bytes) if bytes.fract() == 0.0 && bytes.abs() < EXACT_MAX => json!(bytes as i64),
        bytes => json!(bytes),
    }
}

fn elements<'t>(object: Value<'t>, name: &str) -> impl Iterator<Item = Value<'t>> + use<'t> {
    object.get(name).into_iter().flat_map(Value::elements)
}

fn text(object: Value<'_>, name: &str) -> Option<String> {
    let value = object.get(name)?;
    let text = value.text().map(|text| text.into_owned());
    text.or_else(|| value.number().map(|_| python::number(value))).filter(|text| !text.is_empty())
}

/// `None` for what could not be measured.
fn number(object: Value<'_>, name: &str) -> Option<f64> {
    object.get(name).and_then(Value::number)
}
