//! Every described answer about who is told, and what they were told.

use std::collections::BTreeSet;

use hyper::Method;
use serde_json::{Value, json};

use super::{Client, Place, describing};
use crate::api::start_with;
use crate::harness::identity::{person, token};

const ALL: &str = "/api/v1/alerts/recipients";
const ONE: &str = "/api/v1/alerts/recipients/{id}";
const TEST: &str = "/api/v1/alerts/recipients/{id}/test";
const NOTICES: &str = "/api/v1/alerts/notices";

pub(super) async fn asked() -> BTreeSet<Place> {
    let server = start_with(&[]).await;
    let mut client = Client { document: describing(&server).await, server: &server, seen: BTreeSet::new() };
    let database = server.database().connect().await;
    let ann = person(&database, "ann", Some("viewer")).await;
    let anns = token(&database, Some(ann), &["read", "change"]).await;
    let bob = person(&database, "bob", None).await;
    let bobs = token(&database, Some(bob), &["read", "change"]).await;
    own_chats(&mut client, &bobs).await;
    let hook = json!({ "name": "hook", "target": { "kind": "webhook", "url": "http://127.0.0.1:9/hunter2" } });
    let added = client.with("", Method::POST, ALL, "", &hook, 201).await;
    let id = added["id"].to_string();
    client.with("", Method::POST, ALL, "", &json!({ "name": "" }), 400).await;
    let for_all = json!({ "owner": "fleet", "name": "hook", "target": hook["target"] });
    client.with(&anns, Method::POST, ALL, "", &for_all, 403).await;
    client.with("", Method::GET, ALL, "", &Value::Null, 200).await;
    client.with("", Method::GET, &format!("{ALL}?limit=0"), "", &Value::Null, 400).await;
    for (id, token, status) in [(id.as_str(), "", 200), ("999999", "", 404), ("x", "", 400), (&id, &anns, 403)] {
        if status != 403 {
            client.with(token, Method::GET, ONE, id, &Value::Null, status).await;
        }
        client.with(token, Method::PUT, ONE, id, &json!({ "name": "new" }), status).await;
        client.with(token, Method::POST, TEST, id, &Value::Null, status).await;
    }
    notices(&mut client, &id, &database).await;
    for (id, token, status) in [("999999", "", 404), ("x", "", 400), (id.as_str(), &anns, 403), (&id, "", 204)] {
        client.with(token, Method::DELETE, ONE, id, &Value::Null, status).await;
    }
    let full = "INSERT INTO alert_recipients (name, kind, target, created_at, updated_at)
        SELECT 'a', 'email', '{}', now(), now() FROM generate_series(1, 1000)";
    database.batch_execute(full).await.unwrap();
    client.with("", Method::POST, ALL, "", &hook, 409).await;
    let seen = client.seen;
    server.stop().await.unwrap();
    seen
}

async fn notices(client: &mut Client<'_>, id: &str, database: &tokio_postgres::Client) {
    let insert = "INSERT INTO alert_notices (recipient, body, created_at, due_at)
        VALUES ($1, '{\"form\":\"test\"}', now(), now() + interval '1 hour')";
    database.execute(insert, &[&id.parse::<i64>().unwrap()]).await.unwrap();
    let page = client.with("", Method::GET, NOTICES, "", &Value::Null, 200).await;
    assert_eq!(page["notices"][0]["recipient_name"], "new", "{page}");
    client.with("", Method::GET, &format!("{NOTICES}?state=lost"), "", &Value::Null, 400).await;
}

async fn own_chats(client: &mut Client<'_>, token: &str) {
    for path in ["/recipient", "/api/alerts/recipient"] {
        client.with(token, Method::GET, path, "", &Value::Null, 200).await;
        client.with("", Method::GET, path, "", &Value::Null, 401).await;
        let chat = json!({ "telegram_chat_id": "42", "enabled": true, "id": 7, "more": "of it" });
        client.with(token, Method::POST, path, "", &chat, 200).await;
        client.with("", Method::POST, path, "", &chat, 401).await;
        client.with(token, Method::POST, path, "", &json!({}), 422).await;
        let broken = json!({ "telegram_chat_id": "42", "enabled": "perhaps" });
        client.with(token, Method::POST, path, "", &broken, 400).await;
        client.with(token, Method::GET, path, "", &Value::Null, 200).await;
    }
}
