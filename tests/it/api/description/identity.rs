//! Every described answer of those routes that say who may send and read.

use std::collections::BTreeSet;

use hyper::Method;
use serde_json::{Value, json};

use super::{Client, Place, describing};
use crate::api::start_with;
use crate::harness::identity::{person, token};

/// Room for an agent, its twin behind the proxy, and three endpoints.
const SERVERS_MAX: &str = "5";

pub(super) async fn asked() -> BTreeSet<Place> {
    let server = start_with(&[("catalog.servers_max", SERVERS_MAX)]).await;
    let mut client = Client { document: describing(&server).await, server: &server, seen: BTreeSet::new() };
    let database = server.database().connect().await;
    let ann = person(&database, "ann", Some("viewer")).await;
    // A token for the agents of a person, and one with nothing to give away.
    let anns = token(&database, Some(ann), &["read", "change"]).await;
    database.batch_execute("UPDATE users SET role = NULL").await.unwrap();
    for prefix in ["", "/api/auth"] {
        agents(&mut client, prefix, &anns).await;
    }
    for prefix in ["", "/api/alerts"] {
        watched(&mut client, prefix, &anns).await;
    }
    endpoints(&mut client).await;
    forms(&mut client).await;
    tokens(&mut client).await;
    // No room any more.
    let many = "INSERT INTO alert_rules (owner, of_agent, name, definition, created_at, updated_at)
        SELECT owner, id, '', '{}', now(), now() FROM agents, generate_series(1, 1000)
        WHERE id = (SELECT min(id) FROM agents WHERE owner IS NOT NULL)";
    database.batch_execute(many).await.unwrap();
    for prefix in ["", "/api/alerts"] {
        client.with(&anns, Method::POST, &format!("{prefix}/rules"), "", &rule(), 403).await;
    }
    for prefix in ["", "/api/auth"] {
        client.with(&anns, Method::POST, &format!("{prefix}/agents"), "", &json!({ "name": "b" }), 403).await;
    }
    let seen = client.seen;
    server.stop().await.unwrap();
    seen
}

impl Client<'_> {
    /// A request with a token, or without one; `id` stands for the placeholder of the pattern.
    pub(super) async fn with(
        &mut self,
        token: &str,
        method: Method,
        pattern: &str,
        id: &str,
        body: &Value,
        status: u16,
    ) -> Value {
        let path = pattern.replace("{id}", id);
        let answer = if token.is_empty() {
            self.server.send(method.clone(), &path, &[], body.to_string().as_bytes()).await
        } else {
            self.server.ask(method.clone(), &path, token, body).await
        };
        let pattern = path_of(pattern);
        let answer = self.check(&method, pattern, status, answer);
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    async fn form(&mut self, pattern: &str, form: &str, status: u16) {
        let answer = self.server.send(Method::POST, pattern, &[], form.as_bytes()).await;
        self.check(&Method::POST, pattern, status, answer);
    }
}

/// The pattern without the query that a test put behind it.
fn path_of(pattern: &str) -> &str {
    pattern.split('?').next().unwrap()
}

/// About the first agent there is.
fn rule() -> Value {
    json!({ "agent_id": "1", "metric_type": "cpu", "condition": "lt", "threshold": 90 })
}

/// Rules about reports of agents, and what they find.
async fn watched(client: &mut Client<'_>, prefix: &str, token: &str) {
    let (rules, one, history) =
        (format!("{prefix}/rules"), format!("{prefix}/rules/{{rule_id}}"), format!("{prefix}/history"));
    let report = "INSERT INTO documents (server, kind, taken_at, body)
        SELECT server, 'statusmonitor', now(), '{\"cpu\":{\"usage_percent\":1}}' FROM agents WHERE id = 1";
    client.server.database().connect().await.batch_execute(report).await.unwrap();
    let added = client.with(token, Method::POST, &rules, "", &rule(), 200).await["id"].to_string();
    for (body, status) in
        [(json!({}), 422), (json!({ "agent_id": "999", "metric_type": "cpu", "condition": "gt", "threshold": 1 }), 404)]
    {
        client.with(token, Method::POST, &rules, "", &body, status).await;
    }
    client.with("", Method::POST, &rules, "", &rule(), 401).await;
    client.with(token, Method::GET, &rules, "", &Value::Null, 200).await;
    client.with("", Method::GET, &rules, "", &Value::Null, 401).await;
    for (query, status) in [("", 200), ("?limit=0", 400), ("?offset=a", 422)] {
        let found = client.with(token, Method::GET, &format!("{history}{query}"), "", &Value::Null, status).await;
        assert_eq!(found.as_array().map(Vec::len), (status == 200).then_some(1), "the rule fired when it was made");
    }
    for (token, id, status) in [("", "1", 401), (token, "a", 422), (token, "999", 404), (token, &*added, 200)] {
        let path = one.replace("{rule_id}", id);
        let answer = if token.is_empty() {
            client.server.send(Method::DELETE, &path, &[], b"").await
        } else {
            client.server.ask(Method::DELETE, &path, token, &Value::Null).await
        };
        client.check(&Method::DELETE, &one, status, answer);
    }
    for (token, status) in [("", 401), (token, 200)] {
        client.with(token, Method::DELETE, &history, "", &Value::Null, status).await;
        client.with(token, Method::GET, &history, "", &Value::Null, status).await;
    }
}

