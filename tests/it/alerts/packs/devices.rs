//! `POST /metrics` and `GET /alerts`.

use futures_util::future::join_all;

use super::*;

fn loud() -> Value {
    json!({
        "agent_id": "demo-agent", "cpu": { "total_percent": 95 }, "memory": { "percent": 92, "swap_percent": 55 },
        "disks": [{ "mountpoint": "/", "percent": 95, "inode_percent": 95 }],
        "sensors_temperature": { "coretemp": [{ "label": "Core 0", "current": 90, "high": 85 }] },
        "time_drift": { "drift_seconds": 120 },
        "network": [{ "bytes_recv": 0, "bytes_sent": 0, "errin": 150, "errout": 0 }], "custom_alert": true,
        "zombie_processes": 2, "critical_processes": { "nginx": false, "sshd": true },
    })
}

/// What [`loud`] comes to, in order.
const FOUND: [(&str, &str); 12] = [
    ("High CPU usage", "critical"),
    ("High Memory usage", "critical"),
    ("High swap usage", "warning"),
    ("Low Disk Space on /", "critical"),
    ("High inode usage on /", "warning"),
    ("Custom Alert triggered", "critical"),
    ("Zombie processes detected: 2", "warning"),
    ("Critical process nginx is not running", "critical"),
    ("Overheat detected on coretemp (90°C)", "critical"),
    ("High time drift: 120s", "warning"),
    ("All network interfaces inactive", "warning"),
    ("Network interface errors detected", "warning"),
];

fn shown((alert, severity): (&str, &str), seconds: f64) -> Value {
    json!({ "device": "demo-agent", "alert": alert, "severity": severity, "timestamp": seconds })
}

