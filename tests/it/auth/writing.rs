//! What may be sent for which server: by its id, by a host name, in lines; and who may register and delete one.

use hyper::{Method, StatusCode};
use serde_json::json;

use super::{ask, get, is_taken, start};
use crate::harness::callers::{Callers, RIGHTS, Scope};
use crate::harness::{TestDatabase, TestServer, eventually};

async fn lines(server: &TestServer, token: &str, body: &str) -> StatusCode {
    ask(server, token, Method::POST, "/write", body).await.status
}

/// How many series a server has, by its host name and owner.
async fn series_of(callers: &Callers, hostname: &str, owner: Option<i64>) -> i64 {
    let count = "SELECT count(series.id) FROM servers LEFT JOIN series ON series.server = servers.key
        WHERE hostname = $1 AND owner IS NOT DISTINCT FROM $2";
    callers.client.query_one(count, &[&hostname, &owner]).await.unwrap().get(0)
}

#[tokio::test]
async fn an_agent_writes_to_its_own_server_whatever_the_host_is_called() {
    let (server, callers) = start().await;
    let (ann, bob) = (callers.user("ann", None).await, callers.user("bob", None).await);
    let editor = callers.token_of(callers.user("editor", Some("editor")).await).await;
    let (of_ann, of_bob) =
        (callers.server(Some(ann), "laptop", None).await, callers.server(Some(bob), "laptop", None).await);
    let ((_, ann_agent), (_, bob_agent)) = (callers.agent(of_ann).await, callers.agent(of_bob).await);
    // Twice, so that the second time the lines are known: the same text is of another server for each of them.
    for value in 1..=2 {
        for token in [&ann_agent, &bob_agent, &editor] {
            assert_eq!(lines(&server, token, &format!("cpu,host=web user={value}")).await, 204);
        }
    }
    assert_eq!(series_of(&callers, "laptop", Some(ann)).await, 1);
    assert_eq!(series_of(&callers, "laptop", Some(bob)).await, 1);
    assert_eq!(series_of(&callers, "web", None).await, 1);
    let samples = "SELECT count(*) FROM (SELECT DISTINCT server FROM series) AS of_servers";
    assert_eq!(callers.client.query_one(samples, &[]).await.unwrap().get::<_, i64>(0), 3);
    let registering = json!({ "hostname": "web", "ip_address": "10.0.0.9", "os": "Plan 9" }).to_string();
    let answer = ask(&server, &ann_agent, Method::POST, "/api/v1/servers", &registering).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!((&answer.json()["id"], &answer.json()["hostname"]), (&json!(of_ann), &json!("laptop")));
    assert!(is_taken(&server, &ann_agent, &of_ann.to_string(), 1.0).await);
    assert!(!is_taken(&server, &ann_agent, &of_bob.to_string(), 1.0).await);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn who_reaches_only_some_servers_of_the_fleet_adds_none_and_names_those_only() {
    let (server, callers) = start().await;
    let editor = callers.user("editor", Some("editor")).await;
    callers.server(None, "prod", Some(json!({ "env": "prod" }))).await;
    callers.server(None, "test", Some(json!({ "env": "test" }))).await;
    let scope = Scope { servers: None, labels: Some(json!({ "env": "prod" })) };
    let scoped = callers.token(Some(editor), &RIGHTS, &scope).await;
    assert_eq!(lines(&server, &scoped, "cpu,host=prod user=1").await, 204);
    for host in ["test", "new"] {
        let answer = ask(&server, &scoped, Method::POST, "/write", &format!("cpu,host={host} user=1")).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("is not registered"), "{}", answer.text());
    }
    // Also when others have made the line known.
    let whole = callers.token_of(editor).await;
    assert_eq!(lines(&server, &whole, "cpu,host=test user=1").await, 204);
    assert_eq!(lines(&server, &scoped, "cpu,host=test user=1").await, 400);
    for (host, status) in [("prod", 201), ("test", 403), ("new", 403)] {
        let registering = json!({ "hostname": host, "ip_address": "10.0.0.9", "labels": { "env": "prod" } });
        let answer = ask(&server, &scoped, Method::POST, "/api/v1/servers", &registering.to_string()).await;
        assert_eq!(answer.status, status, "{host}: {answer:?}");
    }
    let import = "/api/v1/import?create_servers=true";
    for (host, imported) in [("prod", 1), ("test", 0), ("new", 0)] {
        let line = json!({ "hostname": host, "metric_type": "cpu", "metric_name": "user", "labels": {},
            "timestamp": "2026-01-01T00:00:00Z", "value": 1 });
        let answer = ask(&server, &scoped, Method::POST, import, &line.to_string()).await;
        assert_eq!(answer.json()["imported"], imported, "{host}: {answer:?}");
    }
    assert_eq!(series_of(&callers, "new", None).await, 0);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn only_who_reaches_a_server_deletes_it() {
    let (server, callers) = start().await;
    let (ann, bob) = (callers.user("ann", None).await, callers.user("bob", None).await);
    let (ann_token, bob_token) = (callers.token_of(ann).await, callers.token_of(bob).await);
    let id = callers.server(Some(ann), "laptop", None).await;
    let path = format!("/api/v1/servers/{id}");
    assert_eq!(ask(&server, &bob_token, Method::DELETE, &path, "").await.status, 404);
    let all = "/api/v1/series?all=true";
    let (_, agent) = callers.agent(id).await;
    assert!(is_taken(&server, &agent, &id.to_string(), 1.0).await);
    assert_eq!(ask(&server, &bob_token, Method::DELETE, all, "").await.json()["series"], 0);
    assert_eq!(get(&server, &ann_token, "/api/v1/series").await.json()["count"], 1);
    assert_eq!(ask(&server, &ann_token, Method::DELETE, all, "").await.json()["series"], 1);
    assert_eq!(ask(&server, &ann_token, Method::DELETE, &path, "").await.status, 204);
    assert_eq!(get(&server, &ann_token, &path).await.status, 404);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn another_node_knows_of_new_labels_and_owners_within_seconds() {
    let database = TestDatabase::create().await;
    let node = async || {
        TestServer::start_on(
            &database.config(),
            &[("anonymous", "none")],
            std::sync::Arc::new(millrace::clock::SystemClock),
        )
        .await
    };
    let (one, other) = (node().await, node().await);
    let callers = Callers::of(&database).await;
    let admin = callers.user("admin", Some("admin")).await;
    let ann = callers.user("ann", None).await;
    let id = callers.server(None, "web", Some(json!({ "env": "prod" }))).await;
    let scope = Scope { servers: None, labels: Some(json!({ "env": "prod" })) };
    let (scoped, whole) = (callers.token(Some(admin), &RIGHTS, &scope).await, callers.token_of(admin).await);
    let editor = callers.token_of(callers.user("editor", Some("editor")).await).await;
    assert!(is_taken(&other, &scoped, &id.to_string(), 1.0).await);
    let path = format!("/api/v1/servers/{id}");
    let changed = ask(&one, &whole, Method::PATCH, &path, r#"{"labels":{"env":"test"}}"#).await;
    assert_eq!(changed.status, 200);
    assert!(!is_taken(&one, &scoped, &id.to_string(), 2.0).await, "the node that changed it knows at once");
    eventually("the other node knows of the labels", async || !is_taken(&other, &scoped, &id.to_string(), 2.0).await)
        .await;
    assert_eq!(lines(&other, &editor, "cpu,host=web user=1").await, 204);
    callers.hand_over(id, Some(ann)).await;
    eventually("the other node knows of the owner", async || !is_taken(&other, &editor, &id.to_string(), 3.0).await)
        .await;
    assert_eq!(lines(&other, &editor, "cpu,host=web user=1").await, 204, "which is another server from now on");
    assert_eq!(series_of(&callers, "web", None).await, 1);
    one.stop().await.unwrap();
    other.stop().await.unwrap();
}
