//! Native histograms, which no series can hold as they are: they become what a classic histogram would have been.

use super::*;
use crate::harness::remote_write::{BucketSpan, Histogram, TimeSeries, series};

fn request(histogram: Histogram) -> WriteRequest {
    let with_labels = series("latency", &[("path", "/")], &[]);
    let timeseries = vec![TimeSeries { histograms: vec![histogram], ..with_labels }];
    WriteRequest { timeseries, ..WriteRequest::default() }
}

/// Name, bound and value of what is stored, in the order of names and bounds.
async fn parts(server: &TestServer) -> Vec<(String, String, f64)> {
    let page = server.get("/api/v1/metrics?limit=1000").await.json();
    let part = |row: &Value| {
        assert_eq!(row["labels"]["path"], "/");
        let bound = row["labels"]["le"].as_str().unwrap_or_default().to_owned();
        (row["metric_name"].as_str().unwrap().to_owned(), bound, row["value"].as_f64().unwrap())
    };
    let mut parts: Vec<_> = page["metrics"].as_array().unwrap().iter().map(part).collect();
    parts.sort_by(|left, right| {
        let number = |text: &str| text.parse::<f64>().unwrap_or_default();
        left.0.cmp(&right.0).then(number(&left.1).total_cmp(&number(&right.1)))
    });
    parts
}

fn bucket(bound: &str, count: f64) -> (String, String, f64) {
    ("latency_bucket".to_owned(), bound.to_owned(), count)
}

fn totals(count: f64, sum: f64) -> [(String, String, f64); 2] {
    [("latency_count".to_owned(), String::new(), count), ("latency_sum".to_owned(), String::new(), sum)]
}

#[tokio::test]
async fn exponential_buckets_become_cumulative_ones_with_their_upper_bounds() {
    let server = start().await;
    let histogram = Histogram {
        count_int: Some(20),
        sum: 18.5,
        schema: 0,
        zero_threshold: 0.001,
        zero_count_int: Some(2),
        negative_spans: vec![BucketSpan { offset: 0, length: 2 }],
        negative_deltas: vec![1, 3],
        positive_spans: vec![BucketSpan { offset: -1, length: 2 }, BucketSpan { offset: 1, length: 1 }],
        positive_deltas: vec![3, 2, 0],
        timestamp: NOW_MS,
        ..Histogram::default()
    };
    let answer = write(&server, &request(histogram.clone())).await;
    assert_told(&answer, 204, "9", "0");
    let again = write_2(&server, &request(histogram)).await;
    for answer in [answer, again] {
        assert_eq!(answer.header("x-prometheus-remote-write-histograms-written"), Some("1"));
        assert_eq!(answer.header("x-prometheus-remote-write-samples-written"), Some("0"));
    }
    // Below zero: one in [-1, -0.5), four in [-2, -1). Above: three up to 0.5, five up to 1, five up to 4.
    let buckets = [("-1", 4.0), ("-0.5", 5.0), ("0.001", 7.0), ("0.5", 10.0), ("1", 15.0), ("4", 20.0), ("+Inf", 20.0)];
    let mut expected: Vec<_> = buckets.into_iter().map(|(bound, count)| bucket(bound, count)).collect();
    expected.extend(totals(20.0, 18.5));
    assert_eq!(parts(&server).await, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_histogram_with_its_own_bounds_becomes_exactly_the_classic_one() {
    let server = start().await;
    let histogram = Histogram {
        count_float: Some(6.5),
        sum: 4.0,
        schema: -53,
        custom_values: vec![0.1, 5.0, 10.0],
        positive_spans: vec![BucketSpan { offset: 0, length: 1 }, BucketSpan { offset: 1, length: 2 }],
        positive_counts: vec![1.5, 3.0, 2.0],
        timestamp: NOW_MS,
        ..Histogram::default()
    };
    assert_told(&write_2(&server, &request(histogram)).await, 204, "6", "0");
    let buckets = [("0.1", 1.5), ("5", 1.5), ("10", 4.5), ("+Inf", 6.5)];
    let mut expected: Vec<_> = buckets.into_iter().map(|(bound, count)| bucket(bound, count)).collect();
    expected.extend(totals(6.5, 4.0));
    assert_eq!(parts(&server).await, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_histogram_that_contradicts_itself_is_refused_by_name() {
    let server = start().await;
    let one = BucketSpan { offset: 0, length: 1 };
    let plain = Histogram { count_int: Some(1), sum: 1.0, timestamp: NOW_MS, ..Histogram::default() };
    let with = |spans: Vec<BucketSpan>, deltas: Vec<i64>| Histogram {
        positive_spans: spans,
        positive_deltas: deltas,
        ..plain.clone()
    };
    let huge = BucketSpan { offset: i32::MAX, length: u32::MAX };
    for (bad, reason) in [
        (Histogram { schema: 9, ..plain.clone() }, "native histogram: unknown schema"),
        (with(vec![one], vec![]), "native histogram: there are fewer buckets than its spans say"),
        (with(vec![one], vec![1, 1]), "native histogram: there are more buckets than its spans say"),
        (with(vec![one], vec![-1]), "native histogram: a bucket is negative"),
        (with(vec![one, BucketSpan { offset: -5, length: 1 }], vec![1, 1]), "its buckets are not in order"),
        (with(vec![huge], vec![1; 1_001]), "a native histogram has more than 1000 buckets"),
        (with(vec![huge; 1_001], vec![1]), "a native histogram has more than 1000 buckets"),
        (Histogram { timestamp: i64::MIN, ..plain.clone() }, "is out of range"),
    ] {
        let answer = write(&server, &request(bad)).await;
        assert_told(&answer, 400, "0", "1");
        assert_eq!(answer.header("x-prometheus-remote-write-histograms-written"), Some("0"));
        assert!(answer.text().contains(reason), "{} is not {reason}", answer.text());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_histogram_of_which_a_part_is_refused_does_not_count_as_written() {
    let server = start_with(&[("catalog.series_per_server_max", "3")]).await;
    let histogram = |count| Histogram { count_int: Some(count), sum: 1.0, timestamp: NOW_MS, ..Histogram::default() };
    let answer = write_2(&server, &request(histogram(1))).await;
    assert_told(&answer, 400, "3", "1");
    assert_eq!(answer.header("x-prometheus-remote-write-histograms-written"), Some("0"));
    assert_eq!(answer.header("x-prometheus-remote-write-samples-written"), Some("0"));
    assert!(answer.text().starts_with("1 refused, 3 samples stored; series 0: "), "{}", answer.text());
    server.stop().await.unwrap();
}
