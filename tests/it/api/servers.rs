//! `/api/v1/servers`.

use hyper::StatusCode;
use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn registering_a_known_hostname_again_updates_it_and_keeps_its_id() {
    let server = TestServer::start().await;
    let first = json!({ "hostname": "server01", "ip_address": "192.168.1.10", "labels": { "env": "prod" } });
    let first = server.post("/api/v1/servers", &first).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let second = server.post("/api/v1/servers", &json!({ "hostname": "server01", "ip_address": "10.0.0.7" })).await;
    assert_eq!(second.status, StatusCode::CREATED);
    let (first, second) = (first.json(), second.json());
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["ip_address"], "10.0.0.7");
    assert_eq!((&first["labels"]["env"], &second["labels"]), (&json!("prod"), &json!(null)));
    server.stop().await.unwrap();
}
