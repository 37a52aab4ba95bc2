//! The agents of the systems that are replaced, on the wire: what each sends is stored, answered and handed out as its
//! own backend did.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOW, body_of, start};
use crate::harness::TestServer;
use crate::harness::server::Answer;

/// [`NOW`] in seconds.
const NOW_SECONDS: f64 = 1_763_640_000.0;

async fn post(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    server.send(Method::POST, path, headers, body.as_bytes()).await
}

/// The latest values of a server, as `type/name{labels} value`.
async fn latest(server: &TestServer, hostname: &str) -> Vec<String> {
    let servers = body_of(&server.get("/api/v1/servers").await, StatusCode::OK);
    let is_it = |one: &&Value| one["hostname"] == hostname;
    let id = servers.as_array().unwrap().iter().find(is_it).expect("the agent has a server")["id"].clone();
    let found =
        body_of(&server.get(&format!("/api/v1/latest?server_id={}", id.as_str().unwrap())).await, StatusCode::OK);
    let text = |one: &Value| {
        let labels = one["labels"].as_object().map(|all| json!(all).to_string()).unwrap_or_default();
        format!(
            "{}/{}{labels} {}",
            one["metric_type"].as_str().unwrap(),
            one["metric_name"].as_str().unwrap(),
            one["value"]
        )
    };
    found["metrics"].as_array().unwrap().iter().map(text).collect()
}

fn snapshot() -> Value {
    snapshot_of("PC-07")
}

pub(super) fn snapshot_of(hostname: &str) -> Value {
    json!({
        "schema_version": "1.0", "timestamp_utc": NOW, "interval_seconds": 30,
        "host": { "hostname": hostname, "machine_id": "6f96" },
        "cpu": { "utilization_pct": 12.5, "idle_pct": 87.5 },
        "disk": { "physical": [], "volumes": [{ "mount": "C:\\", "total_bytes": 511_101_108_224_u64,
            "free_bytes": 40_888_088_657_u64, "free_pct": 8.0 }] },
    })
}

