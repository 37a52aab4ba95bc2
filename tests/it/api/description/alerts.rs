//! Every described answer of rules, alerts, history, silences and previews.

use std::collections::BTreeSet;

use hyper::Method;
use serde_json::{Value, json};

use super::{Client, Place, describing};
use crate::api::{NOW, metric, start_with};
use crate::harness::identity::{person, token};

const BASE: &str = "/api/v1/alerts";
const RULES: &str = "/api/v1/alerts/rules";
const SILENCES: &str = "/api/v1/alerts/silences";

pub(super) async fn asked() -> BTreeSet<Place> {
    let server = start_with(&[("query.series_max", "100")]).await;
    let mut client = Client { document: describing(&server).await, server: &server, seen: BTreeSet::new() };
    let database = server.database().connect().await;
    let vera = person(&database, "vera", Some("viewer")).await;
    // Who may read what is the fleet's and change only what is theirs.
    let reader = token(&database, Some(vera), &["read", "change"]).await;
    let id = server.register("a").await;
    server.ingest(&id, &json!([metric("cpu", "usage", 95.0, NOW)])).await;
    let rule = rules(&mut client, &database, &reader).await;
    let stands = "INSERT INTO alert_states (rule, series, server, phase, since, value, fired_at, updated_at)
        SELECT $1, 1, key, 'firing', now(), 95, now(), now() FROM servers";
    database.execute(stands, &[&rule]).await.unwrap();
    states(&mut client, rule, &reader).await;
    history(&mut client, &database).await;
    silences(&mut client, &database, &reader).await;
    previews(&mut client, &server, &id).await;
    let id = rule.to_string();
    let one = format!("{RULES}/{{id}}");
    for (id, status) in [("a", 400), ("999", 404), (id.as_str(), 204)] {
        client.one(Method::DELETE, &one, id, &Value::Null, status).await;
    }
    let seen = client.seen;
    server.stop().await.unwrap();
    seen
}

impl Client<'_> {
    /// A request that anybody may make; `id` stands for the placeholder of the pattern.
    async fn one(&mut self, method: Method, pattern: &str, id: &str, body: &Value, status: u16) -> Value {
        self.by("", method, (pattern, id), body, status).await
    }

    async fn by(
        &mut self,
        token: &str,
        method: Method,
        (pattern, id): (&str, &str),
        body: &Value,
        status: u16,
    ) -> Value {
        let path = pattern.replace("{id}", id);
        let answer = if token.is_empty() {
            let text = if body.is_null() { String::new() } else { body.to_string() };
            self.server.send(method.clone(), &path, &[], text.as_bytes()).await
        } else {
            self.server.ask(method.clone(), &path, token, body).await
        };
        let answer = self.check(&method, pattern.split('?').next().unwrap(), status, answer);
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }
}

async fn rules(client: &mut Client<'_>, database: &tokio_postgres::Client, reader: &str) -> i64 {
    let form = json!({
        "name": "a", "metric_type": "cpu", "label": {}, "server_label": { "env": "prod" }, "for": "1m",
        "condition": { "op": "gt", "threshold": 90, "recovery": 80 }, "window": { "agg": "avg", "over": "5m" },
        "flap": { "changes": 6, "within": "30m" }, "no_data": { "then": "resolve", "after": "10m" }, "notes": "b",
    });
    let rule = client.one(Method::POST, RULES, "", &form, 201).await["id"].as_i64().unwrap();
    client.one(Method::POST, RULES, "", &json!({}), 400).await;
    let mut of_fleet = form.clone();
    of_fleet["owner"] = json!("fleet");
    client.by(reader, Method::POST, (RULES, ""), &of_fleet, 403).await;
    client.one(Method::GET, RULES, "", &Value::Null, 200).await;
    client.one(Method::GET, &format!("{RULES}?enabled=x"), "", &Value::Null, 400).await;
    let (id, one) = (rule.to_string(), format!("{RULES}/{{id}}"));
    let mut whole = form.clone();
    whole["version"] = json!(1);
    for (method, body) in [(Method::GET, &Value::Null), (Method::PUT, &whole), (Method::PATCH, &json!({}))] {
        for (id, status) in [("a", 400), ("999", 404), (id.as_str(), 200)] {
            client.one(method.clone(), &one, id, body, status).await;
        }
    }
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        client.by(reader, method.clone(), (&one, &id), &whole, 403).await;
        if method != Method::DELETE {
            client.one(method, &one, &id, &whole, 409).await;
        }
    }
    for end in ["enable", "disable"] {
        let pattern = format!("{one}/{end}");
        client.by(reader, Method::POST, (&pattern, &id), &Value::Null, 403).await;
        for (id, status) in [("a", 400), ("999", 404), (id.as_str(), 200)] {
            client.one(Method::POST, &pattern, id, &Value::Null, status).await;
        }
    }
    let many = "INSERT INTO alert_rules (name, definition, enabled, created_at, updated_at)
        SELECT 'a', '{}', false, now(), now() FROM generate_series(1, 20000)";
    database.execute(many, &[]).await.unwrap();
    client.one(Method::POST, RULES, "", &form, 409).await;
    database.execute("DELETE FROM alert_rules WHERE id <> $1", &[&rule]).await.unwrap();
    rule
}

