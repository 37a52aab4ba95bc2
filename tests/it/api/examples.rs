//! Bodies as the documents of the replaced systems show them, sent as they stand there.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::ManualClock;
use millrace::model::Micros;
use serde_json::{Value, json};

use super::body_of;
use crate::harness::TestServer;
use crate::people;

/// A server shortly after the moment that an example is about.
async fn start_at(time: &str, settings: &[(&str, &str)]) -> TestServer {
    let now = Micros::parse_rfc3339(time.as_bytes()).unwrap();
    TestServer::start_with(settings, Arc::new(ManualClock::at(now))).await
}

async fn post(server: &TestServer, path: &str, body: &str) -> Value {
    body_of(&server.post_text(path, body).await, StatusCode::OK)
}

async fn get(server: &TestServer, path: &str) -> Value {
    body_of(&server.get(path).await, StatusCode::OK)
}

const SNAPSHOT: &str = r#"{"schema_version":"1.0","timestamp_utc":"2025-12-23T20:15:00Z","interval_seconds":30,
 "host":{"hostname":"PC-07","machine_id":"6f9619ff-8b86-d011-b42d-00c04fc964ff","os":{"platform":"windows","version":"10.0","build":"22631"}},
 "cpu":{"utilization_pct":12.5,"idle_pct":87.5},
 "memory":{"total_bytes":17179869184,"used_bytes":8589934592,"free_bytes":8589934592,"used_pct":50.0},
 "disk":{"physical":[{"instance":"0 C:","reads_per_sec":1.2,"writes_per_sec":3.4,"avg_queue_length":0.02,"read_latency_ms":0.4,"write_latency_ms":0.9,"utilization_pct":2.1}],
         "volumes":[{"mount":"C:\\","filesystem":"NTFS","total_bytes":511101108224,"free_bytes":40888088657,"free_pct":8.0}]},
 "network":{"interfaces":[{"name":"Intel I219","bytes_total_per_sec":1500.0,"bits_total_per_sec":12000.0,"utilization_pct":null,"packets_in_errors":0,"packets_out_errors":0}]},
 "users":{"logged_in":[{"username":"CORP\\ann","session_type":"console"}],"count":1}}"#;

const AGENT_REPORT: &str = r#"{"hostname":"PC-07","machine_id":"","timestamp_unix_ms":1766520900123,"cpu":{"utilization_pct":12.5,"idle_pct":87.5},
 "memory":{"total_mb":16384,"used_mb":8192,"free_mb":8192},
 "disks":[{"disk":"0 C:","reads_per_sec":1.2,"writes_per_sec":3.4,"queue_length":0.02,"read_latency_ms":0.4,"write_latency_ms":0.9,"utilization_pct":2.1,"reads_total":36.0,"writes_total":102.0}],
 "volumes":[{"root":"C:\\","total_bytes":511101108224,"free_bytes":40888088657,"free_pct":8.0}],
 "network":[{"iface":"Intel I219","bytes_per_sec":1500.0,"bytes_total":45000.0}],"users":["ann","PC-07$","ann"]}"#;

