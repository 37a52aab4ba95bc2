//! Who is told, as people change it: whose it is, what is shown of it, and the one chat of a source system.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::SystemClock;
use serde_json::{Value, json};

use super::receiver::{Receiver, Reply};
use super::{NOTICES, RECIPIENTS, add, newest_is, put, start, tell, worded};
use crate::harness::callers::{Callers, Scope};
use crate::harness::{TestServer, eventually};

async fn closed() -> (TestServer, Callers) {
    let server = TestServer::start_with(&[("anonymous", "none")], Arc::new(SystemClock)).await;
    let callers = Callers::of(server.database()).await;
    (server, callers)
}

fn mail(name: &str) -> Value {
    json!({ "name": name, "target": { "kind": "email", "to": ["ann@example.org"] } })
}

#[tokio::test]
async fn a_recipient_can_be_added_changed_tried_out_and_removed() {
    let (server, _) = start(&[]).await;
    let receiver = Receiver::start(&[Reply::Status(200), Reply::Status(500)]).await;
    let id = add(&server, "hook", json!({ "kind": "slack", "webhook_url": receiver.url("/hunter2") })).await;
    let path = format!("{RECIPIENTS}/{id}");
    let tried = server.post(&format!("{path}/test"), &json!({})).await;
    assert_eq!(tried.json(), json!({ "delivered": true, "error": null }));
    assert!(receiver.got()[0].json()["text"].as_str().unwrap().starts_with("*Test of Millrace alerts*"));
    let tried = server.post(&format!("{path}/test"), &json!({})).await;
    assert_eq!(tried.status, StatusCode::OK);
    assert_eq!(tried.json(), json!({ "delivered": false, "error": "127.0.0.1 answered 500" }));
    let mut shown = server.get(&path).await.json();
    assert_eq!(shown["to"], format!("http://{}/…", receiver.address));
    assert_eq!(shown["last_error"], "127.0.0.1 answered 500");
    // What was shown can be sent back; the target stays.
    shown["name"] = json!("new");
    shown["enabled"] = json!(false);
    let changed = put(&server, id, &shown).await;
    assert_eq!((changed.status, &changed.json()["name"]), (StatusCode::OK, &json!("new")), "{changed:?}");
    tell(&server, id, worded("nobody hears this")).await;
    assert_eq!(super::notices(&server).await, Vec::<Value>::new(), "who is switched off is told nothing");
    put(&server, id, &json!({ "name": "on" })).await;
    tell(&server, id, worded("a")).await;
    receiver.after(3).await;
    assert!(receiver.got()[2].head.starts_with("POST /hunter2 HTTP/1.1"), "the target is what it was");
    newest_is(&server, "delivered", 1).await;
    assert_eq!(server.send(Method::DELETE, &path, &[], b"").await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(super::notices(&server).await, Vec::<Value>::new(), "what it was told goes with it");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn no_answer_and_no_log_of_changes_shows_a_secret() {
    let (server, _) = start(&[("telegram.bot_token", "1:hunter2")]).await;
    let receiver = Receiver::start(&vec![Reply::Status(500); 8]).await;
    let url = receiver.url("/hunter2");
    for target in [
        json!({ "kind": "webhook", "url": url, "secret": "hunter2", "template": "{\"hunter2\":1}" }),
        json!({ "kind": "discord", "webhook_url": url }),
        json!({ "kind": "slack", "webhook_url": url }),
        json!({ "kind": "ntfy", "url": url, "token": "hunter2" }),
        json!({ "kind": "telegram", "chat_id": "1", "bot_token": "2:hunter2" }),
    ] {
        let answer = server.post(RECIPIENTS, &json!({ "name": "a", "target": target })).await;
        assert!(!answer.text().contains("hunter2"), "{answer:?}");
        let id = answer.json()["id"].as_i64().unwrap();
        tell(&server, id, worded("a")).await;
    }
    eventually("all but Telegram's have failed once", async || {
        super::notices(&server).await.iter().filter(|notice| !notice["last_error"].is_null()).count() >= 4
    })
    .await;
    for path in [RECIPIENTS, NOTICES, "/api/v1/audit", "/-/metrics"] {
        let answer = server.get(path).await;
        assert!(answer.status == StatusCode::OK && !answer.text().contains("hunter2"), "{path}: {}", answer.text());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_fleets_are_seen_by_its_viewers_and_changed_by_its_editors_and_ones_own_by_oneself() {
    let (server, callers) = closed().await;
    let token = |name: &'static str, role| {
        let callers = &callers;
        async move { callers.token_of(callers.user(name, role).await).await }
    };
    let editor = token("ed", Some("editor")).await;
    let viewer = token("vi", Some("viewer")).await;
    let (ann, bob) = (token("ann", None).await, token("bob", None).await);
    let add = async |token: &str, body: Value| server.ask(Method::POST, RECIPIENTS, token, &body).await;
    let fleets = add(&editor, mail("fleet")).await.json();
    assert_eq!(fleets["owner"], Value::Null);
    let anns = add(&ann, mail("mine")).await.json();
    assert!(anns["owner"].is_i64(), "{anns}");
    let asked = json!({ "owner": "fleet", "name": "a", "target": { "kind": "email", "to": ["a@b"] } });
    assert_eq!(add(&ann, asked).await.status, StatusCode::FORBIDDEN);
    let names = async |token: &str| {
        let page = server.ask(Method::GET, RECIPIENTS, token, &Value::Null).await.json();
        page["recipients"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((names(&viewer).await, names(&ann).await), (vec![json!("fleet")], vec![json!("mine")]));
    assert!(names(&bob).await.is_empty());
    let fleet_path = format!("{RECIPIENTS}/{}", fleets["id"]);
    let ann_path = format!("{RECIPIENTS}/{}", anns["id"]);
    let seen = async |token: &str, path: &str| server.ask(Method::GET, path, token, &Value::Null).await;
    assert_eq!(seen(&editor, &fleet_path).await.json()["to"], "ann@example.org");
    assert_eq!(seen(&viewer, &fleet_path).await.json()["to"], "a…@example.org");
    assert_eq!(seen(&bob, &ann_path).await.status, StatusCode::NOT_FOUND);
    for (token, path, status) in [
        (&viewer, &fleet_path, StatusCode::FORBIDDEN),
        (&ann, &fleet_path, StatusCode::NOT_FOUND),
        (&editor, &ann_path, StatusCode::NOT_FOUND),
        (&ann, &ann_path, StatusCode::OK),
        (&editor, &fleet_path, StatusCode::OK),
    ] {
        assert_eq!(server.ask(Method::PUT, path, token, &json!({ "name": "b" })).await.status, status, "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn who_is_restricted_to_some_servers_sees_and_adds_no_recipients() {
    let (server, callers) = closed().await;
    let admin = callers.user("admin", Some("admin")).await;
    let id = callers.server(None, "a", None).await;
    let scope = Scope { servers: Some(vec![id]), labels: None };
    let scoped = callers.token(Some(admin), &["read", "change"], &scope).await;
    let whole = callers.token_of(admin).await;
    server.ask(Method::POST, RECIPIENTS, &whole, &mail("all")).await;
    let page = server.ask(Method::GET, RECIPIENTS, &scoped, &Value::Null).await.json();
    assert_eq!(page, json!({ "recipients": [], "next": null }));
    assert_eq!(server.ask(Method::POST, RECIPIENTS, &scoped, &mail("b")).await.status, StatusCode::FORBIDDEN);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_change_is_in_the_audit_and_those_who_judge_are_told() {
    let (server, _) = start(&[]).await;
    let client = server.database().connect().await;
    let revision =
        async || -> i64 { client.query_one("SELECT rules_revision FROM alert_progress", &[]).await.unwrap().get(0) };
    let before = revision().await;
    let id = add(&server, "a", json!({ "kind": "email", "to": ["ann@example.org"] })).await;
    put(&server, id, &json!({ "name": "b" })).await;
    server.send(Method::DELETE, &format!("{RECIPIENTS}/{id}"), &[], b"").await;
    assert_eq!(revision().await, before + 3);
    let audit = server.get("/api/v1/audit").await.json();
    let actions: Vec<_> = audit["entries"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["alert.recipient.delete", "alert.recipient.change", "alert.recipient.create"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_chat_of_a_person_is_what_the_dashboard_of_its_system_expects() {
    let (server, callers) = closed().await;
    let ann = callers.user("ann", None).await;
    let token = callers.token_of(ann).await;
    for (path, chat) in [("/recipient", "42"), ("/api/alerts/recipient", "-100")] {
        if chat == "42" {
            assert_eq!(server.ask(Method::GET, path, &token, &Value::Null).await.json(), Value::Null);
        }
        let posted = server.ask(Method::POST, path, &token, &json!({ "telegram_chat_id": chat })).await;
        assert_eq!(posted.status, StatusCode::OK, "{posted:?}");
        let mut whole = posted.json();
        let created = whole["created_at"].as_str().unwrap().to_owned();
        let id = whole["id"].clone();
        let expected = json!({
            "telegram_chat_id": chat, "enabled": true, "id": id, "user_id": ann, "created_at": created,
        });
        assert_eq!(whole, expected);
        assert!(created.ends_with('Z'));
        // The page sends back all it was given.
        whole["enabled"] = json!(false);
        assert_eq!(server.ask(Method::POST, path, &token, &whole).await.json(), whole);
        assert_eq!(server.ask(Method::GET, path, &token, &Value::Null).await.json(), whole);
    }
    let missing = server.ask(Method::POST, "/recipient", &token, &json!({ "telegram_chat_id": 42 })).await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(missing.json()["detail"][0]["loc"], json!(["body", "telegram_chat_id"]));
    let page = server.ask(Method::GET, RECIPIENTS, &token, &Value::Null).await.json();
    assert_eq!(page["recipients"][0]["to"], "chat -100");
    server.stop().await.unwrap();
}
