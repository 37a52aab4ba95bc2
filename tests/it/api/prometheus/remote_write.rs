//! Remote write over sockets: what is acknowledged is found, what is refused is named.

use hyper::{Method, StatusCode};

use super::*;
use crate::harness::remote_write::{Metadata, Sample, TimeSeries, series};

fn request(timeseries: Vec<TimeSeries>) -> WriteRequest {
    WriteRequest { timeseries, ..WriteRequest::default() }
}

#[track_caller]
fn assert_written(answer: &Answer, samples: &str) {
    for (what, count) in [("samples", samples), ("histograms", "0"), ("exemplars", "0")] {
        assert_eq!(answer.header(&format!("x-prometheus-remote-write-{what}-written")), Some(count), "{answer:?}");
    }
}

#[tokio::test]
async fn both_versions_store_the_same_series_under_the_host_of_their_instance() {
    let server = start().await;
    let labels = [("instance", "web-1:9100"), ("job", "node"), ("mode", "idle")];
    let one = request(vec![
        series("node_cpu_seconds_total", &labels, &[(1.25, NOW_MS - 1), (2.5, NOW_MS)]),
        series("up", &[("job", "none")], &[(1.0, NOW_MS)]),
    ]);
    // The first time series are made, the second time they are found by their spelling.
    for _ in 0..2 {
        let answer = write(&server, &one).await;
        assert_told(&answer, 204, "3", "0");
        assert_written(&answer, "3");
        let answer = write_2(&server, &one).await;
        assert_told(&answer, 204, "3", "0");
        assert_written(&answer, "3");
    }
    let labels = r#"{"instance":"web-1:9100","job":"node","mode":"idle"}"#;
    let name = "prometheus node_cpu_seconds_total";
    let before = NOW.replace("12:00:00", "11:59:59.999");
    assert_eq!(
        stored(&server, "web-1").await,
        [format!("{name} {labels} 1.25 {before}"), format!("{name} {labels} 2.5 {NOW}")]
    );
    assert_eq!(stored(&server, "prometheus").await, [format!(r#"prometheus up {{"job":"none"}} 1 {NOW}"#)]);
    assert_eq!(server.get("/api/v1/series?metric_type=prometheus").await.json()["count"], 2);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn every_float_comes_back_bit_for_bit_stale_markers_included() {
    let server = start().await;
    // Senders leave out what equals zero, so a zero below zero cannot be told; text can tell it.
    let values = [0.1, 5e-324, f64::MAX, 1.0 / 3.0, f64::NEG_INFINITY, f64::from_bits(0x7ff0_0000_0000_0002)];
    let one = request(
        values.iter().zip(0..).map(|(value, place)| series(&format!("f{place}"), &[], &[(*value, NOW_MS)])).collect(),
    );
    assert_told(&write(&server, &one).await, 204, "6", "0");
    let exported = server.get("/api/v1/export?metric_type=prometheus").await;
    for (place, value) in values.iter().enumerate() {
        let name = format!("\"f{place}\"");
        let line = exported.text().lines().find(|line| line.contains(&name)).unwrap();
        assert_eq!(value_bits(line), value.to_bits(), "{line}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_series_that_cannot_be_is_named_and_its_neighbours_are_stored() {
    let server = start().await;
    let mut unordered = series("a", &[("x", "1"), ("y", "2")], &[(1.0, NOW_MS)]);
    unordered.labels.reverse();
    let mut twice = series("a", &[("x", "1")], &[(1.0, NOW_MS)]);
    twice.labels.push(twice.labels[1].clone());
    let mut nameless = series("a", &[("x", "1")], &[(1.0, NOW_MS)]);
    nameless.labels.remove(0);
    let many: Vec<(String, String)> = (0..65).map(|place| (format!("l{place}"), "x".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (bad, reason) in [
        (unordered, "labels are not in the order of their names: \"x\" after \"y\""),
        (twice, "label \"x\" appears twice"),
        (nameless, "missing label __name__"),
        (series("a", &many, &[(1.0, NOW_MS)]), "65 labels, at most 64 are allowed"),
        (series(&"n".repeat(257), &[], &[(1.0, NOW_MS)]), "metric_name is 257 bytes long, at most 256 are allowed"),
        (series("a", &[("x", &"v".repeat(40_000))], &[(1.0, NOW_MS)]), "at most 32768 are allowed"),
        (series("a", &[("instance", &"h".repeat(300))], &[(1.0, NOW_MS)]), "host name is 300 bytes long"),
        (series("a", &[], &[(1.0, i64::MAX)]), "timestamp 9223372036854775807 is out of range"),
        (series("a", &[], &[(1.0, 1_000)]), "timestamp is before"),
    ] {
        let good = |place: i64| series("good", &[], &[(1.0, NOW_MS - place)]);
        let one = request(vec![good(1), bad, good(0)]);
        let answers = [write(&server, &one).await, write_2(&server, &one).await];
        for answer in answers {
            assert_told(&answer, 400, "2", "1");
            assert_written(&answer, "2");
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
            assert!(answer.text().starts_with("1 refused, 2 samples stored; series 1: "), "{}", answer.text());
            assert!(answer.text().contains(reason), "{} is not {reason}", answer.text());
        }
    }
    assert_eq!(stored(&server, "prometheus").await.len(), 2);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn one_sample_out_of_range_costs_its_series_nothing_else() {
    let server = start().await;
    let one = request(vec![series("a", &[], &[(1.0, NOW_MS - 1), (2.0, i64::MIN), (3.0, NOW_MS)])]);
    assert_told(&write(&server, &one).await, 400, "2", "1");
    assert_eq!(stored(&server, "prometheus").await.len(), 2);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_media_type_says_which_version_it_is_and_others_are_unsupported() {
    let server = start().await;
    let message = request(vec![series("up", &[], &[(1.0, NOW_MS)])]).encode_to_vec();
    for (content_type, status) in [
        ("application/x-protobuf", 204),
        ("application/x-protobuf; proto=prometheus.WriteRequest", 204),
        ("Application/X-Protobuf;proto=\"prometheus.WriteRequest\"", 204),
        ("application/x-protobuf;proto=io.prometheus.write.v3.Request", 415),
        ("application/json", 415),
        ("", 415),
    ] {
        assert_eq!(write_bytes(&server, content_type, &message).await.status, status, "{content_type}");
    }
    // Read as 2.0 it holds no series.
    assert_told(&write_bytes(&server, VERSION_2, &message).await, 204, "0", "0");
    for encoding in ["gzip", "identity", ""] {
        let headers = [("content-type", VERSION_1), ("content-encoding", encoding)];
        let answer = server.send(Method::POST, "/api/v1/push", &headers, &message).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{encoding}");
        assert!(answer.text().contains("snappy"), "{}", answer.text());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn metadata_and_exemplars_are_left_out_and_the_latter_are_counted() {
    let server = start().await;
    let metadata = vec![Metadata { kind: 1, family: "up".to_owned() }];
    let only = WriteRequest { metadata, ..WriteRequest::default() };
    assert_told(&write(&server, &only).await, 204, "0", "0");
    let mut up = series("up", &[], &[(1.0, NOW_MS)]);
    up.exemplars = vec![Sample { value: 1.0, timestamp: NOW_MS }; 2];
    let answer = write(&server, &request(vec![up])).await;
    assert_told(&answer, 204, "1", "0");
    assert_eq!(answer.header("x-millrace-left-out"), Some("2"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn names_and_hosts_are_what_the_settings_say() {
    let settings = [
        ("prometheus.metric_type", "metric"),
        ("prometheus.host_labels", "node, instance"),
        ("prometheus.default_host", "unnamed"),
    ];
    let server = start_with(&settings).await;
    let one = request(vec![
        series("a", &[("instance", "i:1"), ("node", "n")], &[(1.0, NOW_MS)]),
        series("a", &[("instance", "[::1]:9090")], &[(2.0, NOW_MS)]),
        series("a", &[("instance", "")], &[(3.0, NOW_MS)]),
    ]);
    assert_told(&write(&server, &one).await, 204, "3", "0");
    assert_eq!(stored(&server, "n").await, [format!(r#"metric a {{"instance":"i:1","node":"n"}} 1 {NOW}"#)]);
    assert_eq!(stored(&server, "::1").await, [format!(r#"metric a {{"instance":"[::1]:9090"}} 2 {NOW}"#)]);
    assert_eq!(stored(&server, "unnamed").await, [format!("metric a {{}} 3 {NOW}")]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn who_sends_too_much_is_told_when_to_come_back() {
    let server = start_with(&[("admit.samples_per_second", "1"), ("admit.burst", "1s")]).await;
    let one = request(vec![series("a", &[], &[(1.0, NOW_MS), (2.0, NOW_MS - 1), (3.0, NOW_MS - 2)])]);
    assert_told(&write(&server, &one).await, 204, "3", "0");
    let answer = write(&server, &one).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    server.stop().await.unwrap();
}
