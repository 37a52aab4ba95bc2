//! What administrators do: people, invitations, settings; and what is written down of it.

use futures_util::future::join_all;
use hyper::Method;
use serde_json::json;

use super::*;

async fn audit(server: &TestServer, admin: &str, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit?{query}");
    let page = with_cookie(server, Method::GET, &path, admin, &json!({})).await.json();
    page["entries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_change_and_every_signing_in_is_written_down_without_a_secret() {
    let (server, _) = start().await;
    let admin = cookie(&server, ADMIN).await;
    let bob = register(&server, "bob").await["id"].clone();
    assert_eq!(token(&server, "bob", "hunter2").await.status, 401);
    assert_eq!(token(&server, "hunter2", "hunter2").await.status, 401);
    let (_, refresh) = tokens(&server, "bob").await;
    for status in [200, 401] {
        assert_eq!(server.post(&format!("/refresh?refresh_token={refresh}"), &json!({})).await.status, status);
    }
    let change = |path: String, method: Method, body: Value| {
        let (server, admin) = (&server, &admin);
        async move { with_cookie(server, method, &path, admin, &body).await }
    };
    change(format!("/api/v1/users/{bob}"), Method::PATCH, json!({ "role": "viewer", "password": "hunter2hunter2" }))
        .await;
    let invite = change("/api/v1/invites".to_owned(), Method::POST, json!({})).await.json();
    change(format!("/api/v1/invites/{}", invite["id"]), Method::DELETE, json!({})).await;
    let discord = json!({ "discord": { "webhook_url": "https://discord.example/hunter2" } });
    let settings = json!({ "value": { "notify": discord }, "version": 0 });
    assert_eq!(change("/api/v1/settings/alerts".to_owned(), Method::PUT, settings).await.status, 200);
    change(format!("/api/v1/users/{bob}/sessions"), Method::DELETE, json!({})).await;
    change(format!("/api/v1/users/{bob}"), Method::DELETE, json!({})).await;

    let entries = audit(&server, &admin, "limit=1000").await;
    let mut told: Vec<(&str, &str)> =
        entries.iter().map(|one| (one["action"].as_str().unwrap(), one["subject"].as_str().unwrap())).collect();
    told.reverse();
    let bob_is = format!("user {bob} (bob)");
    let root = entries.last().unwrap()["subject"].as_str().unwrap();
    let invite = format!("invite {}", invite["id"]);
    assert_eq!(
        told,
        [
            ("user.bootstrap", root),
            ("login", root),
            ("user.register", &bob_is),
            ("login.failed", &bob_is),
            ("login.failed", "nobody"),
            ("login", &bob_is),
            ("refresh.reused", &bob_is),
            ("user.change", &bob_is),
            ("invite.create", &invite),
            ("invite.revoke", &invite),
            ("settings.change", "alerts"),
            ("session.revoke", &bob_is),
            ("user.delete", &bob_is),
        ]
    );
    let all = Value::from(entries.clone()).to_string();
    assert!(!all.contains("hunter2") && !all.contains(&refresh), "{all}");
    assert_eq!(entries[2]["details"], json!({ "changed": ["notify.discord.webhook_url"] }));
    assert!(entries[0]["actor"].as_str().unwrap().contains(ADMIN) && entries[0]["address"] == "127.0.0.1");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_audit_is_read_page_by_page_and_by_time_person_and_action() {
    let (server, clock) = start().await;
    let admin = cookie(&server, ADMIN).await;
    for name in ["ann", "bob", "cid"] {
        clock.set(millrace::model::Micros(clock.now().0 + 1_000_000));
        register(&server, name).await;
    }
    let all = audit(&server, &admin, "").await;
    let (mut pages, mut path) = (Vec::new(), "/api/v1/audit?limit=2".to_owned());
    loop {
        let page = with_cookie(&server, Method::GET, &path, &admin, &json!({})).await.json();
        pages.extend(page["entries"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/audit?limit=2&cursor={next}");
    }
    assert_eq!(pages, all);
    assert_eq!(audit(&server, &admin, "action=user.register").await.len(), 3);
    assert_eq!(audit(&server, &admin, "action=user").await.len(), 4, "the first administrator too");
    let second = &audit(&server, &admin, "action=user.register").await[1];
    assert_eq!(audit(&server, &admin, &format!("user={}", second["user_id"])).await, std::slice::from_ref(second));
    let at = second["at"].as_str().unwrap();
    assert_eq!(audit(&server, &admin, &format!("from={at}&to={at}")).await, std::slice::from_ref(second));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn settings_are_put_over_the_defaults_and_of_two_changes_of_one_version_one_is_refused() {
    let (server, _) = start().await;
    let admin = cookie(&server, ADMIN).await;
    let path = "/api/v1/settings/alerts";
    let first = with_cookie(&server, Method::GET, path, &admin, &json!({})).await;
    assert_eq!((first.header("etag"), &first.json()["version"]), (Some("\"0\""), &json!(0)));
    assert_eq!(
        first.json()["value"],
        json!({ "enabled": true, "dedup_minutes": 15, "low_disk_free_pct_threshold": 10.0,
            "heartbeat_grace_multiplier": 3, "heartbeat_min_grace_seconds": 120,
            "notify": { "email": { "enabled": false, "to": [] }, "webhook": { "enabled": false, "url": null },
                "discord": { "enabled": false, "webhook_url": null } } })
    );
    let change = json!({ "value": { "notify": { "email": { "enabled": true, "to": ["a@b"] } } }, "version": 0 });
    let both = join_all((0..2).map(|_| with_cookie(&server, Method::PUT, path, &admin, &change))).await;
    let mut statuses: Vec<u16> = both.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let headers = [("cookie", admin.as_str()), ("if-match", "\"1\"")];
    let next = server.send(Method::PUT, path, &headers, br#"{"value":{"dedup_minutes":7}}"#).await;
    let told = next.json();
    assert_eq!((next.header("etag"), &told["value"]["dedup_minutes"]), (Some("\"2\""), &json!(7)));
    assert_eq!(told["value"]["notify"]["email"]["enabled"], false, "what is left out is as it is by default");
    let unsaid = with_cookie(&server, Method::PUT, path, &admin, &json!({ "value": {} })).await;
    assert_eq!((unsaid.status.as_u16(), &unsaid.json()["error"]["code"]), (400, &json!("missing_version")));
    let stored = server.database().connect().await.query_one("SELECT value::text FROM settings", &[]).await.unwrap();
    assert_eq!(stored.get::<_, String>(0), r#"{"dedup_minutes": 7}"#, "only what differs");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_last_administrators_who_remove_each_other_at_once_one_stays() {
    let (server, _) = start().await;
    let admin = cookie(&server, ADMIN).await;
    let new = json!({ "username": "ann", "password": PASSWORD, "role": "admin" });
    let ann = with_cookie(&server, Method::POST, "/api/v1/users", &admin, &new).await.json()["id"].clone();
    let list = with_cookie(&server, Method::GET, "/api/v1/users", &admin, &json!({})).await.json();
    let root = list["users"][0]["id"].clone();
    let anns = cookie(&server, "ann").await;
    let (of_root, of_ann, demoted) =
        (format!("/api/v1/users/{root}"), format!("/api/v1/users/{ann}"), json!({ "role": null }));
    let both = join_all([
        with_cookie(&server, Method::PATCH, &of_ann, &admin, &demoted),
        with_cookie(&server, Method::PATCH, &of_root, &anns, &demoted),
    ])
    .await;
    let client = server.database().connect().await;
    let admins: i64 = client.query_one("SELECT count(*) FROM users WHERE role = 'admin'", &[]).await.unwrap().get(0);
    assert_eq!(admins, 1, "{both:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_first_administrator_is_made_once_and_takes_their_address_back_from_a_stranger() {
    let database = crate::harness::TestDatabase::create().await;
    let start = async |settings: &[(&str, &str)]| {
        let mut all = vec![("anonymous", "none"), ("secret_key", SECRET), ("registration", "open")];
        all.extend_from_slice(settings);
        TestServer::start_on(&database.config(), &all, Arc::new(SystemClock)).await
    };
    let server = start(&[]).await;
    let squatter = json!({ "username": ADMIN, "password": "squatter's own" });
    assert_eq!(server.post("/register", &squatter).await.status, 200);
    server.stop().await.unwrap();
    let named = [("bootstrap.admin_email", "Root@Example.org"), ("bootstrap.admin_password", PASSWORD)];
    let server = start(&named).await;
    assert_eq!(token(&server, ADMIN, "squatter's+own").await.status, 401);
    let admin = cookie(&server, ADMIN).await;
    assert_eq!(with_cookie(&server, Method::GET, "/api/v1/users", &admin, &json!({})).await.status, 200);
    server.stop().await.unwrap();
    let server = start(&[named[0], ("bootstrap.admin_password", "another one")]).await;
    assert_eq!(token(&server, ADMIN, "another+one").await.status, 401, "there is one already");
    server.stop().await.unwrap();
}
