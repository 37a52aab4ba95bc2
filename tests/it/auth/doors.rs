//! Where credentials may stand, and in whose words they are refused.

use hyper::{Method, StatusCode};
use serde_json::json;

use super::closed;
use crate::harness::TestServer;
use crate::harness::identity::token;
use crate::harness::server::Answer;

const STATEMENT: &[u8] = b"q=CREATE%20DATABASE%20a";

async fn send(server: &TestServer, path: &str, header: Option<(&str, &str)>) -> Answer {
    let headers: Vec<(&str, &str)> = header.into_iter().collect();
    server.send(Method::POST, path, &headers, STATEMENT).await
}

#[tokio::test]
async fn a_token_is_found_wherever_the_systems_put_it() {
    use base64::Engine as _;
    let server = closed().await;
    let token = token(&server.database().connect().await, None, &["ingest"]).await;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("anyone:{token}"));
    for (name, value) in [
        ("x-agent-token", token.clone()),
        ("x-api-key", token.clone()),
        ("authorization", format!("Bearer {token}")),
        ("authorization", format!("Token {token}")),
        ("authorization", format!("Basic {basic}")),
    ] {
        let answer = send(&server, "/query", Some((name, &value))).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {answer:?}");
    }
    let in_query = send(&server, &format!("/query?u=ann&p={token}"), None).await;
    assert_eq!(in_query.status, StatusCode::OK);
    let elsewhere = send(&server, &format!("/api/v2/write?p={token}"), None).await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED, "only InfluxDB 1 has passwords in queries");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_in_the_words_of_its_system() {
    let server = closed().await;
    let unknown = "a".repeat(64);
    for (path, missing, invalid) in [
        (
            "/query",
            json!({ "error": "unable to parse authentication credentials" }),
            json!({ "error": "authorization failed" }),
        ),
        (
            "/api/v2/write",
            json!({ "code": "unauthorized", "message": "unauthorized access" }),
            json!({ "code": "unauthorized", "message": "unauthorized access" }),
        ),
        (
            "/api/v3/write_lp",
            json!({ "error": "the request was not authenticated" }),
            json!({ "error": "the request was not authenticated" }),
        ),
        ("/agents", json!({ "detail": "Not authenticated" }), json!({ "detail": "Could not validate credentials" })),
        (
            "/api/v1/ingest",
            json!({ "detail": "Missing bearer token", "error": "Missing bearer token" }),
            json!({ "detail": "Invalid token", "error": "Invalid token" }),
        ),
    ] {
        for (header, expected) in [(None, missing), (Some(("x-api-key", unknown.as_str())), invalid)] {
            let answer = send(&server, path, header).await;
            assert_eq!((answer.status, answer.json()), (StatusCode::UNAUTHORIZED, expected), "{path}");
            assert!(answer.header("www-authenticate").is_some(), "{path}");
        }
    }
    let history = server.get("/history/1/cpu").await;
    assert_eq!(history.json(), json!({ "detail": "Missing authentication" }));
    server.stop().await.unwrap();
}
