//! What mail servers get, and what happens when they do not take it.

use serde_json::{Value, json};

use super::mail_server::MailServer;
use super::{RECIPIENTS, add, move_on, newest_is, start, tell, worded};

const FROM: &str = "Millrace <alerts@example.org>";

fn target() -> Value {
    json!({ "kind": "email", "to": ["ann@example.org", "Bob <bob@example.org>"] })
}

fn firing() -> Value {
    json!({ "form": "alerts", "alerts": [{
        "change": "firing", "rule_id": 7, "rule": "hot", "severity": "critical", "title": "cpu is high: 95 > 90",
        "server_id": null, "hostname": "web-1", "metric_type": "cpu", "metric_name": "usage", "labels": {},
        "value": 95.0, "condition": "> 90", "at": "2026-11-20T10:00:00Z", "notes": "",
    }] })
}

#[tokio::test]
async fn an_email_goes_out_secured_and_signed_in_with_a_text_and_an_html_part() {
    let mail_server = MailServer::start(&[]).await;
    let (port, ca) = (mail_server.port.to_string(), mail_server.certificate().display().to_string());
    let settings = [
        ("smtp.host", "localhost"),
        ("smtp.port", port.as_str()),
        ("smtp.user", "ann"),
        ("smtp.password", "hunter2"),
        ("smtp.from", FROM),
        ("smtp.security", "starttls"),
        ("alerts.ca", ca.as_str()),
    ];
    let (server, _) = start(&settings).await;
    let to = add(&server, "us", target()).await;
    tell(&server, to, firing()).await;
    let mail = mail_server.after(1).await.remove(0);
    assert!(mail.is_secured);
    assert_eq!(mail.signed_in, Some(("ann".to_owned(), "hunter2".to_owned())));
    assert_eq!(
        (mail.from.as_str(), mail.to),
        ("alerts@example.org", vec!["ann@example.org".into(), "bob@example.org".into()])
    );
    for expected in [
        "From: Millrace <alerts@example.org>\n",
        "To: ann@example.org, Bob <bob@example.org>\n",
        "Subject: [critical firing] cpu is high: 95 > 90\n",
        "Message-ID: <millrace.notice.",
        "Auto-Submitted: auto-generated\n",
        "Content-Type: multipart/alternative;",
        "Content-Type: text/plain; charset=utf-8\n",
        "Content-Type: text/html; charset=utf-8\n",
        "\nServer: web-1\n",
        "cpu is high: 95 &gt; 90<br>",
    ] {
        assert!(mail.text.contains(expected), "{expected} in {}", mail.text);
    }
    newest_is(&server, "delivered", 1).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_mail_server_that_is_not_trusted_gets_neither_password_nor_text() {
    let mail_server = MailServer::start(&[]).await;
    let port = mail_server.port.to_string();
    let settings = [
        ("smtp.host", "localhost"),
        ("smtp.port", port.as_str()),
        ("smtp.user", "ann"),
        ("smtp.password", "hunter2"),
        ("smtp.from", FROM),
        ("smtp.security", "starttls"),
    ];
    let (server, _) = start(&settings).await;
    let to = add(&server, "us", target()).await;
    let tried = server.post(&format!("{RECIPIENTS}/{to}/test"), &json!({})).await.json();
    assert_eq!(tried["delivered"], false, "{tried}");
    assert!(tried["error"].as_str().unwrap().starts_with("the mail server: "), "{tried}");
    assert_eq!(mail_server.got(), 0);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_mail_server_cannot_take_now_is_tried_again_and_what_it_never_takes_is_given_up() {
    let mail_server = MailServer::start(&["550 no such mailbox", "451 come back later"]).await;
    let port = mail_server.port.to_string();
    let settings = [("smtp.host", "localhost"), ("smtp.port", port.as_str()), ("smtp.from", FROM)];
    let (server, clock) = start(&settings).await;
    let to = add(&server, "us", json!({ "kind": "email", "to": ["ann@example.org"] })).await;
    tell(&server, to, worded("Low disk")).await;
    let notice = newest_is(&server, "waiting", 1).await;
    assert!(notice["last_error"].as_str().unwrap().contains("come back later"), "{notice}");
    move_on(&clock, 6);
    let notice = newest_is(&server, "failed", 2).await;
    assert!(notice["last_error"].as_str().unwrap().contains("no such mailbox"), "{notice}");
    tell(&server, to, worded("Low disk")).await;
    let mail = mail_server.after(1).await.remove(0);
    assert!(!mail.is_secured && mail.signed_in.is_none(), "to this machine itself");
    assert!(mail.text.contains("Subject: Low disk\n"), "{}", mail.text);
    assert!(mail.text.trim_end().ends_with("\n\n{\n  \"a\": 1\n}"), "{}", mail.text);
    assert!(!mail.text.contains("text/html"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn without_a_mail_server_that_is_told() {
    let (server, _) = start(&[]).await;
    let to = add(&server, "us", target()).await;
    let tried = server.post(&format!("{RECIPIENTS}/{to}/test"), &json!({})).await.json();
    assert_eq!(tried, json!({ "delivered": false, "error": "no mail server is set up (SMTP_HOST)" }));
    server.stop().await.unwrap();
}
