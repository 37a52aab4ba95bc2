//! People: how they register and sign in, what ends it, and who may decide about others.

mod programs; // registration and tokens, as one of the source systems has them
mod browsers; // sessions, as another one has them
mod families; // refresh tokens against a naive model
mod admins; // what administrators do
mod gone; // what ends with a person, a password, a session
mod throttle; // who tries too often

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::{Clock, ManualClock, SystemClock};
use serde_json::{Value, json};

use crate::harness::TestServer;
use crate::harness::server::Answer;

const SECRET: &str = "f1d2d2f924e986ac86fdf7b36c94bcdf32beec15";
const PASSWORD: &str = "correct horse";
const ADMIN: &str = "root@example.org";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A server that lets nobody in without credentials, with one administrator, and anyone may register.
async fn start() -> (TestServer, Arc<ManualClock>) {
    start_with(&[("registration", "open")]).await
}

async fn start_with(more: &[(&str, &str)]) -> (TestServer, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let mut settings = vec![
        ("anonymous", "none"),
        ("secret_key", SECRET),
        ("bootstrap.admin_email", ADMIN),
        ("bootstrap.admin_password", PASSWORD),
    ];
    settings.extend_from_slice(more);
    (TestServer::start_with(&settings, Arc::<ManualClock>::clone(&clock)).await, clock)
}

pub(crate) async fn register(server: &TestServer, name: &str) -> Value {
    let answer = server.post("/register", &json!({ "username": name, "password": PASSWORD })).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

async fn form(server: &TestServer, path: &str, body: &str, more: &[(&str, &str)]) -> Answer {
    let mut headers = vec![FORM];
    headers.extend_from_slice(more);
    server.send(Method::POST, path, &headers, body.as_bytes()).await
}

/// The answer to a name and a password of a program.
async fn token(server: &TestServer, name: &str, password: &str) -> Answer {
    form(server, "/token", &format!("username={name}&password={password}"), &[]).await
}

/// Access and refresh token.
pub(crate) async fn tokens(server: &TestServer, name: &str) -> (String, String) {
    let answer = token(server, name, "correct+horse").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    pair(&answer)
}

fn pair(answer: &Answer) -> (String, String) {
    let tokens = answer.json();
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

/// The cookie of a browser that signs in, as it is sent back.
pub(crate) async fn cookie(server: &TestServer, login: &str) -> String {
    let answer = server.post("/api/v1/session", &json!({ "login": login, "password": PASSWORD })).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    cookie_in(&answer)
}

fn cookie_in(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

async fn with_cookie(server: &TestServer, method: Method, path: &str, cookie: &str, body: &Value) -> Answer {
    server.send(method, path, &[("cookie", cookie)], body.to_string().as_bytes()).await
}

async fn me(server: &TestServer, access: &str) -> Answer {
    server.send(Method::GET, "/users/me", &[("authorization", &format!("Bearer {access}"))], b"").await
}

#[track_caller]
fn assert_answer(answer: &Answer, status: u16, body: &Value) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(&answer.json(), body);
}
