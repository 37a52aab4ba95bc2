//! Samples put together: windows, groups, samples for a drawing, and what is refused.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::super::{assert_refused, body_of, metric, start, start_with};
use super::METRICS;
use crate::harness::TestServer;

/// Counters of two cores and a gauge, in the ten minutes before noon.
async fn with_samples() -> (TestServer, String) {
    let server = start().await;
    let id = server.register("server01").await;
    let at = |minute: u32, second: u32| format!("2025-11-20T11:{minute}:{second:02}Z");
    let core = |core: &str, value: f64, time: String| {
        let mut metric = metric("cpu", "ticks", value, &time);
        metric["labels"] = json!({ "core": core });
        metric
    };
    let metrics = json!([
        core("0", 10.0, at(50, 0)),
        core("0", 40.0, at(50, 59)),
        core("0", 70.0, at(51, 0)),
        core("0", 5.0, at(53, 30)),
        core("1", 1.0, at(50, 10)),
        core("1", 3.0, at(51, 10)),
        metric("ram", "used", 0.5, &at(52, 0)),
    ]);
    server.ingest(&id, &metrics).await;
    (server, id)
}

#[tokio::test]
async fn windows_of_each_series_are_answered_with_what_they_were_made_of() {
    let (server, id) = with_samples().await;
    let path = format!("{METRICS}?metric_type=cpu&label.core=0&from=2025-11-20T11:50:20Z&to=-5m&step=1m");
    let answer = server.get(&format!("{path}&agg=avg,count,increase,rate,p50")).await;
    let expected = json!({
        "series": [{
            "server_id": id, "metric_type": "cpu", "metric_name": "ticks", "labels": { "core": "0" },
            "points": [
                ["2025-11-20T11:50:00Z", 25, 2, 30, 0.5, 25],
                ["2025-11-20T11:51:00Z", 70, 1, 30, 0.5, 70],
                ["2025-11-20T11:53:00Z", 5, 1, 5, 5.0 / 60.0, 5],
            ],
        }],
        "agg": ["avg", "count", "increase", "rate", "p50"],
        "step_s": 60,
        "spans": [{ "from": "2025-11-20T11:50:00Z", "to": "2025-11-20T11:55:00Z", "tier": "raw", "resolution_s": 0,
            "complete": true }],
    });
    assert_eq!(body_of(&answer, StatusCode::OK), expected);
    let lines = server.get(&format!("{path}&agg=max&format=ndjson&fill=previous")).await;
    let lines: Vec<&str> = lines.text().lines().collect();
    let filled: Value = serde_json::from_str(lines[0]).unwrap();
    let values: Vec<u64> =
        filled["points"].as_array().unwrap().iter().map(|point| point[1].as_u64().unwrap()).collect();
    assert_eq!(values, [40, 70, 70, 5, 5]);
    assert!(lines[1].starts_with(r#"{"agg":["max"],"step_s":60,"spans":[{"#), "{}", lines[1]);
    let table = server.get(&format!("{path}&agg=min,max&format=csv&fill=null")).await;
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(table.header("x-spans").is_some_and(|spans| spans.starts_with("[{\"from\":")));
    let rows: Vec<&str> = table.text().lines().collect();
    assert_eq!(rows[0], "server_id,metric_type,metric_name,labels,timestamp,min,max");
    let head = format!("{id},cpu,ticks,\"{{\"\"core\"\":\"\"0\"\"}}\"");
    assert_eq!(rows[1], format!("{head},2025-11-20T11:50:00Z,10,40"));
    assert_eq!(rows[3], format!("{head},2025-11-20T11:52:00Z,,"), "null is an empty field");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn groups_have_what_their_series_have_in_common_and_average_over_every_sample() {
    let (server, id) = with_samples().await;
    let answer =
        server.get(&format!("{METRICS}?from=-1h&step=1h&agg=avg,sum,increase&group_by=server,metric_type")).await;
    let answer = body_of(&answer, StatusCode::OK);
    let mut groups = answer["series"].as_array().unwrap().clone();
    groups.sort_by_key(ToString::to_string);
    let group = |metric_type: &str, values: [f64; 3]| {
        let mut point = vec![Value::from("2025-11-20T11:00:00Z")];
        point.extend(values.map(|value| if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }));
        json!({ "server_id": id, "metric_type": metric_type, "labels": {}, "points": [point] })
    };
    assert_eq!(groups, [group("cpu", [21.5, 129.0, 67.0]), group("ram", [0.5, 0.5, 0.0])]);
    let by_label = server.get(&format!("{METRICS}?from=-1h&step=1h&agg=count&group_by=label.core")).await.json();
    let labels: Vec<String> =
        by_label["series"].as_array().unwrap().iter().map(|group| group["labels"].to_string()).collect();
    assert_eq!(labels, ["{}", r#"{"core":"0"}"#, r#"{"core":"1"}"#], "one without the label is in a group of its own");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_drawing_keeps_the_least_and_the_greatest_of_each_stretch() {
    let server = start().await;
    let id = server.register("server01").await;
    let time = |second: usize| format!("2025-11-20T11:{:02}:{:02}Z", second / 60, second % 60);
    let value = |second: usize| (second * 37 % 101) as f64 + if second == 777 { 1_000.0 } else { 0.0 };
    let metrics: Vec<Value> = (0..1_000).map(|second| metric("cpu", "usage", value(second), &time(second))).collect();
    server.ingest(&id, &metrics.into()).await;
    let path = format!("{METRICS}?from=2025-11-20T11:00:00Z&to={}", time(999));
    let answer = body_of(&server.get(&format!("{path}&max_points=100")).await, StatusCode::OK);
    assert_eq!((&answer["agg"], &answer["step_s"]), (&json!(["value"]), &Value::Null));
    let points = answer["series"][0]["points"].as_array().unwrap();
    assert_eq!(points.len(), 100);
    assert!(points.contains(&json!([time(777), value(777) as u64])), "a single spike is seen");
    let all = body_of(&server.get(&format!("{path}&max_points=1000")).await, StatusCode::OK);
    assert_eq!(all["series"][0]["points"].as_array().unwrap().len(), 1_000, "both ends belong to it");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_question_beyond_a_limit_is_refused_by_its_name() {
    let server = start_with(&[("query.points_max", "100"), ("query.samples_max", "10000")]).await;
    let id = server.register("server01").await;
    let time =
        |sample: usize| format!("2025-11-20T11:{:02}:{:02}.{:03}Z", sample / 1_000 % 60, sample % 60, sample % 1_000);
    for portion in 0..11 {
        let samples = portion * 1_000..(portion + 1) * 1_000;
        let metrics: Vec<Value> = samples.map(|sample| metric("cpu", "usage", 1.0, &time(sample))).collect();
        server.ingest(&id, &metrics.into()).await;
    }
    let points = "the answer would have more than 100 points, ask for a longer step or a shorter range";
    let samples = "more than 10000 samples would be read, ask for fewer series or a shorter range";
    for (query, message) in [
        ("from=-1h&step=30s", points),
        ("from=2025-11-20T11:04:00Z&to=2025-11-20T11:05:00Z&max_points=200", points),
        ("from=-1h&step=1h", samples),
    ] {
        let answer = server.get(&format!("{METRICS}?{query}")).await;
        assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, message);
    }
    let answer = server.get(&format!("{METRICS}?from=-1h&step=1m&resolution=1h")).await;
    assert_refused(&answer, StatusCode::BAD_REQUEST, "step 1m is not a multiple of resolution 1h");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn samples_too_may_be_asked_for_by_how_long_ago_they_were() {
    let (server, _) = with_samples().await;
    let answer = server.get(&format!("{METRICS}?from=-9m&to=now-8m&order=asc")).await;
    let answer = body_of(&answer, StatusCode::OK);
    let times: Vec<&str> =
        answer["metrics"].as_array().unwrap().iter().map(|row| row["timestamp"].as_str().unwrap()).collect();
    assert_eq!(times, ["2025-11-20T11:51:00Z", "2025-11-20T11:51:10Z", "2025-11-20T11:52:00Z"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stretch_that_is_longer_ago_than_data_are_kept_never_says_that_it_is_complete() {
    let (server, id) = with_samples().await;
    let path = format!("{METRICS}?server_id={id}&metric_type=cpu&from=2001-01-01T00:00:00Z&step=1d&agg=count");
    let answer = body_of(&server.get(&path).await, StatusCode::OK);
    let spans = answer["spans"].as_array().unwrap();
    let told: Vec<(&Value, bool)> = spans.iter().map(|span| (&span["complete"], span["reason"].is_string())).collect();
    assert_eq!(told, [(&json!(false), true), (&json!(true), false)], "{answer}");
    assert_eq!(spans[0]["to"], spans[1]["from"]);
    let kept_from = spans[1]["from"].as_str().unwrap();
    assert!(kept_from.starts_with("2020-11"), "five years of hours: {kept_from}");
    let thinned = server.get(&format!("{METRICS}?server_id={id}&from=2001-01-01T00:00:00Z&max_points=10")).await;
    assert_eq!(body_of(&thinned, StatusCode::OK)["spans"][0]["complete"], false);
    server.stop().await.unwrap();
}
