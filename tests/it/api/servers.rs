//! `/api/v1/servers`: registration, and what is done with one server.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOW, STRANGER, assert_refused, body_of, metric, start, start_with};
use crate::harness::TestServer;

const SERVERS: &str = "/api/v1/servers";

#[tokio::test]
async fn a_registration_is_answered_with_every_field_of_the_source_system() {
    let server = start().await;
    let sent = json!({
        "hostname": "server01", "ip_address": "192.168.1.10", "os": "Ubuntu 22.04", "cpu_model": "EPYC",
        "total_ram": "64 GB", "kernel_version": "6.1", "uptime": "3 days", "labels": { "env": "prod" },
        "agent_version": "1.0.0",
    });
    let mut shown = body_of(&server.post(SERVERS, &sent).await, StatusCode::CREATED);
    for generated in ["id", "created_at", "updated_at"] {
        assert!(shown.as_object_mut().unwrap().remove(generated).unwrap().is_string(), "{generated}");
    }
    let mut expected = sent;
    expected["last_seen"] = "0001-01-01T00:00:00Z".into();
    assert_eq!(shown, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_registration_leaves_out_is_empty_and_labels_are_null() {
    let server = start().await;
    let sent = json!({ "hostname": "server01", "ip_address": "2001:db8::1", "later": ["ignored"] });
    let shown = body_of(&server.post(SERVERS, &sent).await, StatusCode::CREATED);
    for field in ["os", "cpu_model", "total_ram", "kernel_version", "uptime", "agent_version"] {
        assert_eq!(shown[field], "", "{field}");
    }
    assert_eq!((&shown["labels"], &shown["ip_address"]), (&Value::Null, &json!("2001:db8::1")));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn registering_a_known_hostname_again_updates_it_and_keeps_its_id() {
    let server = start().await;
    let first = json!({ "hostname": "server01", "ip_address": "192.168.1.10", "labels": { "env": "prod" } });
    let first = body_of(&server.post(SERVERS, &first).await, StatusCode::CREATED);
    let second = json!({ "hostname": "server01", "ip_address": "10.0.0.7/32" });
    let second = body_of(&server.post(SERVERS, &second).await, StatusCode::CREATED);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["ip_address"], "10.0.0.7", "an address may come with its prefix length and is shown without");
    assert_eq!((&first["labels"]["env"], &second["labels"]), (&json!("prod"), &json!(null)));
    assert_eq!(list(&server).await, json!([second]));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_list_is_sorted_by_hostname_and_empty_at_first() {
    let server = start().await;
    assert_eq!(list(&server).await, json!([]));
    for hostname in ["web-2", "db-1", "web-10"] {
        server.register(hostname).await;
    }
    let listed = list(&server).await;
    let hostnames: Vec<&Value> = listed.as_array().unwrap().iter().map(|server| &server["hostname"]).collect();
    assert_eq!(hostnames, ["db-1", "web-10", "web-2"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_registration_that_cannot_be_used_is_told_why() {
    let server = start().await;
    let required = |field| format!("Key: '{field}' Error:Field validation for '{field}' failed on the 'required' tag");
    let long = "x".repeat(256);
    let many_labels: Value = (0..65).map(|number| (number.to_string(), json!("a"))).collect();
    for (body, message) in [
        (String::new(), "EOF".to_owned()),
        (" \n".to_owned(), "EOF".to_owned()),
        (json!({ "ip_address": "10.0.0.1" }).to_string(), required("Hostname")),
        (json!({ "hostname": "", "ip_address": "10.0.0.1" }).to_string(), required("Hostname")),
        (json!({ "hostname": null, "ip_address": "10.0.0.1" }).to_string(), required("Hostname")),
        (json!({ "hostname": "a" }).to_string(), required("IPAddress")),
        (json!({ "hostname": "a", "ip_address": "10.0.0.256" }).to_string(), "ip_address is not an IP address".into()),
        (json!({ "hostname": "a\0", "ip_address": "10.0.0.1" }).to_string(), "Hostname holds a NUL character".into()),
        (
            json!({ "hostname": long, "ip_address": "10.0.0.1" }).to_string(),
            "hostname is 256 bytes long, at most 255 are allowed".into(),
        ),
        (
            json!({ "hostname": "a", "ip_address": "10.0.0.1", "labels": { "a": 1 } }).to_string(),
            "label \"a\" is not a string".into(),
        ),
        (
            json!({ "hostname": "a", "ip_address": "10.0.0.1", "labels": { "a": "\0" } }).to_string(),
            "label value holds a NUL character".into(),
        ),
        (
            json!({ "hostname": "a", "ip_address": "10.0.0.1", "labels": many_labels }).to_string(),
            "65 labels, at most 64 are allowed".into(),
        ),
    ] {
        assert_refused(&server.post_text(SERVERS, &body).await, StatusCode::BAD_REQUEST, &message);
    }
    for body in
        ["{", "[]", "{\"hostname\": 1}", "{\"hostname\":\"a\",\"hostname\":\"b\"}", "{\"hostname\":\"\\ud800\"}"]
    {
        let answer = server.post_text(SERVERS, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.json()["error"].is_string(), "{body}");
    }
    assert_eq!(list(&server).await, json!([]));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn at_the_bound_new_servers_are_refused_and_known_ones_are_welcome() {
    let server = start_with(&[("catalog.servers_max", "2")]).await;
    let ids = [server.register("a").await, server.register("b").await];
    let third = json!({ "hostname": "c", "ip_address": "10.0.0.1" });
    let message = "there are 2 servers, no more are allowed";
    assert_refused(&server.post(SERVERS, &third).await, StatusCode::FORBIDDEN, message);
    assert_eq!([server.register("a").await, server.register("b").await], ids);
    let deleted = server.send(Method::DELETE, &format!("{SERVERS}/{}", ids[0]), &[], b"").await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    body_of(&server.post(SERVERS, &third).await, StatusCode::CREATED);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn only_what_a_change_names_is_changed() {
    let server = start().await;
    let sent = json!({ "hostname": "a", "ip_address": "10.0.0.1", "os": "Debian", "labels": { "env": "prod" } });
    let registered = body_of(&server.post(SERVERS, &sent).await, StatusCode::CREATED);
    let path = format!("{SERVERS}/{}", registered["id"].as_str().unwrap());
    let change = |body: Value| {
        let (server, path) = (&server, &path);
        async move { server.send(Method::PATCH, path, &[], body.to_string().as_bytes()).await }
    };
    let changed = body_of(&change(json!({ "os": "Debian 13", "ip_address": "10.0.0.2" })).await, StatusCode::OK);
    let mut expected = registered;
    expected["os"] = "Debian 13".into();
    expected["ip_address"] = "10.0.0.2".into();
    expected["updated_at"] = changed["updated_at"].clone();
    assert_eq!(changed, expected);
    let without = body_of(&change(json!({ "labels": null })).await, StatusCode::OK);
    assert_eq!((&without["labels"], &without["os"]), (&Value::Null, &json!("Debian 13")));
    for (body, message) in [
        (json!({ "hostname": "b" }), "hostname cannot be changed to this"),
        (json!({ "os": 13 }), "os cannot be changed to this"),
        (json!({ "ip_address": "nowhere" }), "ip_address is not an IP address"),
    ] {
        assert_refused(&change(body).await, StatusCode::BAD_REQUEST, message);
    }
    assert_eq!(body_of(&server.get(&path).await, StatusCode::OK), without, "a refused change changes nothing");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_deleted_server_is_gone_with_its_samples_and_may_register_anew() {
    let server = start().await;
    let id = server.register("a").await;
    server.ingest(&id, &json!([metric("cpu", "usage", 1.0, NOW)])).await;
    let path = format!("{SERVERS}/{id}");
    let deleted = server.send(Method::DELETE, &path, &[], b"").await;
    assert_eq!((deleted.status, deleted.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(list(&server).await, json!([]));
    for path in ["/api/v1/metrics".to_owned(), format!("/api/v1/metrics?server_id={id}")] {
        assert_eq!(body_of(&server.get(&path).await, StatusCode::OK), json!({ "metrics": [], "count": 0 }), "{path}");
    }
    let late = json!({ "server_id": id, "metrics": [metric("cpu", "usage", 1.0, NOW)] });
    let late = body_of(&server.post("/api/v1/ingest", &late).await, StatusCode::BAD_REQUEST);
    assert_eq!(late["errors"][0]["code"], "unknown_server");
    assert_ne!(server.register("a").await, id);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_id_that_is_unknown_is_404_and_one_that_is_none_is_400() {
    let server = start().await;
    let unknown = format!("server {STRANGER} is not registered");
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        let answer = server.send(method.clone(), &format!("{SERVERS}/{STRANGER}"), &[], b"{}").await;
        assert_refused(&answer, StatusCode::NOT_FOUND, &unknown);
        let answer = server.send(method, &format!("{SERVERS}/server01"), &[], b"{}").await;
        assert_refused(&answer, StatusCode::BAD_REQUEST, "id is not a UUID");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_was_last_seen_when_it_last_sent_something() {
    let server = start().await;
    let id = server.register("a").await;
    server.ingest(&id, &json!([metric("cpu", "usage", 1.0, "2025-11-20T11:00:00Z")])).await;
    assert_eq!(list(&server).await[0]["last_seen"], NOW, "by the clock here, not by the agent's");
    server.stop().await.unwrap();
}

async fn list(server: &TestServer) -> Value {
    body_of(&server.get(SERVERS).await, StatusCode::OK)
}
