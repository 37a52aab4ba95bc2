//! Items that are refused alone, each for its own reason and in its own words.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::super::{NOW, body_of, metric};
use super::{INGEST, start_with_one};
use crate::harness::TestServer;

/// Sends one good item, the item `text` and another good one, and asserts that only the one in the middle is refused.
async fn check(server: &TestServer, id: &str, text: &str, code: &str, message: &str) {
    let good = metric("cpu", "usage", 1.0, NOW);
    let document = format!(r#"{{"metrics":[{good},{text},{good}],"server_id":"{id}"}}"#);
    let answer = body_of(&server.post_text(INGEST, &document).await, StatusCode::OK);
    assert_eq!(answer["errors"], json!([{ "index": 1, "code": code, "message": message }]), "{text}");
    assert_eq!((&answer["inserted"], &answer["failed"]), (&json!(2), &json!(1)), "{text}");
}

/// An item whose fields are those of a good one, with these instead.
fn item(fields: &str) -> String {
    let mut members = String::new();
    for (name, text) in [
        ("metric_type", r#""cpu""#),
        ("metric_name", r#""usage""#),
        ("value", "1"),
        ("timestamp", r#""2025-11-20T10:00:00Z""#),
    ] {
        if !fields.contains(&format!("\"{name}\":")) {
            members.push_str(&format!("\"{name}\":{text},"));
        }
    }
    format!("{{{members}{fields}}}")
}

#[tokio::test]
async fn fields_that_are_missing_twice_or_of_the_wrong_type() {
    let (server, id) = start_with_one().await;
    for (fields, code, message) in [
        (r#""value":null"#, "missing_field", "value is required"),
        (r#""timestamp":null"#, "missing_field", "timestamp is required"),
        (r#""metric_type":null"#, "missing_field", "metric_type is required"),
        (r#""metric_name":"""#, "invalid_text", "metric_name is empty"),
        (r#""value":"45.2""#, "invalid_type", "value must be a number, got a string"),
        (r#""value":true"#, "invalid_type", "value must be a number, got a boolean"),
        (r#""metric_name":7"#, "invalid_type", "metric_name must be a string, got a number"),
        (r#""timestamp":1763632800"#, "invalid_type", "timestamp must be a string, got a number"),
        (r#""labels":["a"]"#, "invalid_labels", "labels must be an object, got an array"),
        (r#""labels":{"a":1}"#, "invalid_labels", "label \"a\" must be a string, got a number"),
        (r#""labels":{"a":"1","a":"2"}"#, "invalid_labels", "label \"a\" appears twice"),
        (r#""value":1,"value":2"#, "duplicate_field", "value appears twice"),
        (r#""server_id":"server01""#, "invalid_server_id", "server_id must be a UUID, got \"server01\""),
    ] {
        check(&server, &id, &item(fields), code, message).await;
    }
    check(&server, &id, "{}", "missing_field", "metric_type is required").await;
    for (text, kind) in [("7", "a number"), ("null", "null"), ("[]", "an array"), ("\"cpu\"", "a string")] {
        check(&server, &id, text, "invalid_type", &format!("an item must be an object, got {kind}")).await;
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn numbers_that_no_float_can_hold() {
    let (server, id) = start_with_one().await;
    for token in ["NaN", "Infinity", "-Infinity", "nan", "-inf"] {
        let message = format!("value must be finite, got {token}");
        check(&server, &id, &item(&format!("\"value\":{token}")), "not_finite", &message).await;
    }
    for number in ["1e400", "-1e400"] {
        let message = format!("value {number} is too large for a 64-bit float");
        check(&server, &id, &item(&format!("\"value\":{number}")), "number_out_of_range", &message).await;
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn texts_that_cannot_be_stored() {
    let (server, id) = start_with_one().await;
    let long = "x".repeat(100_000);
    let labels: Vec<String> = (0..65).map(|number| format!("\"{number}\":\"\"")).collect();
    for (fields, code, message) in [
        (
            format!("\"metric_name\":\"{long}\""),
            "invalid_text",
            "metric_name is 100000 bytes long, at most 256 are allowed",
        ),
        (
            format!("\"labels\":{{\"{long}\":\"\"}}"),
            "invalid_text",
            "label name is 100000 bytes long, at most 128 are allowed",
        ),
        (
            format!("\"labels\":{{\"a\":\"{long}\"}}"),
            "invalid_text",
            "label value is 100000 bytes long, at most 1024 are allowed",
        ),
        (format!("\"labels\":{{{}}}", labels.join(",")), "invalid_labels", "65 labels, at most 64 are allowed"),
        (r#""metric_type":"a\u0000""#.into(), "invalid_text", "metric_type holds a NUL character"),
        (r#""metric_type":"\ud800""#.into(), "invalid_text", "metric_type holds a lone surrogate"),
        (r#""labels":{"":"a"}"#.into(), "invalid_text", "label name is empty"),
    ] {
        check(&server, &id, &item(&fields), code, message).await;
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn times_outside_the_window_name_its_ends() {
    let (server, id) = start_with_one().await;
    let too_old = "timestamp is before 2020-11-20T12:00:00Z, the oldest one accepted now";
    let too_new = "timestamp is after 2025-11-20T13:00:00Z, the newest one accepted now";
    for (time, code, message) in [
        ("1970-01-01T00:00:00Z", "too_old", too_old),
        ("2020-11-20T11:59:59.999999Z", "too_old", too_old),
        ("2025-11-20T13:00:00.000001Z", "too_far_in_future", too_new),
        ("2025-11-20T12:00:00-05:00", "too_far_in_future", too_new),
        ("9999-12-31T23:59:59Z", "too_far_in_future", too_new),
    ] {
        check(&server, &id, &item(&format!("\"timestamp\":\"{time}\"")), code, message).await;
    }
    let ends = json!([
        metric("cpu", "usage", 1.0, "2020-11-20T12:00:00Z"),
        metric("cpu", "usage", 1.0, "2025-11-20T13:00:00Z"),
        metric("cpu", "usage", 1.0, "2025-11-20T18:00:00+05:00"),
    ]);
    assert_eq!(server.ingest(&id, &ends).await["inserted"], 3, "both ends are inside");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn times_that_are_not_rfc_3339_are_shown_back() {
    let (server, id) = start_with_one().await;
    for time in ["", "2025-11-20", "2025-11-20T10:00:00", "2025-02-30T10:00:00Z", "2025-11-20T24:00:00Z", "now"] {
        let message = format!("timestamp must be RFC 3339, got \"{time}\"");
        check(&server, &id, &item(&format!("\"timestamp\":\"{time}\"")), "invalid_timestamp", &message).await;
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_unusual_but_right_is_taken() {
    let (server, id) = start_with_one().await;
    for fields in [
        r#""labels":null"#,
        r#""labels":{}"#,
        r#""labels":{"a":null}"#,
        r#""later":{"deep":[[[{}]]]}"#,
        r#""value":-0.0"#,
        r#""value":1e-400"#,
        r#""value":123456789012345678901234567890"#,
        r#""metric_name":"Füllstand 😀 \u00e9""#,
        r#""timestamp":"2025-11-20 10:00:00.123456789+01:30""#,
        r#""server_id":"""#,
        r#""server_id":null"#,
    ] {
        let document = format!(r#"{{"server_id":"{id}","metrics":[{}]}}"#, item(fields));
        let answer: Value = body_of(&server.post_text(INGEST, &document).await, StatusCode::OK);
        assert_eq!(answer["inserted"], 1, "{fields}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_item_without_any_server_is_told_so() {
    let (server, id) = start_with_one().await;
    let items =
        json!([metric("cpu", "usage", 1.0, NOW), super::with(metric("cpu", "usage", 1.0, NOW), "server_id", &id)]);
    let answer = body_of(&server.post(INGEST, &json!({ "metrics": items })).await, StatusCode::OK);
    let message = "server_id is required, in the item or beside metrics";
    assert_eq!(answer["errors"], json!([{ "index": 0, "code": "missing_field", "message": message }]));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn series_beyond_the_limit_are_refused_and_known_ones_are_not() {
    let server = super::super::start_with(&[("catalog.series_per_server_max", "2")]).await;
    let id = server.register("server01").await;
    let items: Vec<Value> = ["a", "b", "c"].map(|name| metric("cpu", name, 1.0, NOW)).into();
    for _ in 0..2 {
        let answer = server.ingest(&id, &items.clone().into()).await;
        let message = format!("server {id} has 2 series, no more are allowed");
        assert_eq!(answer["errors"], json!([{ "index": 2, "code": "too_many_series", "message": message }]));
        assert_eq!(answer["inserted"], 2);
    }
    server.stop().await.unwrap();
}
