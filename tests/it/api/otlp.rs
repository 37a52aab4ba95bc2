//! OpenTelemetry over HTTP, in both forms: what is stored, and what is told.

use std::io::Write;

use hyper::Method;
use serde_json::{Value, json};

use super::influx::stored;
use super::{NOW, start, start_with};
use crate::harness::TestServer;
use crate::harness::server::Answer;

/// [`super::NOW`] in nanoseconds.
const NOW_NS: u64 = 1_763_640_000_000_000_000;
const PATHS: [&str; 4] = ["/v1/metrics", "/api/v1/otlp/v1/metrics", "/otlp/v1/metrics", "/opentelemetry/v1/metrics"];

/// A field of a length, as the published definitions number it.
fn part(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    assert!(length < 1 << 14);
    let length = [(length & 0x7f) as u8 | 0x80, (length >> 7) as u8];
    [&[number << 3 | 2][..], &length, bytes].concat()
}

fn fixed(number: u8, bits: u64) -> Vec<u8> {
    [&[number << 3 | 1], bits.to_le_bytes().as_slice()].concat()
}

fn attribute(name: &str, value: &str) -> Vec<u8> {
    [part(1, name.as_bytes()), part(2, &part(1, value.as_bytes()))].concat()
}

/// A request of one gauge with these values, each at its own time.
fn protobuf(host: &str, name: &str, values: &[f64]) -> Vec<u8> {
    let point = |(place, value): (usize, &f64)| {
        part(1, &[fixed(3, NOW_NS - place as u64 * 1_000_000), fixed(4, value.to_bits())].concat())
    };
    let points: Vec<u8> = values.iter().enumerate().flat_map(point).collect();
    let metric = [part(1, name.as_bytes()), part(5, &points)].concat();
    let resource = part(1, &part(1, &attribute("host.name", host)));
    part(1, &[resource, part(2, &part(2, &metric))].concat())
}

fn json_request(host: &str, metrics: Value) -> Value {
    let host = json!({ "key": "host.name", "value": { "stringValue": host } });
    json!({ "resourceMetrics": [{ "resource": { "attributes": [host] }, "scopeMetrics": [{ "metrics": metrics }] }] })
}

fn gauge(name: &str, point: Value) -> Value {
    let mut point = point;
    point["timeUnixNano"] = NOW_NS.to_string().into();
    json!({ "name": name, "gauge": { "dataPoints": [point] } })
}

async fn send(server: &TestServer, path: &str, body: &[u8]) -> Answer {
    server.send(Method::POST, path, &[("content-type", "application/x-protobuf")], body).await
}

