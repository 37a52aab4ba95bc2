//! Whose rules, alerts, silences and history are, and to whom they are not there: every kind of caller against a table.

use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{RULES, add_rule, ask, closed, column, get, happened, hot, stand};
use crate::harness::TestServer;
use crate::harness::callers::{Callers, RIGHTS, Scope};

const SILENCES: &str = "/api/v1/alerts/silences";

/// Everything there is of alerting for the servers of one owner.
struct Subject {
    name: &'static str,
    rule: i64,
    silence: i64,
}

impl Subject {
    async fn of(server: &TestServer, callers: &Callers, (name, token): (&'static str, &str), host: Uuid) -> Self {
        let owner: Option<i64> =
            callers.client.query_one("SELECT owner FROM servers WHERE id = $1", &[&host]).await.unwrap().get(0);
        let rule = add_rule(server, token, hot(name)).await;
        stand(callers, &rule, host, (1, "firing")).await;
        happened(callers, owner, &rule, Some(host), 60).await;
        happened(callers, owner, &rule, None, 60).await;
        let silence = ask(server, token, (Method::POST, SILENCES), json!({ "comment": name })).await.json();
        assert_eq!((&rule["owner"], &silence["owner"]), (&json!(owner), &json!(owner)), "{name}");
        Self { name, rule: rule["id"].as_i64().unwrap(), silence: silence["id"].as_i64().unwrap() }
    }
}

/// A caller, whose things they see, and whose they may change.
struct Caller(&'static str, String, &'static [&'static str], &'static [&'static str]);

async fn everyone(callers: &Callers, [ann, bob]: [i64; 2]) -> Vec<Caller> {
    let user = |name, role| async move { callers.user(name, Some(role)).await };
    let (viewer, editor, admin) =
        (user("vera", "viewer").await, user("edna", "editor").await, user("adam", "admin").await);
    let reading = callers.token(Some(editor), &["read"], &Scope::default()).await;
    vec![
        Caller("ann", callers.token_of(ann).await, &["ann"], &["ann"]),
        Caller("bob", callers.token_of(bob).await, &["bob"], &["bob"]),
        Caller("viewer", callers.token_of(viewer).await, &["fleet"], &[]),
        Caller("editor", callers.token_of(editor).await, &["fleet"], &["fleet"]),
        Caller("reading", reading, &["fleet"], &[]),
        Caller("of nobody", callers.token(None, &RIGHTS, &Scope::default()).await, &["fleet"], &["fleet"]),
        Caller("admin", callers.token_of(admin).await, &["fleet", "ann", "bob"], &["fleet", "ann", "bob"]),
    ]
}

#[tokio::test]
async fn what_is_foreign_is_not_there_and_what_may_only_be_read_is_not_changed() {
    let (server, callers) = closed().await;
    let (ann, bob) = (callers.user("ann", None).await, callers.user("bob", None).await);
    let everyone = everyone(&callers, [ann, bob]).await;
    let mut subjects = Vec::new();
    for (name, owner, by) in [("fleet", None, "editor"), ("ann", Some(ann), "ann"), ("bob", Some(bob), "bob")] {
        let host = callers.server(owner, &format!("host of {name}"), None).await;
        let Caller(_, token, ..) = everyone.iter().find(|Caller(of, ..)| *of == by).unwrap();
        subjects.push(Subject::of(&server, &callers, (name, token), host).await);
    }
    for Caller(name, token, sees, changes) in &everyone {
        let rules = get(&server, token, RULES).await;
        assert_eq!(column(&rules["rules"], "name"), *sees, "rules of {name}");
        assert_eq!(column(&get(&server, token, SILENCES).await["silences"], "comment"), *sees, "silences of {name}");
        let alerts = get(&server, token, "/api/v1/alerts").await;
        assert_eq!(column(&alerts["alerts"], "rule_name"), *sees, "alerts of {name}");
        let history = get(&server, token, "/api/v1/alerts/history?order=asc").await;
        let mut told: Vec<String> =
            column(&history["events"], "rule_name").iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        told.sort_unstable();
        told.dedup();
        let mut expected = sees.to_vec();
        expected.sort_unstable();
        assert_eq!(told, expected, "history of {name}");
        for subject in &subjects {
            let standing = (sees.contains(&subject.name), changes.contains(&subject.name));
            check_one(&server, (name, token), subject, standing).await;
        }
    }
    server.stop().await.unwrap();
}

async fn check_one(server: &TestServer, (name, token): (&str, &str), subject: &Subject, (sees, changes): (bool, bool)) {
    let (rule, silence) = (format!("{RULES}/{}", subject.rule), format!("{SILENCES}/{}", subject.silence));
    for path in [&rule, &silence] {
        let status = ask(server, token, (Method::GET, path), Value::Null).await.status;
        assert_eq!(status, if sees { 200 } else { 404 }, "{name} reads {path} of {}", subject.name);
    }
    let acknowledge = format!("/api/v1/alerts/{}/1/acknowledge", subject.rule);
    let may_ever = !["reading", "viewer"].contains(&name);
    for (method, path, body, done) in [
        (Method::PATCH, rule.clone(), json!({}), 200),
        (Method::PUT, rule.clone(), json!({ "version": 0 }), 409),
        (Method::POST, format!("{rule}/enable"), Value::Null, 200),
        (Method::POST, format!("{silence}/end"), Value::Null, 200),
        (Method::PUT, silence.clone(), json!({ "comment": subject.name, "starts_at": super::NOW }), 200),
    ] {
        let status = ask(server, token, (method.clone(), &path), body).await.status;
        let expected = match (may_ever, sees, changes) {
            (false, ..) => 403,
            (_, false, _) => 404,
            (_, true, false) => 403,
            _ => done,
        };
        assert_eq!(status, expected, "{name}: {method} {path} of {}", subject.name);
    }
    let status = ask(server, token, (Method::POST, &acknowledge), Value::Null).await.status.as_u16();
    let allowed: &[u16] = match (may_ever, sees) {
        (false, _) => &[403],
        (_, false) => &[404],
        // The first who may does it.
        _ => &[200, 409],
    };
    assert!(allowed.contains(&status), "{name}: {acknowledge} of {}: {status}", subject.name);
}

#[tokio::test]
async fn a_restricted_token_makes_restricted_rules_and_wider_ones_are_not_there() {
    let (server, callers) = closed().await;
    let editor = callers.user("edna", Some("editor")).await;
    let prod = Some(json!({ "env": "prod" }));
    let (inside, outside) =
        (callers.server(None, "in", prod.clone()).await, callers.server(None, "out", prod.clone()).await);
    let wide = callers.token_of(editor).await;
    let scope = Scope { servers: Some(vec![inside]), labels: prod.clone() };
    let scoped = callers.token(Some(editor), &["read", "change"], &scope).await;
    let labelled = callers.token(Some(editor), &["read", "change"], &Scope { servers: None, labels: prod }).await;
    let of_wide = add_rule(&server, &wide, hot("wide")).await;
    let of_scoped = add_rule(&server, &scoped, hot("scoped")).await;
    assert_eq!(of_scoped["scope"], json!({ "servers": [inside], "labels": { "env": "prod" } }));
    assert_eq!(of_scoped["owner"], Value::Null);
    let names = async |token: &str| column(&get(&server, token, RULES).await["rules"], "name");
    assert_eq!(names(&wide).await, ["wide", "scoped"]);
    assert_eq!(names(&scoped).await, ["scoped"]);
    assert_eq!(names(&labelled).await, ["scoped"], "what reaches less than the token is there");
    let path = format!("{RULES}/{}", of_wide["id"]);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(ask(&server, &scoped, (method, &path), Value::Null).await.status, 404);
    }
    for host in [inside, outside] {
        stand(&callers, &of_wide, host, (if host == inside { 1 } else { 2 }, "firing")).await;
        happened(&callers, None, &of_wide, Some(host), 60).await;
    }
    happened(&callers, None, &of_wide, None, 60).await;
    let alerts = get(&server, &scoped, "/api/v1/alerts").await;
    assert_eq!(column(&alerts["alerts"], "server_id"), [json!(inside)], "alerts of servers within reach");
    let history = get(&server, &scoped, "/api/v1/alerts/history").await;
    assert_eq!(column(&history["events"], "server_id"), [json!(inside)]);
    let erase = "/api/v1/alerts/history?before=now";
    assert_eq!(ask(&server, &scoped, (Method::DELETE, erase), Value::Null).await.status, 403);
    let forbidden =
        json!({ "name": "x", "server_label": { "env": "test" }, "condition": { "op": "absent", "after": "5m" } });
    assert_eq!(ask(&server, &scoped, (Method::POST, RULES), forbidden).await.status, 400);
    server.stop().await.unwrap();
}
