//! `/agents`: a person's agents, the first five minutes of their tokens, and whose they are.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::ManualClock;
use millrace::model::Micros;
use serde_json::{Value, json};

use super::{audited, closed_at, knock, text};
use crate::harness::identity::{person, token};
use crate::harness::{TestServer, eventually};

const NOW: &str = "2025-12-01T03:04:09.123456Z";
const MINUTE: i64 = 60_000_000;

struct Scene {
    server: TestServer,
    clock: Arc<ManualClock>,
    now: Micros,
    /// A token of each of two persons.
    ann: String,
    bob: String,
}

async fn scene() -> Scene {
    let now = Micros::parse_rfc3339(NOW.as_bytes()).unwrap();
    let clock = Arc::new(ManualClock::at(now));
    let server = closed_at(Arc::<ManualClock>::clone(&clock)).await;
    let database = server.database().connect().await;
    let (ann, bob) = (person(&database, "ann", None).await, person(&database, "bob", None).await);
    let rights = ["read", "change"];
    let (ann, bob) = (token(&database, Some(ann), &rights).await, token(&database, Some(bob), &rights).await);
    Scene { server, clock, now, ann, bob }
}

impl Scene {
    fn after_minutes(&self, minutes: i64) {
        self.clock.set(Micros(self.now.0 + minutes * MINUTE));
    }