#[tokio::test]
async fn every_path_takes_both_forms_and_gzip_and_answers_in_the_form_it_was_asked() {
    let server = start().await;
    for (place, path) in PATHS.into_iter().enumerate() {
        let answer = send(&server, path, &protobuf("a", &format!("p{place}"), &[1.5])).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0), "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/x-protobuf"));
        assert_eq!(answer.header("x-millrace-accepted"), Some("1"));
        let body = json_request("a", json!([gauge(&format!("j{place}"), json!({ "asInt": "2" }))])).to_string();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(body.as_bytes()).unwrap();
        let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
        let answer = server.send(Method::POST, path, &headers, &gzip.finish().unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({})));
    }
    let of = |form: char, value: u8| (0..4).map(move |place| format!("gauge {form}{place} {{}} {value} {NOW}"));
    let expected: Vec<String> =
        of('j', 2).chain((0..4).map(|place| format!("gauge p{place} {{}} 1.5 {NOW}"))).collect();
    assert_eq!(stored(&server, "a").await, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn every_kind_is_stored_as_it_is_documented() {
    let server = start().await;
    let point = |fields: Value| {
        let mut point = fields;
        point["timeUnixNano"] = NOW_NS.to_string().into();
        point["attributes"] = json!([{ "key": "core", "value": { "intValue": "0" } }]);
        json!([point])
    };
    let sum = |temporality: u8, monotonic: bool| json!({ "dataPoints": point(json!({ "asDouble": 2.5 })), "aggregationTemporality": temporality, "isMonotonic": monotonic });
    let histogram = json!({ "count": "3", "sum": 4.5, "bucketCounts": ["1", "2"], "explicitBounds": [0.5] });
    let exponential =
        json!({ "count": "3", "scale": 0, "zeroCount": "1", "positive": { "offset": 0, "bucketCounts": ["2"] } });
    let summary = json!({ "count": "3", "sum": 4.5, "quantileValues": [{ "quantile": 0.5, "value": 1.25 }] });
    let metrics = json!([
        { "name": "total", "sum": sum(2, true) }, { "name": "level", "sum": sum(2, false) },
        { "name": "added", "sum": sum(1, true) },
        { "name": "size", "histogram": { "dataPoints": point(histogram), "aggregationTemporality": 2 } },
        { "name": "time", "exponentialHistogram": { "dataPoints": point(exponential), "aggregationTemporality": 1 } },
        { "name": "old", "summary": { "dataPoints": point(summary) } },
    ]);
    // Twice: the first time the series are made, the second time they are found.
    for _ in 0..2 {
        let answer = server.post("/v1/metrics", &json_request("a", metrics.clone())).await;
        assert_eq!(answer.header("x-millrace-accepted"), Some("14"), "{answer:?}");
    }
    let core = r#"{"core":"0"}"#;
    let of = |rest: &str, label: &str, value: &str| {
        format!(
            "{rest} {} {value} {NOW}",
            if label.is_empty() { core.to_owned() } else { format!(r#"{{"core":"0",{label}}}"#) }
        )
    };
    let mut expected = vec![
        of("counter total", "", "2.5"),
        of("sum level", "", "2.5"),
        of("delta added", "", "2.5"),
        of("histogram size_bucket", r#""le":"0.5""#, "1"),
        of("histogram size_bucket", r#""le":"+Inf""#, "3"),
        of("histogram size_count", "", "3"),
        of("histogram size_sum", "", "4.5"),
        of("delta_histogram time_bucket", r#""le":"0""#, "1"),
        of("delta_histogram time_bucket", r#""le":"2""#, "3"),
        of("delta_histogram time_bucket", r#""le":"+Inf""#, "3"),
        of("delta_histogram time_count", "", "3"),
        of("summary old", r#""quantile":"0.5""#, "1.25"),
        of("summary old_count", "", "3"),
        of("summary old_sum", "", "4.5"),
    ];
    expected.sort();
    assert_eq!(stored(&server, "a").await, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn every_float_of_a_data_point_comes_back_bit_for_bit() {
    let server = start().await;
    let values = [0.1, -0.0, 5e-324, f64::MAX, 1.0 / 3.0, 123_456_789.123_456_78, -2.5e-7];
    for _ in 0..2 {
        assert_eq!(send(&server, "/v1/metrics", &protobuf("a", "m", &values)).await.status, 200);
    }
    let text = server.get("/api/v1/metrics?metric_type=gauge").await.text().to_owned();
    let number = |rest: &str| rest.split([',', '}']).next().unwrap().parse::<f64>().unwrap().to_bits();
    let found: Vec<u64> = text.split("\"value\":").skip(1).map(number).collect();
    assert_eq!(found, values.map(f64::to_bits), "newest first");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn refused_points_are_told_in_the_form_of_the_request_and_their_neighbours_are_stored() {
    let server = start().await;
    let metrics = json!([
        gauge("good", json!({ "asInt": 1 })), gauge("huge", json!({ "asInt": "9007199254740993" })),
        gauge("none", json!({ "flags": 1 })),
        { "name": "old", "histogram": { "aggregationTemporality": 2, "dataPoints": [
            { "timeUnixNano": "1000000", "count": 2, "bucketCounts": [1, 1], "explicitBounds": [1] }] } },
    ]);
    let answer = server.post("/v1/metrics", &json_request("a", metrics)).await;
    let told = answer.json()["partialSuccess"].clone();
    assert_eq!(
        (answer.status.as_u16(), &told["rejectedDataPoints"]),
        (200, &json!("2")),
        "one item, however many samples"
    );
    let message = told["errorMessage"].as_str().unwrap();
    let huge =
        "data point 1: huge: integer 9007199254740993 is beyond 2^53, a 64-bit float would make another number of it; ";
    assert!(message.starts_with(huge) && message.contains("data point 3: timestamp is before"), "{message}");
    let headers = ["x-millrace-accepted", "x-millrace-rejected", "x-millrace-left-out"].map(|name| answer.header(name));
    assert_eq!(headers, [Some("1"), Some("2"), Some("1")]);
    assert_eq!(stored(&server, "a").await, [format!("gauge good {{}} 1 {NOW}")]);

    let answer = send(&server, "/v1/metrics", &protobuf("a", "m", &[1.0, f64::NAN])).await;
    let message = b"data point 1: m: the value must be finite, got NaN";
    assert_eq!(answer.status, 200);
    assert!(answer.body.ends_with(message) && answer.body.starts_with(&[1 << 3 | 2]), "{answer:?}");
    assert!(answer.body.windows(2).any(|pair| pair == [1 << 3, 1]), "one is rejected: {:?}", answer.body);

    let nothing = send(&server, "/v1/metrics", &protobuf("a", "m", &[f64::NAN])).await;
    assert_eq!((nothing.status.as_u16(), nothing.header("content-type")), (400, Some("application/x-protobuf")));
    assert!(nothing.body.starts_with(&[1 << 3, 3, 2 << 3 | 2]), "a status of invalid argument: {nothing:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_otlp_is_refused_whole_with_a_status() {
    let server = start_with(&[("http.inflated_bytes_max", "4MiB"), ("http.body_bytes_max", "2MiB")]).await;
    let cut = protobuf("a", "m", &[1.0]);
    let cut = send(&server, "/v1/metrics", &cut[..cut.len() - 1]).await;
    assert_eq!(cut.status, 400);
    assert!(String::from_utf8_lossy(&cut.body).contains("a field runs past the end of its message"), "{cut:?}");
    let deep = format!(r#"{{"resourceMetrics":{}"#, "[".repeat(100_000));
    let deep = server.post_text("/v1/metrics", &deep).await;
    assert_eq!((deep.status.as_u16(), &deep.json()["code"]), (400, &json!(3)));
    let text = server.send(Method::POST, "/v1/metrics", &[("content-type", "text/plain")], b"m 1").await;
    assert_eq!((text.status.as_u16(), &text.json()["code"]), (415, &json!(3)));
    let unfolding = protobuf_of_long_resource(3_000);
    let unfolding = send(&server, "/v1/metrics", &unfolding).await;
    assert_eq!(unfolding.status, 413, "{unfolding:?}");
    let traces = server.post("/v1/traces", &json!({})).await;
    assert_eq!((traces.status.as_u16(), &traces.json()["code"]), (404, &json!(5)));
    let get = server.get("/v1/metrics").await;
    assert_eq!((get.status.as_u16(), &get.json()["code"]), (405, &json!(12)));
    server.stop().await.unwrap();
}

/// Points of next to nothing that all have the labels of one long resource.
fn protobuf_of_long_resource(points: usize) -> Vec<u8> {
    let long = |place: usize| part(1, &attribute(&format!("service.{place}"), &"x".repeat(1_000)));
    let resource = part(1, &(0..7).flat_map(long).collect::<Vec<u8>>());
    let point = part(1, &[fixed(3, NOW_NS), fixed(4, 0)].concat());
    // Several metrics, because a length of this spelling has two bytes.
    let metric = part(2, &[part(1, b"m"), part(5, &point.repeat(300))].concat());
    (0..points / 300).flat_map(|_| part(1, &[resource.clone(), part(2, &metric)].concat())).collect()
}

#[tokio::test]
async fn log_records_become_lines_of_the_log() {
    let server = start().await;
    let attributes = json!([
        { "key": "host.name", "value": { "stringValue": "web-1" } }, { "key": "service.name", "value": { "stringValue": "api" } },
    ]);
    let records = json!([
        { "timeUnixNano": NOW_NS.to_string(), "severityNumber": 17, "body": { "stringValue": "it broke" } },
        { "observedTimeUnixNano": (NOW_NS + 1_000).to_string(), "severityText": "Notice",
          "body": { "kvlistValue": { "values": [{ "key": "a", "value": { "intValue": 1 } }] } } },
        { "body": { "stringValue": "when?" } },
    ]);
    let body = json!({ "resourceLogs": [{ "resource": { "attributes": attributes }, "scopeLogs": [{ "logRecords": records }] }] });
    let answer = server.post("/v1/logs", &body).await;
    assert_eq!(answer.status, 200);
    let expected = json!({ "rejectedLogRecords": "1", "errorMessage": "log record 2: the time is not set" });
    assert_eq!(answer.json()["partialSuccess"], expected);
    let logs = server.get("/api/v1/logs").await.json();
    let shown: Vec<_> = logs["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            [&line["timestamp"], &line["source"], &line["level"], &line["message"]]
                .map(|field| field.as_str().unwrap().to_owned())
        })
        .collect();
    let expected = [["2025-11-20T12:00:00.000001Z", "api", "Notice", r#"{"a":1}"#], [NOW, "api", "error", "it broke"]];
    assert_eq!(shown, expected);
    server.stop().await.unwrap();
}
