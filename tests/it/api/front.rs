//! What is the same on every path: CORS, request ids, unknown paths and methods.

use hyper::{Method, StatusCode};
use serde_json::json;

use super::{assert_refused, body_of, start, start_with};

#[tokio::test]
async fn a_page_of_any_origin_may_call_the_api_without_credentials() {
    let server = start().await;
    let origin = ("origin", "https://dashboard.example");
    for path in ["/api/v1/servers", "/api/v1/servers/1", "/nowhere"] {
        let answer = server.send(Method::GET, path, &[origin], b"").await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{path}");
    }
    let asked =
        [origin, ("access-control-request-method", "PATCH"), ("access-control-request-headers", "content-type, x-a")];
    let preflight = server.send(Method::OPTIONS, "/api/v1/servers/1", &asked, b"").await;
    assert_eq!((preflight.status, preflight.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("GET, PATCH, DELETE, HEAD, OPTIONS"));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("content-type, x-a"));
    assert_eq!(server.get("/api/v1/servers").await.header("access-control-allow-origin"), None, "not from a page");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn listed_origins_are_let_in_by_name_and_no_others() {
    let server = start_with(&[("http.cors_origins", "https://a.example,https://b.example")]).await;
    for (origin, allowed) in [("https://b.example", Some("https://b.example")), ("https://c.example", None)] {
        let answer = server.send(Method::GET, "/api/v1/servers", &[("origin", origin)], b"").await;
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
        assert_eq!(answer.header("vary"), Some("origin"));
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request() {
    let server = start().await;
    let sent = server.send(Method::GET, "/api/v1/servers", &[("x-request-id", "from-the-proxy")], b"").await;
    assert_eq!(sent.header("x-request-id"), Some("from-the-proxy"));
    for path in ["/health", "/nowhere", "/api/v1/metrics?limit=0", "/api/v1/metrics?format=csv"] {
        let made = server.get(path).await.header("x-request-id").map(str::len);
        assert_eq!(made, Some(16), "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_that_nobody_has_is_a_404_in_the_shape_of_new_paths() {
    let server = start().await;
    let error = json!({ "error": { "code": "not_found", "message": "no such path", "details": [] } });
    for (method, path) in [(Method::GET, "/api/v1/nothing"), (Method::POST, "/api/v2/ingest"), (Method::PUT, "/a/b/c")]
    {
        assert_eq!(body_of(&server.send(method, path, &[], b"").await, StatusCode::NOT_FOUND), error, "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_that_cannot_be_decoded_is_refused() {
    let server = start().await;
    for path in ["/api/v1/servers/%ff", "/api/v1/servers/%4", "/api/v1/servers/a%00b"] {
        let message = "the path holds a broken percent escape, a NUL or text that is not UTF-8";
        assert_refused(&server.get(path).await, StatusCode::BAD_REQUEST, message);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_a_405_that_lists_those_it_has() {
    let server = start().await;
    for (method, path, allowed) in [
        (Method::GET, "/api/v1/ingest", "POST, OPTIONS"),
        (Method::DELETE, "/api/v1/servers", "GET, POST, HEAD, OPTIONS"),
        (Method::POST, "/api/v1/metrics", "GET, HEAD, OPTIONS"),
        (Method::PUT, "/health", "GET, HEAD, OPTIONS"),
    ] {
        let answer = server.send(method, path, &[], b"{}").await;
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
        assert_refused(&answer, StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_can_be_read_can_be_asked_for_its_head() {
    let server = start().await;
    for path in ["/health", "/api/v1/servers", "/api/v1/metrics", "/api/v1/metrics?format=ndjson"] {
        let answer = server.send(Method::HEAD, path, &[], b"").await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0), "{path}");
        assert!(answer.header("content-type").is_some(), "{path}");
    }
    server.stop().await.unwrap();
}
