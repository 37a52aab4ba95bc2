//! Where nothing is sent, and what cannot be trusted.

use hyper::StatusCode;
use serde_json::json;

use super::receiver::{Receiver, Reply};
use super::{RECIPIENTS, add, add_webhook, newest_is, start, tell, worded};
use crate::harness::TestServer;

#[tokio::test]
async fn private_addresses_are_refused_unless_the_settings_allow_them() {
    let server = TestServer::start().await;
    let receiver = Receiver::start(&[]).await;
    let port = receiver.address.port();
    for url in [receiver.url("/"), format!("http://localhost:{port}/"), format!("http://[::ffff:127.0.0.1]:{port}/")] {
        let hook = add_webhook(&server, &url).await;
        tell(&server, hook, worded("a")).await;
        let notice = newest_is(&server, "failed", 1).await;
        let error = notice["last_error"].as_str().unwrap();
        assert!(error.ends_with(" is at a private address, and alerts.private_targets is not set"), "{error}");
    }
    let metadata = add_webhook(&server, "http://169.254.169.254/latest/meta-data").await;
    let tried = server.post(&format!("{RECIPIENTS}/{metadata}/test"), &json!({})).await.json();
    assert_eq!(tried["delivered"], false);
    assert!(tried["error"].as_str().unwrap().starts_with("169.254.169.254 is at a private address"), "{tried}");
    assert!(receiver.got().is_empty());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_receiver_whose_tls_is_broken_or_not_trusted_gets_nothing_and_is_tried_again() {
    let (server, _) = start(&[]).await;
    let receiver = Receiver::start(&[Reply::Garbage]).await;
    let hook = add_webhook(&server, &format!("https://{}/hunter2", receiver.address)).await;
    tell(&server, hook, worded("a")).await;
    let notice = newest_is(&server, "waiting", 1).await;
    let error = notice["last_error"].as_str().unwrap();
    assert!(error.starts_with("no secure connection to 127.0.0.1: ") && !error.contains("hunter2"), "{error}");
    assert!(receiver.got().is_empty());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_tried_again() {
    let (server, _) = start(&[]).await;
    // Port 9 is nobody's here, and the name is nobody's anywhere.
    for (url, reason) in [
        ("http://127.0.0.1:9/", "127.0.0.1 cannot be reached"),
        ("http://nobody.invalid/", "nobody.invalid was not found"),
    ] {
        let hook = add_webhook(&server, url).await;
        tell(&server, hook, worded("a")).await;
        assert_eq!(newest_is(&server, "waiting", 1).await["last_error"], reason);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_target_is_refused_with_what_is_wrong_and_without_what_was_sent() {
    let (server, _) = start(&[]).await;
    for (target, field) in [
        (json!({ "kind": "webhook", "url": "ftp://a/hunter2" }), "target.url"),
        (json!({ "kind": "webhook", "url": "https://ann:hunter2@a/" }), "target.url"),
        (json!({ "kind": "webhook", "url": "https://a/", "template": "{{hunter}}" }), "target.template"),
        (json!({ "kind": "slack", "webhook_url": "hunter2" }), "target.webhook_url"),
        (json!({ "kind": "email", "to": [] }), "target.to"),
        (json!({ "kind": "email", "to": ["a@b\r\nBcc: c@d"] }), "target.to"),
        (json!({ "kind": "telegram", "chat_id": "1", "bot_token": "hunter2/../x" }), "target.bot_token"),
        (json!({ "kind": "ntfy", "url": "https://n/t", "token": "hunter2 x" }), "target.token"),
    ] {
        let answer = server.post(RECIPIENTS, &json!({ "name": "a", "target": target })).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{target}: {answer:?}");
        assert_eq!(answer.json()["error"]["details"][0]["field"], field);
        assert!(!answer.text().contains("hunter2"), "{answer:?}");
    }
    for target in [json!({ "kind": "hunter2" }), json!({ "kind": "slack", "hunter2": 1 }), json!("hunter2")] {
        let answer = server.post(RECIPIENTS, &json!({ "name": "a", "target": target })).await;
        assert_eq!(answer.json()["error"]["code"], "invalid_target", "{answer:?}");
        assert!(!answer.text().contains("hunter2"), "{answer:?}");
    }
    add(&server, "good", json!({ "kind": "webhook", "url": "https://a/", "template": "{\"a\":\"{{title}}\"}" })).await;
    server.stop().await.unwrap();
}
