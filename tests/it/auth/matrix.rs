//! Every route and every kind of caller: what they are answered follows from what the route asks of its callers and from
//! whose server the question is about. A route that is not listed here fails the test.

mod rows; // what is asked of each route

use std::sync::Arc;

use hyper::Method;
use millrace::auth::{Access, Right};
use millrace::clock::SystemClock;
use serde_json::json;
use uuid::Uuid;

use super::{CLOSED, STRANGER, ask};
use crate::harness::TestServer;
use crate::harness::callers::{Callers, RIGHTS, Scope};
use crate::harness::server::Answer;
use crate::people;
use rows::{EXCEPTIONS, ROWS, Row};

struct Caller {
    name: &'static str,
    shown: Shown,
    /// What they may; none: they are not known.
    rights: Option<&'static [&'static str]>,
    reaches: bool,
    /// Whether they have signed in, and are no program.
    is_person: bool,
}

enum Shown {
    Nothing,
    Token(String),
    /// As browsers send it.
    Cookie(String),
}

/// A server of a person, with what belongs to it.
struct Subject {
    server: Uuid,
    job: Uuid,
    check: Uuid,
    agent: i32,
}

impl Subject {
    async fn of(callers: &Callers, owner: i64) -> (Self, String) {
        let server = callers.server(Some(owner), "laptop", None).await;
        let of = |table: &str, columns: &str, values: &str| {
            format!(
                "INSERT INTO {table} (server, {columns}) SELECT key, {values} FROM servers WHERE id = $1 RETURNING id"
            )
        };
        let job = of("cron_jobs", "name, schedule, command", "'a', '* * * * *', ''");
        let check = of("port_checks", "name, host, port, protocol", "'a', 'h', 1, 'tcp'");
        let job = callers.client.query_one(&job, &[&server]).await.unwrap().get(0);
        let check = callers.client.query_one(&check, &[&server]).await.unwrap().get(0);
        for kind in ["processes", "containers"] {
            let snapshot = of("snapshots", "kind, taken_at, body", "$2, now(), '[]'");
            callers.client.execute(&snapshot, &[&server, &kind]).await.unwrap();
        }
        let (agent, token) = callers.agent(server).await;
        (Self { server, job, check, agent }, token)
    }

    fn in_text(&self, text: &str) -> String {
        text.replace("{server}", &self.server.to_string())
            .replace("{job}", &self.job.to_string())
            .replace("{check}", &self.check.to_string())
            .replace("{key}", &self.agent.to_string())
    }
}

const READS: &[&str] = &["read", "observe"];
const OWNS: &[&str] = &["read", "change"];
const EDITS: &[&str] = &["ingest", "read", "observe", "change"];

async fn everyone(callers: &Callers, subject: &Subject, owner: i64, agent: String) -> Vec<Caller> {
    let token = |name, role| async move { callers.token_of(callers.user(name, role).await).await };
    let admin = callers.user("admin", Some("admin")).await;
    let scope = Scope { servers: Some(vec![subject.server]), labels: None };
    let scoped = callers.token(Some(admin), &["ingest", "read"], &scope).await;
    let (expired, revoked) = (callers.token_of(admin).await, callers.token_of(admin).await);
    callers.expire(&expired).await;
    callers.revoke(&revoked).await;
    let deactivated = callers.user("gone", Some("admin")).await;
    let of_gone = callers.token_of(deactivated).await;
    callers.client.execute("UPDATE users SET is_active = false WHERE id = $1", &[&deactivated]).await.unwrap();
    let of_admin = callers.token_of(admin).await;
    let tampered = format!("{}x", &of_admin[..of_admin.len() - 1]);
    let known = |name, token, rights, reaches| Caller::known(name, Shown::Token(token), rights, reaches);
    vec![
        Caller::unknown("none", Shown::Nothing),
        known("viewer", token("viewer", Some("viewer")).await, READS, false),
        known("editor", token("editor", Some("editor")).await, EDITS, false),
        known("admin", of_admin, &RIGHTS, true),
        known("owner", callers.token_of(owner).await, OWNS, true),
        known("foreign person", token("bob", None).await, OWNS, false),
        known("agent", agent, &["ingest"], true),
        known("scoped", scoped, &["ingest", "read"], true),
        Caller::unknown("expired", Shown::Token(expired)),
        Caller::unknown("revoked", Shown::Token(revoked)),
        Caller::unknown("of someone who is gone", Shown::Token(of_gone)),
        Caller::unknown("tampered", Shown::Token(tampered)),
    ]
}

