//! Every route and every kind of caller: what they are answered follows from what the route asks of its callers and from
//! whose server the question is about. A route that is not listed here fails the test.

use hyper::Method;
use millrace::auth::{Access, Right};
use serde_json::json;
use uuid::Uuid;

use super::{STRANGER, ask, start};
use crate::harness::TestServer;
use crate::harness::callers::{Callers, RIGHTS, Scope};
use crate::harness::server::Answer;

/// A request, and what it is answered where it is let in: about a server that can be reached, and one that cannot.
struct Row(&'static str, &'static str, &'static str, &'static str, u16, u16);

/// Method, pattern, what is asked, body, and the two answers. `{server}`, `{job}`, `{check}` and `{key}` stand for those
/// of the server in question.
const ROWS: &[Row] = &[
    Row("GET", "/-/healthy", "/-/healthy", "", 200, 200),
    Row("GET", "/-/ready", "/-/ready", "", 200, 200),
    Row("GET", "/-/metrics", "/-/metrics", "", 200, 200),
    Row("GET", "/openapi.json", "/openapi.json", "", 200, 200),
    Row("GET", "/health", "/health", "", 200, 200),
    Row("GET", "/api/v1/servers", "/api/v1/servers", "", 200, 200),
    Row("POST", "/api/v1/servers", "/api/v1/servers", r#"{"hostname":"new","ip_address":"10.0.0.1"}"#, 201, 201),
    Row("GET", "/api/v1/servers/{id}", "/api/v1/servers/{server}", "", 200, 404),
    Row("PATCH", "/api/v1/servers/{id}", "/api/v1/servers/{server}", r#"{"os":"Linux"}"#, 200, 404),
    // The last word on deleting is in the test of writing: here the server is still needed.
    Row("DELETE", "/api/v1/servers/{id}", "/api/v1/servers/00000000-0000-0000-0000-000000000001", "", 404, 404),
    Row(
        "POST",
        "/api/v1/ingest",
        "/api/v1/ingest",
        r#"{"server_id":"{server}","metrics":[{"metric_type":"cpu","metric_name":"user","value":1,"timestamp":"2026-01-01T00:00:00Z"}]}"#,
        200,
        400,
    ),
    Row(
        "POST",
        "/api/v1/ingest/processes",
        "/api/v1/ingest/processes",
        r#"{"server_id":"{server}","processes":[]}"#,
        201,
        404,
    ),
    Row(
        "POST",
        "/api/v1/ingest/containers",
        "/api/v1/ingest/containers",
        r#"{"server_id":"{server}","containers":[]}"#,
        201,
        404,
    ),
    Row("GET", "/api/v1/processes", "/api/v1/processes?server_id={server}", "", 200, 404),
    Row("GET", "/api/v1/containers", "/api/v1/containers?server_id={server}", "", 200, 404),
    Row("GET", "/api/v1/cron/jobs", "/api/v1/cron/jobs?server_id={server}", "", 200, 200),
    Row(
        "POST",
        "/api/v1/cron/jobs",
        "/api/v1/cron/jobs",
        r#"{"server_id":"{server}","name":"a","schedule":"* * * * *"}"#,
        201,
        404,
    ),
    Row("GET", "/api/v1/cron/results", "/api/v1/cron/results?job_id={job}", "", 200, 200),
    Row("POST", "/api/v1/cron/results", "/api/v1/cron/results", r#"{"job_id":"{job}","success":true}"#, 201, 404),
    Row("GET", "/api/v1/ports/checks", "/api/v1/ports/checks?server_id={server}", "", 200, 200),
    Row(
        "POST",
        "/api/v1/ports/checks",
        "/api/v1/ports/checks",
        r#"{"server_id":"{server}","name":"a","host":"h","port":1}"#,
        201,
        404,
    ),
    Row("GET", "/api/v1/ports/results", "/api/v1/ports/results?check_id={check}", "", 200, 200),
    Row("POST", "/api/v1/ports/results", "/api/v1/ports/results", r#"{"check_id":"{check}","success":true}"#, 201, 404),
    Row("GET", "/api/v1/metrics", "/api/v1/metrics?server_id={server}", "", 200, 200),
    Row("GET", "/api/v1/latest", "/api/v1/latest?server_id={server}", "", 200, 200),
    Row("GET", "/history/{agent_id}/{metric}", "/history/{key}/cpu", "", 200, 200),
    Row("GET", "/api/history/{agent_id}/{metric}", "/api/history/{key}/summary", "", 200, 200),
    Row("GET", "/api/v1/series", "/api/v1/series?server_id={server}", "", 200, 200),
    Row("DELETE", "/api/v1/series", "/api/v1/series?server_id={server}&metric_type=none", "", 200, 200),
    // Without an upgrade it is no question.
    Row("GET", "/api/v1/stream", "/api/v1/stream", "", 400, 400),
    Row("GET", "/api/v1/jobs", "/api/v1/jobs", "", 200, 200),
    Row("POST", "/api/v1/jobs/{name}/run", "/api/v1/jobs/none/run", "", 404, 404),
    Row("GET", "/api/v1/events", "/api/v1/events?server_id={server}", "", 200, 200),
    Row("GET", "/api/v1/logs", "/api/v1/logs?server_id={server}", "", 200, 200),
    Row("GET", "/api/v1/documents", "/api/v1/documents?server_id={server}", "", 200, 200),
    Row("GET", "/api/v1/export", "/api/v1/export?server_id={server}", "", 200, 200),
    Row(
        "POST",
        "/api/v1/import",
        "/api/v1/import",
        r#"{"server_id":"{server}","metric_type":"cpu","metric_name":"user","labels":{},"timestamp":"2026-01-01T00:00:00Z","value":1}"#,
        200,
        400,
    ),
    Row("POST", "/write", "/write", "cpu,host=line user=1", 204, 204),
    Row("POST", "/query", "/query?q=CREATE%20DATABASE%20a", "", 200, 200),
    Row("GET", "/ping", "/ping", "", 204, 204),
    Row("POST", "/api/v2/write", "/api/v2/write", "cpu,host=line user=1", 204, 204),
    Row("POST", "/api/v3/write_lp", "/api/v3/write_lp", "cpu,host=line user=1", 204, 204),
];

/// Who reaches one server of the fleet names no host and adds none.
const EXCEPTIONS: &[(&str, &str, &str, u16)] = &[
    ("scoped", "POST", "/api/v1/servers", 403),
    ("scoped", "POST", "/write", 400),
    ("scoped", "POST", "/api/v2/write", 400),
    ("scoped", "POST", "/api/v3/write_lp", 400),
];

impl Row {
    /// Whether the question is about one server.
    fn is_of_server(&self) -> bool {
        self.2.contains('{') || self.3.contains("\"{")
    }
}

struct Caller {
    name: &'static str,
    /// Without, nothing is shown.
    token: Option<String>,
    /// What they may; none: they are not known.
    rights: Option<&'static [&'static str]>,
    reaches: bool,
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
    // Claims of a refresh token, signed by somebody.
    let refresh = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZG1pbiIsInR5cGUiOiJyZWZyZXNoIn0.c2lnbmVk";
    let unknown = |name, token: &str| Caller { name, token: Some(token.to_owned()), rights: None, reaches: false };
    let known = |name, token, rights, reaches| Caller { name, token: Some(token), rights: Some(rights), reaches };
    vec![
        Caller { name: "none", token: None, rights: None, reaches: false },
        known("viewer", token("viewer", Some("viewer")).await, READS, false),
        known("editor", token("editor", Some("editor")).await, EDITS, false),
        known("admin", of_admin, &RIGHTS, true),
        known("owner", callers.token_of(owner).await, &["read", "change"], true),
        known("foreign person", token("bob", None).await, &["read", "change"], false),
        known("agent", agent, &["ingest"], true),
        known("scoped", scoped, &["ingest", "read"], true),
        unknown("expired", &expired),
        unknown("revoked", &revoked),
        unknown("of someone who is gone", &of_gone),
        unknown("refresh token", refresh),
        unknown("tampered", &tampered),
    ]
}

fn expected(caller: &Caller, row: &Row, access: Access) -> u16 {
    let Row(method, pattern, _, _, reached, beyond) = row;
    let needed = match access {
        Access::Open => return *reached,
        Access::Needs(right) => right.name(),
        // Callers of these tests are programs: none is a person who has signed in.
        Access::Person => return if caller.rights.is_some() { 403 } else { 401 },
    };
    let Some(rights) = caller.rights else { return 401 };
    if !rights.contains(&needed) {
        return 403;
    }
    let exception = EXCEPTIONS.iter().find(|(name, of, path, _)| (*name, of, path) == (caller.name, method, pattern));
    exception.map_or(if caller.reaches { *reached } else { *beyond }, |(.., status)| *status)
}

async fn send(server: &TestServer, caller: &Caller, row: &Row, subject: &Subject) -> Answer {
    let Row(method, _, path, body, ..) = row;
    let (path, body) = (subject.in_text(path), subject.in_text(body));
    let method: Method = method.parse().unwrap();
    match &caller.token {
        Some(token) => ask(server, token, method, &path, &body).await,
        None => server.send(method, &path, &[], body.as_bytes()).await,
    }
}

#[tokio::test]
async fn every_route_answers_every_caller_as_what_it_asks_of_them_says() {
    let (server, callers) = start().await;
    let owner = callers.user("ann", None).await;
    let (subject, agent) = Subject::of(&callers, owner).await;
    let everyone = everyone(&callers, &subject, owner, agent).await;
    let stranger = Uuid::try_parse(STRANGER).unwrap();
    let absent = Subject { server: stranger, job: stranger, check: stranger, agent: 999_999 };
    for (method, pattern, access) in &server.routes {
        let row = ROWS.iter().find(|row| (row.0, row.1) == (method, pattern));
        let row = row.unwrap_or_else(|| panic!("{method} {pattern} is not in the table"));
        for caller in &everyone {
            let answer = send(&server, caller, row, &subject).await;
            let expected = expected(caller, row, *access);
            assert_eq!(answer.status, expected, "{method} {pattern} for {}: {answer:?}", caller.name);
            if caller.rights.is_some() && !caller.reaches && row.is_of_server() {
                let none = send(&server, caller, row, &absent).await;
                assert_alike(&answer, &none, &format!("{method} {pattern} for {}", caller.name), (&subject, &absent));
            }
        }
    }
    assert_eq!(server.routes.len(), ROWS.len(), "each row is of a route");
    server.stop().await.unwrap();
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
