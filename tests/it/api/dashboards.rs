//! What the dashboards of the replaced systems ask beside the reports themselves: health, where they are, ranges, hosts.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOW, body_of, start, start_with, systems};
use crate::harness::TestServer;

async fn get(server: &TestServer, path: &str) -> Value {
    body_of(&server.get(path).await, StatusCode::OK)
}

async fn send(server: &TestServer, body: &Value) {
    body_of(&server.post("/ingest", body).await, StatusCode::OK);
}

#[tokio::test]
async fn health_is_that_of_all_systems_in_one() {
    let server = start().await;
    // One is too busy, and then is not.
    for (device, percent) in [("a1", 95), ("a2", 10), ("a1", 10)] {
        let report = json!({ "agent_id": device, "cpu": { "total_percent": percent } });
        body_of(&server.post("/metrics", &report).await, StatusCode::OK);
    }
    let expected = json!({ "status": "ok", "devices_reporting": 2, "total_alerts": 2, "server_time": 1_763_640_000.0,
        "kafka": "connected", "influxdb": "connected", "broker": "connected", "total_connections": 0,
        "users_connected": 0 });
    for path in ["/health", "/api/health"] {
        assert_eq!(get(&server, path).await, expected);
    }
    server.stop().await.unwrap();
    let closed = start_with(&[("anonymous", "none")]).await;
    let told = get(&closed, "/health").await;
    assert_eq!((&told["status"], &told["devices_reporting"]), (&json!("ok"), &Value::Null), "not for everybody");
    closed.stop().await.unwrap();
}

