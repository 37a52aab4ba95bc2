//! Sessions of browsers: the form of the system they come from, and JSON for pages of our own.

use futures_util::future::join_all;
use hyper::Method;
use serde_json::json;

use super::*;

#[tokio::test]
async fn a_browser_signs_in_and_out_with_the_form_as_before() {
    let (server, _) = start().await;
    let signed_in = form(&server, "/login", "email=Root%40Example.org&password=correct+horse", &[]).await;
    assert_eq!((signed_in.status.as_u16(), signed_in.header("location")), (302, Some("/dashboard")));
    let set = signed_in.header("set-cookie").unwrap();
    assert!(set.starts_with("metrics_session=") && set.contains("; HttpOnly; SameSite=Lax; Max-Age=1209600"), "{set}");
    assert!(set.ends_with("; Secure"), "in production: {set}");
    let cookie = cookie_in(&signed_in);
    let who = with_cookie(&server, Method::GET, "/api/v1/session", &cookie, &json!({})).await.json();
    assert_eq!((&who["kind"], &who["user"]["role"]), (&json!("user"), &json!("admin")));

    for body in ["email=root%40example.org&password=wrong", "email=nobody%40example.org&password=wrong"] {
        let refused = form(&server, "/login", body, &[]).await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(refused.text().contains("Invalid credentials") && refused.header("set-cookie").is_none());
    }
    let signed_out = with_cookie(&server, Method::POST, "/logout", &cookie, &json!({})).await;
    assert_eq!((signed_out.status.as_u16(), signed_out.header("location")), (302, Some("/login")));
    assert!(signed_out.header("set-cookie").unwrap().starts_with("metrics_session=; "));
    let after = with_cookie(&server, Method::GET, "/api/v1/session", &cookie, &json!({})).await.json();
    assert_eq!(after["kind"], "anyone", "the cookie is worth nothing any more");
    assert_eq!(with_cookie(&server, Method::GET, "/api/v1/users", &cookie, &json!({})).await.status, 401);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn pages_of_administrators_refuse_in_the_words_of_that_system() {
    let (server, _) = start().await;
    let admin = cookie(&server, ADMIN).await;
    let new = "email=Vic%40example.org&password=correct+horse&role=viewer";
    for path in ["/admin/users", "/admin/settings"] {
        assert_answer(&server.get(path).await, 401, &json!({ "detail": "Not authenticated" }));
        let over = with_cookie(&server, Method::GET, path, "metrics_session=x.y", &json!({})).await;
        assert_answer(&over, 401, &json!({ "detail": "Not authenticated" }));
        assert_eq!(with_cookie(&server, Method::GET, path, &admin, &json!({})).await.status, 200);
    }
    let added = form(&server, "/admin/users/new", new, &[("cookie", &admin)]).await;
    assert_eq!((added.status.as_u16(), added.header("location")), (302, Some("/admin/users")));
    let viewer = cookie(&server, "vic@example.org").await;
    let required = json!({ "detail": "Admin required" });
    assert_answer(&with_cookie(&server, Method::GET, "/admin/users", &viewer, &json!({})).await, 403, &required);
    assert_answer(&form(&server, "/admin/users/new", new, &[("cookie", &viewer)]).await, 403, &required);
    assert_answer(&form(&server, "/admin/settings", "cfg_json={}", &[("cookie", &viewer)]).await, 403, &required);

    let bad = form(&server, "/admin/settings", "cfg_json={x", &[("cookie", &admin)]).await;
    assert_eq!((bad.status.as_u16(), bad.header("content-type")), (400, Some("text/html; charset=utf-8")));
    assert!(bad.text().contains("Invalid JSON"));
    let cfg = "cfg_json=%7B%22alerts%22%3A%7B%22dedup_minutes%22%3A5%7D%7D";
    let changed = form(&server, "/admin/settings", cfg, &[("cookie", &admin)]).await;
    assert_eq!((changed.status.as_u16(), changed.header("location")), (302, Some("/admin/settings")));
    let now = with_cookie(&server, Method::GET, "/admin/settings", &admin, &json!({})).await.json();
    assert_eq!(
        (&now["alerts"]["dedup_minutes"], &now["alerts"]["heartbeat_min_grace_seconds"]),
        (&json!(5), &json!(120))
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn another_site_cannot_act_with_the_cookie() {
    let (server, _) = start().await;
    let admin = cookie(&server, ADMIN).await;
    let headers = [("cookie", admin.as_str()), ("origin", "https://evil.example")];
    let refused = server.send(Method::POST, "/api/v1/users", &headers, br#"{"username":"eve"}"#).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(form(&server, "/logout", "", &headers).await.status, 403);
    let sign_in = "email=root%40example.org&password=correct+horse";
    assert_eq!(form(&server, "/login", sign_in, &headers[1..]).await.status, 403, "nor sign it in");
    assert_eq!(with_cookie(&server, Method::GET, "/api/v1/users", &admin, &json!({})).await.status, 200);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_browsers_that_sign_in_at_once_have_a_session_each_and_each_can_end_the_other() {
    let (server, clock) = start().await;
    register(&server, "bob").await;
    let cookies = join_all((0..2).map(|_| cookie(&server, "bob"))).await;
    assert_ne!(cookies[0], cookies[1]);
    let list = with_cookie(&server, Method::GET, "/api/v1/session/list", &cookies[0], &json!({})).await.json();
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!((sessions.len(), sessions.iter().filter(|one| one["is_current"] == true).count()), (2, 1));
    let other = sessions.iter().find(|one| one["is_current"] == false).unwrap()["id"].clone();
    let path = format!("/api/v1/session/list/{other}");
    assert_eq!(with_cookie(&server, Method::DELETE, &path, &cookies[0], &json!({})).await.status, 204);
    assert_eq!(with_cookie(&server, Method::GET, "/users/me", &cookies[1], &json!({})).await.status, 401);
    assert_eq!(with_cookie(&server, Method::GET, "/users/me", &cookies[0], &json!({})).await.status, 200);

    clock.set(millrace::model::Micros(clock.now().0 + 90 * 1_000_000));
    let list = with_cookie(&server, Method::GET, "/api/v1/session/list", &cookies[0], &json!({})).await.json();
    assert_ne!(list["sessions"][0]["last_used"], list["sessions"][0]["created_at"], "written down to the minute");
    clock.set(millrace::model::Micros(clock.now().0 + 14 * 86_400 * 1_000_000));
    assert_eq!(with_cookie(&server, Method::GET, "/users/me", &cookies[0], &json!({})).await.status, 401, "two weeks");
    server.stop().await.unwrap();
}
