//! What a rule would have done, over what is stored of samples, minutes and hours.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::ManualClock;
use millrace::model::Resolution;
use serde_json::{Value, json};

use super::{NOW, ask, assert_refused, body_of, closed, column, now};
use crate::harness::agents::rfc3339;
use crate::harness::{TestDatabase, TestServer};
use crate::query::stored::{Levels, Samples, set_days_to};

const PREVIEW: &str = "/api/v1/alerts/preview";
const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

fn metric(name: &str, seconds_ago: i64, value: f64) -> Value {
    let timestamp = rfc3339(now().0 - seconds_ago * SECOND);
    json!({ "metric_type": "cpu", "metric_name": name, "value": value, "timestamp": timestamp })
}

fn over_90() -> Value {
    json!({ "metric_type": "cpu", "condition": { "op": "gt", "threshold": 90 } })
}

async fn open() -> TestServer {
    TestServer::start_with(&[], Arc::new(ManualClock::at(now()))).await
}

#[tokio::test]
async fn a_preview_says_when_each_series_would_have_fired_and_how_often_people_would_have_been_told() {
    let server = open().await;
    let id = server.register("web-1").await;
    let metrics = json!([
        metric("user", 100, 10.0),
        metric("user", 90, 95.5),
        metric("user", 80, 96.0),
        metric("user", 70, 1.0),
        metric("user", 20, 99.0),
        metric("idle", 50, 50.0),
    ]);
    server.ingest(&id, &metrics).await;
    let answer = body_of(&server.post(PREVIEW, &json!({ "definition": over_90() })).await, StatusCode::OK);
    let at = |seconds_ago: i64| rfc3339(now().0 - seconds_ago * SECOND);
    assert_eq!((&answer["from"], &answer["to"]), (&json!("2026-11-13T12:00:00Z"), &json!(NOW)));
    assert_eq!((&answer["fired"], &answer["told"]), (&json!(2), &json!(3)));
    let series = answer["series"].as_array().unwrap();
    let user = series.iter().find(|series| series["metric_name"] == "user").unwrap();
    assert_eq!(
        user["firings"],
        json!([
            { "fired_at": at(90), "value": 95.5, "resolved_at": at(70) },
            { "fired_at": at(20), "value": 99.0, "resolved_at": null },
        ])
    );
    assert_eq!((&user["server_id"], &user["labels"], &user["fired"]), (&json!(id), &json!({}), &json!(2)));
    let idle = series.iter().find(|series| series["metric_name"] == "idle").unwrap();
    assert_eq!((&idle["fired"], &idle["told"], &idle["firings"]), (&json!(0), &json!(0), &json!([])));
    let span = json!({ "from": answer["from"], "to": NOW, "resolution": "raw", "is_exact": true, "note": null });
    assert_eq!(answer["spans"], json!([span]));
    // What held before the range counts, and only what is within it is told.
    let mut definition = over_90();
    definition["for"] = json!("10s");
    let asked = json!({ "definition": definition, "from": at(85), "to": at(60) });
    let later = body_of(&server.post(PREVIEW, &asked).await, StatusCode::OK);
    let user = later["series"].as_array().unwrap().iter().find(|series| series["metric_name"] == "user").unwrap();
    assert_eq!(user["firings"], json!([{ "fired_at": at(80), "value": 96.0, "resolved_at": at(70) }]));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn where_samples_have_expired_the_worst_of_each_minute_or_hour_stands_for_them() {
    let database = TestDatabase::create().await;
    let server = TestServer::start_on(&database.config(), &[], Arc::new(ManualClock::at(now()))).await;
    let id = server.register("web-1").await;
    server.ingest(&id, &json!([metric("user", 10, 95.0)])).await;
    let levels = Levels::of(&database);
    let today = now().0 - 12 * HOUR;
    let (hour, minute) = (today - 48 * HOUR, today - 24 * HOUR);
    levels.make_month(hour).await;
    set_days_to(&database, today).await;
    let spikes = |start: i64| Samples::from([(start, 1.0), (start + 70 * SECOND, 99.0), (start + 80 * SECOND, 2.0)]);
    levels.add_rollups(1, &spikes(hour), Resolution::Hour).await;
    for resolution in [Resolution::Minute, Resolution::Hour] {
        levels.add_rollups(1, &spikes(minute), resolution).await;
    }
    let asked = json!({ "definition": over_90(), "from": rfc3339(hour - HOUR) });
    let answer = body_of(&server.post(PREVIEW, &asked).await, StatusCode::OK);
    assert_eq!(
        column(&answer["series"][0]["firings"], "fired_at"),
        [rfc3339(hour), rfc3339(minute + 60 * SECOND)].map(Value::from),
        "what is left of the second spike does not say that it was over, so it fires on to the sample of today"
    );
    assert_eq!(answer["series"][0]["firings"][0]["resolved_at"], rfc3339(minute), "the minute before the second");
    let spans = &answer["spans"];
    assert_eq!(column(spans, "resolution"), ["1h", "1m", "raw"]);
    assert_eq!(column(spans, "is_exact"), [false, false, true]);
    drop(database);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_preview_sees_no_further_than_who_asks_for_it() {
    let (server, callers) = closed().await;
    let (ann, editor) = (callers.user("ann", None).await, callers.user("edna", Some("editor")).await);
    let sender = callers.token(None, &["ingest"], &Default::default()).await;
    for (owner, name) in [(Some(ann), "laptop"), (None, "web-1")] {
        let host = callers.server(owner, name, None).await;
        let body = json!({ "server_id": host, "metrics": [metric("user", 10, 95.0)] });
        let sender = if owner.is_some() { callers.agent(host).await.1 } else { sender.clone() };
        assert_eq!(ask(&server, &sender, (Method::POST, "/api/v1/ingest"), body).await.status, 200, "{name}");
    }
    let series = async |token: &str, owner: Value| {
        let asked = json!({ "definition": over_90(), "owner": owner });
        let answer = body_of(&ask(&server, token, (Method::POST, PREVIEW), asked).await, StatusCode::OK);
        answer["series"].as_array().unwrap().len()
    };
    let (anns, ednas) = (callers.token_of(ann).await, callers.token_of(editor).await);
    let admins = callers.token_of(callers.user("adam", Some("admin")).await).await;
    for (token, expected) in [(&anns, [1, 0, 1]), (&ednas, [1, 1, 0]), (&admins, [2, 1, 0])] {
        for (owner, expected) in [Value::Null, json!("fleet"), json!("me")].into_iter().zip(expected) {
            assert_eq!(series(token, owner.clone()).await, expected, "{owner}");
        }
    }
    let refused = ask(&server, &sender, (Method::POST, PREVIEW), json!({ "definition": over_90() })).await;
    assert_eq!(refused.status, 403);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_previewed_is_refused_with_its_reason() {
    let server = open().await;
    let id = server.register("web-1").await;
    let many: Vec<Value> = (0..1_001).map(|number| metric(&format!("core-{number}"), 10, 1.0)).collect();
    server.ingest(&id, &many.into()).await;
    for (asked, code) in [
        (json!({}), "bad_body"),
        (json!({ "definition": { "condition": { "op": "over" } } }), "invalid_rule"),
        (json!({ "definition": { "metric_type": "\u{0}", "condition": { "op": "absent" } } }), "invalid_rule"),
        (json!({ "definition": over_90(), "from": "soon" }), "bad_parameter"),
        (json!({ "definition": over_90(), "from": "-1h", "to": "-1h" }), "bad_parameter"),
        (json!({ "definition": over_90(), "from": "-32d" }), "bad_parameter"),
        (json!({ "definition": over_90(), "owner": "bob" }), "invalid_owner"),
    ] {
        assert_refused(&server.post(PREVIEW, &asked).await, 400, code);
    }
    assert_refused(&server.post(PREVIEW, &json!({ "definition": over_90() })).await, 422, "too_many_series");
    let mut fewer = over_90();
    fewer["metric_name"] = json!("core-1*0");
    let answer = body_of(&server.post(PREVIEW, &json!({ "definition": fewer })).await, StatusCode::OK);
    assert_eq!(answer["series"].as_array().unwrap().len(), 12, "10, 100 to 190, 1000");
    server.stop().await.unwrap();
}
