//! Endpoints: agents of the fleet, as people add them by form and by API.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{audited, closed, knock, text};
use crate::harness::TestServer;
use crate::harness::identity::token;
use crate::harness::server::Answer;

async fn scene() -> (TestServer, String) {
    let server = closed().await;
    let admin = token(&server.database().connect().await, None, &["administer", "ingest"]).await;
    (server, admin)
}

fn cookies(answer: &Answer) -> Vec<&str> {
    answer.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str()).collect()
}

#[tokio::test]
async fn an_endpoint_is_added_stopped_given_another_token_and_deleted() {
    let (server, admin) = scene().await;
    let ask = async |method: Method, path: &str, body: Value| server.ask(method, path, &admin, &body).await;
    let new = json!({ "hostname": "PC-07", "machine_id": "6f96" });
    let added = ask(Method::POST, "/api/v1/endpoints", new.clone()).await;
    assert_eq!(added.status, StatusCode::CREATED);
    let added = added.json();
    let (path, first) = (format!("/api/v1/endpoints/{}", added["id"]), text(&added["token"]).to_owned());
    assert_eq!(first.len(), 43);
    assert_eq!(knock(&server, &first).await, StatusCode::OK);
    assert_eq!(ask(Method::POST, "/api/v1/endpoints", new).await.status, StatusCode::CONFLICT);
    assert_eq!(ask(Method::GET, &path, Value::Null).await.json().get("token"), None);

    let second = text(&ask(Method::POST, &format!("{path}/rotate"), Value::Null).await.json()["token"]).to_owned();
    assert_eq!(
        (knock(&server, &first).await, knock(&server, &second).await),
        (StatusCode::UNAUTHORIZED, StatusCode::OK)
    );
    let stopped = ask(Method::PATCH, &path, json!({ "is_active": false })).await.json();
    assert_eq!((&stopped["is_active"], &stopped["hostname"]), (&json!(false), &json!("PC-07")));
    assert_eq!(knock(&server, &second).await, StatusCode::UNAUTHORIZED);
    ask(Method::PATCH, &path, json!({ "is_active": true, "hostname": "PC-08" })).await;
    assert_eq!(knock(&server, &second).await, StatusCode::OK, "known again at once");
    assert_eq!(ask(Method::DELETE, &path, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(knock(&server, &second).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(Method::GET, &path, Value::Null).await.status, StatusCode::NOT_FOUND);
    let done: Vec<String> = audited(&server).await.into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(done, ["endpoint.create", "endpoint.rotate", "endpoint.change", "endpoint.change", "endpoint.delete"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_endpoint_speaks_for_the_server_that_has_its_host_name_already() {
    let (server, admin) = scene().await;
    let known = json!({ "hostname": "PC-07", "ip_address": "10.0.0.1" });
    let known = server.ask(Method::POST, "/api/v1/servers", &admin, &known).await.json();
    let new = json!({ "hostname": "PC-07", "machine_id": "6f96" });
    let added = server.ask(Method::POST, "/api/v1/endpoints", &admin, &new).await.json();
    assert_eq!(added["server_id"], known["id"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_token_made_by_form_is_shown_and_downloaded_once_and_no_get_makes_another() {
    let (server, admin) = scene().await;
    let authorization = format!("Bearer {admin}");
    let get = async |path: &str, cookie: &str| {
        let headers = [("authorization", authorization.as_str()), ("cookie", cookie), ("host", "m.example")];
        server.send(Method::GET, path, &headers[..2], b"").await
    };
    let form = b"hostname=PC-07&machine_id=6f96";
    let added = server.send(Method::POST, "/admin/endpoints/new", &[("authorization", &authorization)], form).await;
    assert_eq!((added.status, added.header("location")), (StatusCode::FOUND, Some("/admin/endpoints")));
    assert!(cookies(&added).iter().all(|cookie| cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict")));
    let cookie = cookies(&added)[0].split(';').next().unwrap().to_owned();

    let page = get("/admin/endpoints", &cookie).await;
    let created = page.json()["created"].clone();
    assert_eq!(knock(&server, text(&created["token"])).await, StatusCode::OK);
    assert!(cookies(&page)[0].contains("Max-Age=0"), "shown once");
    let path = format!("/admin/endpoints/{}/config", created["id"]);
    let config = get(&path, &cookie).await;
    assert_eq!(config.json()["bearer_token"], created["token"]);
    assert_eq!(config.json()["server_url"], "http://test/api/v1/ingest");
    assert_eq!(config.header("content-disposition"), Some("attachment; filename=\"metricsagent-config-PC-07.json\""));
    assert!(cookies(&config)[0].contains("Max-Age=0"), "downloaded once");
    for _ in 0..2 {
        assert_eq!(get(&path, "a=b").await.json()["bearer_token"], "");
    }
    assert_eq!(get("/admin/endpoints", "a=b").await.json()["created"], Value::Null);
    assert_eq!(knock(&server, text(&created["token"])).await, StatusCode::OK, "still the same");
    server.stop().await.unwrap();
}

/// A snapshot of a machine.
fn snapshot(hostname: &str, machine_id: &str, interval_seconds: u32) -> Value {
    json!({ "schema_version": "1.0", "timestamp_utc": super::THEN, "interval_seconds": interval_seconds,
        "host": { "hostname": hostname, "machine_id": machine_id }, "cpu": { "utilization_pct": 1, "idle_pct": 99 } })
}

#[tokio::test]
async fn what_an_endpoint_says_of_itself_is_so_from_then_on_unless_another_one_has_the_name() {
    let (server, admin) = scene().await;
    let add = async |hostname: &str, machine_id: &str| {
        let new = json!({ "hostname": hostname, "machine_id": machine_id });
        server.ask(Method::POST, "/api/v1/endpoints", &admin, &new).await.json()
    };
    let (first, second) = (add("PC-07", "6f96").await, add("PC-09", "7a7a").await);
    let path = format!("/api/v1/endpoints/{}", first["id"]);
    let send = async |snapshot: Value| {
        let answer = server.ask(Method::POST, "/api/v1/ingest", text(&first["token"]), &snapshot).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let shown = server.ask(Method::GET, &path, &admin, &Value::Null).await.json();
        ["hostname", "machine_id", "last_interval_seconds"].map(|name| shown[name].clone())
    };
    let said = |hostname: &str, machine_id: &str, interval: u32| [json!(hostname), json!(machine_id), json!(interval)];
    assert_eq!(send(snapshot("PC-08", "6f97", 30)).await, said("PC-08", "6f97", 30));
    assert_eq!(send(snapshot("PC-08", "6f97", 60)).await, said("PC-08", "6f97", 60));
    assert_eq!(send(snapshot("PC-09", "7a7a", 60)).await, said("PC-08", "6f97", 60), "the other one's");
    let listed = server.ask(Method::GET, "/api/v1/servers", &admin, &Value::Null).await;
    assert_eq!(listed.status, StatusCode::FORBIDDEN, "this token is for other things");
    assert_ne!(first["server_id"], second["server_id"]);
    server.stop().await.unwrap();
}
