//! What is pending and what fires, and saying that one knows of it.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOW, add_rule, ask, assert_refused, audited, body_of, closed, column, get, hot, revision, stand};

const ALERTS: &str = "/api/v1/alerts";

#[tokio::test]
async fn what_stands_is_found_by_rule_server_severity_and_phase() {
    let (server, callers) = closed().await;
    let token = callers.token_of(callers.user("edna", Some("editor")).await).await;
    let (one, two) = (callers.server(None, "web-1", None).await, callers.server(None, "web-2", None).await);
    let series = "INSERT INTO series (server, metric_type, metric_name, labels, identity)
        SELECT key, 'cpu', 'usage', '{\"core\":\"0\"}', '\\x00' FROM servers WHERE id = $1 RETURNING id";
    let series: i32 = callers.client.query_one(series, &[&one]).await.unwrap().get(0);
    let mut critical = hot("critical");
    critical["severity"] = json!("critical");
    let rules = [add_rule(&server, &token, critical).await, add_rule(&server, &token, hot("warning")).await];
    stand(&callers, &rules[0], one, (series, "firing")).await;
    stand(&callers, &rules[0], two, (series + 1, "pending")).await;
    stand(&callers, &rules[1], one, (series, "acknowledged")).await;
    stand(&callers, &rules[1], two, (series + 1, "resolved")).await;
    let all = get(&server, &token, ALERTS).await;
    assert_eq!(column(&all["alerts"], "phase"), ["firing", "pending", "acknowledged"], "what is over is history");
    let expected = json!({
        "rule": rules[0]["id"], "rule_name": "critical", "owner": null, "severity": "critical", "series": series,
        "server_id": one, "hostname": "web-1", "metric_type": "cpu", "metric_name": "usage", "labels": { "core": "0" },
        "phase": "firing", "since": NOW, "value": 95.5, "fired_at": NOW, "told_at": null, "acknowledged_by": null,
        "updated_at": NOW,
    });
    assert_eq!(all["alerts"][0], expected);
    assert_eq!(all["alerts"][1]["metric_type"], Value::Null, "a series that is gone has no name");
    for (query, phases) in [
        (format!("rule={}", rules[1]["id"]), vec!["acknowledged"]),
        (format!("server_id={two}"), vec!["pending"]),
        (format!("server_id={one},{two}&severity=warning,info"), vec!["acknowledged"]),
        ("phase=resolved,pending".to_owned(), vec!["pending", "resolved"]),
    ] {
        let found = get(&server, &token, &format!("{ALERTS}?{query}")).await;
        assert_eq!(column(&found["alerts"], "phase"), phases, "{query}");
    }
    let page = get(&server, &token, &format!("{ALERTS}?limit=2")).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = get(&server, &token, &format!("{ALERTS}?limit=2&cursor={cursor}")).await;
    assert_eq!((column(&rest["alerts"], "phase"), &rest["next_cursor"]), (vec![json!("acknowledged")], &Value::Null));
    for query in ["phase=hot", "severity=bad", "rule=x", "server_id=x", "cursor=1", "cursor=a.b", "limit=x"] {
        let answer = ask(&server, &token, (Method::GET, &format!("{ALERTS}?{query}")), Value::Null).await;
        assert_refused(&answer, 400, "bad_parameter");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_fires_is_acknowledged_once_with_a_note_that_history_keeps() {
    let (server, callers) = closed().await;
    let token = callers.token_of(callers.user("edna", Some("editor")).await).await;
    let host = callers.server(None, "web-1", None).await;
    let rule = add_rule(&server, &token, hot("cpu")).await;
    stand(&callers, &rule, host, (7, "firing")).await;
    stand(&callers, &rule, host, (8, "pending")).await;
    let path = |series: i64| format!("{ALERTS}/{}/{series}/acknowledge", rule["id"]);
    let before = revision(&callers).await;
    let note = json!({ "note": "on it" });
    let answer = ask(&server, &token, (Method::POST, &path(7)), note.clone()).await;
    let acknowledged = body_of(&answer, StatusCode::OK);
    assert_eq!(acknowledged["phase"], "acknowledged");
    let by = acknowledged["acknowledged_by"].as_str().unwrap();
    assert!(by.starts_with("token "), "{by}");
    for (series, status, code) in
        [(7, 409, "not_firing"), (8, 409, "not_firing"), (9, 404, "not_found"), (1 << 40, 404, "not_found")]
    {
        assert_refused(&ask(&server, &token, (Method::POST, &path(series)), Value::Null).await, status, code);
    }
    let long = json!({ "note": "x".repeat(4_097) });
    assert_refused(&ask(&server, &token, (Method::POST, &path(7)), long).await, 400, "invalid_text");
    let history = get(&server, &token, "/api/v1/alerts/history").await;
    let event = &history["events"][0];
    assert_eq!((&event["change"], &event["at"], &event["series"]), (&json!("acknowledged"), &json!(NOW), &json!(7)));
    assert_eq!(event["details"], json!({ "by": by, "note": "on it" }));
    assert_eq!(history["events"].as_array().unwrap().len(), 1, "what was refused did not happen");
    assert_eq!(revision(&callers).await, before + 1);
    assert_eq!(audited(&callers).await, ["alert.rule.create", "alert.acknowledge"]);
    server.stop().await.unwrap();
}