async fn states(client: &mut Client<'_>, rule: i64, reader: &str) {
    const ACKNOWLEDGE: &str = "/api/v1/alerts/{rule}/{series}/acknowledge";
    client.one(Method::GET, BASE, "", &Value::Null, 200).await;
    client.one(Method::GET, &format!("{BASE}?phase=x"), "", &Value::Null, 400).await;
    let path = |rule: &str| ACKNOWLEDGE.replace("{rule}", rule).replace("{series}", "1");
    let answer = client.server.ask(Method::POST, &path(&rule.to_string()), reader, &Value::Null).await;
    client.check(&Method::POST, ACKNOWLEDGE, 403, answer);
    for (rule, status) in [("a", 400), ("999", 404), (&rule.to_string(), 200), (&rule.to_string(), 409)] {
        let answer = client.server.post(&path(rule), &json!({ "note": "a" })).await;
        client.check(&Method::POST, ACKNOWLEDGE, status, answer);
    }
}

async fn history(client: &mut Client<'_>, database: &tokio_postgres::Client) {
    let history = format!("{BASE}/history");
    for (query, status) in [("", 200), ("?format=ndjson", 200), ("?format=csv", 200), ("?from=x", 400)] {
        client.one(Method::GET, &format!("{history}{query}"), "", &Value::Null, status).await;
    }
    client.one(Method::DELETE, &history, "", &Value::Null, 400).await;
    client.one(Method::DELETE, &format!("{history}?before=-1h"), "", &Value::Null, 200).await;
    // A token for one server throws nothing away.
    let scoped = token(database, None, &["change"]).await;
    database
        .execute("UPDATE tokens SET servers = ARRAY[gen_random_uuid()] WHERE created_by IS NULL", &[])
        .await
        .unwrap();
    client.by(&scoped, Method::DELETE, (&format!("{history}?before=-1h"), ""), &Value::Null, 403).await;
}

async fn silences(client: &mut Client<'_>, database: &tokio_postgres::Client, reader: &str) {
    let form = json!({
        "comment": "a", "matcher": { "severities": ["info"] },
        "weekly": { "timezone": "UTC", "days": ["mon"], "from": "00:00", "to": "06:00" },
    });
    let id = client.one(Method::POST, SILENCES, "", &form, 201).await["id"].to_string();
    client.one(Method::POST, SILENCES, "", &json!({ "ends_at": "x" }), 400).await;
    client.by(reader, Method::POST, (SILENCES, ""), &json!({ "owner": "fleet" }), 403).await;
    client.one(Method::GET, SILENCES, "", &Value::Null, 200).await;
    client.one(Method::GET, &format!("{SILENCES}?open=x"), "", &Value::Null, 400).await;
    let one = format!("{SILENCES}/{{id}}");
    let end = format!("{one}/end");
    for (method, pattern, body) in
        [(Method::GET, &one, Value::Null), (Method::PUT, &one, form.clone()), (Method::POST, &end, Value::Null)]
    {
        for (id, status) in [("a", 400), ("999", 404), (id.as_str(), 200)] {
            client.one(method.clone(), pattern, id, &body, status).await;
        }
    }
    for (method, pattern) in [(Method::PUT, &one), (Method::POST, &end), (Method::DELETE, &one)] {
        client.by(reader, method, (pattern, &id), &form, 403).await;
    }
    for (id, status) in [("a", 400), ("999", 404), (id.as_str(), 204)] {
        client.one(Method::DELETE, &one, id, &Value::Null, status).await;
    }
    let many = "INSERT INTO alert_silences (comment, matcher, starts_at, created_at)
        SELECT '', '{}', now(), now() FROM generate_series(1, 1000)";
    database.execute(many, &[]).await.unwrap();
    client.one(Method::POST, SILENCES, "", &form, 409).await;
}

async fn previews(client: &mut Client<'_>, server: &crate::harness::TestServer, id: &str) {
    let preview = format!("{BASE}/preview");
    let asked = json!({ "definition": { "condition": { "op": "gt", "threshold": 90 } } });
    client.one(Method::POST, &preview, "", &asked, 200).await;
    client.one(Method::POST, &preview, "", &json!({}), 400).await;
    let mine = json!({ "definition": { "condition": { "op": "gt", "threshold": 90 } }, "owner": "me" });
    client.one(Method::POST, &preview, "", &mine, 403).await;
    let many: Vec<Value> = (0..1_001).map(|name| metric("cpu", &name.to_string(), 1.0, NOW)).collect();
    server.ingest(id, &many.into()).await;
    client.one(Method::POST, &preview, "", &asked, 422).await;
}