/// Those who sign in as people do, with what they get for it, and with what is not good for anything here.
async fn people_of(server: &TestServer, callers: &Callers) -> Vec<Caller> {
    for (name, role) in [("vera", "viewer"), ("edna", "editor"), ("adam", "admin")] {
        people::register(server, name).await;
        let update = "UPDATE users SET role = $2 WHERE username = $1";
        assert_eq!(callers.client.execute(update, &[&name, &role]).await.unwrap(), 1);
    }
    let (access, refresh) = people::tokens(server, "adam").await;
    let (head, signature) = access.rsplit_once('.').unwrap();
    let tampered = format!("{head}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
    let ended = people::cookie(server, "adam").await;
    let signed_out = server.send(Method::DELETE, "/api/v1/session", &[("cookie", &ended)], b"").await;
    assert_eq!(signed_out.status, 204, "{signed_out:?}");
    let person =
        |name, shown, rights, reaches| Caller { is_person: true, ..Caller::known(name, shown, rights, reaches) };
    vec![
        person("viewer by cookie", Shown::Cookie(people::cookie(server, "vera").await), READS, false),
        person("editor by access token", Shown::Token(people::tokens(server, "edna").await.0), EDITS, false),
        person("admin by cookie", Shown::Cookie(people::cookie(server, "adam").await), &RIGHTS, true),
        person("admin by access token", Shown::Token(access), &RIGHTS, true),
        person("owner by cookie", Shown::Cookie(people::cookie(server, "ann").await), OWNS, true),
        Caller::unknown("refresh token", Shown::Token(refresh)),
        Caller::unknown("tampered access token", Shown::Token(tampered)),
        Caller::unknown("signed out", Shown::Cookie(ended)),
    ]
}

impl Caller {
    fn unknown(name: &'static str, shown: Shown) -> Self {
        Self { name, shown, rights: None, reaches: false, is_person: false }
    }

    fn known(name: &'static str, shown: Shown, rights: &'static [&'static str], reaches: bool) -> Self {
        Self { name, shown, rights: Some(rights), reaches, is_person: false }
    }
}

fn expected(caller: &Caller, row: &Row, access: Access) -> u16 {
    let Row(method, pattern, _, _, reached, beyond) = row;
    let unknown = if pattern.starts_with("/ws") { 403 } else { 401 };
    let Some(rights) = caller.rights else { return if access == Access::Open { *reached } else { unknown } };
    let may = match access {
        Access::Open => return *reached,
        Access::Person => caller.is_person,
        Access::Own(right) => caller.is_person || rights.contains(&right.name()),
        Access::Signed => rights.contains(&Right::Ingest.name()),
        Access::Needs(right) => rights.contains(&right.name()),
    };
    if !may {
        return 403;
    }
    let exception = EXCEPTIONS.iter().find(|(name, of, path, _)| (*name, of, path) == (caller.name, method, pattern));
    exception.map_or(if caller.reaches { *reached } else { *beyond }, |(.., status)| *status)
}

async fn send(server: &TestServer, caller: &Caller, row: &Row, subject: &Subject) -> Answer {
    let Row(method, _, path, body, ..) = row;
    let (path, body) = (subject.in_text(path), subject.in_text(body));
    let method: Method = method.parse().unwrap();
    match &caller.shown {
        Shown::Nothing => server.send(method, &path, &[], body.as_bytes()).await,
        Shown::Token(token) => ask(server, token, method, &path, &body).await,
        Shown::Cookie(cookie) => server.send(method, &path, &[("cookie", cookie)], body.as_bytes()).await,
    }
}

#[tokio::test]
async fn every_route_answers_every_caller_as_what_it_asks_of_them_says() {
    let settings = [CLOSED, &[("registration", "open")]].concat();
    let server = TestServer::start_with(&settings, Arc::new(SystemClock)).await;
    let callers = Callers::of(server.database()).await;
    let owner = people::register(&server, "ann").await["id"].as_i64().unwrap();
    let (subject, agent) = Subject::of(&callers, owner).await;
    let mut everyone = everyone(&callers, &subject, owner, agent).await;
    everyone.extend(people_of(&server, &callers).await);
    let stranger = Uuid::try_parse(STRANGER).unwrap();
    let absent = Subject { server: stranger, job: stranger, check: stranger, agent: 999_999 };
    let mut routes: Vec<_> = server.routes.iter().collect();
    // Whoever has signed out is nobody any more.
    routes.sort_by_key(|(method, pattern, _)| pattern.ends_with("/logout") || is_sign_out(method, pattern));
    let mut wrong = Vec::new();
    for (method, pattern, access) in routes {
        let row = ROWS.iter().find(|row| (row.0, row.1) == (method, pattern));
        let row = row.unwrap_or_else(|| panic!("{method} {pattern} is not in the table"));
        for caller in &everyone {
            let answer = send(&server, caller, row, &subject).await;
            let expected = expected(caller, row, *access);
            if answer.status != expected {
                wrong.push(format!(
                    "{method} {pattern} for {}: {}, not {expected}: {}",
                    caller.name,
                    answer.status,
                    answer.text()
                ));
            }
            if caller.rights.is_some() && !caller.reaches && row.is_of_server() {
                let none = send(&server, caller, row, &absent).await;
                assert_alike(&answer, &none, &format!("{method} {pattern} for {}", caller.name), (&subject, &absent));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(server.routes.len(), ROWS.len(), "each row is of a route");
    server.stop().await.unwrap();
}

fn is_sign_out(method: &str, pattern: &str) -> bool {
    (method, pattern) == ("DELETE", "/api/v1/session")
}

/// What is beyond one's reach is answered as what is not there.
fn assert_alike(answer: &Answer, none: &Answer, what: &str, (subject, absent): (&Subject, &Subject)) {
    assert_eq!(answer.status, none.status, "{what}");
    if answer.header("content-type").is_none_or(|kind| !kind.contains("json")) {
        return assert_eq!(answer.body, none.body, "{what}");
    }
    let plain = |answer: &Answer, of: &Subject| {
        let text = answer.text().replace(&of.server.to_string(), "id").replace(&of.job.to_string(), "id");
        let mut body: serde_json::Value =
            serde_json::from_str(&text.replace(&of.check.to_string(), "id")).unwrap_or_default();
        if let Some(body) = body.as_object_mut() {
            // How long it took, and the number that was asked for.
            body.insert("duration_ms".to_owned(), json!(0));
            body.insert("agent_id".to_owned(), json!(0));
            body.remove("spans");
        }
        body
    };
    assert_eq!(plain(answer, subject), plain(none, absent), "{what}");
}

#[test]
fn rights_have_the_names_that_tokens_have_them_by() {
    for name in RIGHTS {
        assert_eq!(Right::parse(name).map(Right::name), Some(name));
    }
    assert_eq!(Right::parse("everything"), None);
}
