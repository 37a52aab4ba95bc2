//! `/rules` and `/history`: what a person's agents are watched for.

use futures_util::future::join_all;

use super::*;
use crate::harness::callers::Callers;
use crate::harness::server::Answer;

const COOLDOWN: i64 = 300;

struct Ann {
    scene: Scene,
    server: TestServer,
    callers: Callers,
    id: i64,
    /// What she shows, what her agent shows, and its number.
    token: String,
    agent_token: String,
    agent: i32,
}

impl Ann {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let server = scene.server().await;
        let callers = Callers::of(&scene.database).await;
        let id = callers.user("ann", None).await;
        let token = callers.token_of(id).await;
        let laptop = callers.server(Some(id), "laptop", None).await;
        let (agent, agent_token) = callers.agent(laptop).await;
        Self { scene, server, callers, id, token, agent_token, agent }
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.server.ask(method, path, &self.token, body).await
    }

    async fn told(&self, method: Method, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    fn rule(&self) -> Value {
        json!({ "agent_id": self.agent.to_string(), "metric_type": "cpu", "condition": "gt", "threshold": 90 })
    }

    async fn add(&self, rule: &Value) -> Value {
        self.told(Method::POST, "/rules", rule).await
    }

    async fn history(&self) -> Vec<Value> {
        self.told(Method::GET, "/history", &Value::Null).await.as_array().unwrap().clone()
    }

    /// A report that the agent sends to one of the servers.
    async fn reports(&self, server: &TestServer, seconds: i64, cpu_percent: f64) {
        let body = json!({ "timestamp": NOW_SECONDS + seconds, "cpu": { "usage_percent": cpu_percent } });
        report(server, "/ingest", &[("x-agent-token", &self.agent_token)], &body).await;
    }

    /// Her own chat, as she would set it.
    async fn sets_chat(&self) {
        let insert = "INSERT INTO alert_recipients (owner, name, kind, target, is_own_telegram, created_at, updated_at)
            VALUES ($1, 'Telegram', 'telegram', '{\"kind\":\"telegram\",\"chat_id\":\"1\"}', true, now(), now())";
        self.callers.client.execute(insert, &[&self.id]).await.unwrap();
    }

    /// What is to be said in chats, oldest first.
    async fn messages(&self) -> Vec<String> {
        self.scene.texts("SELECT body ->> 'text' FROM alert_notices ORDER BY id").await
    }
}

