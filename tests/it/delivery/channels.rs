//! What each kind of receiver gets, byte by byte where a source system or a service says how.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::receiver::{Receiver, Reply};
use super::{add, newest_is, start, tell, tell_all, worded};
use millrace::store::alerts::NoticeRow;

fn told(change: &str) -> Value {
    json!({ "form": "alerts", "alerts": [{
        "change": change, "rule_id": 7, "rule": "hot", "severity": "critical", "title": "cpu is high on web_1",
        "server_id": null, "hostname": "web_1", "metric_type": "cpu", "metric_name": "usage", "labels": {"core": "0"},
        "value": 95.5, "condition": "> 90 for 5m", "at": "2026-11-20T10:00:00Z", "notes": "",
    }] })
}

#[tokio::test]
async fn what_source_systems_have_worded_is_sent_byte_for_byte_as_they_sent_it() {
    let (server, _) = start(&[]).await;
    let receiver = Receiver::start(&[]).await;
    let hook = add(&server, "hook", json!({ "kind": "webhook", "url": receiver.url("/a?b=c") })).await;
    tell(&server, hook, worded("Low disk space detected")).await;
    receiver.after(1).await;
    let discord = add(&server, "d", json!({ "kind": "discord", "webhook_url": receiver.url("/d") })).await;
    tell(&server, discord, worded("Low disk space detected")).await;
    receiver.after(2).await;
    // A channel of the settings.
    let channel = json!({ "kind": "discord", "webhook_url": receiver.url("/settings") });
    tell_all(&server, vec![NoticeRow { to: Err(channel), event: None, body: worded("s") }]).await;
    let got = receiver.after(3).await;
    let message = r#""{\n  \"a\": 1\n}""#;
    assert_eq!(got[0].json(), json!({ "subject": "Low disk space detected", "message": "{\n  \"a\": 1\n}" }));
    assert!(got[0].head.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{}", got[0].head);
    assert_eq!(got[0].header("host"), Some(receiver.address.to_string().as_str()));
    assert_eq!(got[0].header("content-type"), Some("application/json"));
    assert_eq!(got[0].body, format!("{{\"subject\":\"Low disk space detected\",\"message\":{message}}}"));
    assert_eq!(got[1].body, r#"{"content":"**Low disk space detected**\n{\n  \"a\": 1\n}"}"#);
    assert_eq!(got[2].body, r#"{"content":"**s**\n{\n  \"a\": 1\n}"}"#);
    assert_eq!(newest_is(&server, "delivered", 1).await["recipient"], Value::Null);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_webhook_with_a_secret_is_signed_and_one_with_a_template_has_its_form() {
    let (server, _) = start(&[]).await;
    let receiver = Receiver::start(&[]).await;
    let template = r#"{"text":"{{title}} ({{severity}})","v":{{value}}}"#;
    let target = json!({ "kind": "webhook", "url": receiver.url("/"), "secret": "hunter2", "template": template });
    let hook = add(&server, "hook", target).await;
    tell(&server, hook, told("firing")).await;
    let got = receiver.after(1).await.remove(0);
    assert_eq!(got.body, r#"{"text":"cpu is high on web_1 (critical)","v":95.5}"#);
    let mut mac = Hmac::<Sha256>::new_from_slice(b"hunter2").unwrap();
    mac.update(format!("{}.{}", got.header("x-millrace-timestamp").unwrap(), got.body).as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(got.header("x-millrace-signature"), Some(format!("sha256={hex}").as_str()));
    let notice = newest_is(&server, "delivered", 1).await;
    assert_eq!(got.header("x-millrace-notice"), Some(notice["id"].to_string().as_str()));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn alerts_take_the_form_of_their_channel() {
    let (server, _) = start(&[]).await;
    let receiver = Receiver::start(&[]).await;
    let url = receiver.url("/x");
    let mut number = 0;
    let mut of = async |target: Value| {
        let to = add(&server, "a", target).await;
        tell(&server, to, told("firing")).await;
        number += 1;
        receiver.after(number).await.remove(number - 1)
    };
    let plain = of(json!({ "kind": "webhook", "url": url })).await.json();
    assert_eq!((&plain["type"], &plain["alerts"][0]["value"]), (&json!("alerts"), &json!(95.5)));
    assert_eq!(plain["subject"], "[critical firing] cpu is high on web_1");
    let slack = of(json!({ "kind": "slack", "webhook_url": url })).await.json();
    assert!(slack["text"].as_str().unwrap().starts_with("*[critical firing] cpu is high on web_1*\n"), "{slack}");
    assert!(slack["text"].as_str().unwrap().contains("Condition: &gt; 90 for 5m"), "{slack}");
    let discord = of(json!({ "kind": "discord", "webhook_url": url })).await.json();
    assert!(discord["content"].as_str().unwrap().contains("cpu is high on web\\_1"), "{discord}");
    let ntfy = of(json!({ "kind": "ntfy", "url": url, "token": "tk_hunter2" })).await;
    assert_eq!(ntfy.header("x-title"), Some("[critical firing] cpu is high on web_1"));
    assert_eq!((ntfy.header("x-priority"), ntfy.header("authorization")), (Some("5"), Some("Bearer tk_hunter2")));
    assert!(ntfy.body.contains("\nServer: web_1\n"), "{}", ntfy.body);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn telegram_gets_what_the_source_system_sent_and_the_text_alone_where_its_markup_is_broken() {
    let refused = r#"{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities"}"#;
    let unknown = r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#;
    let replies = [Reply::Status(200), Reply::With(400, refused), Reply::Status(200), Reply::With(400, unknown)];
    let receiver = Receiver::start(&replies).await;
    let api = receiver.url("");
    let (server, _) = start(&[("telegram.api", &api), ("telegram.bot_token", "123:hunter2")]).await;
    let to = add(&server, "me", json!({ "kind": "telegram", "chat_id": "42" })).await;
    let text = "🚨 *Alert for web_1*\n\nMetric: CPU\nCurrent Value: 95.3%\nThreshold: > 90.0%\n";
    for _ in 0..2 {
        tell(&server, to, json!({ "form": "telegram", "text": text })).await;
    }
    let got = receiver.after(3).await;
    assert!(got[0].head.starts_with("POST /bot123:hunter2/sendMessage HTTP/1.1\r\n"), "{}", got[0].head);
    assert_eq!(got[0].json(), json!({ "chat_id": "42", "text": text, "parse_mode": "Markdown" }));
    assert_eq!(got[1].body, got[0].body);
    assert_eq!(got[2].json(), json!({ "chat_id": "42", "text": text, "disable_web_page_preview": true }));
    let own = json!({ "kind": "telegram", "chat_id": "43", "bot_token": "9:own" });
    let own = add(&server, "own", own).await;
    tell(&server, own, told("resolved")).await;
    let got = receiver.after(4).await;
    assert!(got[3].head.starts_with("POST /bot9:own/sendMessage HTTP/1.1\r\n"), "{}", got[3].head);
    let notice = newest_is(&server, "failed", 1).await;
    assert_eq!(notice["last_error"], "127.0.0.1 answered 400: Bad Request: chat not found");
    server.stop().await.unwrap();
}