#[tokio::test]
async fn a_fleet_snapshot_is_taken_alone_or_as_the_only_element_of_an_array() {
    let server = start().await;
    for (path, body) in
        [("/api/v1/ingest", snapshot()), ("/api/v1/ingest", json!([snapshot()])), ("/ingest", snapshot())]
    {
        let answer = body_of(&post(&server, path, &[], &body.to_string()).await, StatusCode::OK);
        assert_eq!(answer["ok"], true);
        assert!(answer["snapshot_id"].is_i64(), "{answer}");
    }
    let samples = latest(&server, "PC-07").await;
    assert!(samples.contains(&"cpu/utilization_pct{} 12.5".to_owned()), "{samples:?}");
    assert!(samples.contains(&r#"disk/free_pct{"mountpoint":"C:\\"} 8"#.to_owned()), "{samples:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_snapshot_that_does_not_fit_is_refused_in_the_systems_words() {
    let server = start().await;
    let refused = async |body: &str| {
        let answer = body_of(&post(&server, "/api/v1/ingest", &[], body).await, StatusCode::BAD_REQUEST);
        answer["detail"].as_str().unwrap().to_owned()
    };
    let one_object = "Expected a single snapshot object or a one-element array";
    assert_eq!(refused("[]").await, one_object);
    assert_eq!(refused(&json!([snapshot(), snapshot()]).to_string()).await, one_object);
    assert_eq!(refused("[1]").await, one_object);
    let mut nameless = snapshot();
    nameless["host"]["hostname"] = "".into();
    let reason = "schema validation failed at 'host/hostname': '' should be non-empty";
    assert_eq!(refused(&nameless.to_string()).await, reason);
    let mut timeless = snapshot();
    timeless["timestamp_utc"] = "soon".into();
    assert_eq!(refused(&timeless.to_string()).await, "Invalid isoformat string: 'soon'");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_the_fleets_agent_really_sends_is_understood() {
    let server = start().await;
    let report = r#"{"hostname":"PC-08","machine_id":"","timestamp_unix_ms":1763640000123,"cpu":{"utilization_pct":nan,
        "idle_pct":87.5},"memory":{"total_mb":16384,"used_mb":8192,"free_mb":8192},"disks":[],"volumes":[],
        "network":[{"iface":"eth","bytes_per_sec":1.23457e+06,"bytes_total":1}],"users":["ann"]}"#;
    for path in ["/ingest", "/api/v1/ingest"] {
        assert_eq!(body_of(&post(&server, path, &[], report).await, StatusCode::OK)["ok"], true, "{path}");
    }
    let samples = latest(&server, "PC-08").await;
    assert!(!samples.iter().any(|sample| sample.starts_with("cpu/utilization_pct")), "not measured: {samples:?}");
    assert!(samples.contains(&"memory/total_bytes{} 17179869184".to_owned()), "{samples:?}");
    assert!(samples.contains(&r#"network/bits_total_per_sec{"interface":"eth"} 9876560"#.to_owned()), "{samples:?}");
    server.stop().await.unwrap();
}

/// A report of the six metrics, with events and lines.
pub(super) fn report(host: &str) -> Value {
    json!({
        "host": host, "env": "prod", "timestamp": NOW, "score": 0.9, "local_alerts": ["CPU_SPIKE"],
        "metrics": { "cpu_usage": 42.5, "memory_usage": 70.1, "disk_usage": 55.3, "network_rx_bytes_per_sec": 12345,
            "network_tx_bytes_per_sec": 6789, "tcp_connections": 12 },
        "docker_events": [{ "type": "container", "action": "start", "container": "web", "image": "nginx", "timestamp": NOW },
            { "type": "container", "action": "die", "container": "db", "image": "pg", "timestamp": NOW }],
        "logs": [{ "container": "/web", "message": "100% started", "timestamp": NOW }],
    })
}

#[tokio::test]
async fn a_report_with_events_and_lines_fills_its_dashboard() {
    let server = start().await;
    let answer = body_of(&post(&server, "/ingest", &[], &report("web-01").to_string()).await, StatusCode::OK);
    let said = json!({ "status": "success", "message": "Monitoring data received from web-01",
        "timestamp": "2025-11-20T12:00:00+00:00" });
    assert_eq!(answer, said);
    assert!(latest(&server, "web-01").await.contains(&"host/cpu_usage{} 42.5".to_owned()));
    let get = async |path: &str| body_of(&server.get(path).await, StatusCode::OK);
    let expected = json!([{ "timestamp": NOW, "cpu_usage": 42.5, "memory_usage": 70.1, "disk_usage": 55.3,
        "network_rx": 12345, "network_tx": 6789, "tcp_connections": 12 }]);
    assert_eq!(get("/metrics/recent").await, expected);
    let lines = get("/logs/recent?container=web").await;
    assert_eq!((&lines[0]["container"], &lines[0]["message"]), (&json!("/web"), &json!("100% started")));
    assert_eq!(get("/logs/recent?container=other").await, json!([]));
    assert_eq!(get("/logs/search?q=100%25").await.as_array().unwrap().len(), 1);
    assert_eq!(get("/logs/search?q=stopped").await, json!([]));
    let states: Vec<String> = get("/containers")
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["container"].as_str().unwrap(), one["status"].as_str().unwrap()))
        .collect();
    assert_eq!(states, ["db stopped", "web running"]);
    assert_eq!(get("/events/recent?limit=1000").await.as_array().unwrap().len(), 3, "two events and a local alert");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_incomplete_report_is_told_everything_that_is_wrong_with_it() {
    let server = start().await;
    let mut bad = report("web-01");
    bad.as_object_mut().unwrap().remove("score");
    bad["metrics"]["tcp_connections"] = 1.5.into();
    let answer = body_of(&post(&server, "/ingest", &[], &bad.to_string()).await, StatusCode::UNPROCESSABLE_ENTITY);
    let found: Vec<String> =
        answer["detail"].as_array().unwrap().iter().map(|one| format!("{} {}", one["loc"], one["type"])).collect();
    let expected = [r#"["body","metrics","tcp_connections"] "int_from_float""#, r#"["body","score"] "missing""#];
    assert_eq!(found, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_of_nobody_is_an_agent_without_its_token() {
    let server = start().await;
    for body in ["{}", r#"{"timestamp":1,"cpu":{}}"#, "broken"] {
        let answer = post(&server, "/ingest", &[], body).await;
        assert_eq!(body_of(&answer, StatusCode::UNAUTHORIZED), json!({ "detail": "Missing agent token" }), "{body}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    let answer = post(&server, "/ingest", &[("x-agent-token", "no-such-token")], "{}").await;
    assert_eq!(body_of(&answer, StatusCode::UNAUTHORIZED), json!({ "detail": "Invalid agent token" }));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_latest_report_of_each_device_is_handed_out_as_it_came() {
    let server = start().await;
    let one = format!(
        r#"{{"z":1.0,"agent_id":"a1","cpu":{{"total_percent":90}},"memory":{{"percent":5.50}},"timestamp":{NOW_SECONDS:.1}}}"#
    );
    for body in [one.as_str(), r#"{"device":"pc","gpus":[{"name":"x","load":3}]}"#] {
        assert_eq!(body_of(&post(&server, "/metrics", &[], body).await, StatusCode::OK), json!({ "ok": true }));
    }
    let all = server.get("/metrics").await;
    let stamped = r#"{"device":"pc","gpus":[{"name":"x","load":3}],"timestamp":1763640000}"#;
    assert_eq!(all.text(), format!("[{one},{stamped}]"));
    assert_eq!(server.get("/api/metrics/a1").await.text(), one);
    assert_eq!(server.get("/metrics/nobody").await.text(), "{}");
    let history = body_of(&server.get("/history/a1?samples=3").await, StatusCode::OK);
    assert_eq!(history, json!({ "cpu": [90, 90, 90], "mem": [5.5, 5.5, 5.5], "interval_sec": 5 }));
    let empty = body_of(&server.get("/history/nobody?samples=2").await, StatusCode::OK);
    assert_eq!(empty, json!({ "cpu": [0, 0], "mem": [0, 0], "interval_sec": 5 }));
    assert_eq!(body_of(&server.get("/gpu").await, StatusCode::OK), json!({ "gpus": [{ "name": "x", "load": 3 }] }));
    assert!(latest(&server, "pc").await.contains(&r#"gpu/load{"gpu":"0","name":"x"} 3"#.to_owned()));
    for body in ["[]", "1", "broken"] {
        let answer = post(&server, "/metrics", &[], body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_scraper_gets_the_servers_own_metrics_where_dashboards_get_reports() {
    let server = start().await;
    let ask = async |name: &str, value: &str| server.send(Method::GET, "/metrics", &[(name, value)], b"").await;
    for (name, value) in [
        ("x-prometheus-scrape-timeout-seconds", "10"),
        ("accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"),
    ] {
        assert!(ask(name, value).await.text().contains("millrace_"), "{name}");
    }
    for accept in ["application/json, text/plain, */*", "*/*"] {
        assert_eq!(ask("accept", accept).await.text(), "[]");
    }
    server.stop().await.unwrap();
}