async fn texts(server: &TestServer) -> Vec<String> {
    let alerts = get(server, "/alerts").await;
    alerts.as_array().unwrap().iter().map(|alert| alert["alert"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_report_alerts_of_twelve_things_and_recovers_of_them_as_its_system_did() {
    let scene = Scene::new().await;
    let server = scene.server().await;
    assert_eq!(get(&server, "/alerts").await, json!([]));
    report(&server, "/metrics", &[], &loud()).await;
    let now = NOW_SECONDS as f64;
    let expected: Vec<Value> = FOUND.iter().map(|found| shown(*found, now)).collect();
    assert_eq!(get(&server, "/alerts").await, json!(expected));
    assert_eq!(get(&server, "/api/alerts").await, json!(expected));

    scene.after_seconds(5);
    report(&server, "/metrics", &[], &loud()).await;
    assert_eq!(get(&server, "/alerts").await, json!(expected), "what still holds is not told again");

    // Another temperature is another text; all else is over but one.
    let quiet = json!({ "agent_id": "demo-agent", "cpu": { "total_percent": 95 },
        "sensors_temperature": { "coretemp": [{ "current": 91.0, "high": 85 }] } });
    report(&server, "/metrics", &[], &quiet).await;
    let now = now + 5.0;
    let new = shown(("Overheat detected on coretemp (91.0°C)", "critical"), now);
    let gone = FOUND[1..].iter().map(|(text, _)| shown((&format!("{text} - recovered"), "warning"), now));
    let all: Vec<Value> = expected.into_iter().chain([new]).chain(gone).collect();
    assert_eq!(all.len(), 24);
    assert_eq!(get(&server, "/alerts").await, json!(&all[4..]), "the last twenty, oldest first");
    let total: i64 =
        scene.database.connect().await.query_one("SELECT found FROM alert_reports", &[]).await.unwrap().get(0);
    assert_eq!(total, 24);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn equal_texts_of_one_report_are_told_each_and_recover_once() {
    let scene = Scene::new().await;
    let server = scene.server().await;
    report(&server, "/metrics", &[], &json!({ "device": "a", "disks": [{ "percent": 99 }, { "percent": 98 }] })).await;
    report(&server, "/metrics", &[], &json!({ "device": "a" })).await;
    let low = "Low Disk Space on unknown";
    assert_eq!(texts(&server).await, [low, low, &format!("{low} - recovered")]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_holds_is_not_told_again_after_a_restart_nor_by_another_node() {
    let scene = Scene::new().await;
    let one = scene.server().await;
    report(&one, "/metrics", &[], &loud()).await;
    one.stop().await.unwrap();
    let (one, two) = (scene.server().await, scene.server().await);
    for server in [&one, &two] {
        report(server, "/metrics", &[], &loud()).await;
    }
    assert_eq!(texts(&two).await.len(), FOUND.len());
    report(&two, "/metrics", &[], &json!({ "agent_id": "demo-agent" })).await;
    report(&one, "/metrics", &[], &json!({ "agent_id": "demo-agent" })).await;
    assert_eq!(scene.count("alert_events").await, 2 * FOUND.len() as i64);
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn reports_of_one_device_that_come_to_two_nodes_at_once_tell_each_thing_once() {
    let scene = Scene::new().await;
    let (one, two) = (scene.server().await, scene.server().await);
    // Registered once, so that what is told apart is the reports and not the device.
    report(&one, "/metrics", &[], &json!({ "device": "a" })).await;
    for round in 0..5 {
        let loud = json!({ "device": "a", "zombie_processes": round + 1 });
        join_all([&one, &two, &one, &two].map(|server| report(server, "/metrics", &[], &loud))).await;
    }
    let counted = "SELECT title || ' ' || count(*) FROM alert_events GROUP BY title ORDER BY min(id)";
    let mut expected = vec!["Zombie processes detected: 1 1".to_owned()];
    for round in 1..5 {
        expected.push(format!("Zombie processes detected: {} 1", round + 1));
        expected.push(format!("Zombie processes detected: {round} - recovered 1"));
    }
    assert_eq!(scene.texts(counted).await, expected);
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn thresholds_are_settings_and_the_pack_can_be_switched_off() {
    let scene = Scene::new().await;
    let server = scene.server().await;
    set(&server, "alert_packs", &json!({ "syncpulse": { "cpu_percent": 99 } })).await;
    let busy = json!({ "device": "a", "cpu": { "total_percent": 95 } });
    report(&server, "/metrics", &[], &busy).await;
    assert_eq!(texts(&server).await, Vec::<String>::new());
    set(&server, "alert_packs", &json!({})).await;
    report(&server, "/metrics", &[], &busy).await;
    assert_eq!(texts(&server).await, ["High CPU usage"]);
    set(&server, "alert_packs", &json!({ "syncpulse": { "enabled": false } })).await;
    report(&server, "/metrics", &[], &loud()).await;
    assert_eq!(texts(&server).await, ["High CPU usage"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn with_a_limit_the_path_answers_what_agents_of_the_other_system_found() {
    let scene = Scene::new().await;
    let server = scene.server().await;
    report(&server, "/metrics", &[], &loud()).await;
    assert_eq!(get(&server, "/alerts?limit=50").await, json!([]));
    let body = json!({ "host": "web-01", "timestamp": NOW, "score": 0.9, "local_alerts": ["BRUTE_FORCE:192.0.2.1"],
        "metrics": { "cpu_usage": 1, "memory_usage": 1, "disk_usage": 1, "network_rx_bytes_per_sec": 1,
            "network_tx_bytes_per_sec": 1, "tcp_connections": 1 } });
    report(&server, "/ingest", &[], &body).await;
    let mut found = get(&server, "/alerts?limit=50").await;
    assert!(found[0]["id"].take().is_i64());
    let expected = json!([{ "id": null, "timestamp": NOW, "severity": "HIGH", "type": "BRUTE_FORCE",
        "message": "BRUTE_FORCE:192.0.2.1", "score": 0.5, "resolved": false }]);
    assert_eq!(found, expected);
    server.stop().await.unwrap();
}