#[tokio::test]
async fn the_fleets_snapshot_and_what_its_agent_really_sends_come_to_the_same_charts() {
    let server = start_at("2025-12-23T20:20:00Z", &[]).await;
    assert_eq!(post(&server, "/api/v1/ingest", &format!("[{SNAPSHOT}]")).await["ok"], true);
    assert_eq!(post(&server, "/ingest", AGENT_REPORT).await["ok"], true);
    let hosts = get(&server, "/api/ui/hosts").await;
    assert_eq!(hosts.as_array().unwrap().len(), 1, "one host: {hosts}");
    for (metric, name, value) in [
        ("cpu", "CPU Util %", json!(12.5)),
        ("mem", "Memory Used %", json!(50)),
        ("disk_queue", "Disk Avg Queue Length - 0 C:", json!(0.02)),
        ("vol_free", "C:\\ Free %", json!(8)),
        ("nic_bps", "Intel I219 bps", json!(12000)),
    ] {
        let chart = get(&server, &format!("/api/ui/host/{}/timeseries?metric={metric}", hosts[0]["id"])).await;
        let expected = json!({ "labels": ["2025-12-23T20:15:00+00:00", "2025-12-23T20:15:00.123000+00:00"],
            "series": [{ "name": name, "data": [value, value] }] });
        assert_eq!(chart, expected, "{metric}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn reports_of_the_second_system_are_taken_with_all_they_may_have_and_with_the_least() {
    let server = start_at("2024-01-20T12:35:00Z", &[]).await;
    let full = r#"{"host":"server1","server_id":"srv-001","env":"production","owner_team":"devops","timestamp":"2024-01-20T12:34:56Z",
        "metrics":{"cpu_usage":42.5,"memory_usage":70.1,"disk_usage":55.3,"network_rx_bytes_per_sec":12345,"network_tx_bytes_per_sec":6789,"tcp_connections":12},
        "docker_events":[{"type":"container","action":"start","container":"web-app","image":"nginx:latest","timestamp":"2024-01-20T12:34:56Z"}],
        "logs":[{"container":"web-app","message":"Server started successfully","timestamp":"2024-01-20T12:34:56Z"}],"local_alerts":["CPU_SPIKE"],"score":0.7}"#;
    let least = r#"{"host":"test-server","timestamp":"2024-01-20T12:34:56Z","metrics":{"cpu_usage":25.0,"memory_usage":60.0,"disk_usage":45.0,
        "network_rx_bytes_per_sec":1000,"network_tx_bytes_per_sec":500,"tcp_connections":5},"docker_events":[],"logs":[],"local_alerts":[],"score":0.5}"#;
    let of_agent = r#"{"host":"web-01","server_id":"srv-1","env":"prod","owner_team":"ops","timestamp":"2024-01-20T12:34:56.123456789+05:00",
        "metrics":{"cpu_usage":42.5,"memory_usage":70.1,"disk_usage":55.3,"network_rx_bytes_per_sec":12345,"network_tx_bytes_per_sec":6789,"tcp_connections":12},
        "docker_events":[{"type":"container","action":"exec_create: /bin/sh","container":"web-app","image":"nginx:latest","timestamp":"2024-01-20T12:34:56Z"}],
        "logs":[{"container":"/web-app","message":"2024-01-20T07:34:56.1Z started","timestamp":"2024-01-20T12:34:56Z"}],
        "local_alerts":["CPU_SPIKE","BRUTE_FORCE:192.0.2.1"],"score":0.9,"unknown":{"kept":[1]}}"#;
    for (body, host) in [(full, "server1"), (least, "test-server"), (of_agent, "web-01")] {
        let told = json!({ "status": "success", "message": format!("Monitoring data received from {host}"),
            "timestamp": "2024-01-20T12:35:00+00:00" });
        assert_eq!(post(&server, "/ingest", body).await, told);
    }
    let recent = get(&server, "/metrics/recent?limit=50").await;
    assert_eq!(recent.as_array().unwrap().len(), 3);
    let ranged = get(&server, "/metrics/range?period=6h").await;
    let times: Vec<&Value> = ranged.as_array().unwrap().iter().map(|one| &one["timestamp"]).collect();
    assert_eq!(times, ["2024-01-20T07:34:56.123456Z", "2024-01-20T12:34:56Z", "2024-01-20T12:34:56Z"]);
    let healthz = json!({ "status": "ok", "timestamp": "2024-01-20T12:35:00Z", "service": "monitoring-backend",
        "version": "1.0.0", "checks": { "database": { "status": "connected" } } });
    assert_eq!(get(&server, "/healthz").await, healthz);
    let containers = get(&server, "/containers").await;
    assert_eq!((&containers[0]["container"], &containers[0]["status"]), (&json!("web-app"), &json!("running")));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_sample_of_the_fourth_systems_documents_comes_back_with_a_time() {
    let server = start_at("2025-08-15T20:03:44Z", &[]).await;
    let sample = r#"{"agent_id":"demo-agent","cpu":{"total_percent":95},"memory":{"percent":92,"swap_percent":55},
        "disks":[{"mountpoint":"/","percent":95,"inode_percent":95}],"sensors_temperature":{"coretemp":[{"label":"Core 0","current":90,"high":85}]},
        "time_drift":{"drift_seconds":120},"network":[{"bytes_recv":0,"bytes_sent":0,"errin":150,"errout":0}],"custom_alert":true,
        "zombie_processes":2,"critical_processes":{"nginx":false,"sshd":true}}"#;
    assert_eq!(post(&server, "/metrics", sample).await, json!({ "ok": true }));
    let mut expected: Value = serde_json::from_str(sample).unwrap();
    expected["timestamp"] = json!(1_755_288_224);
    assert_eq!(get(&server, "/metrics").await, json!([expected]));
    assert_eq!(get(&server, "/health").await["devices_reporting"], 1);
    assert_eq!(get(&server, "/").await["msg"], "Backend is running");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn reports_of_both_agents_of_the_fifth_system_are_received() {
    let server = start_at("2025-12-01T03:04:10Z", &[("registration", "open")]).await;
    people::register(&server, "ann").await;
    let access = people::tokens(&server, "ann").await.0;
    let agent = server.ask(Method::POST, "/agents", &access, &json!({ "name": "laptop" })).await.json();
    let headers = [("x-agent-token", agent["token"].as_str().unwrap())];
    let headless = r#"{"timestamp":1764558249.12,
        "cpu":{"usage_percent":23.4,"per_core_usage":[20.0,26.8],"freq":{"current":3400.0,"min":800.0,"max":4700.0},"load_avg":[0.5,0.4,0.3]},
        "memory":{"total":17179869184,"available":8000000000,"used_percent":53.4},
        "disk":{"partitions":[{"device":"/dev/sda1","mountpoint":"/","fstype":"ext4","total":1,"used":1,"free":0,"percent":71.2}],"io":{"read_bytes":1,"write_bytes":1}},
        "network":{"bytes_sent":1,"bytes_recv":1,"packets_sent":1,"packets_recv":1,"errin":0,"errout":0,"dropin":0,"dropout":0}}"#;
    let gui = r#"{"timestamp":1764558244.5,"cpu":{"usage_percent":12.5,"frequency_mhz":3400,"count":4,"count_logical":8},"memory":{"used":1,"used_percent":40.0},
        "disk":{"partitions":[{"device":"C:","mountpoint":"C:\\","total":1,"used":1,"free":0,"percent":50.0}]},"network":{"bytes_sent":1,"bytes_recv":1,"packets_sent":1,"packets_recv":1}}"#;
    for body in [headless, gui] {
        let answer = server.send(Method::POST, "/ingest", &headers, body.as_bytes()).await;
        assert_eq!(body_of(&answer, StatusCode::OK), json!({ "status": "received" }));
    }
    let path = format!("/history/{}/cpu?start=-1h&interval=1h", agent["id"]);
    let history = body_of(&server.ask(Method::GET, &path, &access, &Value::Null).await, StatusCode::OK);
    let values: Vec<f64> =
        history["data"].as_array().unwrap().iter().map(|point| point["value"].as_f64().unwrap()).collect();
    assert!(values.iter().all(|value| (12.5..=23.4).contains(value)) && !values.is_empty(), "{history}");
    server.stop().await.unwrap();
}