#[tokio::test]
async fn rules_are_added_listed_and_removed_in_the_systems_shapes() {
    let ann = Ann::new().await;
    for (path, agent_id) in [("/rules", json!(ann.agent)), ("/api/alerts/rules", json!(ann.agent.to_string()))] {
        let mut rule = ann.rule();
        rule["agent_id"] = agent_id;
        let added = ann.told(Method::POST, path, &rule).await;
        let expected = json!({ "id": added["id"], "user_id": ann.id, "agent_id": ann.agent.to_string(),
            "metric_type": "cpu", "condition": "gt", "threshold": 90.0, "enabled": true, "created_at": NOW });
        assert_eq!(added, expected);
        assert!(ann.ask(Method::GET, path, &Value::Null).await.text().contains("\"threshold\":90.0"), "as a float");
        assert_eq!(ann.told(Method::GET, path, &Value::Null).await, json!([expected]));
        let one = format!("{path}/{}", added["id"]);
        assert_eq!(ann.told(Method::DELETE, &one, &Value::Null).await, json!({ "status": "deleted" }));
        let gone = ann.ask(Method::DELETE, &one, &Value::Null).await;
        assert_eq!((gone.status, gone.json()), (StatusCode::NOT_FOUND, json!({ "detail": "Rule not found" })));
        assert_eq!(ann.told(Method::GET, path, &Value::Null).await, json!([]));
    }
    let actions = "SELECT action FROM audit WHERE actor <> 'operator' ORDER BY id";
    let expected = ["alert.rule.create", "alert.rule.delete", "alert.rule.create", "alert.rule.delete"];
    assert_eq!(ann.scene.texts(actions).await, expected);
    ann.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_rule_that_cannot_be_is_refused_with_everything_that_is_wrong() {
    let ann = Ann::new().await;
    let refused = async |body: Value| {
        let answer = ann.ask(Method::POST, "/rules", &body).await;
        (answer.status.as_u16(), answer.json()["detail"].clone())
    };
    let (status, detail) =
        refused(json!({ "agent_id": true, "condition": "gt", "threshold": "x", "enabled": 3 })).await;
    let told: Vec<String> = detail
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["loc"][1].as_str().unwrap(), one["type"].as_str().unwrap()))
        .collect();
    let expected = ["agent_id string_type", "metric_type missing", "threshold float_parsing", "enabled bool_type"];
    assert_eq!((status, told), (422, expected.map(str::to_owned).to_vec()));
    let nobodys = json!("Agent not found or does not belong to you");
    for agent_id in ["999", "none", ""] {
        let mut rule = ann.rule();
        rule["agent_id"] = agent_id.into();
        assert_eq!(refused(rule).await, (404, nobodys.clone()));
    }
    let nobody = ann.server.get("/rules").await;
    assert_eq!((nobody.status.as_u16(), nobody.json()), (401, json!({ "detail": "Missing authentication" })));
    ann.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_rule_fires_once_in_five_minutes_and_says_what_its_system_said() {
    let ann = Ann::new().await;
    ann.sets_chat().await;
    let rule = ann.add(&ann.rule()).await;
    for (seconds, cpu_percent, fired) in
        [(0, 90.0, 0), (5, 95.3, 1), (10, 96.0, 1), (15, 5.0, 1), (20, 97.0, 1), (304, 98.0, 1), (305, 99.0, 2)]
    {
        ann.scene.after_seconds(seconds);
        ann.reports(&ann.server, seconds, cpu_percent).await;
        assert_eq!(ann.history().await.len(), fired, "after {seconds} s");
    }
    let message =
        |value: &str| format!("🚨 *Alert for laptop*\n\nMetric: CPU\nCurrent Value: {value}%\nThreshold: > 90.0%\n");
    assert_eq!(ann.messages().await, [message("95.3"), message("99.0")]);
    let found = ann.history().await;
    let expected = json!({ "id": found[1]["id"], "rule_id": rule["id"], "agent_id": ann.agent.to_string(),
        "agent_name": "laptop", "metric_type": "cpu", "condition": "gt", "threshold": 90.0, "value": 95.3,
        "message": message("95.3"), "triggered_at": "2026-11-20T12:00:05Z" });
    assert_eq!((&found[1], found[0]["value"].as_f64()), (&expected, Some(99.0)), "the newest first");
    ann.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_rule_that_already_holds_fires_when_it_is_made_by_the_latest_report() {
    let ann = Ann::new().await;
    ann.sets_chat().await;
    ann.add(&ann.rule()).await;
    assert_eq!(ann.history().await.len(), 0, "there was no report yet");
    ann.reports(&ann.server, 0, 50.0).await;
    ann.reports(&ann.server, 5, 40.0).await;
    let mut rule = ann.rule();
    rule["threshold"] = json!(45.5);
    ann.add(&rule).await;
    assert_eq!(ann.history().await.len(), 0, "the latest report counts");
    rule["condition"] = "lt".into();
    rule["enabled"] = false.into();
    ann.add(&rule).await;
    assert_eq!(ann.history().await.len(), 0, "what is disabled fires never");
    rule["enabled"] = true.into();
    ann.add(&rule).await;
    let message = "🚨 *Alert for laptop*\n\nMetric: CPU\nCurrent Value: 40.0%\nThreshold: < 45.5%\n\n\
        _Alert triggered immediately on rule creation_";
    assert_eq!(ann.messages().await, [message]);
    // That was this rule's alert for the next five minutes.
    ann.reports(&ann.server, 10, 41.0).await;
    assert_eq!(ann.history().await.len(), 1);
    ann.scene.after_seconds(COOLDOWN);
    ann.reports(&ann.server, COOLDOWN, 42.0).await;
    assert_eq!(ann.history().await.len(), 2);
    ann.server.stop().await.unwrap();
}

#[tokio::test]
async fn history_is_written_without_a_chat_filtered_turned_over_and_thrown_away() {
    let ann = Ann::new().await;
    let memory = json!({ "agent_id": ann.agent, "metric_type": "memory", "condition": "gt", "threshold": 1 });
    let rule = ann.add(&memory).await;
    ann.add(&ann.rule()).await;
    let body = json!({ "timestamp": NOW_SECONDS, "cpu": { "usage_percent": 91 }, "memory": { "percent": 50 } });
    report(&ann.server, "/ingest", &[("x-agent-token", &ann.agent_token)], &body).await;
    assert_eq!(ann.messages().await, Vec::<String>::new());
    let metrics = async |query: &str| {
        let found = ann.told(Method::GET, &format!("/api/alerts/history{query}"), &Value::Null).await;
        found.as_array().unwrap().iter().map(|one| one["metric_type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(metrics("").await, ["cpu", "memory"]);
    assert_eq!(metrics("?metric_type=memory").await, ["memory"]);
    assert_eq!(metrics(&format!("?agent_id={}&limit=1", ann.agent)).await, ["cpu"]);
    assert_eq!(metrics("?limit=1&offset=1").await, ["memory"]);
    assert_eq!(metrics("?agent_id=999").await, Vec::<String>::new());
    for limit in ["0", "1001"] {
        let answer = ann.ask(Method::GET, &format!("/history?limit={limit}"), &Value::Null).await;
        let told = json!({ "detail": "Limit must be between 1 and 1000" });
        assert_eq!((answer.status, answer.json()), (StatusCode::BAD_REQUEST, told));
    }
    ann.told(Method::DELETE, &format!("/rules/{}", rule["id"]), &Value::Null).await;
    assert_eq!(ann.history().await[1]["rule_id"], Value::Null, "what it found stays");
    assert_eq!(ann.told(Method::DELETE, "/history", &Value::Null).await, json!({ "status": "cleared" }));
    assert_eq!(ann.history().await, Vec::<Value>::new());
    ann.server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_another_persons_is_not_there() {
    let ann = Ann::new().await;
    let rule = ann.add(&ann.rule()).await;
    ann.reports(&ann.server, 0, 99.0).await;
    let bob = ann.callers.user("bob", None).await;
    let bob = ann.callers.token_of(bob).await;
    let ask = async |method: Method, path: &str, body: &Value| {
        let answer = ann.server.ask(method, path, &bob, body).await;
        (answer.status.as_u16(), answer.json())
    };
    for path in ["/rules", "/history"] {
        assert_eq!(ask(Method::GET, path, &Value::Null).await, (200, json!([])));
    }
    assert_eq!(ask(Method::POST, "/rules", &ann.rule()).await.0, 404);
    let none = json!({ "detail": "Rule not found" });
    assert_eq!(ask(Method::DELETE, &format!("/rules/{}", rule["id"]), &Value::Null).await, (404, none));
    assert_eq!(ask(Method::DELETE, "/history", &Value::Null).await.0, 200);
    assert_eq!(ann.history().await.len(), 1);
    ann.server.stop().await.unwrap();
}

#[tokio::test]
async fn two_nodes_that_judge_reports_at_once_fire_a_rule_once_and_a_restart_forgets_nothing() {
    let ann = Ann::new().await;
    ann.sets_chat().await;
    ann.add(&ann.rule()).await;
    let other = ann.scene.server().await;
    join_all([&ann.server, &other, &ann.server, &other].map(|server| ann.reports(server, 0, 99.0))).await;
    assert_eq!(ann.history().await.len(), 1);
    other.stop().await.unwrap();
    let other = ann.scene.server().await;
    ann.scene.after_seconds(COOLDOWN - 1);
    ann.reports(&other, COOLDOWN - 1, 99.0).await;
    assert_eq!(ann.history().await.len(), 1);
    ann.scene.after_seconds(COOLDOWN);
    ann.reports(&other, COOLDOWN, 99.0).await;
    assert_eq!(ann.messages().await.len(), 2);
    other.stop().await.unwrap();
    ann.server.stop().await.unwrap();
}
