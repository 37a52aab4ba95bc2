//! What happened: found, exported and thrown away.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{add_rule, ask, assert_refused, audited, body_of, closed, column, get, happened, hot};

const HISTORY: &str = "/api/v1/alerts/history";

#[tokio::test]
async fn history_is_told_in_either_order_page_by_page() {
    let (server, callers) = closed().await;
    let token = callers.token_of(callers.user("edna", Some("editor")).await).await;
    let host = callers.server(None, "web-1", None).await;
    let rule = add_rule(&server, &token, hot("cpu")).await;
    for seconds_ago in [7_200, 60, 60] {
        happened(&callers, None, &rule, Some(host), seconds_ago).await;
    }
    happened(&callers, None, &Value::Null, None, 0).await;
    callers
        .client
        .execute("UPDATE alert_events SET pack = 'fleet', change = 'resolved' WHERE id = 4", &[])
        .await
        .unwrap();
    let all = get(&server, &token, HISTORY).await;
    assert_eq!(column(&all["events"], "id"), [4, 3, 2, 1]);
    let expected = json!({
        "id": 1, "at": "2026-11-20T10:00:00Z", "change": "firing", "severity": "critical", "title": "hot, \"very\"",
        "owner": null, "rule": rule["id"], "rule_name": "cpu", "pack": null, "server_id": host, "hostname": "web-1",
        "series": null, "value": null, "sample_time": null, "details": { "a": 1 },
    });
    assert_eq!(all["events"][3], expected);
    for (query, ids) in [
        ("order=asc", vec![1, 2, 3, 4]),
        ("from=-1h", vec![4, 3, 2]),
        ("to=-1m", vec![3, 2, 1]),
        ("from=2026-11-20T10:00:00Z&to=2026-11-20T10:00:00Z", vec![1]),
        (&format!("rule={}", rule["id"]), vec![3, 2, 1]),
        (&format!("server_id={host}&severity=critical"), vec![3, 2, 1]),
        ("severity=info,warning", vec![]),
        ("change=resolved", vec![4]),
        ("pack=fleet,other", vec![4]),
    ] {
        assert_eq!(column(&get(&server, &token, &format!("{HISTORY}?{query}")).await["events"], "id"), ids, "{query}");
    }
    for (order, ids) in [("desc", [4, 3, 2, 1]), ("asc", [1, 2, 3, 4])] {
        let (mut met, mut cursor) = (Vec::new(), String::new());
        for _ in 0..4 {
            let page = get(&server, &token, &format!("{HISTORY}?limit=1&order={order}&cursor={cursor}")).await;
            met.extend(column(&page["events"], "id"));
            cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
        }
        assert_eq!((met, cursor.as_str()), (ids.map(Value::from).to_vec(), ""), "{order}");
    }
    for query in ["from=soon", "change=gone", "order=up", "format=xml", "cursor=9", "limit=0"] {
        let answer = ask(&server, &token, (Method::GET, &format!("{HISTORY}?{query}")), Value::Null).await;
        assert_refused(&answer, 400, "bad_parameter");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn lines_are_all_that_match_however_many() {
    let (server, callers) = closed().await;
    let token = callers.token_of(callers.user("edna", Some("editor")).await).await;
    let insert = "INSERT INTO alert_events (at, change, severity, title, value, details)
        SELECT '2026-11-20T12:00:00Z'::timestamptz - make_interval(secs => n), 'firing', 'info', 'n, \"' || n, n, '{}'
        FROM generate_series(1, 2001) AS n";
    callers.client.execute(insert, &[]).await.unwrap();
    let ndjson = ask(&server, &token, (Method::GET, &format!("{HISTORY}?format=ndjson")), Value::Null).await;
    assert_eq!(ndjson.header("content-type"), Some("application/x-ndjson"));
    let values: Vec<f64> = ndjson
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["value"].as_f64().unwrap())
        .collect();
    assert_eq!(values, (1..=2001).map(f64::from).collect::<Vec<_>>());
    let csv = ask(&server, &token, (Method::GET, &format!("{HISTORY}?format=csv&order=asc")), Value::Null).await;
    let lines: Vec<&str> = csv.text().lines().collect();
    assert_eq!(lines.len(), 2002);
    assert!(lines[0].starts_with("id,at,change,severity,title,rule,"), "{}", lines[0]);
    assert!(lines[1].contains(",firing,info,\"n, \"\"2001\",,,,,,,2001,"), "{}", lines[1]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn history_before_a_time_is_thrown_away_by_those_who_may_change_it() {
    let (server, callers) = closed().await;
    let (ann, viewer) = (callers.user("ann", None).await, callers.user("vera", Some("viewer")).await);
    let editor = callers.token_of(callers.user("edna", Some("editor")).await).await;
    for (owner, seconds_ago) in [(None, 7_200), (None, 60), (Some(ann), 7_200)] {
        happened(&callers, owner, &Value::Null, None, seconds_ago).await;
    }
    let erase = format!("{HISTORY}?before=-1h");
    let refused = ask(&server, &callers.token_of(viewer).await, (Method::DELETE, &erase), Value::Null).await;
    assert_eq!(refused.status, 403);
    let answer = ask(&server, &editor, (Method::DELETE, &erase), Value::Null).await;
    assert_eq!(body_of(&answer, StatusCode::OK), json!({ "deleted": 1, "is_all": true }));
    let anns = callers.token_of(ann).await;
    assert_eq!(column(&get(&server, &anns, HISTORY).await["events"], "id"), [3], "a person's own stays");
    for query in ["", "?before=", "?before=soon"] {
        let answer = ask(&server, &editor, (Method::DELETE, &format!("{HISTORY}{query}")), Value::Null).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    let answer = ask(&server, &anns, (Method::DELETE, &erase), Value::Null).await;
    assert_eq!(body_of(&answer, StatusCode::OK)["deleted"], 1);
    assert_eq!(column(&get(&server, &editor, HISTORY).await["events"], "id"), [2]);
    assert_eq!(audited(&callers).await, ["alert.history.erase"; 2]);
    server.stop().await.unwrap();
}
