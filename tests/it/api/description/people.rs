//! Everything about people: each described answer once.

use hyper::Method;
use serde_json::{Value, json};

use super::Client;
use crate::harness::server::Answer;

const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];
const PASSWORD: &str = "correct horse";

pub(super) async fn all(client: &mut Client<'_>) {
    for prefix in ["", "/api/auth"] {
        programs(client, prefix).await;
    }
    users(client).await;
    sessions(client).await;
    invites(client).await;
    settings(client).await;
    forms(client).await;
    client.get("/api/v1/audit", "limit=1", 200).await;
    client.get("/api/v1/audit", "limit=0", 400).await;
}

/// One request to a path of that pattern.
struct Ask<'a> {
    method: Method,
    pattern: &'a str,
    /// What the placeholders stand for, and the query.
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
}

async fn ask(client: &mut Client<'_>, asked: Ask<'_>, status: u16) -> Answer {
    let Ask { method, pattern, path, headers, body } = asked;
    let answer = client.server.send(method.clone(), path, headers, body.as_bytes()).await;
    client.check(&method, pattern, status, answer)
}

async fn post_form(client: &mut Client<'_>, pattern: &str, body: &str, status: u16) -> Answer {
    ask(client, Ask { method: Method::POST, pattern, path: pattern, headers: FORM, body }, status).await
}

async fn plain(client: &mut Client<'_>, method: Method, pattern: &str, path: &str, status: u16) -> Answer {
    ask(client, Ask { method, pattern, path, headers: &[], body: "" }, status).await
}

async fn programs(client: &mut Client<'_>, prefix: &str) {
    let at = |path: &str| format!("{prefix}{path}");
    let name = format!("bob{}", prefix.len());
    let code = client.post("/api/v1/invites", json!({}), 201).await["code"].clone();
    let register = at("/register");
    client.post(&register, json!({ "username": name, "password": PASSWORD }), 403).await;
    client.post(&register, json!({ "username": name, "password": PASSWORD, "invite": "made up" }), 400).await;
    client.post(&register, json!({ "username": name }), 422).await;
    client.post(&register, json!({ "username": name, "password": PASSWORD, "invite": code }), 200).await;
    let token = at("/token");
    post_form(client, &token, "username=a", 422).await;
    post_form(client, &token, &format!("username={name}&password=wrong"), 401).await;
    let form = format!("username={name}&password=correct+horse");
    let tokens = post_form(client, &token, &form, 200).await.json();
    let (me, access) = (at("/users/me"), format!("Bearer {}", tokens["access_token"].as_str().unwrap()));
    let headers = [("authorization", access.as_str())];
    ask(client, Ask { method: Method::GET, pattern: &me, path: &me, headers: &headers, body: "" }, 200).await;
    plain(client, Method::GET, &me, &me, 401).await;
    sockets(client, &headers, tokens["access_token"].as_str().unwrap()).await;
    let (refresh, logout) = (at("/refresh"), at("/logout"));
    let with = |path: &str, token: &Value| format!("{path}?refresh_token={}", token.as_str().unwrap());
    let first = with(&refresh, &tokens["refresh_token"]);
    plain(client, Method::POST, &refresh, &first, 200).await;
    plain(client, Method::POST, &refresh, &first, 401).await;
    plain(client, Method::POST, &refresh, &refresh, 422).await;
    plain(client, Method::POST, &logout, &with(&logout, &tokens["refresh_token"]), 200).await;
    plain(client, Method::POST, &logout, &logout, 302).await;
}

/// Sockets of somebody who has signed in, and of nobody.
async fn sockets(client: &mut Client<'_>, headers: &[(&str, &str)], access: &str) {
    for (pattern, path) in [("/ws", "/ws"), ("/ws/{agent_id}", "/ws/1")] {
        plain(client, Method::GET, pattern, path, 403).await;
        ask(client, Ask { method: Method::GET, pattern, path, headers, body: "" }, 400).await;
        let handshake = super::handshake(&format!("{path}?token={access}"));
        let answer = client.server.send_bytes(&handshake).await;
        client.check(&Method::GET, pattern, 101, answer);
    }
}

async fn users(client: &mut Client<'_>) {
    const USERS: &str = "/api/v1/users";
    const USER: &str = "/api/v1/users/{id}";
    let made = client.post(USERS, json!({ "email": "root@example.org", "role": "admin" }), 201).await;
    assert!(made["password"].is_string(), "made up: {made}");
    client.post(USERS, json!({ "email": "root@example.org" }), 409).await;
    client.post(USERS, json!({ "email": "no address" }), 400).await;
    client.get(USERS, "", 200).await;
    client.get(USERS, "after=x", 400).await;
    let at = |id: &Value| format!("{USERS}/{id}");
    let (admin, nobody) = (at(&made["id"]), at(&json!(999_999)));
    for (path, status) in [(admin.as_str(), 200), (&nobody, 404), ("/api/v1/users/x", 400)] {
        plain(client, Method::GET, USER, path, status).await;
        let body = r#"{"is_active":true}"#;
        ask(client, Ask { method: Method::PATCH, pattern: USER, path, headers: &[], body }, status).await;
    }
    let body = r#"{"role":null}"#;
    ask(client, Ask { method: Method::PATCH, pattern: USER, path: &admin, headers: &[], body }, 409).await;
    for (path, status) in [(admin.as_str(), 409), (&nobody, 404), ("/api/v1/users/x", 400)] {
        plain(client, Method::DELETE, USER, path, status).await;
    }
    let other = client.post(USERS, json!({ "username": "eve", "password": PASSWORD }), 201).await;
    let (sessions, session) = (format!("{USER}/sessions"), format!("{USER}/sessions/{{session}}"));
    for (path, status) in [(at(&other["id"]), 200), (nobody, 404), ("/api/v1/users/x".to_owned(), 400)] {
        plain(client, Method::GET, &sessions, &format!("{path}/sessions"), status).await;
        let ended = if status == 200 { 204 } else { status };
        plain(client, Method::DELETE, &sessions, &format!("{path}/sessions"), ended).await;
    }
    sign_in(client, "eve").await;
    let path = format!("{}/sessions", at(&other["id"]));
    let id = client.server.get(&path).await.json()["sessions"][0]["id"].clone();
    for (id, status) in [(id.to_string(), 204), (id.to_string(), 404), ("x".to_owned(), 400)] {
        plain(client, Method::DELETE, &session, &format!("{path}/{id}"), status).await;
    }
    plain(client, Method::DELETE, USER, &at(&other["id"]), 204).await;
}

