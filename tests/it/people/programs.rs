//! `/register`, `/token`, `/refresh`, `/logout`, `/users/me`: every request the clients of that system send, with status and
//! body.

use futures_util::future::join_all;
use hyper::Method;
use serde_json::json;

use super::*;

fn missing(place: &[&str]) -> Value {
    json!({ "detail": [{ "type": "missing", "loc": place, "msg": "Field required", "input": null }] })
}

#[tokio::test]
async fn a_program_registers_signs_in_refreshes_and_signs_out_as_before() {
    let (server, _) = start().await;
    for prefix in ["", "/api/auth"] {
        let (name, at) = (format!("bob{}", prefix.len()), |path: &str| format!("{prefix}{path}"));
        let new = json!({ "username": name, "password": "p" });
        let registered = server.post(&at("/register"), &new).await;
        let id = registered.json()["id"].clone();
        assert!(id.is_i64(), "{registered:?}");
        assert_answer(&registered, 200, &json!({ "username": name, "id": id }));
        assert_answer(
            &server.post(&at("/register"), &new).await,
            400,
            &json!({ "detail": "Username already registered" }),
        );

        let body = format!("grant_type=password&scope=&username={name}&password=p");
        let signed_in = form(&server, &at("/token"), &body, &[]).await;
        let (access, refresh) = pair(&signed_in);
        let told = json!({ "access_token": access, "refresh_token": refresh, "token_type": "bearer" });
        assert_answer(&signed_in, 200, &told);
        let headers = [("authorization", format!("bearer {access}"))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let who = server.send(Method::GET, &at("/users/me"), &headers, b"").await;
        assert_answer(&who, 200, &json!({ "username": name, "id": id }));

        let mut last = refresh;
        for shape in ["query", "json", "form"] {
            let refreshed = match shape {
                "query" => {
                    server.send(Method::POST, &format!("{}?refresh_token={last}", at("/refresh")), &[], b"").await
                }
                "json" => server.post(&at("/refresh"), &json!({ "refresh_token": last })).await,
                _ => form(&server, &at("/refresh"), &format!("refresh_token={last}"), &[]).await,
            };
            assert_eq!(refreshed.status, 200, "{shape}: {refreshed:?}");
            last = pair(&refreshed).1;
        }
        let logout = format!("{}?refresh_token={last}", at("/logout"));
        for path in [logout.as_str(), &logout, &format!("{}?refresh_token=x", at("/logout"))] {
            let answer = server.send(Method::POST, path, &[], b"").await;
            assert_answer(&answer, 200, &json!({ "message": "Logged out successfully" }));
        }
        let over = server.post(&format!("{}?refresh_token={last}", at("/refresh")), &json!({})).await;
        assert_answer(&over, 401, &json!({ "detail": "Could not validate credentials" }));
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn refusals_have_the_status_and_the_words_of_that_system() {
    let (server, _) = start().await;
    register(&server, "bob").await;
    for (name, password) in [("bob", "wrong"), ("nobody", "wrong"), (&*"x".repeat(300), "p"), ("%01", "p")] {
        let answer = token(&server, name, password).await;
        assert_answer(&answer, 401, &json!({ "detail": "Incorrect username or password" }));
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    assert_answer(&form(&server, "/token", "username=bob", &[]).await, 422, &missing(&["body", "password"]));
    let both = form(&server, "/token", "", &[]).await.json();
    assert_eq!(both["detail"].as_array().unwrap().len(), 2);
    assert_answer(&server.post("/register", &json!({ "password": "p" })).await, 422, &missing(&["body", "username"]));
    assert_answer(&server.post_text("/register", "").await, 422, &missing(&["body"]));
    let told = server.post_text("/register", "{\"username\": hunter2}").await;
    assert_eq!((told.status.as_u16(), &told.json()["detail"][0]["type"]), (422, &json!("json_invalid")));
    assert!(!told.text().contains("hunter2"));
    let refresh = server.send(Method::POST, "/refresh", &[], b"").await;
    assert_answer(&refresh, 422, &missing(&["query", "refresh_token"]));
    assert_answer(&server.get("/users/me").await, 401, &json!({ "detail": "Not authenticated" }));
    let invalid = json!({ "detail": "Could not validate credentials" });
    for access in ["x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IiLCJleHAiOjk5OTk5OTk5OTksInR5cGUiOiJhY2Nlc3MifQ."]
    {
        let answer = me(&server, access).await;
        assert_answer(&answer, 401, &invalid);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    assert_answer(&server.post("/refresh?refresh_token=x", &json!({})).await, 401, &invalid);
    let wrong = server.get("/token").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, Some("POST, OPTIONS")));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_page_that_puts_its_form_together_itself_signs_in_too() {
    let (server, _) = start().await;
    register(&server, "bob").await;
    let field =
        |name: &str, value: &str| format!("--x7\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let body = format!("{}{}--x7--\r\n", field("username", "bob"), field("password", PASSWORD));
    let headers = [("content-type", "multipart/form-data; boundary=x7")];
    let answer = server.send(Method::POST, "/token", &headers, body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let broken = server.send(Method::POST, "/token", &headers, &body.as_bytes()[..body.len() - 9]).await;
    assert_answer(&broken, 400, &json!({ "detail": "There was an error parsing the body" }));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_access_token_is_no_refresh_token_and_the_other_way_round_and_each_ends_in_its_time() {
    let (server, clock) = start().await;
    register(&server, "bob").await;
    let (access, refresh) = tokens(&server, "bob").await;
    assert_eq!(me(&server, &refresh).await.status, 401);
    assert_eq!(server.post(&format!("/refresh?refresh_token={access}"), &json!({})).await.status, 401);
    assert_eq!(me(&server, &access).await.status, 200);
    let later = |seconds: i64| clock.set(millrace::model::Micros(clock.now().0 + seconds * 1_000_000));
    later(30 * 60);
    assert_eq!(me(&server, &access).await.status, 401, "after half an hour");
    let renewed = server.post(&format!("/refresh?refresh_token={refresh}"), &json!({})).await;
    let (access, refresh) = pair(&renewed);
    assert_eq!(me(&server, &access).await.status, 200);
    later(7 * 86_400);
    assert_eq!(server.post(&format!("/refresh?refresh_token={refresh}"), &json!({})).await.status, 401, "after a week");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn who_registers_has_no_role_and_sees_nothing_of_the_fleet() {
    let (server, _) = start().await;
    register(&server, "bob").await;
    let (access, _) = tokens(&server, "bob").await;
    let bearer = format!("Bearer {access}");
    let headers = [("authorization", bearer.as_str())];
    let who = server.send(Method::GET, "/api/v1/session", &headers, b"").await.json();
    assert_eq!((&who["user"]["role"], &who["rights"]), (&Value::Null, &json!(["read", "change"])));
    for path in ["/api/v1/users", "/api/v1/audit", "/api/v1/settings", "/-/metrics"] {
        assert_eq!(server.send(Method::GET, path, &headers, b"").await.status, 403, "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_register_one_name_at_once_one_gets_it_and_two_logins_at_once_both_succeed() {
    let (server, _) = start().await;
    let new = json!({ "username": "bob", "password": PASSWORD });
    let both = join_all((0..2).map(|_| server.post("/register", &new))).await;
    let mut statuses = [both[0].status.as_u16(), both[1].status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    let logins = join_all((0..2).map(|_| tokens(&server, "bob"))).await;
    assert_ne!(logins[0], logins[1]);
    for (access, refresh) in &logins {
        assert_eq!(me(&server, access).await.status, 200);
        assert_eq!(server.post(&format!("/refresh?refresh_token={refresh}"), &json!({})).await.status, 200);
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_use_one_refresh_token_at_once_one_gets_a_pair_and_nobody_keeps_it() {
    let (server, _) = start().await;
    register(&server, "bob").await;
    let (_, refresh) = tokens(&server, "bob").await;
    let path = format!("/refresh?refresh_token={refresh}");
    let nothing = json!({});
    let answers = join_all((0..6).map(|_| server.post(&path, &nothing))).await;
    let pairs: Vec<_> = answers.iter().filter(|answer| answer.status == 200).map(pair).collect();
    assert_eq!(pairs.len(), 1, "{answers:?}");
    let (access, refresh) = &pairs[0];
    assert_eq!(me(&server, access).await.status, 401, "somebody has a copy: all of it ended");
    assert_eq!(server.post(&format!("/refresh?refresh_token={refresh}"), &json!({})).await.status, 401);
    assert_eq!(token(&server, "bob", "correct+horse").await.status, 200, "signing in anew goes on");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_user_name_that_is_somebodys_address_is_taken() {
    let (server, _) = start().await;
    let refused = server.post("/register", &json!({ "username": "ROOT@example.org", "password": PASSWORD })).await;
    assert_answer(&refused, 400, &json!({ "detail": "Username already registered" }));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn without_an_invitation_nobody_registers_where_it_is_by_invitation_and_a_code_is_good_once() {
    let (server, clock) = start_with(&[]).await;
    let new = |name: &str, code: Option<&Value>| json!({ "username": name, "password": PASSWORD, "invite": code });
    let refused = server.post("/register", &new("bob", None)).await;
    assert_answer(&refused, 403, &json!({ "detail": "registration is by invitation only" }));
    let admin = cookie(&server, ADMIN).await;
    let invite = async |role: &str| {
        let made = with_cookie(&server, Method::POST, "/api/v1/invites", &admin, &json!({ "role": role })).await;
        made.json()["code"].clone()
    };
    let (code, late) = (invite("viewer").await, invite("editor").await);
    let bad = json!({ "detail": "the invitation is not valid" });
    assert_answer(&server.post("/register", &new("bob", Some(&json!("x")))).await, 400, &bad);
    let taken = server.post("/register", &new(ADMIN, Some(&code))).await;
    assert_answer(&taken, 400, &json!({ "detail": "Username already registered" }));
    assert_eq!(server.post("/register", &new("bob", Some(&code))).await.status, 200, "it was not used up by that");
    assert_answer(&server.post("/register", &new("eve", Some(&code))).await, 400, &bad);
    let (access, _) = tokens(&server, "bob").await;
    let bearer = format!("Bearer {access}");
    let who = server.send(Method::GET, "/api/v1/session", &[("authorization", &bearer)], b"").await.json();
    assert_eq!(who["user"]["role"], "viewer");
    clock.set(millrace::model::Micros(clock.now().0 + 8 * 86_400 * 1_000_000));
    assert_answer(&server.post("/register", &new("eve", Some(&late))).await, 400, &bad);
    server.stop().await.unwrap();
}