async fn agents(client: &mut Client<'_>, prefix: &str, token: &str) {
    let all = format!("{prefix}/agents");
    let added = client.with(token, Method::POST, &all, "", &json!({ "name": "a" }), 200).await;
    client.with(token, Method::POST, &all, "", &json!({}), 422).await;
    client.with("", Method::POST, &all, "", &json!({ "name": "a" }), 401).await;
    client.with(token, Method::GET, &all, "", &Value::Null, 200).await;
    client.with("", Method::GET, &all, "", &Value::Null, 401).await;
    let id = added["id"].to_string();
    for (method, end) in [(Method::GET, ""), (Method::POST, "/regenerate-token"), (Method::DELETE, "")] {
        let pattern = format!("{all}/{{id}}{end}");
        client.with("", method.clone(), &pattern, &id, &Value::Null, 401).await;
        for (id, status) in [("a", 422), ("999", 404), (id.as_str(), 200)] {
            client.with(token, method.clone(), &pattern, id, &Value::Null, status).await;
        }
    }
    let validate = format!("{all}/validate-token");
    client.with("", Method::POST, &format!("{validate}?token=a"), "", &Value::Null, 200).await;
    client.with("", Method::POST, &validate, "", &Value::Null, 422).await;
}

async fn endpoints(client: &mut Client<'_>) {
    const ALL: &str = "/api/v1/endpoints";
    const ONE: &str = "/api/v1/endpoints/{id}";
    let new = |name: &str| json!({ "hostname": name, "machine_id": name });
    let id = client.with("", Method::POST, ALL, "", &new("a"), 201).await["id"].to_string();
    client.with("", Method::POST, ALL, "", &new("b"), 201).await;
    client.with("", Method::POST, ALL, "", &json!({}), 400).await;
    client.with("", Method::POST, ALL, "", &new("a"), 409).await;
    client.with("", Method::GET, ALL, "", &Value::Null, 200).await;
    client.with("", Method::GET, &format!("{ALL}?after=a"), "", &Value::Null, 400).await;
    client.with("", Method::PATCH, ONE, &id, &new("b"), 409).await;
    for (id, status) in [("a", 400), ("999", 404), (id.as_str(), 200)] {
        client.with("", Method::GET, ONE, id, &Value::Null, status).await;
        client.with("", Method::PATCH, ONE, id, &json!({ "is_active": false }), status).await;
        client.with("", Method::POST, "/api/v1/endpoints/{id}/rotate", id, &Value::Null, status).await;
        client.with("", Method::GET, "/admin/endpoints/{id}/config", id, &Value::Null, status).await;
    }
    for (id, status) in [("a", 400), ("999", 404), (id.as_str(), 204)] {
        client.with("", Method::DELETE, ONE, id, &Value::Null, status).await;
    }
}

async fn forms(client: &mut Client<'_>) {
    const PAGE: &str = "/admin/endpoints";
    client.with("", Method::GET, PAGE, "", &Value::Null, 200).await;
    client.with("", Method::GET, &format!("{PAGE}?after=a"), "", &Value::Null, 400).await;
    client.form(PAGE, "hostname=a&machine_id=a", 302).await;
    client.form("/admin/endpoints/new", "hostname=c&machine_id=c", 302).await;
    for pattern in [PAGE, "/admin/endpoints/new"] {
        client.form(pattern, "hostname=a", 400).await;
        client.form(pattern, "hostname=c&machine_id=d", 409).await;
        client.form(pattern, "hostname=d&machine_id=d", 403).await;
    }
    client.with("", Method::POST, "/api/v1/endpoints", "", &json!({ "hostname": "d", "machine_id": "d" }), 403).await;
}

async fn tokens(client: &mut Client<'_>) {
    const ALL: &str = "/api/v1/tokens";
    const ONE: &str = "/api/v1/tokens/{id}";
    let wanted = json!({ "name": "a", "rights": ["read", "administer"], "labels": { "env": "prod" },
        "servers": [super::STRANGER], "expires_at": "2099-01-01T00:00:00Z" });
    let made = client.with("", Method::POST, ALL, "", &wanted, 201).await;
    client.with("", Method::POST, ALL, "", &json!({ "name": "a", "rights": ["fly"] }), 400).await;
    let more = json!({ "name": "a", "rights": ["ingest"] });
    client.with(made["token"].as_str().unwrap(), Method::POST, ALL, "", &more, 403).await;
    client.with("", Method::GET, ALL, "", &Value::Null, 200).await;
    client.with("", Method::GET, &format!("{ALL}?after=a"), "", &Value::Null, 400).await;
    for (id, status) in [("a", 400), ("999", 404), (made["id"].to_string().as_str(), 204)] {
        client.with("", Method::DELETE, ONE, id, &Value::Null, status).await;
    }
}