#[tokio::test]
async fn programs_are_told_where_they_are_and_browsers_are_not() {
    let server = start().await;
    let told = get(&server, "/").await;
    assert_eq!((&told["msg"], &told["version"]), (&json!("Backend is running"), &json!("1.0.0")));
    assert_eq!(told["service"], "Monitoring Data Ingestion API");
    assert_eq!(told["endpoints"]["health"], "GET /healthz - Health check");
    let page = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    assert_eq!(server.send(Method::GET, "/", &page, b"").await.status, StatusCode::NOT_FOUND);
    let overview = get(&server, "/overview").await;
    assert_eq!(overview, get(&server, "/api/overview").await);
    assert!(overview["os_name"].is_string() && overview["ram"].is_string(), "{overview}");
    assert_eq!(get(&server, "/readiness").await["status"], "ready");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_range_holds_all_reports_of_its_hours_oldest_first() {
    let server = start().await;
    for (host, time, cpu) in
        [("web-01", NOW, 3.5), ("web-02", "2025-11-20T11:30:00Z", 2.0), ("web-01", "2025-11-20T10:59:59Z", 1.0)]
    {
        let mut report = systems::report(host);
        report["timestamp"] = time.into();
        report["metrics"]["cpu_usage"] = cpu.into();
        send(&server, &report).await;
    }
    let of = async |period: &str| -> Vec<Value> {
        let all = get(&server, &format!("/metrics/range?period={period}")).await;
        all.as_array().unwrap().iter().map(|one| one["cpu_usage"].clone()).collect()
    };
    assert_eq!(of("1h").await, [json!(2), json!(3.5)]);
    assert_eq!(of("6h").await, [json!(1), json!(2), json!(3.5)]);
    let last = get(&server, "/metrics/range?period=12h").await[2].clone();
    let expected = json!({ "timestamp": NOW, "cpu_usage": 3.5, "memory_usage": 70.1, "disk_usage": 55.3,
        "network_rx": 12345, "network_tx": 6789, "tcp_connections": 12 });
    assert_eq!(last, expected);
    for query in ["", "?period=24h"] {
        let refused = body_of(&server.get(&format!("/metrics/range{query}")).await, StatusCode::BAD_REQUEST);
        assert_eq!(refused, json!({ "detail": "Invalid period. Use 1h, 6h, or 12h" }));
    }
    server.stop().await.unwrap();
}

/// A snapshot with everything that there is a chart of.
fn full(hostname: &str, time: &str, percent: f64) -> Value {
    json!({
        "schema_version": "1.0", "timestamp_utc": time, "interval_seconds": 30,
        "host": { "hostname": hostname, "machine_id": format!("id-{hostname}") },
        "cpu": { "utilization_pct": percent, "idle_pct": 87.5 },
        "memory": { "total_bytes": 2, "used_bytes": 1, "free_bytes": 1, "used_pct": 50.0 },
        "disk": {
            "physical": [{ "instance": "0 C:", "reads_per_sec": 1.2, "writes_per_sec": 3.4, "avg_queue_length": 0.02,
                "read_latency_ms": 0.4, "write_latency_ms": 0.9, "utilization_pct": 2.1 }],
            "volumes": [{ "mount": "C:\\", "filesystem": "NTFS", "total_bytes": 511_101_108_224_u64,
                "free_bytes": 40_888_088_657_u64, "free_pct": percent / 10.0 }],
        },
        "network": { "interfaces": [{ "name": "Intel", "bytes_total_per_sec": 1500.0, "bits_total_per_sec": 12000.0,
            "utilization_pct": null, "packets_in_errors": 0, "packets_out_errors": 4 }] },
        "users": { "logged_in": [{ "username": "CORP\\ann", "session_type": "console" }], "count": 1 },
    })
}

#[tokio::test]
async fn the_last_day_of_a_host_is_drawn_as_lines_with_the_names_its_pages_know() {
    let server = start().await;
    send(&server, &full("PC-07", "2025-11-20T11:59:30Z", 12.5)).await;
    send(&server, &full("PC-07", NOW, 13.0)).await;
    send(&server, &full("PC-07", "2025-11-19T11:00:00Z", 99.0)).await;
    let mut without_cpu = full("PC-07", "2025-11-20T11:00:00Z", 1.0);
    without_cpu.as_object_mut().unwrap().remove("disk");
    send(&server, &without_cpu).await;
    let hosts = get(&server, "/api/ui/hosts?q=pc-0").await;
    let id = hosts[0]["id"].as_i64().unwrap();
    let chart = async |metric: &str| get(&server, &format!("/api/ui/host/{id}/timeseries?metric={metric}")).await;
    let times = ["2025-11-20T11:00:00+00:00", "2025-11-20T11:59:30+00:00", "2025-11-20T12:00:00+00:00"];
    let expected = json!({ "labels": times, "series": [{ "name": "CPU Util %", "data": [1, 12.5, 13] }] });
    assert_eq!(chart("cpu").await, expected);
    for (metric, names) in [
        ("mem", vec!["Memory Used %"]),
        ("disk_queue", vec!["Disk Avg Queue Length - 0 C:"]),
        ("disk_read_lat", vec!["Disk Read Latency (ms) - 0 C:"]),
        ("disk_write_lat", vec!["Disk Write Latency (ms) - 0 C:"]),
        ("vol_free", vec!["C:\\ Free %"]),
        ("nic_bps", vec!["Intel bps"]),
        ("nic_err", vec!["Intel in_err", "Intel out_err"]),
    ] {
        let chart = chart(metric).await;
        let found: Vec<&Value> = chart["series"].as_array().unwrap().iter().map(|line| &line["name"]).collect();
        assert_eq!(found, names, "{metric}");
    }
    let refused = server.get(&format!("/api/ui/host/{id}/timeseries?metric=gpu")).await;
    assert_eq!(body_of(&refused, StatusCode::BAD_REQUEST), json!({ "detail": "Unknown metric" }));
    let nobody = server.get("/api/ui/host/999999/timeseries?metric=cpu").await;
    assert_eq!(body_of(&nobody, StatusCode::NOT_FOUND), json!({ "detail": "Host not found" }));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_dashboard_and_the_search_show_the_latest_snapshots() {
    let server = start().await;
    for (number, percent) in (1..=7).zip([50.0, 70.0, 20.0, 90.0, 10.0, 30.0, 60.0]) {
        send(&server, &full(&format!("PC-{number}"), "2025-11-20T11:00:00Z", 100.0)).await;
        send(&server, &full(&format!("PC-{number}"), NOW, percent)).await;
    }
    // Of another system, so no host of this one.
    send(&server, &systems::report("web-01")).await;
    let dashboard = get(&server, "/api/ui/dashboard").await;
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|one| one["hostname"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&dashboard["top_cpu"]), ["PC-4", "PC-2", "PC-7", "PC-1", "PC-6"]);
    assert_eq!(dashboard["top_mem"].as_array().unwrap().len(), 5);
    assert_eq!(names(&dashboard["low_disk"]), ["PC-5", "PC-3", "PC-6", "PC-1", "PC-7", "PC-2", "PC-4"]);
    assert_eq!(
        (&dashboard["low_disk"][0]["mount"], &dashboard["low_disk"][0]["free_pct"]),
        (&json!("C:\\"), &json!(1))
    );
    assert_eq!(names(&dashboard["hosts"]).len(), 7);
    let first = &dashboard["hosts"][0];
    assert_eq!(
        (&first["machine_id"], &first["cpu_pct"], &first["mem_pct"]),
        (&json!("id-PC-1"), &json!(50), &json!(50))
    );
    assert!(first["seconds_ago"].is_i64(), "{first}");
    assert_eq!(names(&get(&server, "/api/ui/hosts?q=ID-pc-3").await), ["PC-3"]);
    assert_eq!(names(&get(&server, "/api/ui/hosts?q=_").await), Vec::<String>::new(), "no pattern");
    let found = get(&server, "/api/ui/search?q=corp%5C").await;
    assert_eq!(names(&found["hosts"]), Vec::<String>::new());
    assert_eq!(found["users"].as_array().unwrap().len(), 7);
    assert_eq!((&found["users"][2]["username"], &found["users"][2]["hostname"]), (&json!("CORP\\ann"), &json!("PC-3")));
    assert_eq!(get(&server, "/api/ui/search?q=").await["hosts"].as_array().unwrap().len(), 7);
    let missing = body_of(&server.get("/api/ui/search").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(missing["detail"][0]["loc"], json!(["query", "q"]));
    let id = &first["id"];
    assert_eq!(get(&server, &format!("/api/ui/host/{id}")).await["snapshots_24h"], 2);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn pages_of_the_fleet_are_for_those_who_may_read() {
    let server = start_with(&[("anonymous", "ingest")]).await;
    for path in ["/api/ui/dashboard", "/api/ui/hosts", "/api/ui/host/1/timeseries?metric=cpu", "/api/ui/search?q="] {
        let refused = body_of(&server.get(path).await, StatusCode::UNAUTHORIZED);
        assert_eq!(refused, json!({ "detail": "Not authenticated" }), "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn reports_are_written_to_a_file_where_one_is_set() {
    let path = crate::harness::cluster::fresh_directory().with_extension("log");
    let server = start_with(&[("richardops.ingest_log", path.to_str().unwrap())]).await;
    let report = systems::report("web-01");
    send(&server, &report).await;
    body_of(&server.post("/ingest", &json!({ "host": "a" })).await, StatusCode::UNPROCESSABLE_ENTITY);
    server.stop().await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let entry: Value = serde_json::from_str(&text).expect("one entry, of the report that was taken");
    let expected = json!({ "timestamp": NOW, "event_type": "monitoring_data_received", "payload": report });
    assert_eq!(entry, expected);
    std::fs::remove_file(&path).unwrap();
}
