//! `/api/v1/tokens`: tokens that people make for programs.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{audited, closed, closed_at, knock, text};
use crate::harness::identity::{person, token};
use millrace::clock::ManualClock;
use millrace::model::Micros;
use std::sync::Arc;

const ALL: &str = "/api/v1/tokens";

#[tokio::test]
async fn a_token_is_shown_once_listed_without_itself_and_revoked() {
    let server = closed().await;
    let admin = token(&server.database().connect().await, None, &["administer", "ingest", "read"]).await;
    let wanted = json!({ "name": "ci", "rights": ["ingest"], "labels": { "env": "prod" } });
    let made = server.ask(Method::POST, ALL, &admin, &wanted).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let made = made.json();
    assert!(text(&made["token"]).starts_with("mr_"));
    assert_eq!((&made["rights"], &made["labels"]), (&wanted["rights"], &wanted["labels"]));
    assert_eq!(knock(&server, text(&made["token"])).await, StatusCode::OK);
    assert_eq!(server.ask(Method::GET, ALL, text(&made["token"]), &Value::Null).await.status, StatusCode::FORBIDDEN);

    let listed = server.ask(Method::GET, ALL, &admin, &Value::Null).await;
    assert!(!listed.text().contains(text(&made["token"])));
    assert_eq!(listed.json()["tokens"].as_array().unwrap().len(), 2);
    let path = format!("{ALL}/{}", made["id"]);
    assert_eq!(server.ask(Method::DELETE, &path, &admin, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(knock(&server, text(&made["token"])).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.ask(Method::DELETE, &path, &admin, &Value::Null).await.status, StatusCode::NOT_FOUND);
    let done: Vec<String> = audited(&server).await.into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(done, ["token.create", "token.revoke"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_gives_away_what_they_do_not_have() {
    let server = closed().await;
    let database = server.database().connect().await;
    let ann = person(&database, "ann", Some("admin")).await;
    // Its maker may everything; the token itself may not, and so neither may what it makes.
    let maker = token(&database, Some(ann), &["administer", "read"]).await;
    let wanted = json!({ "name": "more", "rights": ["read", "ingest"] });
    assert_eq!(server.ask(Method::POST, ALL, &maker, &wanted).await.status, StatusCode::FORBIDDEN);
    let misspelt = json!({ "name": "a", "rights": ["read"], "server": [] });
    let refused = server.ask(Method::POST, ALL, &maker, &misspelt).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "a bound that is not understood is not left out");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_token_is_worth_no_more_than_its_maker_is_by_now() {
    let server = closed().await;
    let database = server.database().connect().await;
    let ann = person(&database, "ann", Some("editor")).await;
    let anns = token(&database, Some(ann), &["ingest", "read"]).await;
    assert_eq!(knock(&server, &anns).await, StatusCode::OK);
    database.batch_execute("UPDATE users SET role = 'viewer'").await.unwrap();
    crate::harness::eventually("a viewer may not send", async || knock(&server, &anns).await == StatusCode::FORBIDDEN)
        .await;
    assert_eq!(server.ask(Method::GET, "/api/v1/servers", &anns, &Value::Null).await.status, StatusCode::OK);
    database.batch_execute("DELETE FROM users").await.unwrap();
    crate::harness::eventually("nobody's token", async || knock(&server, &anns).await == StatusCode::UNAUTHORIZED)
        .await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_token_ends_when_it_expires_however_well_it_is_known() {
    let now = Micros::parse_rfc3339(b"2025-12-01T03:00:00Z").unwrap();
    let clock = Arc::new(ManualClock::at(now));
    let server = closed_at(Arc::<ManualClock>::clone(&clock)).await;
    let admin = token(&server.database().connect().await, None, &["administer", "ingest"]).await;
    let wanted = json!({ "name": "ci", "rights": ["ingest"], "expires_at": "2025-12-01T04:00:00Z" });
    let made = server.ask(Method::POST, ALL, &admin, &wanted).await.json();
    assert_eq!(knock(&server, text(&made["token"])).await, StatusCode::OK);
    clock.set(Micros(now.0 + 3_600_000_000));
    assert_eq!(knock(&server, text(&made["token"])).await, StatusCode::UNAUTHORIZED);
    let late = server.ask(Method::POST, ALL, &admin, &wanted).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
    server.stop().await.unwrap();
}
