//! Rules by the API: what is taken, what is refused, and what of it is told.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{RULES, add_rule, ask, assert_refused, audited, body_of, closed, column, get, hot, revision, stand};
use crate::harness::TestServer;

fn path_of(rule: &Value) -> String {
    format!("{RULES}/{}", rule["id"])
}

async fn sent(server: &TestServer, token: &str, method: Method, path: &str, body: Value) -> Value {
    body_of(&ask(server, token, (method, path), body).await, StatusCode::OK)
}

#[tokio::test]
async fn a_rule_comes_back_as_it_was_sent_with_all_that_is_known_of_it() {
    let (server, callers) = closed().await;
    let editor = callers.user("edna", Some("editor")).await;
    let token = callers.token_of(editor).await;
    let mut form = json!({
        "name": "cpu", "enabled": false, "server_id": ["00000000-0000-0000-0000-000000000001"], "metric_type": "cpu*",
        "label": { "core": ["0", "1"] }, "server_label": { "env": "prod" },
        "condition": { "op": "gt", "threshold": 0.1, "recovery": -0.2 }, "window": { "agg": "avg", "over": "5m" },
        "for": "2m", "severity": "critical", "cooldown": "5m", "repeat": "4h", "notify_recovery": false,
        "flap": { "changes": 6, "within": "30m" }, "no_data": { "then": "fire", "after": "10m" }, "notes": "runbook",
    });
    let added = add_rule(&server, &token, form.clone()).await;
    for (name, value) in [
        ("id", added["id"].clone()),
        ("owner", Value::Null),
        ("scope", Value::Null),
        ("version", json!(1)),
        ("created_by", json!(editor)),
        ("created_at", json!(super::NOW)),
        ("updated_at", json!(super::NOW)),
        ("pending", json!(0)),
        ("firing", json!(0)),
    ] {
        form[name] = value;
    }
    assert_eq!(added, form);
    let answer = ask(&server, &token, (Method::GET, &path_of(&added)), Value::Null).await;
    assert_eq!((answer.json(), answer.header("etag")), (added, Some("\"1\"")));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_rule_is_told_at_once() {
    let (server, callers) = closed().await;
    let token = callers.token_of(callers.user("edna", Some("editor")).await).await;
    let wrong = json!({ "condition": { "op": "over" }, "for": "soon", "severity": "bad", "repeat": "1s" });
    let answer = ask(&server, &token, (Method::POST, RULES), wrong).await;
    assert_refused(&answer, 400, "invalid_rule");
    let details = &answer.json()["error"]["details"];
    assert_eq!(column(details, "field"), ["name", "condition.op", "for", "repeat", "severity"]);
    for (rule, field) in [
        (json!({ "name": 7, "condition": { "op": "gt", "threshold": 1 } }), "name"),
        (json!({ "name": "a\u{0}", "condition": { "op": "gt", "threshold": 1 } }), "definition"),
        (json!({ "name": "a", "condition": { "op": "gt", "threshold": 1 }, "enabled": "yes" }), "enabled"),
        (json!({ "name": "a", "condition": { "op": "gt", "threshold": 1 }, "sevrity": "info" }), "definition"),
        (json!({ "name": "a", "condition": { "op": "gt", "threshold": 1 }, "recipients": [999] }), "recipients"),
    ] {
        let answer = ask(&server, &token, (Method::POST, RULES), rule).await;
        assert_refused(&answer, 400, "invalid_rule");
        assert_eq!(answer.json()["error"]["details"][0]["field"], field, "{answer:?}");
    }
    let owner = json!({ "name": "a", "owner": "bob", "condition": { "op": "gt", "threshold": 1 } });
    assert_refused(&ask(&server, &token, (Method::POST, RULES), owner).await, 400, "invalid_owner");
    assert_refused(&ask(&server, &token, (Method::POST, RULES), json!([])).await, 400, "bad_body");
    assert_eq!(get(&server, &token, RULES).await, json!({ "rules": [], "next": null }));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_change_counts_for_the_version_it_was_made_of_and_for_no_other() {
    let (server, callers) = closed().await;
    let token = callers.token_of(callers.user("edna", Some("editor")).await).await;
    let rule = add_rule(&server, &token, hot("a")).await;
    let path = path_of(&rule);
    let mut next = rule.clone();
    next["name"] = json!("b");
    let put = sent(&server, &token, Method::PUT, &path, next.clone()).await;
    assert_eq!((&put["name"], &put["version"]), (&json!("b"), &json!(2)), "what was answered can be sent back");
    let late = ask(&server, &token, (Method::PUT, &path), next.clone()).await;
    assert_refused(&late, 409, "version_changed");
    assert_eq!(late.json()["error"]["details"], json!([{ "version": 2 }]));
    next.as_object_mut().unwrap().remove("version");
    assert_refused(&ask(&server, &token, (Method::PUT, &path), next).await, 400, "missing_version");
    let late = json!({ "version": 1, "notes": "x" });
    assert_refused(&ask(&server, &token, (Method::PATCH, &path), late).await, 409, "version_changed");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_patch_is_merged_into_the_rule_down_to_the_last_member() {
    let (server, callers) = closed().await;
    let token = callers.token_of(callers.user("edna", Some("editor")).await).await;
    let mut rule = hot("a");
    rule["condition"]["recovery"] = json!(80);
    rule["for"] = json!("5m");
    let rule = add_rule(&server, &token, rule).await;
    let patch = json!({ "condition": { "threshold": 95 }, "for": null, "severity": "info" });
    let patched = sent(&server, &token, Method::PATCH, &path_of(&rule), patch).await;
    assert_eq!(patched["condition"], json!({ "op": "gt", "threshold": 95.0, "recovery": 80.0 }));
    assert_eq!((patched.get("for"), &patched["severity"], &patched["name"]), (None, &json!("info"), &json!("a")));
    let wrong = json!({ "condition": { "recovery": 99 } });
    assert_refused(&ask(&server, &token, (Method::PATCH, &path_of(&rule)), wrong).await, 400, "invalid_rule");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn each_change_is_in_the_audit_and_told_to_whoever_judges() {
    let (server, callers) = closed().await;
    let token = callers.token_of(callers.user("edna", Some("editor")).await).await;
    let rule = add_rule(&server, &token, hot("a")).await;
    let path = path_of(&rule);
    for (action, enabled) in [("disable", false), ("enable", true)] {
        let changed = sent(&server, &token, Method::POST, &format!("{path}/{action}"), Value::Null).await;
        assert_eq!(changed["enabled"], enabled);
    }
    let patch = json!({ "name": "b" });
    assert_eq!(sent(&server, &token, Method::PATCH, &path, patch).await["version"], 4);
    assert_eq!(ask(&server, &token, (Method::DELETE, &path), Value::Null).await.status, 204);
    for method in [Method::GET, Method::DELETE] {
        assert_refused(&ask(&server, &token, (method, &path), Value::Null).await, 404, "not_found");
    }
    let actions = ["create", "disable", "enable", "change", "delete"].map(|action| format!("alert.rule.{action}"));
    assert_eq!(audited(&callers).await, actions);
    assert_eq!(revision(&callers).await, 5);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn rules_are_listed_page_by_page_with_how_many_series_they_fire_for() {
    let (server, callers) = closed().await;
    let token = callers.token_of(callers.user("edna", Some("editor")).await).await;
    let host = callers.server(None, "web-1", None).await;
    let mut rules = Vec::new();
    for name in ["cpu 1", "disk", "cpu 2"] {
        rules.push(add_rule(&server, &token, hot(name)).await);
    }
    sent(&server, &token, Method::POST, &format!("{}/disable", path_of(&rules[2])), Value::Null).await;
    for (series, phase) in [(1, "firing"), (2, "acknowledged"), (3, "pending"), (4, "resolved")] {
        stand(&callers, &rules[0], host, (series, phase)).await;
    }
    let one = &get(&server, &token, &format!("{RULES}?limit=1")).await;
    assert_eq!((&one["rules"][0]["pending"], &one["rules"][0]["firing"]), (&json!(1), &json!(2)));
    assert_eq!(one["next"], rules[0]["id"]);
    for (query, names) in [
        ("enabled=true", vec!["cpu 1", "disk"]),
        ("name=CPU", vec!["cpu 1", "cpu 2"]),
        (&format!("limit=2&after={}", one["next"]), vec!["disk", "cpu 2"]),
    ] {
        let found = get(&server, &token, &format!("{RULES}?{query}")).await;
        assert_eq!(column(&found["rules"], "name"), names, "{query}");
        assert_eq!(found["next"], Value::Null, "{query}");
    }
    for query in ["limit=0", "limit=1001", "enabled=maybe", "after=x"] {
        let answer = ask(&server, &token, (Method::GET, &format!("{RULES}?{query}")), Value::Null).await;
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_person_has_a_thousand_rules_and_no_more() {
    let (server, callers) = closed().await;
    let (ann, bob) = (callers.user("ann", None).await, callers.user("bob", None).await);
    let insert = "INSERT INTO alert_rules (owner, name, definition, enabled, created_at, updated_at)
        SELECT $1, 'a', '{}', false, now(), now() FROM generate_series(1, 999)";
    callers.client.execute(insert, &[&ann]).await.unwrap();
    let token = callers.token_of(ann).await;
    add_rule(&server, &token, hot("the last")).await;
    assert_refused(&ask(&server, &token, (Method::POST, RULES), hot("one more")).await, 409, "too_many");
    add_rule(&server, &callers.token_of(bob).await, hot("another's")).await;
    server.stop().await.unwrap();
}