/// Signs a browser in and answers its cookie.
async fn sign_in(client: &mut Client<'_>, name: &str) -> String {
    const SESSION: &str = "/api/v1/session";
    let body = json!({ "login": name, "password": PASSWORD }).to_string();
    let asked = Ask { method: Method::POST, pattern: SESSION, path: SESSION, headers: &[], body: &body };
    let answer = ask(client, asked, 200).await;
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

async fn sessions(client: &mut Client<'_>) {
    const SESSION: &str = "/api/v1/session";
    const LIST: &str = "/api/v1/session/list";
    const ONE: &str = "/api/v1/session/list/{id}";
    const CHANGE: &str = "/api/v1/session/password";
    client.post("/api/v1/users", json!({ "username": "ann", "password": PASSWORD }), 201).await;
    client.post(SESSION, json!({ "login": "ann" }), 400).await;
    client.post(SESSION, json!({ "login": "ann", "password": "wrong" }), 401).await;
    client.get(SESSION, "", 200).await;
    let (cookie, _other) = (sign_in(client, "ann").await, sign_in(client, "ann").await);
    let headers = [("cookie", cookie.as_str())];
    let mine = |method, pattern, path, body| Ask { method, pattern, path, headers: &headers, body };
    let list = ask(client, mine(Method::GET, LIST, LIST, ""), 200).await.json();
    let other = list["sessions"].as_array().unwrap().iter().find(|one| one["is_current"] == false).unwrap();
    let other = format!("{LIST}/{}", other["id"]);
    plain(client, Method::GET, LIST, LIST, 401).await;
    plain(client, Method::DELETE, ONE, &other, 401).await;
    for (path, status) in [(other.as_str(), 204), (&other, 404), ("/api/v1/session/list/x", 400)] {
        ask(client, mine(Method::DELETE, ONE, path, ""), status).await;
    }
    let passwords = |old: &str, new: &str| json!({ "old": old, "new": new }).to_string();
    let (short, wrong) = (passwords(PASSWORD, "short"), passwords("wrong", "long enough"));
    let right = passwords(PASSWORD, "long enough");
    ask(client, mine(Method::POST, CHANGE, CHANGE, &short), 400).await;
    ask(client, mine(Method::POST, CHANGE, CHANGE, &wrong), 401).await;
    ask(client, mine(Method::POST, CHANGE, CHANGE, &right), 204).await;
    ask(client, mine(Method::DELETE, SESSION, SESSION, ""), 204).await;
}

async fn invites(client: &mut Client<'_>) {
    const INVITES: &str = "/api/v1/invites";
    client.post(INVITES, json!({ "role": "king" }), 400).await;
    let id = client.post(INVITES, json!({ "role": "viewer" }), 201).await["id"].clone();
    client.get(INVITES, "", 200).await;
    for (id, status) in [(id.to_string(), 204), (id.to_string(), 404), ("x".to_owned(), 400)] {
        plain(client, Method::DELETE, "/api/v1/invites/{id}", &format!("{INVITES}/{id}"), status).await;
    }
}

async fn settings(client: &mut Client<'_>) {
    const GROUP: &str = "/api/v1/settings/{key}";
    client.get("/api/v1/settings", "", 200).await;
    for (key, status) in [("alerts", 200), ("nothing", 404)] {
        plain(client, Method::GET, GROUP, &format!("/api/v1/settings/{key}"), status).await;
    }
    for (key, body, status) in [
        ("alerts", r#"{"value":{"dedup_minutes":5},"version":0}"#, 200),
        ("alerts", r#"{"value":{"dedup_minutes":6},"version":0}"#, 409),
        ("alerts", r#"{"value":{"dedup_minutes":0},"version":1}"#, 400),
        ("nothing", r#"{"value":{},"version":0}"#, 404),
    ] {
        let path = format!("/api/v1/settings/{key}");
        ask(client, Ask { method: Method::PUT, pattern: GROUP, path: &path, headers: &[], body }, status).await;
    }
}

async fn forms(client: &mut Client<'_>) {
    client.get("/admin/users", "", 200).await;
    client.get("/admin/users", "after=x", 400).await;
    client.get("/admin/settings", "", 200).await;
    for (form, status) in [("cfg_json={}", 302), ("cfg_json=x", 400), ("", 422)] {
        post_form(client, "/admin/settings", form, status).await;
    }
    let new = "email=Kim%40example.org&password=correct+horse&role=viewer";
    for (form, status) in [(new, 302), (new, 400), ("email=a", 422)] {
        post_form(client, "/admin/users/new", form, status).await;
    }
    let login = "email=kim%40example.org&password=";
    for (form, status) in [("correct+horse", 302), ("wrong", 401), ("", 422)] {
        post_form(client, "/login", &format!("{login}{form}"), status).await;
    }
}
