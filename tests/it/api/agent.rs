//! The agent of the source system as it really speaks: one connection, the requests of a round, the exact statuses it
//! looks for.

use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{body_of, start};
use crate::harness::server::PATIENCE;

/// As its runtime prints local time: nanoseconds and an offset.
const LOCAL_TIME: &str = "2025-11-20T12:59:58.123456789+01:00";

#[tokio::test]
async fn a_round_of_the_agent_is_answered_with_the_statuses_it_looks_for() {
    let server = start().await;
    let mut agent = server.connect().await;
    let registration = json!({
        "hostname": "server01", "ip_address": "127.0.0.1", "os": "ubuntu 22.04", "cpu_model": "EPYC",
        "total_ram": "7.8 GB", "kernel_version": "5.15.0", "uptime": "26h3m0s", "labels": { "env": "prod" },
        "agent_version": "1.0.0",
    });
    let (status, registered) = post(&mut agent, "/api/v1/servers", &registration).await;
    assert_eq!(status, 201);
    let id = registered["id"].as_str().unwrap();
    for _round in 0..2 {
        let (status, answer) = post(&mut agent, "/api/v1/ingest", &round(id)).await;
        assert_eq!(
            (status, &answer["success"], &answer["inserted"], &answer["failed"]),
            (200, &json!(true), &json!(4), &json!(0))
        );
        let process = json!({
            "pid": 1, "name": "systemd", "cpu_percent": 0.013, "memory_percent": 0.15, "username": "root",
            "status": "sleep", "threads": 1, "io_read_bytes": 0, "io_write_bytes": 0,
        });
        let processes = json!({ "server_id": id, "processes": [process], "timestamp": LOCAL_TIME });
        assert_eq!(post(&mut agent, "/api/v1/ingest/processes", &processes).await.0, 201);
        let containers = json!({ "server_id": id, "containers": null, "timestamp": LOCAL_TIME });
        assert_eq!(post(&mut agent, "/api/v1/ingest/containers", &containers).await.0, 201);
    }
    let found = body_of(&server.get(&format!("/api/v1/metrics?server_id={id}&limit=20&_t=1")).await, StatusCode::OK);
    assert_eq!(found["count"], 4, "the second round repeats the first");
    let row = &found["metrics"][0];
    assert_eq!(row["timestamp"], "2025-11-20T11:59:58.123456Z", "kept to the microsecond");
    server.stop().await.unwrap();
}

/// What the agent measures in a round: the server on every item, labels null where there are none.
fn round(server_id: &str) -> Value {
    let item = |metric_type: &str, metric_name: &str, value: f64, labels: Value| {
        json!({
            "server_id": server_id, "metric_type": metric_type, "metric_name": metric_name, "value": value,
            "labels": labels, "timestamp": LOCAL_TIME,
        })
    };
    json!({
        "server_id": server_id,
        "metrics": [
            item("cpu_usage", "cpu_total", 12.345_678_9, Value::Null),
            item("memory_usage", "memory_total", 8_243_417_088.0, Value::Null),
            item("disk_usage", "disk_used_percent", 71.2, json!({ "path": "/", "fstype": "ext4" })),
            item("network_interface", "bytes_sent", 1.0, json!({ "interface": "eth0", "state": "UP" })),
        ],
    })
}

/// Sends on a connection that stays open, and answers the status and the body.
async fn post(socket: &mut TcpStream, path: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: backend:8080\r\nuser-agent: Go-http-client/1.1\r\n\
         content-type: application/json\r\naccept-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    tokio::time::timeout(PATIENCE, read_one(socket)).await.expect("a server answers in time")
}

async fn read_one(socket: &mut TcpStream) -> (u16, Value) {
    let mut answer = Vec::new();
    loop {
        assert_ne!(socket.read_buf(&mut answer).await.unwrap(), 0, "the connection stays open");
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if body.len() == length.unwrap_or(0) {
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            return (status, serde_json::from_str(body).unwrap());
        }
    }
}
