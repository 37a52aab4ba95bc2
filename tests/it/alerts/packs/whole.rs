//! A report's document, events, lines and alerts are one transaction.

use super::*;

#[tokio::test]
async fn a_report_that_cannot_be_kept_whole_leaves_nothing_to_be_there_twice() {
    let scene = Scene::new().await;
    let server = scene.server().await;
    let database = scene.database.connect().await;
    let body = json!({ "host": "web-01", "timestamp": NOW, "score": 0.9, "local_alerts": ["CPU_SPIKE"],
        "metrics": { "cpu_usage": 1, "memory_usage": 1, "disk_usage": 1, "network_rx_bytes_per_sec": 1,
            "network_tx_bytes_per_sec": 1, "tcp_connections": 1 },
        "docker_events": [{ "type": "container", "action": "start", "container": "web", "image": "nginx",
            "timestamp": NOW }],
        "logs": [{ "container": "/web", "message": "started", "timestamp": NOW }] });
    let device = json!({ "device": "a", "custom_alert": true });
    for (path, body) in [("/ingest", &body), ("/metrics", &device)] {
        database.batch_execute("ALTER TABLE documents RENAME TO elsewhere").await.unwrap();
        let answer = server.send(Method::POST, path, &[], body.to_string().as_bytes()).await;
        assert!(answer.status.is_server_error(), "{answer:?}");
        database.batch_execute("ALTER TABLE elsewhere RENAME TO documents").await.unwrap();
        for table in ["events", "logs", "alert_events", "alert_reports"] {
            let left =
                if path == "/ingest" { 0 } else { i64::from(table == "logs") + 2 * i64::from(table == "events") };
            assert_eq!(scene.count(table).await, left, "{table} after {path}");
        }
        report(&server, path, &[], body).await;
    }
    let counts = ["events", "logs", "alert_events", "alert_reports", "documents"];
    for (table, expected) in counts.into_iter().zip([2, 1, 1, 1, 2]) {
        assert_eq!(scene.count(table).await, expected, "{table}");
    }
    server.stop().await.unwrap();
}
