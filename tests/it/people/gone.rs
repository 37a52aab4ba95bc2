//! What ends with a person's place, their password, or they themselves: every way in, at once.

use hyper::Method;
use serde_json::json;

use super::*;

/// Every way in of one person.
struct Ways {
    cookie: String,
    access: String,
    refresh: String,
}

impl Ways {
    async fn of(server: &TestServer, name: &str) -> Self {
        let (access, refresh) = tokens(server, name).await;
        Self { cookie: cookie(server, name).await, access, refresh }
    }

    async fn assert_closed(&self, server: &TestServer) {
        assert_eq!(with_cookie(server, Method::GET, "/users/me", &self.cookie, &json!({})).await.status, 401);
        assert_eq!(me(server, &self.access).await.status, 401);
        let path = format!("/refresh?refresh_token={}", self.refresh);
        assert_eq!(server.post(&path, &json!({})).await.status, 401);
    }

    async fn assert_open(&self, server: &TestServer) {
        assert_eq!(with_cookie(server, Method::GET, "/users/me", &self.cookie, &json!({})).await.status, 200);
        assert_eq!(me(server, &self.access).await.status, 200);
    }
}

#[tokio::test]
async fn who_is_disabled_or_deleted_loses_every_way_in_at_once_and_a_namesake_gets_none_of_them() {
    let (server, _) = start().await;
    let admin = cookie(&server, ADMIN).await;
    let id = register(&server, "bob").await["id"].clone();
    let user = format!("/api/v1/users/{id}");
    let ways = Ways::of(&server, "bob").await;
    ways.assert_open(&server).await;
    let disabled = with_cookie(&server, Method::PATCH, &user, &admin, &json!({ "is_active": false })).await;
    assert_eq!((disabled.status.as_u16(), &disabled.json()["is_active"]), (200, &json!(false)));
    ways.assert_closed(&server).await;
    assert_eq!(token(&server, "bob", "correct+horse").await.status, 401);
    assert_eq!(form(&server, "/login", "email=bob&password=correct+horse", &[]).await.status, 401);
    let back = with_cookie(&server, Method::PATCH, &user, &admin, &json!({ "is_active": true })).await;
    assert_eq!(back.status, 200);
    ways.assert_closed(&server).await;

    let ways = Ways::of(&server, "bob").await;
    assert_eq!(with_cookie(&server, Method::DELETE, &user, &admin, &json!({})).await.status, 204);
    ways.assert_closed(&server).await;
    register(&server, "bob").await;
    ways.assert_closed(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_new_password_signs_out_everywhere_and_the_old_one_is_worth_nothing() {
    let (server, _) = start().await;
    let admin = cookie(&server, ADMIN).await;
    let id = register(&server, "bob").await["id"].clone();
    let ways = Ways::of(&server, "bob").await;
    let reset = json!({ "reset_password": true });
    let changed = with_cookie(&server, Method::PATCH, &format!("/api/v1/users/{id}"), &admin, &reset).await.json();
    ways.assert_closed(&server).await;
    assert_eq!(token(&server, "bob", "correct+horse").await.status, 401);
    assert_eq!(token(&server, "bob", changed["password"].as_str().unwrap()).await.status, 200, "told this once");
    let again = with_cookie(&server, Method::GET, &format!("/api/v1/users/{id}"), &admin, &json!({})).await.json();
    assert!(again.get("password").is_none() && again.get("password_hash").is_none());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn who_changes_their_own_password_keeps_the_browser_they_did_it_with_and_no_other() {
    let (server, _) = start().await;
    register(&server, "bob").await;
    let (kept, others) = (cookie(&server, "bob").await, Ways::of(&server, "bob").await);
    let path = "/api/v1/session/password";
    let wrong = json!({ "old": "wrong", "new": "long enough" });
    assert_eq!(with_cookie(&server, Method::POST, path, &kept, &wrong).await.status, 401);
    let change = json!({ "old": PASSWORD, "new": "long enough" });
    assert_eq!(with_cookie(&server, Method::POST, path, &kept, &change).await.status, 204);
    others.assert_closed(&server).await;
    assert_eq!(with_cookie(&server, Method::GET, "/users/me", &kept, &json!({})).await.status, 200);
    assert_eq!(token(&server, "bob", "long+enough").await.status, 200);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_over_is_removed_by_the_job_that_keeps_things() {
    let (server, clock) = start_with(&[("registration", "open"), ("retention.audit", "20d")]).await;
    register(&server, "bob").await;
    Ways::of(&server, "bob").await;
    clock.set(millrace::model::Micros(clock.now().0 + 15 * 86_400 * 1_000_000));
    let admin = cookie(&server, ADMIN).await;
    let ran = with_cookie(&server, Method::POST, "/api/v1/jobs/keep/run?force=true", &admin, &json!({})).await;
    assert_eq!(ran.status, 200, "{ran:?}");
    let client = server.database().connect().await;
    let left = async |query: &str| client.query_one(query, &[]).await.unwrap().get::<_, i64>(0);
    assert_eq!(left("SELECT count(*) FROM sessions").await, 1, "the administrator's");
    assert_eq!(left("SELECT count(*) FROM refresh_tokens").await, 0);
    let audited = left("SELECT count(*) FROM audit").await;
    assert!(audited >= 4, "{audited}");
    clock.set(millrace::model::Micros(clock.now().0 + 6 * 86_400 * 1_000_000));
    let ran = with_cookie(&server, Method::POST, "/api/v1/jobs/keep/run?force=true", &admin, &json!({})).await;
    assert_eq!(ran.status, 200, "{ran:?}");
    assert_eq!(left("SELECT count(*) FROM audit").await, 1, "the last signing in");
    server.stop().await.unwrap();
}