    async fn add(&self, name: &str) -> Value {
        let answer = self.server.ask(Method::POST, "/agents", &self.ann, &json!({ "name": name })).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    async fn get(&self, path: &str) -> Value {
        self.server.ask(Method::GET, path, &self.ann, &Value::Null).await.json()
    }
}

#[tokio::test]
async fn an_agent_has_five_minutes_to_use_its_token_and_keeps_it_for_good_then() {
    let scene = scene().await;
    let (used, unused) = (scene.add("laptop").await, scene.add("desk").await);
    assert_eq!(text(&used["token"]).len(), 64);
    assert_eq!(used["token_expires_at"], "2025-12-01T03:09:09.123456Z");
    assert_eq!(used["created_at"], NOW);
    assert_eq!((&used["token_activated"], &used["last_seen"]), (&json!(false), &Value::Null));

    scene.after_minutes(4);
    assert_eq!(knock(&scene.server, text(&used["token"])).await, StatusCode::OK);
    scene.after_minutes(5);
    assert_eq!(knock(&scene.server, text(&unused["token"])).await, StatusCode::UNAUTHORIZED);
    scene.after_minutes(60 * 24 * 365);
    assert_eq!(knock(&scene.server, text(&used["token"])).await, StatusCode::OK);
    let agents = scene.get("/agents").await;
    assert_eq!((&agents[0]["token_activated"], &agents[1]["token_activated"]), (&json!(true), &json!(false)));
    scene.server.stop().await.unwrap();
}

#[tokio::test]
async fn regenerating_refuses_the_old_token_at_once_and_begins_anew() {
    let scene = scene().await;
    let agent = scene.add("laptop").await;
    assert_eq!(knock(&scene.server, text(&agent["token"])).await, StatusCode::OK);
    scene.after_minutes(10);
    let path = format!("/agents/{}/regenerate-token", agent["id"]);
    let again = scene.server.ask(Method::POST, &path, &scene.ann, &json!({})).await.json();
    assert_eq!((&again["id"], &again["token_activated"]), (&agent["id"], &json!(false)));
    assert_eq!(again["token_expires_at"], "2025-12-01T03:19:09.123456Z");
    assert_eq!(knock(&scene.server, text(&agent["token"])).await, StatusCode::UNAUTHORIZED);
    assert_eq!(knock(&scene.server, text(&again["token"])).await, StatusCode::OK);
    scene.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_deleted_agent_is_refused_and_can_still_be_looked_at_and_given_a_token() {
    let scene = scene().await;
    let agent = scene.add("laptop").await;
    let path = format!("/agents/{}", agent["id"]);
    let deleted = scene.server.ask(Method::DELETE, &path, &scene.ann, &Value::Null).await.json();
    assert_eq!(deleted, json!({ "message": "Agent deleted successfully" }));
    assert_eq!(knock(&scene.server, text(&agent["token"])).await, StatusCode::UNAUTHORIZED);
    assert_eq!(scene.get("/agents").await, json!([]));
    let seen = scene.get(&path).await;
    assert_eq!((&seen["is_active"], seen.get("token")), (&json!(false), None), "its token is not told again");
    let again = scene.server.ask(Method::POST, &format!("{path}/regenerate-token"), &scene.ann, &json!({})).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(knock(&scene.server, text(&again.json()["token"])).await, StatusCode::UNAUTHORIZED);
    let done: Vec<String> = audited(&scene.server).await.into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(done, ["agent.create", "agent.delete", "agent.regenerate"]);
    scene.server.stop().await.unwrap();
}

#[tokio::test]
async fn agents_of_others_look_like_none() {
    let scene = scene().await;
    let id = scene.add("laptop").await["id"].to_string();
    for (method, end) in [(Method::GET, ""), (Method::DELETE, ""), (Method::POST, "/regenerate-token")] {
        for id in [id.as_str(), "999"] {
            let path = format!("/api/auth/agents/{id}{end}");
            let answer = scene.server.ask(method.clone(), &path, &scene.bob, &Value::Null).await;
            assert_eq!((answer.status, answer.json()), (StatusCode::NOT_FOUND, json!({ "detail": "Agent not found" })));
        }
    }
    assert_eq!(scene.server.ask(Method::GET, "/agents", &scene.bob, &Value::Null).await.json(), json!([]));
    scene.server.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_understood_is_told_as_the_system_tells_it() {
    let scene = scene().await;
    let answer = scene.server.ask(Method::GET, "/agents/abc", &scene.ann, &Value::Null).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = &answer.json()["detail"][0];
    assert_eq!((&detail["type"], &detail["loc"]), (&json!("int_parsing"), &json!(["path", "agent_id"])));
    let answer = scene.server.ask(Method::POST, "/agents", &scene.ann, &json!({})).await;
    let expected = json!({ "type": "missing", "loc": ["body", "name"], "msg": "Field required", "input": null });
    assert_eq!(answer.json(), json!({ "detail": [expected] }));
    scene.server.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_token_is_worth_is_told_to_those_who_administer() {
    let scene = scene().await;
    let agent = scene.add("laptop").await;
    let boss = token(&scene.server.database().connect().await, None, &["administer"]).await;
    let ask = async |by: &str, token: &str| {
        let path = format!("/agents/validate-token?token={token}");
        scene.server.ask(Method::POST, &path, by, &Value::Null).await
    };
    assert_eq!(ask(&scene.ann, text(&agent["token"])).await.status, StatusCode::FORBIDDEN);
    let good = ask(&boss, text(&agent["token"])).await.json();
    assert_eq!((&good["valid"], &good["agent_id"]), (&json!(true), &agent["id"]));
    assert_eq!((&good["agent_name"], &good["error"]), (&json!("laptop"), &Value::Null));
    let unused = scene.add("desk").await;
    scene.after_minutes(6);
    let late = ask(&boss, text(&unused["token"])).await.json();
    assert_eq!((&late["valid"], &late["error"]), (&json!(false), &json!("Token expired. Please regenerate.")));
    assert_eq!(ask(&boss, "hunter2").await.json()["error"], "Invalid token");
    scene.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_use_is_written_down_some_time_later() {
    let scene = scene().await;
    let agent = scene.add("laptop").await;
    knock(&scene.server, text(&agent["token"])).await;
    let path = format!("/agents/{}", agent["id"]);
    eventually("the agent was seen", async || scene.get(&path).await["last_seen"] == NOW).await;
    let address = "SELECT host(last_address) FROM tokens WHERE agent IS NOT NULL";
    let row = scene.server.database().connect().await.query_one(address, &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "127.0.0.1");
    scene.server.stop().await.unwrap();
}
