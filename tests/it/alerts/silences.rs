//! Silences by the API.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOW, ask, assert_refused, audited, body_of, closed, column, get, revision};

const SILENCES: &str = "/api/v1/alerts/silences";

#[tokio::test]
async fn a_silence_comes_back_as_it_was_sent_until_it_is_changed_ended_and_removed() {
    let (server, callers) = closed().await;
    let editor = callers.user("edna", Some("editor")).await;
    let token = callers.token_of(editor).await;
    let host = callers.server(None, "web-1", None).await;
    let mut form = json!({
        "comment": "moving", "starts_at": "2026-11-20T11:00:00Z", "ends_at": "2026-11-21T11:00:00Z",
        "matcher": { "rules": [7], "servers": [host], "severities": ["info"], "server_labels": { "rack": "7" } },
        "weekly": { "timezone": "Europe/Berlin", "days": ["mon", "sun"], "from": "22:00", "to": "06:00" },
    });
    let added = ask(&server, &token, (Method::POST, SILENCES), form.clone()).await;
    let added = body_of(&added, StatusCode::CREATED);
    for (name, value) in
        [("id", added["id"].clone()), ("owner", Value::Null), ("created_by", json!(editor)), ("created_at", json!(NOW))]
    {
        form[name] = value;
    }
    assert_eq!(added, form);
    let path = format!("{SILENCES}/{}", added["id"]);
    assert_eq!(get(&server, &token, &path).await, added);
    form["weekly"] = Value::Null;
    let changed = body_of(&ask(&server, &token, (Method::PUT, &path), form.clone()).await, StatusCode::OK);
    assert_eq!(changed, form, "what was answered can be sent back");
    let ended = ask(&server, &token, (Method::POST, &format!("{path}/end")), Value::Null).await;
    assert_eq!(body_of(&ended, StatusCode::OK)["ends_at"], NOW);
    assert_eq!(get(&server, &token, &format!("{SILENCES}?open=true")).await["silences"], json!([]));
    assert_eq!(column(&get(&server, &token, SILENCES).await["silences"], "id"), [added["id"].clone()]);
    assert_eq!(ask(&server, &token, (Method::DELETE, &path), Value::Null).await.status, 204);
    assert_refused(&ask(&server, &token, (Method::GET, &path), Value::Null).await, 404, "not_found");
    let actions = ["create", "change", "end", "delete"].map(|action| format!("alert.silence.{action}"));
    assert_eq!(audited(&callers).await, actions);
    assert_eq!(revision(&callers).await, 4);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_silence_that_says_nothing_begins_now_and_is_for_everything_for_good() {
    let (server, callers) = closed().await;
    let token = callers.token_of(callers.user("edna", Some("editor")).await).await;
    let added = body_of(&ask(&server, &token, (Method::POST, SILENCES), json!({})).await, StatusCode::CREATED);
    assert_eq!((&added["starts_at"], &added["ends_at"], &added["weekly"]), (&json!(NOW), &Value::Null, &Value::Null));
    let nothing = json!({ "rules": [], "servers": [], "severities": [], "server_labels": {} });
    assert_eq!(added["matcher"], nothing);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_silence_is_told_at_once() {
    let (server, callers) = closed().await;
    let token = callers.token_of(callers.user("edna", Some("editor")).await).await;
    let wrong = json!({
        "matcher": { "severities": ["bad"] }, "ends_at": "2026-11-20T11:00:00Z",
        "weekly": { "timezone": "Mars", "days": [], "from": "25:00", "to": "6" },
    });
    let answer = ask(&server, &token, (Method::POST, SILENCES), wrong).await;
    assert_refused(&answer, 400, "invalid_silence");
    let fields = column(&answer.json()["error"]["details"], "field");
    let expected = ["matcher.severities", "ends_at", "weekly.timezone", "weekly.days", "weekly.from", "weekly.to"];
    assert_eq!(fields, expected);
    let misspelt = json!({ "matcher": { "rule": [1] } });
    assert_refused(&ask(&server, &token, (Method::POST, SILENCES), misspelt).await, 400, "bad_body");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_silence_of_a_restricted_token_silences_no_more_than_it_reaches() {
    let (server, callers) = closed().await;
    let editor = callers.user("edna", Some("editor")).await;
    let hosts = [callers.server(None, "web-1", None).await, callers.server(None, "web-2", None).await];
    let scope =
        crate::harness::callers::Scope { servers: Some(vec![hosts[0]]), labels: Some(json!({ "env": "prod" })) };
    let token = callers.token(Some(editor), &["read", "change"], &scope).await;
    let added = body_of(&ask(&server, &token, (Method::POST, SILENCES), json!({})).await, StatusCode::CREATED);
    assert_eq!(added["matcher"]["servers"], json!([hosts[0]]));
    assert_eq!(added["matcher"]["server_labels"], json!({ "env": "prod" }));
    for matcher in [json!({ "servers": [hosts[1]] }), json!({ "server_labels": { "env": "test" } })] {
        let answer = ask(&server, &token, (Method::POST, SILENCES), json!({ "matcher": matcher })).await;
        assert_refused(&answer, 400, "invalid_silence");
    }
    let wide = ask(&server, &callers.token_of(editor).await, (Method::POST, SILENCES), json!({})).await;
    let wide = body_of(&wide, StatusCode::CREATED);
    let path = format!("{SILENCES}/{}", wide["id"]);
    assert_refused(&ask(&server, &token, (Method::DELETE, &path), Value::Null).await, 404, "not_found");
    assert_eq!(column(&get(&server, &token, SILENCES).await["silences"], "id"), [added["id"].clone()]);
    server.stop().await.unwrap();
}
